"""Plans of what is no change to how one signs in, so that no directory plans it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from passless.domain.party_kinds import BROWSERS, PartyKind
from passless.domain.views import NOTHING, AccountView, EffectView, InvitationView, PlanView, ProblemView, StateView

if TYPE_CHECKING:
    from passless.domain.relying_parties import NewRelyingParty, RelyingPartyView
    from passless.domain.requests import Enrol, NewInvitation

UNSEEN = replace(NOTHING, passwordless=False, state="unknown")  # of an account at a server where nobody is signed in
NO_CODE = ProblemView(
    code="no-recovery-code",
    message="the account has no saved recovery code",
    hint="sign in another way, or ask an operator for a temporary pass",
    severity="refusal",
)


def create_account(name: str, *, has_password: bool) -> PlanView:
    """Plan the making of an account."""
    before = NOTHING
    after = replace(before, passwordless=not has_password, state="ok" if has_password else "unfinished")
    made = "a password" if has_password else "no password"
    return _plan({"type": "create-account", "name": name}, "account-made", f'"{name}" is made, with {made}', before, after)


def invite(new: NewInvitation) -> PlanView:
    """Plan an invitation: no account is there yet."""
    change = {"type": "create-invitation", "groups": list(new.groups), "name": new.name, "email": new.email}
    who = f'"{new.name}"' if new.name else "whoever has the link"
    return _plan(change, "invitation-made", f"{who} may make an account, once", NOTHING, NOTHING)


def revoke_invitation(invitation: InvitationView) -> PlanView:
    """Plan the end of an invitation."""
    change = {"type": "revoke-invitation", "invitation": invitation.id}
    return _plan(change, "invitation-ended", "the link makes no account any more", NOTHING, NOTHING)


def add_relying_party(new: NewRelyingParty) -> PlanView:
    """Plan the registering of a relying party."""
    change = {
        "type": "add-relying-party",
        "name": new.name,
        "kind": str(new.kind),
        "redirect_uris": list(new.redirect_uris),
        "public": new.public,
        "scopes": list(new.scopes),
        "introspects": new.introspects,
        "requires": new.requires,
        "services": list(new.services),
        "groups": list(new.groups),
    }
    return _plan(change, "relying-party-added", f'"{new.name}" may ask people to sign in', NOTHING, NOTHING)


def remove_relying_party(found: RelyingPartyView) -> PlanView:
    """Plan the end of a relying party."""
    change = {"type": "remove-relying-party", "relying_party": found.id, "name": found.name}
    message = f'"{found.name}" signs nobody in any more, and all its tokens end'
    plan = _plan(change, "relying-party-removed", message, NOTHING, NOTHING)
    if found.kind in BROWSERS - {PartyKind.HTTP}:
        return plan
    stays = (
        "its program's files, and the lines that include them, stay on its host; as long as it is registered,"
        " `relying-party configure --steps` lists them"
    )
    return replace(plan, effects=(*plan.effects, EffectView(code="files-stay", message=stays)))


def new_relying_party_secret(found: RelyingPartyView) -> PlanView:
    """Plan another secret of a relying party."""
    change = {"type": "new-relying-party-secret", "relying_party": found.id, "name": found.name}
    message = f'"{found.name}" has a new secret, and the one before is refused; its tokens stay'
    return _plan(change, "relying-party-secret-replaced", message, NOTHING, NOTHING)


def sign_out(view: AccountView, *, everywhere: bool) -> PlanView:
    """Plan the end of sessions."""
    everything = "every session of the account ends, and every token of a machine"
    which = everything if everywhere else "the session in use ends"
    return _plan({"type": "sign-out", "everywhere": everywhere}, "sessions-ended", which, state_of(view), state_of(view))


def start_recovery(view: AccountView | None) -> PlanView:
    """Plan a recovery with the recovery code; without a view where the account is not to be seen before it."""
    before = UNSEEN if view is None else state_of(view)
    message = "the account is in recovery, once the code is right"
    plan = _plan({"type": "start-recovery"}, "in-recovery", message, before, replace(before, state="in-recovery"))
    return plan if view is None or view.recovery_code.saved else replace(plan, accepted=False, problems=(NO_CODE,))


def enrol(view: AccountView, request: Enrol, problems: tuple[ProblemView, ...]) -> PlanView:
    """Plan the adding of a method; whether it signs in is known only once it is there."""
    change = {"type": "add-method", "kind": str(request.kind), "name": request.name, "device": request.device}
    message = f"a {request.kind} is added, once its answer is right"
    plan = _plan(change, "method-added", message, state_of(view), state_of(view))
    return replace(plan, accepted=all(one.severity != "refusal" for one in problems), problems=problems)


def state_of(view: AccountView) -> StateView:
    """Return what plans compare."""
    return StateView(
        passwordless=view.passwordless,
        two_step=view.two_step,
        methods=tuple(method.id for method in view.methods),
        ways_in=view.ways_in,
        state=view.state,
    )


def _plan(change: Mapping[str, object], code: str, message: str, before: StateView, after: StateView) -> PlanView:
    effect = EffectView(code=code, message=message)
    return PlanView(change=change, accepted=True, problems=(), effects=(effect,), before=before, after=after)
