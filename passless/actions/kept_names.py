"""Names that stay kept for the account that had them, on a server: who got a new name is not taken for somebody else at once.

Programs know people by the name, and people type it without looking: whoever signs up under what was somebody's name a
moment ago would be taken for them. The record of a kept name goes with its account, but for the names of a deleted one:
mailboxes, folders and users of hosts outlive it, so they are kept without end, and only who answers for it gives them to
somebody else (decision 0023). Whoever makes an account, or gives one
another name, writes the record of the name that is taken (over at once), so that of two at once one has to look again. So it
is with an address that stands for an account, which must not be the name of another; on an embedded store that is all.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from passless.actions.parts import Access, Parts
from passless.domain import names
from passless.domain.account import Account, AccountId
from passless.ports import Record

KIND = "kept-name"
KEPT = timedelta(days=30)  # decision 0016: as long as the wait
MOST = 5  # old names at once; otherwise one account could keep ninety from others


def holder(parts: Parts, name: str, now: datetime) -> AccountId | None:
    """Return the id of the account that a name is kept for; None where it is nobody's, and on an embedded store."""
    record = _kept(parts, name)
    if record is None or record.ends_at is None or record.ends_at <= now:
        return None
    return AccountId(record.account_id)


def is_of_the_gone(parts: Parts, name: str) -> bool:
    """Tell whether a name was that of an account which was deleted, and nobody gave it to another one since."""
    record = _kept(parts, name)
    return record is not None and record.ends_at is None


def of_the_gone(parts: Parts, account: Account, now: datetime) -> tuple[Record, ...]:
    """Return what is written with the deleting of an account: its names, and those kept for it, are nobody else's to choose.

    One that was never finished leaves none: anybody could otherwise use up names by signing up.
    """
    if parts.access is not Access.NOBODY or not account.finished:
        return ()
    kept = (
        one.key for one in parts.store.records(KIND, account_id=account.id) if one.ends_at is not None and now < one.ends_at
    )
    keys = dict.fromkeys((*map(names.key, (account.name, *account.address_names)), *kept))
    return tuple(_for_nobody(parts, key, account.id) for key in keys)


def _for_nobody(parts: Parts, key: str, gone: str) -> Record:
    known = parts.store.record(KIND, key)
    stays = known is not None and known.account_id != gone  # what belongs to the account is deleted before this is written
    return Record(kind=KIND, key=key, document=b"{}", version=known.version if known is not None and stays else 0)


def _kept(parts: Parts, name: str) -> Record | None:
    return None if parts.access is not Access.NOBODY else parts.store.record(KIND, names.key(name))


def keeps_most(parts: Parts, account_id: str, now: datetime) -> bool:
    """Tell whether as many names are kept for an account as may be."""
    kept = parts.store.records(KIND, account_id=account_id)
    return sum(one.ends_at is not None and now < one.ends_at for one in kept) >= MOST


def taken(parts: Parts, account_id: str, called: tuple[str, ...], now: datetime) -> tuple[Record, ...]:
    """Return what is written with the taking of names and of addresses that stand for one, kept for nobody any more."""
    once = {names.key(name): name for name in called if parts.access is Access.NOBODY or "@" in name}
    return tuple(_record(parts, account_id, name, now) for name in once.values())


def left(parts: Parts, account_id: str, name: str, now: datetime) -> tuple[Record, ...]:
    """Return what is written with the leaving of a name, so that nobody else gets it for a while."""
    return () if parts.access is not Access.NOBODY else (_record(parts, account_id, name, now + KEPT),)


def _record(parts: Parts, account_id: str, name: str, until: datetime) -> Record:
    known = parts.store.record(KIND, names.key(name))
    return Record(
        kind=KIND,
        key=names.key(name),
        document=b"{}",
        account_id=account_id,
        ends_at=until,
        version=0 if known is None else known.version,
    )
