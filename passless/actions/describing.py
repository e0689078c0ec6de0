"""Changes in words: for the audit trail, for plans, and for notices. Never a secret, a hash or a seal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from passless.domain.account import Account
from passless.domain.changes import (
    AddAppPassword,
    AddMethod,
    AddRecoveryCode,
    CancelPending,
    Change,
    ConfirmRecoveryCode,
    DeleteAccount,
    GiveApproval,
    GrantRights,
    IssueTemporaryPass,
    LoseDevice,
    LoseMethods,
    PutIntoGroups,
    RemoveMethod,
    RenameAccount,
    RenameMethod,
    RevokeAppPasswords,
    RevokeRights,
    SetDefaultMethod,
    StartRecovery,
    TakeBackLoss,
    TurnTwoStepOff,
    type_of,
)
from passless.domain.methods import MethodId, kind_of
from passless.domain.safety.planning import Plan

IF_NOT_YOU = "if this was not you: passless session end --all, then passless device lost NAME"
WHO_MADE_YOU_ONE = "passless operator list says who did it; if nobody told you why, ask them or who runs the server"

EVERYBODY = "everybody"

TITLES = {
    "add-method": "a sign-in method was added",
    "remove-method": "a sign-in method was removed",
    "replace-password": "the password was changed",
    "turn-passwordless-on": "passwordless was turned on",
    "turn-passwordless-off": "passwordless was turned off",
    "turn-two-step-on": "two-step was turned on",
    "turn-two-step-off": "two-step was turned off",
    "add-app-password": "an app password was made",
    "revoke-app-passwords": "an app password was revoked",
    "add-recovery-code": "a recovery code was made",
    "confirm-recovery-code": "the recovery code was saved",
    "lose-device": "a device was reported lost",
    "lose-methods": "a sign-in was reported as not yours",
    "take-back-loss": "a loss report was taken back",
    "issue-temporary-pass": "a temporary pass was issued",
    "revoke-temporary-pass": "the temporary pass was revoked",
    "start-recovery": "a recovery was started",
    "finish-recovery": "the recovery was finished",
    "cancel-recovery": "the recovery was cancelled",
    "cancel-pending": "a waiting change was cancelled",
    "rename-account": "the account was renamed",
    "rename-method": "a sign-in method was renamed",
    "set-default-method": "the default method was changed",
    "delete-account": "the account was deleted",
    "grant-operator": "you were made an operator",
    "revoke-operator": "you are no operator any more",
    "set-groups": "the account was put into groups",
    "ask-approval": "an operator asked for what another has to approve",
    "approve-recovery": "an operator approved what another asked for",
}
QUIET = frozenset(
    {"rename-method", "set-default-method", "settle", "delete-account", "set-groups"}
)  # no change to how one signs in


def title(change: Change) -> str:
    """Return a change as a short sentence in the past."""
    return TITLES.get(type_of(change), type_of(change))


def remedy(change: Change) -> str:
    """Return what helps if somebody else did it; nobody is made an operator by themselves."""
    return WHO_MADE_YOU_ONE if isinstance(change, GrantRights) else IF_NOT_YOU


def details(account: Account, change: Change) -> dict[str, str]:  # noqa: PLR0911 - one case a change
    """Return what of a change belongs in the audit trail and in a plan."""
    match change:
        case AddMethod(method=method):
            return {"method": method.id, "kind": kind_of(method), "name": method.name, "device": method.device}
        case RemoveMethod(id=method_id) | SetDefaultMethod(id=method_id):
            return _method(account, method_id)
        case RenameMethod(id=method_id, name=name):
            return _method(account, method_id) | {"new_name": name}
        case AddAppPassword(app_password=made):
            services = {"for": ",".join(made.services)} if made.services else {}
            return {"app_password": made.id, "name": made.name} | services
        case RevokeAppPasswords(ids=ids):
            return {"app_passwords": ",".join(ids)}
        case LoseDevice(device=device):
            return {"device": device}
        case LoseMethods(ids=ids):
            return {"methods": ",".join(ids)}
        case StartRecovery(by=by, lost=lost):
            return {"by": by} | ({"lost": ",".join(lost)} if lost else {})
        case RenameAccount(name=name):
            return {"new_name": name}
        case TurnTwoStepOff():
            return {"app_passwords_ended": str(len(account.app_passwords))} if account.app_passwords else {}
        case GrantRights() | RevokeRights() | PutIntoGroups() | GiveApproval():
            return _among_operators(account, change)
        case _:
            return _ids(change)


def _among_operators(account: Account, change: GrantRights | RevokeRights | PutIntoGroups | GiveApproval) -> dict[str, str]:
    match change:
        case GrantRights(over=over):
            return {"over": ",".join(over) or EVERYBODY}
        case RevokeRights():
            return {} if account.operator is None else {"over_before": ",".join(account.operator.over) or EVERYBODY}
        case PutIntoGroups(groups=groups):
            return {"groups": ",".join(groups), "groups_before": ",".join(account.groups)}
        case GiveApproval():
            held = account.approval
            return {} if held is None else {"asked": held.asked, "asked_by": held.asked_name, "wish": held.id}
        case _:
            assert_never(change)


def _ids(change: Change) -> dict[str, str]:
    match change:
        case AddRecoveryCode(code=code):
            return {"code": code.id}
        case ConfirmRecoveryCode(id=code_id):
            return {"code": code_id}
        case IssueTemporaryPass(temporary_pass=issued):
            until = f"{issued.expires_at:%Y-%m-%dT%H:%M:%SZ}"
            return {"pass": issued.id, "until": until, "once": "yes" if issued.once else "no"}
        case TakeBackLoss(id=loss_id):
            return {"report": loss_id}
        case CancelPending(id=pending_id):
            return {"pending": pending_id}
        case _:
            return {}


def _method(account: Account, method_id: MethodId) -> dict[str, str]:
    method = account.method(method_id)
    return {"method": method_id} | ({"kind": kind_of(method), "name": method.name} if method is not None else {})


def effects(plan: Plan) -> Iterator[tuple[str, str]]:
    """Return what a plan would do, each with a stable code."""
    if isinstance(plan.change, DeleteAccount):
        yield from _deleting_effects(plan.before)
        return
    before, after = plan.before, plan.after
    kept = {method.id for method in after.methods}
    had = {method.id for method in before.methods}
    if before.password is not None and after.password is None:
        yield "password-deleted", "the password is deleted; nobody can use it again, you neither"
    if before.password is None and after.password is not None:
        yield "password-set", "the account has a password again"
    elif before.password is not None and after.password is not None and before.password.id != after.password.id:
        yield "password-changed", "the password is replaced"
    for method in after.methods:
        if method.id not in had and method != after.password:
            yield "method-added", f'"{method.name}" ({kind_of(method)}) is added'
    for method in before.methods:
        if method.id not in kept and method != before.password:
            yield "method-removed", f'"{method.name}" ({kind_of(method)}) stops working, and sessions it opened end'
    yield from _setting_effects(before, after)


def _deleting_effects(before: Account) -> Iterator[tuple[str, str]]:
    """Say all that goes with an account."""
    methods = ", ".join(f'"{method.name}"' for method in before.methods)
    yield "account-deleted", f'the account "{before.name}" goes for good, with its sessions, tokens and recovery codes'
    yield "name-kept", f'on a server only an operator gives the name "{before.name}" to somebody else then'
    if methods:
        yield "methods-deleted", f"nothing signs it in any more: {methods}"
    for one in before.app_passwords:
        yield "app-password-ended", f'the app password "{one.name}" stops working'
    if before.operator is not None:
        over = _spoken(before.operator.over) if before.operator.over else EVERYBODY
        yield "no-operator", f"the operator over {over} goes with it"


def _setting_effects(before: Account, after: Account) -> Iterator[tuple[str, str]]:
    if after.two_step and not before.two_step:
        yield "two-step-on", "one proof is no longer enough, unless it is two factors in itself"
    if before.two_step and not after.two_step:
        yield "two-step-off", "one proof is enough to sign in"
    programs = {one.id for one in after.app_passwords}
    for one in before.app_passwords:
        if one.id not in programs:
            yield "app-password-ended", f'the app password "{one.name}" stops working'
    if len(after.pending) < len(before.pending):
        yield "pending-cancelled", "what waited is not going to happen"
    if before.recovery is None and after.recovery is not None:
        yield "in-recovery", "the account is in recovery"
    if before.temporary_pass is not None and after.temporary_pass is None:
        yield "pass-ended", "the temporary pass stops working"
    yield from _standing_effects(before, after)


def _standing_effects(before: Account, after: Account) -> Iterator[tuple[str, str]]:
    """Say what becomes of an account among operators."""
    if after.operator is not None and after.operator != before.operator:
        yield "operator", f"may help {_spoken(after.operator.over) if after.operator.over else EVERYBODY}"
    if before.operator is not None and after.operator is None:
        yield "no-operator", "helps nobody any more; sessions of the account end"
    if after.groups != before.groups:
        yield "groups", f"the account is in {_spoken(after.groups)}" if after.groups else "the account is in no group"
    if after.approval is not None and after.approval.approved_by and after.approval != before.approval:
        yield "approved", f"{after.approval.asked_name} may have once, within 24 hours: {after.approval.asked}"


def _spoken(groups: Iterable[str]) -> str:
    return ", ".join(f'"{group}"' for group in groups)
