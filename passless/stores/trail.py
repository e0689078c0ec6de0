"""Appending to the audit log, reading it, and signing where it stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from passless.domain.account import AccountId
from passless.domain.audit import AuditEntry
from passless.ports import EventPlace
from passless.stores.chain import event_row, start, stored_link
from passless.stores.checkpoints import Checkpoint, Signed, digest, public_key, read_body, sign
from passless.stores.database import Rows, Transaction
from passless.stores.documents import FOREVER, Row, further, micros, plain

PAGE = 500  # rows that are read at a time
LOOKED_AT = 100  # rows that are read at a time by who looks back
NEVER = -FOREVER  # microseconds; earlier than any time that is stored


def append(transaction: Transaction, store_id: str, entries: Iterable[AuditEntry]) -> int:
    """Append entries to the chains of their accounts, inside the caller's transaction; return how many.

    The chain of nobody, which everybody's failed sign-ins share, comes last: who holds it waits for no other.
    """
    chains: dict[str, list[AuditEntry]] = {}
    for entry in entries:
        chains.setdefault(plain(entry.account_id), []).append(entry)
    for account_id in sorted(chains, key=lambda one: (not one, one)):
        append_to(transaction, store_id, account_id, chains[account_id])
    return sum(map(len, chains.values()))


def append_to(transaction: Transaction, store_id: str, account_id: str, entries: Sequence[AuditEntry]) -> None:
    """Append entries to one chain."""
    found = transaction.rows("lock_head", account_id=account_id)
    last = stored_link(found[0][:2]) if found else start(store_id, account_id)
    for entry in entries:
        row = event_row(entry, last)
        transaction.run("add_event", **row)
        last = stored_link((row["seq"], row["hash"]))
    move = "add_head" if not found else "move_signed_head" if found[0][2] else "move_head"
    transaction.run(move, account_id=account_id, seq=last.seq, hash=last.hash)


def of_account(rows: Rows, account_id: AccountId, since: datetime | None, behind: EventPlace | None) -> Iterator[Row]:
    """Stream the rows of one chain, the oldest first."""
    after, least = 0 if behind is None else behind.seq, NEVER if since is None else micros(since)
    while page := rows("page_events_of_an_account", account_id=account_id, after=after, since=least, page=PAGE):
        yield from page
        (after,) = further(page[-1][:1], (after,))


def of_account_backwards(rows: Rows, account_id: AccountId, before: int | None) -> Iterator[Row]:
    """Stream the rows of one chain, the newest first; who looks at the last few reads no more than a page."""
    least = FOREVER if before is None else before
    while page := rows("page_events_backwards", account_id=account_id, before=least, page=LOOKED_AT):
        yield from page
        (further_back,) = further((-page[-1][0],), (-least,))
        least = -further_back


def of_all(rows: Rows, since: datetime | None, behind: EventPlace | None, named: Collection[str] = ()) -> Iterator[Row]:
    """Stream the rows of every chain, the oldest first; with names only those events."""
    statement, asked = ("page_events_named", {"named": f",{','.join(named)},"}) if named else ("page_events", {})
    least = NEVER if since is None else micros(since)
    after: Row = (NEVER, "", 0) if behind is None else (micros(behind.at), plain(behind.account_id), behind.seq)
    while page := rows(statement, since=least, **asked, **_after(("at", "account", "seq"), after)):
        yield from page
        seq, at, *_, account_id = page[-1][:5]
        after = further((at, account_id, seq), after)


def by_chain(rows: Rows) -> Iterator[Row]:
    """Stream the rows of every chain, one chain after the other."""
    after: Row = ("", 0)
    while page := rows("page_events_by_chain", **_after(("account", "seq"), after)):
        yield from page
        after = further((page[-1][4], page[-1][0]), after)


def _after(names: tuple[str, ...], key: Row) -> dict[str, Any]:
    return {f"after_{name}": value for name, value in zip(names, key, strict=True)} | {"page": PAGE}


def last_checkpoint(rows: Rows) -> tuple[int, Signed | None]:
    """Return the number of the last checkpoint and the checkpoint; 0 where there is none."""
    found = rows("last_checkpoint")
    return (found[0][0], Signed(*found[0][1:])) if found else (0, None)


def sign_heads(
    transaction: Transaction, store_id: str, private_key: bytes, *, at: datetime, lost: Signed | None = None
) -> Signed | None:
    """Sign the heads that moved since the last checkpoint, inside the caller's transaction; None where none did.

    `lost` is a checkpoint known outside that the database does not have, because an old copy was put back.
    """
    heads = sorted(transaction.rows("sign_heads"))
    if not heads:
        return None
    number, previous = last_checkpoint(transaction.rows)
    if lost is not None:
        number = max(number, read_body(lost).number)
    checkpoint = Checkpoint(
        store=store_id,
        number=number + 1,
        at=at,
        key=public_key(private_key),
        previous=b"" if previous is None else digest(previous),
        lost=b"" if lost is None else digest(lost),
        heads=tuple((account_id, seq, kept_hash) for account_id, seq, kept_hash in heads),
    )
    signed = sign(checkpoint, private_key)
    transaction.run("add_checkpoint", number=checkpoint.number, body=signed.body, signature=signed.signature)
    return signed
