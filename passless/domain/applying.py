"""What each change does to an account: a pure function from one value to the next."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from passless.domain.account import Account, Pending
from passless.domain.changes import (
    AddAppPassword,
    AddMethod,
    AddRecoveryCode,
    AskApproval,
    CancelPending,
    CancelRecovery,
    Change,
    ConfirmRecoveryCode,
    DeleteAccount,
    FinishRecovery,
    GiveApproval,
    GrantRights,
    IssueTemporaryPass,
    LoseDevice,
    LoseMethods,
    PutIntoGroups,
    RemoveMethod,
    RenameAccount,
    RenameMethod,
    ReplacePassword,
    RevokeAppPasswords,
    RevokeRights,
    RevokeTemporaryPass,
    SetDefaultMethod,
    Settle,
    StartRecovery,
    TakeBackLoss,
    TurnPasswordlessOff,
    TurnPasswordlessOn,
    TurnTwoStepOff,
    TurnTwoStepOn,
)
from passless.domain.methods import Password, SignInMethod
from passless.domain.operators import OperatorRights, line
from passless.domain.recovery import HELPED_PERIOD, Helped, Loss, Recovery


def apply(account: Account, change: Change, *, now: datetime) -> Account:  # noqa: C901, PLR0911, PLR0912 - one case a change
    """Return the account after a change, whether or not the rules allow it."""
    match change:
        case AddMethod(method=method):
            added = replace(account, methods=(*account.methods, method))
            return _enrolled_in_recovery(added, method) if change.in_recovery else added
        case RenameMethod(id=method_id, name=name):
            renamed = (replace(method, name=name) if method.id == method_id else method for method in account.methods)
            return replace(account, methods=tuple(renamed))
        case SetDefaultMethod(id=method_id):
            return replace(account, default_method=method_id)
        case RemoveMethod(id=method_id):
            return _keeping(account, tuple(method for method in account.methods if method.id != method_id))
        case TurnPasswordlessOn():
            return _without_password(account)
        case TurnPasswordlessOff(password=password) | ReplacePassword(password=password):
            return _with_password(account, password)
        case TurnTwoStepOn():
            return _two_step_on(account, change)
        case TurnTwoStepOff():
            return _two_step_off(account, change)
        case AddAppPassword(app_password=app_password):
            return replace(account, app_passwords=(*account.app_passwords, app_password))
        case RevokeAppPasswords(ids=ids):
            kept = tuple(one for one in account.app_passwords if one.id not in ids)
            return replace(account, app_passwords=kept)
        case AddRecoveryCode(code=code):
            saved = tuple(one for one in account.recovery_codes if one.saved)
            return replace(account, recovery_codes=(*saved, code))
        case ConfirmRecoveryCode():
            return _code_saved(account, change)
        case LoseDevice() | LoseMethods():
            return _lose(account, change, now)
        case TakeBackLoss(id=loss_id):
            return _take_back(account, loss_id)
        case IssueTemporaryPass(temporary_pass=temporary_pass):
            return replace(account, temporary_pass=temporary_pass, approval=None)
        case RevokeTemporaryPass():
            return replace(account, temporary_pass=None)
        case StartRecovery():
            return _start_recovery(account, change, now)
        case FinishRecovery():
            return _finish_recovery(account, now)
        case CancelRecovery():
            return _cancel_recovery(account, now)
        case CancelPending(id=pending_id):
            return _cancel_pending(account, pending_id)
        case RenameAccount(name=name, display_name=display_name):
            return replace(account, name=name, display_name=display_name)
        case GrantRights() | RevokeRights() | PutIntoGroups() | AskApproval() | GiveApproval():
            return _among_operators(account, change, now)
        case DeleteAccount():
            return replace(account, methods=(), default_method=None, recovery_codes=(), app_passwords=(), temporary_pass=None)
        case Settle(at=at):
            return _settle(account, at)
        case _:
            assert_never(change)


def _among_operators(
    account: Account, change: GrantRights | RevokeRights | PutIntoGroups | AskApproval | GiveApproval, now: datetime
) -> Account:
    match change:
        case GrantRights():
            return replace(account, operator=_granted(account, change, now), approval=None)
        case RevokeRights():
            return replace(account, operator=None)
        case PutIntoGroups(groups=groups):
            return replace(account, groups=groups)
        case AskApproval(approval=approval):
            return replace(account, approval=approval)
        case GiveApproval(by=by, name=name):
            asked = account.approval
            given = None if asked is None else replace(asked, approved_by=by, approved_name=name, approved_at=now)
            return replace(account, approval=given)
        case _:
            assert_never(change)


def _granted(account: Account, change: GrantRights, now: datetime) -> OperatorRights:
    """Who had as much before is still known to be of whoever gave it: less is no way to be rid of that."""
    had = account.operator
    before = had.granted_by if had is not None and had.covers(change.over) else ()
    return OperatorRights(since=now, over=change.over, granted_by=line(*change.by, *before))


def postpone(account: Account, pending: Pending) -> Account:
    """Return the account with a change that waits; the same change asked for again takes the place of the first."""
    others = tuple(one for one in account.pending if one.change != pending.change)
    return replace(account, pending=(*others, pending))


def _cancel_pending(account: Account, pending_id: str) -> Account:
    approval = account.approval if account.approval is not None and account.approval.id != pending_id else None
    return replace(account, pending=tuple(one for one in account.pending if one.id != pending_id), approval=approval)


def _enrolled_in_recovery(account: Account, method: SignInMethod) -> Account:
    if account.recovery is None:
        return account
    return replace(account, recovery=replace(account.recovery, enrolled=(*account.recovery.enrolled, method.id)))


def _with_password(account: Account, password: Password) -> Account:
    kept = _without_password(account)
    return replace(kept, methods=(*kept.methods, password))


def _keeping(account: Account, methods: tuple[SignInMethod, ...]) -> Account:
    default = account.default_method if any(method.id == account.default_method for method in methods) else None
    return replace(account, methods=methods, default_method=default)


def _without_password(account: Account) -> Account:
    return _keeping(account, tuple(method for method in account.methods if not isinstance(method, Password)))


def _two_step_on(account: Account, change: TurnTwoStepOn) -> Account:
    until = change.old_code_alone_until
    codes = tuple(replace(code, alone_until=until) if code.saved else code for code in account.recovery_codes)
    return replace(account, two_step=True, recovery_codes=codes)


def _two_step_off(account: Account, change: TurnTwoStepOff) -> Account:
    codes = tuple(replace(code, alone_until=None) for code in account.recovery_codes)
    after = replace(account, two_step=False, app_passwords=(), recovery_codes=codes)
    return after if change.password is None else _with_password(after, change.password)


def _code_saved(account: Account, change: ConfirmRecoveryCode) -> Account:
    if not any(code.id == change.id and not code.saved for code in account.recovery_codes):
        return account  # only a code that was just shown replaces the others
    kept = []
    for code in account.recovery_codes:
        if code.id == change.id:
            kept.append(replace(code, saved=True))
        elif code.saved and change.old_codes_until is not None:
            until = change.old_codes_until if code.valid_until is None else min(code.valid_until, change.old_codes_until)
            kept.append(replace(code, valid_until=until))
    return replace(account, recovery_codes=tuple(kept))


def _lose(account: Account, change: LoseDevice | LoseMethods, now: datetime) -> Account:
    lost: tuple[SignInMethod, ...]
    if isinstance(change, LoseDevice):
        what = f"device:{change.device}"
        lost = tuple(
            method for method in account.methods if method.device == change.device and not isinstance(method, Password)
        )
        programs = tuple(one for one in account.app_passwords if one.device not in (None, change.device))
    else:
        what = "methods"
        lost = tuple(one for one in account.methods if one.id in change.ids)
        programs = account.app_passwords
    after = _keeping(account, tuple(method for method in account.methods if method not in lost))
    loss = Loss(
        id=change.id,
        what=what,
        methods=lost,
        reported_at=now,
        until=change.until,
        reported_with=change.reported_with,
        by=change.by,
    )
    return replace(after, losses=(*account.losses, loss), app_passwords=programs)


def _take_back(account: Account, loss_id: str) -> Account:
    back = tuple(method for loss in account.losses if loss.id == loss_id for method in loss.methods)
    replaced = account.password is not None  # a password set since then stays; there is never more than one
    kept = tuple(method for method in back if not (replaced and isinstance(method, Password)))
    losses = tuple(loss for loss in account.losses if loss.id != loss_id)
    found = {method.device for method in back}
    recovery = account.recovery
    if recovery is not None:  # what is not lost is no longer free to be removed under rule 10
        recovery = replace(recovery, lost=tuple(name for name in recovery.lost if name not in found))
    return replace(account, methods=(*account.methods, *kept), losses=losses, recovery=recovery)


def _start_recovery(account: Account, change: StartRecovery, now: datetime) -> Account:
    """A recovery that still holds goes on: starting it again must not free from rule 10 what was enrolled in it.

    What another operator approved is used with it, once.
    """
    account = replace(helped(account, change.made_by, now), approval=None)
    running = account.recovery if account.recovery is not None and account.recovery.holds(now) else None
    if running is None:
        return replace(account, recovery=Recovery(started_at=now, by=change.by, lost=change.lost))
    if running.finished_at is None:
        return replace(account, recovery=replace(running, lost=tuple(dict.fromkeys((*running.lost, *change.lost)))))
    return replace(account, recovery=Recovery(started_at=now, by=change.by, enrolled=running.enrolled, lost=change.lost))


def helped(account: Account, by: tuple[str, ...], now: datetime) -> Account:
    """Return the account with who recovers it written down, beside whoever did so lately."""
    if not by:
        return account
    had = account.helped if account.helped is not None and account.helped.holds(now) else Helped(by=(), since=now)
    return replace(account, helped=Helped(by=line(*by, *had.by), since=had.since))


def _finish_recovery(account: Account, now: datetime) -> Account:
    recovery = None if account.recovery is None else replace(account.recovery, finished_at=now)
    by = account.helped
    if by is not None and by.until is None:
        by = replace(by, until=now + HELPED_PERIOD)
    return replace(account, recovery=recovery, temporary_pass=None, helped=by)


def _cancel_recovery(account: Account, now: datetime) -> Account:
    if account.recovery is None:
        return account
    enrolled, since, by = account.recovery.enrolled, account.recovery.started_at, account.helped
    if by is not None:  # whoever helped in this one alone left nothing behind; in an earlier one they may have
        by = None if by.since >= since else replace(by, until=by.until or now + HELPED_PERIOD)
    kept = _keeping(account, tuple(method for method in account.methods if method.id not in enrolled))
    codes = tuple(
        replace(code, valid_until=None) if code.created_at < since else code
        for code in account.recovery_codes
        if code.created_at < since
    )
    pending = tuple(one for one in account.pending if one.asked_at < since)
    return replace(kept, recovery=None, temporary_pass=None, recovery_codes=codes, pending=pending, helped=by)


def is_timeless(account: Account) -> bool:
    """Tell whether nothing in an account has an end that `Settle` heeds: as most accounts are, most of the time."""
    return (
        account.recovery is None
        and account.temporary_pass is None
        and account.approval is None
        and not account.losses
        and all(code.valid_until is None for code in account.recovery_codes)
        and all(one.expires_at is None for one in account.app_passwords)
    )


def _settle(account: Account, at: datetime) -> Account:
    recovery = account.recovery if account.recovery is not None and account.recovery.holds(at) else None
    issued = account.temporary_pass
    approval = account.approval if account.approval is not None and account.approval.holds(at) else None
    return replace(
        account,
        recovery=recovery,
        losses=tuple(loss for loss in account.losses if at < loss.until),
        recovery_codes=tuple(code for code in account.recovery_codes if code.valid_until is None or at < code.valid_until),
        app_passwords=tuple(one for one in account.app_passwords if one.expires_at is None or at < one.expires_at),
        temporary_pass=issued if issued is not None and at < issued.expires_at else None,
        approval=approval,
    )
