"""Making and stopping invitations."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from passless.cli import plans
from passless.domain.errors import NotFound
from passless.domain.names import printable
from passless.domain.operators import clean_groups
from passless.domain.requests import NewInvitation
from passless.domain.views import Applied, InvitationView, PlanView

if TYPE_CHECKING:
    from passless.cli.context import Run


class NoSuchInvitation(NotFound):
    """No open invitation of that id."""

    code = "no-such-invitation"
    hint = "see what there is: passless invitation list"


def create(run: Run, new: NewInvitation, lifetime: timedelta | None) -> Applied | PlanView:
    """Invite somebody; a dry run asks the server for no more than whether one may invite at all."""
    new = replace(new, groups=clean_groups(new.groups), lifetime=lifetime or new.lifetime)
    if run.given.dry_run:
        _open(run)
        return plans.invite(new)
    made = run.attempt(lambda actor: run.directory.invite(actor, new))
    return Applied(plan=plans.invite(new), made=made)


def revoke(run: Run, invitation: str) -> Applied | PlanView:
    """Stop an invitation."""
    found = next((one for one in _open(run) if one.id == invitation), None)
    if found is None:
        raise NoSuchInvitation(f'there is no open invitation "{printable(invitation)}"')
    plan = plans.revoke_invitation(found)
    if run.given.dry_run:
        return plan
    run.confirm("stop this invitation?", plan=lambda: plan)
    ended = run.attempt(lambda actor: run.directory.revoke_invitation(actor, invitation))
    return Applied(plan=plan, made=ended)


def _open(run: Run) -> tuple[InvitationView, ...]:
    return run.attempt(run.directory.invitations)
