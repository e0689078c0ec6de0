"""What operators of a server do to others' rights and groups; what they do to sign-ins is done by the commands for those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.cli.failures import Contradiction
from passless.cli.views import recovery
from passless.domain.errors import WrongUse
from passless.domain.names import key, printable
from passless.domain.requests import ApproveRecovery, GrantOperator, SetGroups
from passless.domain.views import Applied, PlanView, Waits
from passless.output.results import GroupStatus

if TYPE_CHECKING:
    from passless.cli.context import Run

Outcome = PlanView | Applied | Waits


def helping(run: Run) -> Run:
    """Act as an operator, in commands that nobody else can use; who is none is told so, and only then who does not say why."""
    if not run.given.reason:
        run.given.as_operator = False
        run.attempt(run.directory.operators)
    run.given.as_operator = True
    return run


def as_themselves(run: Run) -> Run:
    """Act for nobody else: on the account that acts."""
    return run.on(run.acting_account)


def add(run: Run, over: tuple[str, ...], *, first: bool) -> Outcome:
    """Make an operator; the first one is made by whoever can open the store, who needs no reason."""
    if not first or run.given.reason:
        helping(run)
    return run.change(GrantOperator(over=over, first=first))


class WishNotNamed(WrongUse):
    """Nobody agrees to what they did not look at."""

    code = "missing-input"
    hint = "see it, and its id: passless recover status --account NAME; then name it with --id ID, or run it in a terminal"
    default = "the id of what you agree to is missing"


def approve(run: Run, wish: str | None) -> Outcome:
    """Agree to what another operator asked for: at a terminal after it was shown, in a script by its id."""
    helping(run)
    asks = run.can_ask and not (run.given.yes or run.given.dry_run)
    if wish is None and not asks and not run.given.dry_run:
        raise WishNotNamed
    view = run.view() if asks or wish is None else None
    asked = None if view is None else view.approval
    request = ApproveRecovery(id=wish or (asked.id if asked is not None else ""))
    if view is not None and asked is not None and asks:
        run.draw(recovery(view))
        question = f'agree to what "{printable(asked.asked_by)}" asks for "{printable(view.account)}"?'
        run.confirm(question, plan=lambda: run.plan(request))
    return run.change(request)


def groups(run: Run, wanted: tuple[str, ...], *, none: bool) -> GroupStatus | Outcome:
    """Show the groups of an account, or say which they are; what goes is asked about first."""
    if none and wanted:
        raise Contradiction("--none", "naming a group")
    view = run.view()
    if not wanted and not none:
        return GroupStatus(account=view.account, groups=view.groups, operator_over=view.operator_over)
    kept = {key(group) for group in wanted}
    going = ", ".join(f'"{printable(group)}"' for group in view.groups if key(group) not in kept)
    question = f'take "{printable(view.account)}" out of {going}?' if going else None
    return helping(run).change(SetGroups(groups=wanted), confirm=question)
