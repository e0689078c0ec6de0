"""From a request to a change: looking things up, making secrets, hashes and ids."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from passless.actions import among_operators, app_password_tags, asking, naming, operators, renaming, services
from passless.actions.accounts import blank_password, new_password
from passless.actions.changing import Wanted
from passless.actions.parts import Parts
from passless.actions.request_errors import AlreadySo, AsksPasswordlessOn, BadDuration, CodeWrong
from passless.actions.taking_back import reported_loss
from passless.actions.who import Who
from passless.domain import names
from passless.domain.app_passwords import AppPassword
from passless.domain.changes import (
    AddAppPassword,
    AddRecoveryCode,
    CancelPending,
    CancelRecovery,
    Change,
    ConfirmRecoveryCode,
    DeleteAccount,
    FinishRecovery,
    IssueTemporaryPass,
    LoseDevice,
    LoseMethods,
    RemoveMethod,
    RenameMethod,
    ReplacePassword,
    RevokeAppPasswords,
    RevokeTemporaryPass,
    SetDefaultMethod,
    StartRecovery,
    TakeBackLoss,
    TurnPasswordlessOff,
    TurnPasswordlessOn,
    TurnTwoStepOff,
    TurnTwoStepOn,
)
from passless.domain.methods import Kind, Password, Strength
from passless.domain.operators import line
from passless.domain.recovery import RecoveryCode, TemporaryPass
from passless.domain.refused import Refused
from passless.domain.requests import (
    ApproveRecovery,
    CancelWaiting,
    ConfirmCode,
    Delete,
    EndRecovery,
    GrantOperator,
    IssuePass,
    MakeDefault,
    NewAppPassword,
    NewRecoveryCode,
    PasswordlessOn,
    RemoveMethodNamed,
    RenameAccountTo,
    RenameMethodTo,
    ReportLostDevice,
    ReportNotMe,
    Request,
    RevokeAppPasswordsNamed,
    RevokeOperator,
    RevokePass,
    SetGroups,
    SetPassword,
    StartRecoveryOf,
    StopRecovery,
    TakeBackReport,
    TwoStepOff,
    TwoStepOn,
)
from passless.domain.safety.context import Problem, Severity
from passless.domain.safety.ways_in import is_valid
from passless.domain.secret import Secret
from passless.domain.sessions import Proof, SessionKind, coming_of
from passless.domain.views import Made, MadeAppPassword, MadePass, MadeRecoveryCode

SHORTEST_PASS, LONGEST_PASS = timedelta(minutes=10), timedelta(days=30)  # security.md, "temporary pass"
LONGEST_LIFE = timedelta(days=3650)  # of an app password; further is a mistake of typing


class Built(Struct, frozen=True, kw_only=True):
    """What a request comes to: what to do, and what was made that is shown once."""

    wanted: Wanted
    made: Made | None = None


def build(parts: Parts, who: Who, request: Request, now: datetime, *, dry: bool = False) -> Built:  # noqa: PLR0911
    """Turn a request into changes of the account as it is now; `dry` makes no secret that needs the vault or takes long."""
    match request:
        case RenameMethodTo():
            return _rename_method(who, request)
        case MakeDefault(method=words):
            return _one(SetDefaultMethod(id=naming.method(who.account, words).id))
        case RemoveMethodNamed(method=words):
            return _remove(who, words)
        case SetPassword(password=password):
            return _set_password(parts, who, password, now, dry=dry)
        case PasswordlessOn():
            return _passwordless_on(who)
        case TwoStepOn():
            return _two_step_on(who)
        case TwoStepOff(password=password):
            return _two_step_off(parts, who, password, now, dry=dry)
        case NewAppPassword():
            return _app_password(parts, who, request, now, dry=dry)
        case RevokeAppPasswordsNamed():
            return _revoke(who, request)
        case RenameAccountTo():
            return Built(wanted=renaming.wish(parts, who, request))
        case Delete():
            return Built(wanted=Wanted(changes=(DeleteAccount(),), problems=operators.last_over_all(parts, who.account, now)))
        case _:
            return _build_coming_back(parts, who, request, now, dry=dry)


def _build_coming_back(  # noqa: C901, PLR0911, PLR0912 - one case a request
    parts: Parts, who: Who, request: Request, now: datetime, *, dry: bool
) -> Built:
    """Do the same for losses, codes, passes, recoveries, and among operators."""
    match request:
        case NewRecoveryCode():
            return _recovery_code(parts, now)
        case ConfirmCode(code=code):
            return _confirm(who, code)
        case ReportLostDevice(device=words):
            return _one(LoseDevice(id=parts.new_id(), device=naming.device(who.account, words), until=now))
        case ReportNotMe(session=session_id):
            return _not_me(parts, who, session_id, now)
        case TakeBackReport():
            return _one(TakeBackLoss(id=reported_loss(who, request.device).id))
        case IssuePass():
            return _issue(parts, who, request, now, dry=dry)
        case RevokePass():
            return _revoke_pass(who)
        case StartRecoveryOf():
            return _start_recovery(parts, who, request, now, dry=dry)
        case EndRecovery():
            return _finish_recovery(parts, who, now)
        case StopRecovery():
            return _cancel_recovery(who)
        case CancelWaiting(id=pending_id):
            return _cancel_waiting(who, pending_id)
        case GrantOperator() | RevokeOperator() | SetGroups() | ApproveRecovery():
            return Built(wanted=among_operators.wanted(parts, who, request, now))
        case _:
            raise TypeError(f"{type(request).__name__} is no change to an account")


def _one(change: Change, made: Made | None = None) -> Built:
    return Built(wanted=Wanted(changes=(change,)), made=made)


def _rename_method(who: Who, request: RenameMethodTo) -> Built:
    method = naming.method(who.account, request.method)
    others = naming.without_method(who.account, method)
    return _one(RenameMethod(id=method.id, name=naming.fresh_method_name(others, request.name, chosen=True)))


def _remove(who: Who, words: str) -> Built:
    method = naming.method(who.account, words)
    if isinstance(method, Password):
        raise AsksPasswordlessOn("the password is removed by going passwordless")
    return _one(RemoveMethod(id=method.id))


def words(who: Who) -> tuple[str, ...]:
    """Return what is known of a person, which makes no password stronger."""
    return (who.account.name, who.account.display_name, *who.account.addresses)


def _new_password(parts: Parts, who: Who, password: Secret, now: datetime, *, alone: bool, dry: bool) -> Password:
    if dry:
        return blank_password(parts, password, now=now)
    return new_password(parts, password, stands_alone=alone, words=words(who), whose=who.account.id, now=now)


def _set_password(parts: Parts, who: Who, password: Secret, now: datetime, *, dry: bool) -> Built:
    method = _new_password(parts, who, password, now, alone=not who.account.two_step, dry=dry)
    change = TurnPasswordlessOff(password=method) if who.account.passwordless else ReplacePassword(password=method)
    proofs = () if who.session is None else who.session.proofs
    before = next((proof for proof in proofs if proof.kind is Kind.PASSWORD), None)  # a new password proves nothing by itself
    goes_on = None if before is None else Proof(kind=Kind.PASSWORD, at=before.at, method=method.id)
    return Built(wanted=Wanted(changes=(change,), goes_on=goes_on))


def _passwordless_on(who: Who) -> Built:
    if who.account.passwordless:
        raise AlreadySo("the account has no password already")
    return _one(TurnPasswordlessOn())


def _two_step_on(who: Who) -> Built:
    if who.account.two_step:
        raise AlreadySo("two-step is on already")
    return _one(TurnTwoStepOn())


def _two_step_off(parts: Parts, who: Who, password: Secret | None, now: datetime, *, dry: bool) -> Built:
    if not who.account.two_step:
        raise AlreadySo("two-step is off already")
    if password is None:
        return _one(TurnTwoStepOff())
    method = _new_password(parts, who, password, now, alone=True, dry=dry)
    return _one(TurnTwoStepOff(password=method))


def _app_password(parts: Parts, who: Who, request: NewAppPassword, now: datetime, *, dry: bool) -> Built:
    from passless.credentials import random_codes

    name = names.clean(request.name, what="app password's name")
    if any(names.are_same(one.name, name) for one in who.account.app_passwords):
        raise naming.NameInUse(
            f'there is an app password "{name}" already',
            hint=f'one per program: choose another name, or passless app-password revoke "{name}"',
        )
    shortest = timedelta(minutes=1)
    expires_at = (
        None if request.lifetime is None else now + _lifetime("an app password", request.lifetime, shortest, LONGEST_LIFE)
    )
    secret = random_codes.new_app_password(parts.entropy, short=request.short)
    if not dry:
        parts.vault.reload()  # another process may have rotated the key and forgotten the one that is known here
    made = AppPassword(
        id=parts.new_id(),
        name=name,
        tags=() if dry else app_password_tags.made(parts.vault, secret),
        created_at=now,
        services=services.chosen(parts, request),
        expires_at=expires_at,
        device=None if request.device is None else naming.known_device(who.account, request.device),
        short=request.short,
    )
    shown = random_codes.in_groups(secret, 4, between=" ")
    return _one(
        AddAppPassword(app_password=made),
        MadeAppPassword(id=made.id, name=name, secret=shown, services=made.services, expires_at=expires_at),
    )


def _lifetime(what: str, lifetime: timedelta, shortest: timedelta, longest: timedelta) -> timedelta:
    if not shortest <= lifetime <= longest:
        raise BadDuration(f"{what} lasts from {_duration(shortest)} to {_duration(longest)}")
    return lifetime


def _duration(time: timedelta) -> str:
    count, unit = (time.days, "day") if time.days else (int(time.total_seconds() // 60), "minute")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _revoke(who: Who, request: RevokeAppPasswordsNamed) -> Built:
    if request.all:
        return _one(RevokeAppPasswords(ids=tuple(one.id for one in who.account.app_passwords)))
    return _one(RevokeAppPasswords(ids=tuple(naming.app_password(who.account, words).id for words in request.names)))


def _recovery_code(parts: Parts, now: datetime) -> Built:
    from passless.credentials import random_codes

    code = random_codes.new_recovery_code(parts.entropy)
    kept = RecoveryCode(
        id=parts.new_id(),
        hash=random_codes.hash_recovery_code(code, parts.entropy),
        created_at=now,
        created_with=Strength.NOTHING,
    )
    return _one(AddRecoveryCode(code=kept), MadeRecoveryCode(code=random_codes.in_groups(code, 5)))


def _confirm(who: Who, code: Secret | None) -> Built:
    from passless.credentials import random_codes

    unsaved = [one for one in who.account.recovery_codes if not one.saved]
    if not unsaved:
        raise naming.Nothing("there is no new recovery code to confirm", hint="make one: passless recovery-code new")
    if code is not None and not random_codes.check_recovery_code(unsaved[-1].hash, code):
        raise CodeWrong("that is not the new recovery code")
    return _one(ConfirmRecoveryCode(id=unsaved[-1].id))


def _not_me(parts: Parts, who: Who, session_id: str, now: datetime) -> Built:
    everything = parts.store.sessions(who.account.id)
    found = next((one for one in everything if one.id == session_id), None)
    if found is None:
        raise naming.NoSuchSession(f'there is no session "{names.printable(session_id)}"')
    ids = tuple(dict.fromkeys(proof.method for proof in found.proofs if proof.method is not None))
    change = LoseMethods(id=parts.new_id(), ids=ids, until=now)
    ends = (found.id, *(one.id for one in coming_of(found, everything)))
    return Built(wanted=Wanted(changes=(change,), ends=ends, among=tuple(one.id for one in everything)))


def _issue(parts: Parts, who: Who, request: IssuePass, now: datetime, *, dry: bool) -> Built:
    from passless.credentials import random_codes

    lifetime = _lifetime("a temporary pass", request.lifetime, SHORTEST_PASS, LONGEST_PASS)
    secret = random_codes.new_temporary_pass(parts.entropy, length=request.length)
    made = TemporaryPass(
        id=parts.new_id(),
        hash="" if dry else random_codes.hash_temporary_pass(secret, parts.entropy),
        issued_at=now,
        expires_at=now + lifetime,
        issued_by=who.reporter,
        once=request.once,
        made_by=_behind(who, now),
    )
    shown, wish = random_codes.in_groups(secret, 4), asking.asked_in(request)
    return Built(
        wanted=Wanted(
            changes=(IssueTemporaryPass(temporary_pass=made),),
            asked=wish,
            approvals=asking.approvals(parts, who, wish, now),
        ),
        made=MadePass(id=made.id, secret=shown, expires_at=made.expires_at, once=made.once),
    )


def _behind(who: Who, now: datetime) -> tuple[str, ...]:
    """Return an operator's id and who stands behind them; on an embedded store, where there is none, nobody."""
    return () if who.acting is None else line(who.acting.account.id, *who.acting.account.made_by(now))


