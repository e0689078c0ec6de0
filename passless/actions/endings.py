"""Endings as they are found in the audit trail, whichever process or host made them.

The trail is in the order of the writers' clocks, and an event stands in it only once its transaction is kept: one that comes
late has an earlier place than some that were read. So the last seconds are read again each time, and what was read before is
known by its hash. A host whose clock is more than `FAR` behind is not heard; nothing else in passless works there either.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from passless.domain import names
from passless.domain.audit import AuditEvent, Outcome
from passless.domain.endings import ENDINGS, EVERYTHING, GROUPS, GROUPS_BEFORE, NEVER_AT, SET_GROUPS, Ending
from passless.ports import Store

NEAR = timedelta(seconds=5)  # read again at every look: commits that waited, and clocks as a time service keeps them
FAR = timedelta(seconds=60)  # read again now and then, for clocks that nobody keeps
MOST_KNOWN = 100_000  # endings that are known to have been read, the oldest of which are forgotten first
ID_LENGTH = 16  # characters of the event's hash: 64 bits


class Tail:
    """Reads the end of the trail again and again, and returns each ending once. For one thread at a time."""

    def __init__(self, store: Store, *, since: datetime) -> None:
        self._store = store
        self._read_to = since
        self._known: dict[str, datetime] = {}

    def read(self, now: datetime, *, far: bool) -> tuple[Ending, ...]:
        """Return what was not returned before; where the store cannot be read, the next look has it."""
        since = min(self._read_to, now) - (FAR if far else NEAR)
        found = tuple(one for one in between(self._store, since) if one.id not in self._known)
        self._known.update((one.id, one.at) for one in found)
        self._read_to = max(self._read_to, now)
        if far:
            self._forget(now - 2 * FAR)
        return found

    def _forget(self, before: datetime) -> None:
        known = {one: at for one, at in self._known.items() if at >= before}
        for one in list(known)[: max(0, len(known) - MOST_KNOWN)]:
            del known[one]
        self._known = known


def between(store: Store, since: datetime, until: datetime | None = None) -> Iterator[Ending]:
    """Return the endings of a time, in the order of the trail."""
    for event in store.events(since=since, named=tuple(ENDINGS)):
        if until is not None and event.at >= until:
            return
        found = of_event(event)
        if found is not None:
            yield found


def of_event(event: AuditEvent) -> Ending | None:
    """Return what an event ended; None for one that ended nothing."""
    what = ENDINGS.get(event.event)
    if what is None or event.outcome is not Outcome.DONE or _is_new_display_name(event) or _is_more_groups(event):
        return None
    return Ending(
        id=event.hash[-ID_LENGTH:],
        at=event.at,
        event=event.event,
        what=what,
        account_id=event.account_id,
        account=event.account,
        sessions=_listed(event, "sessions"),
        everything=EVERYTHING in event.details,
        relying_party=event.details.get("relying-party") or event.details.get("client", ""),
        never_at=_listed(event, NEVER_AT),
        groups_before=_listed(event, GROUPS_BEFORE) if GROUPS_BEFORE in event.details else None,
        groups=_listed(event, GROUPS),
    )


def _listed(event: AuditEvent, detail: str) -> tuple[str, ...]:
    return tuple(one for one in event.details.get(detail, "").split(",") if one)


def _is_new_display_name(event: AuditEvent) -> bool:
    return event.event == "rename-account" and names.are_same(event.details.get("new_name", ""), event.account)


def _is_more_groups(event: AuditEvent) -> bool:
    """Tell whether the account left no group."""
    before, after = ({names.key(one) for one in _listed(event, detail)} for detail in (GROUPS_BEFORE, GROUPS))
    return event.event == SET_GROUPS and before <= after
