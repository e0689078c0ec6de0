"""What is written into the audit trail of programs that people let in."""

from __future__ import annotations

from datetime import datetime

from passless.domain.account import Account
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.names import printable


def entry_of(
    account: Account, place: str, event: str, now: datetime, details: dict[str, str], outcome: Outcome = Outcome.DONE
) -> AuditEntry:
    """Return an audit entry of what a person or a program of theirs did."""
    return AuditEntry(
        at=now,
        actor=account.name,
        event=event,
        outcome=outcome,
        account_id=account.id,
        account=account.name,
        place=printable(place),
        details=details,
    )