def _revoke_pass(who: Who) -> Built:
    if who.account.temporary_pass is None:
        raise naming.Nothing("there is no temporary pass", hint="see: passless temporary-pass list")
    return _one(RevokeTemporaryPass())


def _start_recovery(parts: Parts, who: Who, request: StartRecoveryOf, now: datetime, *, dry: bool) -> Built:
    devices = tuple(naming.device(who.account, words) for words in request.lost)
    issued = _issue(parts, who, IssuePass(lifetime=request.lifetime), now, dry=dry)
    wish = asking.asked_in(request, lost=devices)
    lost = tuple(LoseDevice(id=parts.new_id(), device=device, until=now) for device in devices)
    changes = (*lost, *issued.wanted.changes, StartRecovery(by=who.reporter, lost=devices, made_by=_behind(who, now)))
    wanted = Wanted(changes=changes, asked=wish, approvals=asking.approvals(parts, who, wish, now))
    return Built(wanted=wanted, made=issued.made)


def _finish_recovery(parts: Parts, who: Who, now: datetime) -> Built:
    recovery = who.account.recovery
    if recovery is None or recovery.finished_at is not None:
        raise _no_recovery()
    used = {one.name for one in parts.store.sessions(who.account.id) if one.kind is SessionKind.RECOVERY_CODE}
    since = [code for code in who.account.recovery_codes if is_valid(code, now) and code.created_at >= recovery.started_at]
    if since and all(code.id in used for code in since):
        raise Refused((_used_code(),))
    return _one(FinishRecovery())


def _used_code() -> Problem:
    """Rule 11 where one recovery went on with another: the code that was used for it is to be replaced as well."""
    return Problem(
        code="code-not-saved",
        message="the recovery code was used, and is not replaced yet",
        hint="make one and confirm it: passless recovery-code new, then passless recovery-code confirm",
        severity=Severity.REFUSAL,
    )


def _cancel_recovery(who: Who) -> Built:
    if who.account.recovery is None:
        raise _no_recovery()
    return _one(CancelRecovery())


def _no_recovery() -> naming.Nothing:
    return naming.Nothing("no recovery is under way", hint="see: passless recover status")


def _cancel_waiting(who: Who, pending_id: str | None) -> Built:
    held = who.account.approval
    ids = [*(one.id for one in who.account.pending), *(() if held is None else (held.id,))]
    waiting = [one for one in ids if pending_id in (None, one)]
    if not waiting:
        raise naming.Nothing("nothing like that is waiting", hint="see: passless recover status")
    return Built(wanted=Wanted(changes=tuple(CancelPending(id=one) for one in waiting)))
