"""What time alone has done to an account since it was last written: things expired, and waiting changes whose time has come."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.account import Account, Pending
from passless.domain.applying import apply
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.changes import Settle, type_of
from passless.domain.safety.context import Context, Rules
from passless.domain.safety.planning import plan


class CaughtUp(Struct, frozen=True):
    """The account as it is now, what happened on the way, and what of it ended for good."""

    account: Account
    events: tuple[AuditEntry, ...] = ()


def catch_up(account: Account, rules: Rules, now: datetime) -> CaughtUp:
    """Return the account as it is now. Waiting changes are checked again when their time comes (rule 9)."""
    current = apply(account, Settle(at=now), now=now)
    events = []
    for pending in sorted((one for one in account.pending if one.due_at <= now), key=lambda one: one.due_at):
        current, event = _come_due(current, pending, rules, now)
        events.append(event)
    return CaughtUp(current if current != account else account, tuple(events))


def _come_due(account: Account, pending: Pending, rules: Rules, now: datetime) -> tuple[Account, AuditEntry]:
    rest = replace(account, pending=tuple(one for one in account.pending if one.id != pending.id))
    planned = plan(rest, pending.change, Context(now=now, actor=pending.asked_by, waited=True), rules)
    entry = AuditEntry(
        at=now,
        actor="passless",
        event=type_of(pending.change),
        outcome=Outcome.DONE if planned.is_accepted else Outcome.REFUSED,
        account_id=account.id,
        account=account.name,
        details={"waited_since": pending.asked_at.isoformat(), "pending": pending.id},
    )
    return (planned.after if planned.is_accepted else rest), entry
