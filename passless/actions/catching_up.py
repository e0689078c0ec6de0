"""What time alone has done to an account since it was last written: things expired, and waiting changes whose time has come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from passless.actions import describing
from passless.domain import hosts
from passless.domain.account import Account, Pending
from passless.domain.applying import apply, is_timeless
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.changes import DeleteAccount, Settle, type_of
from passless.domain.methods import SignInMethod
from passless.domain.safety.context import Context, Rules
from passless.domain.safety.planning import plan

UNFINISHED_LIFE = timedelta(hours=24)  # design.md, "Rules": an account that was never finished expires


class CaughtUp(Struct, frozen=True):
    """The account as it is now, what happened on the way, and whom to tell. `deleted`: its time came to go."""

    account: Account
    events: tuple[AuditEntry, ...] = ()
    notices: tuple[Notice, ...] = ()
    deleted: bool = False


def catch_up(account: Account, rules: Rules, now: datetime) -> CaughtUp:
    """Return the account as it is now. Waiting changes are checked again when their time comes (rule 9).

    They are judged at that time, not when somebody first looks: how long an old code still works follows from it.
    """
    if account.finished and not account.pending and is_timeless(account):  # each read comes here
        return CaughtUp(account)
    current, events, notices, deleted = account, [], [], False
    for pending in sorted((one for one in account.pending if one.due_at <= now), key=lambda one: one.due_at):
        current, done = _come_due(apply(current, Settle(at=pending.due_at), now=pending.due_at), pending, rules)
        events.append(_entry(account, pending, done, now))
        notices.append(_notice(account, pending, done, now))
        deleted = deleted or (done and isinstance(pending.change, DeleteAccount))
    current = apply(current, Settle(at=now), now=now)
    expired = tuple(one.id for one in account.app_passwords if one.expires_at is not None and one.expires_at <= now)
    if expired and not deleted:
        events.append(_by_itself(account, "expire-app-passwords", now, {"app_passwords": ",".join(expired)}))
    if not deleted and not current.finished and account.age(now) >= UNFINISHED_LIFE:
        events.append(_by_itself(account, "delete-account", now, {"unfinished_since": account.created_at.isoformat()}))
        deleted = True
    return CaughtUp(current if current != account else account, tuple(events), tuple(notices), deleted)


def ended_for_good(before: Account, after: Account, *, deleted: bool = False) -> Iterator[str]:
    """Return what must never come back, not even with an old copy of the store (must hold 13)."""
    rights, left = before.operator, None if deleted else after.operator
    if rights is not None and (left is None or not left.covers(rights.over)):
        yield rights.item
    codes, programs = {code.id for code in after.recovery_codes}, {one.id for one in after.app_passwords}
    yield from (code.id for code in before.recovery_codes if code.id not in codes)
    yield from (one.id for one in before.app_passwords if one.id not in programs)
    if before.temporary_pass is not None and before.temporary_pass != after.temporary_pass:
        yield before.temporary_pass.id


def method_over(method: SignInMethod, account: Account, now: datetime) -> AuditEntry:
    """Return what is written down when the time of a sign-in method is over; it stays with the account, and proves nothing."""
    return _by_itself(account, "expire-method", now, {"method": method.id, "name": method.name})


def _come_due(account: Account, pending: Pending, rules: Rules) -> tuple[Account, bool]:
    """Return the account after a waiting change, and whether it was made. What still asks to wait lacks an approval."""
    rest = replace(account, pending=tuple(one for one in account.pending if one.id != pending.id))
    planned = plan(rest, pending.change, Context(now=pending.due_at, actor=pending.asked_by, waited=True), rules)
    done = planned.is_accepted and planned.due_at is None
    return (planned.after if done else rest), done


def _by_itself(account: Account, event: str, now: datetime, details: dict[str, str]) -> AuditEntry:
    return AuditEntry(
        at=now,
        actor="passless",
        event=event,
        outcome=Outcome.DONE,
        account_id=account.id,
        account=account.name,
        details=details | hosts.said_of(account, event),
    )


def _entry(account: Account, pending: Pending, done: bool, now: datetime) -> AuditEntry:
    told = hosts.said_of(account, type_of(pending.change)) if done else {}
    return AuditEntry(
        at=now,
        actor="passless",
        event=type_of(pending.change),
        outcome=Outcome.DONE if done else Outcome.REFUSED,
        account_id=account.id,
        account=account.name,
        details={"waited_since": pending.asked_at.isoformat(), "pending": pending.id} | told,
    )


def _notice(account: Account, pending: Pending, done: bool, now: datetime) -> Notice:
    what = type_of(pending.change)
    waited = f"what waited since {pending.asked_at:%Y-%m-%d}"
    message = f"{describing.title(pending.change)}: {waited}" if done else f"{waited} was refused: {what}"
    return Notice(id=f"{pending.id}-due", account_id=account.id, at=now, code=what, message=message)
