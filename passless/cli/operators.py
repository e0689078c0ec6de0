"""What operators of a server do to others' rights and groups; what they do to sign-ins is done by the commands for those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.cli.failures import Contradiction
from passless.domain.names import key, printable
from passless.domain.requests import ApproveRecovery, GrantOperator, SetGroups
from passless.domain.views import Applied, PlanView, Waits
from passless.output.results import GroupStatus

if TYPE_CHECKING:
    from passless.cli.context import Run

Outcome = PlanView | Applied | Waits


def helping(run: Run) -> Run:
    """Act as an operator, in commands that nobody else can use."""
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


def approve(run: Run) -> Outcome:
    """Agree to a recovery that another operator asked for."""
    return helping(run).change(ApproveRecovery())


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
