"""What happened on an account lately, for who looks at a page of it: never more is read than is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile

from passless.actions.parts import Parts
from passless.actions.reading import look
from passless.domain.audit import AuditEvent
from passless.ports.directory import Actor


def latest_events(
    parts: Parts, actor: Actor, target: str, *, since: datetime, before: int | None = None
) -> Iterator[AuditEvent]:
    """Stream the audit trail of one account, the newest first, back to a moment; only what is before a `seq`."""
    found, _ = look(parts, actor, target, "audit")
    return takewhile(lambda one: one.at >= since, parts.store.latest_events(found.account.id, before=before))
