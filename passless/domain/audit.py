"""The audit trail: who did what to which account, from where, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Outcome(StrEnum):
    """What came of it."""

    DONE = "done"
    REFUSED = "refused"
    PENDING = "pending"
    FAILED = "failed"


class AuditEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be recorded. `event` is a word such as `remove-method`; `details` hold no secret."""

    at: datetime
    actor: str
    event: str
    outcome: Outcome
    account_id: str = ""
    account: str = ""
    place: str = ""
    details: Mapping[str, str] = {}


class AuditEvent(Struct, frozen=True, kw_only=True):
    """What was recorded: an entry with its place in its account's chain and the hash that covers it and all before it."""

    seq: int
    at: datetime
    actor: str
    account: str
    account_id: str
    event: str
    outcome: Outcome
    place: str
    details: Mapping[str, str]
    hash: str


class Notice(Struct, frozen=True, kw_only=True):
    """A message for the person about their account, kept until it is shown."""

    id: str
    account_id: str
    at: datetime
    code: str
    message: str


class AuditReport(Struct, frozen=True, kw_only=True):
    """What verifying the audit trail found. `first_broken` is the `seq` of the first event that does not fit.

    `unsigned` counts the events behind the last signature of their account: that more of these were cut off, nobody can tell.
    """

    events: int
    intact: bool
    first_broken: int | None
    head: str
    checkpoint_at: datetime | None
    truncated: bool
    unsigned: int = 0
    account: str = ""
