"""Checking the audit log: every chain, every checkpoint, and what is known outside."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

import msgspec

from passless.domain.audit import AuditReport
from passless.stores import trail
from passless.stores.chain import Link, follows, start
from passless.stores.checkpoints import Broken, Signed, digest, is_genuine, public_key, read_body, read_outside
from passless.stores.database import Rows
from passless.stores.documents import Row, further
from passless.stores.errors import NotACheckpoint
from passless.stores.state_folder import StateFolder


class Findings:
    """What was found so far; the first broken event is the one that is reported."""

    def __init__(self) -> None:
        self.events = 0
        self.intact = True
        self.truncated = False
        self.first_broken: int | None = None
        self.account = ""
        self.checkpoint_at: datetime | None = None
        self.head = hashlib.sha256()
        self.signed: dict[str, int] = {}  # the last number of each account that was signed

    def broken_at(self, seq: int, account: str) -> None:
        """Note an event that does not fit its chain."""
        self.intact = False
        if self.first_broken is None:
            self.first_broken, self.account = seq, account

    def cut(self) -> None:
        """Note that something is missing at the end."""
        self.intact = False
        self.truncated = True


class Checkpoints:
    """What the signed checkpoints are known by: those that are kept, and those that an old copy lost."""

    def __init__(self) -> None:
        self.kept: set[bytes] = set()
        self.lost: set[bytes] = set()


def verify(rows: Rows, state: StateFolder, store_id: str, head: bytes | None) -> AuditReport:
    """Check the audit trail against itself, the state folder and a checkpoint that somebody kept.

    What is outside is read before the database: what another process records in between is then no false alarm.

    Raises:
        NotACheckpoint: `head` is none, or one of another store.
    """
    found, checkpoints = Findings(), Checkpoints()
    commits, outside, keys = state.known(), state.checkpoint(), [public_key(key) for key in state.audit_keys()]
    check_chains(rows, store_id, found)
    check_checkpoints(rows, keys, store_id, found, checkpoints)
    for writer, known in commits.items():
        written = rows("read_writer", writer=writer)
        if not written or written[0][0] < known:
            found.cut()
    if outside is not None and not is_known(outside, checkpoints.kept | checkpoints.lost):
        found.cut()
    if head is not None and not is_known(genuine(head, store_id), checkpoints.kept):
        found.cut()
    return AuditReport(
        events=found.events,
        intact=found.intact,
        first_broken=found.first_broken,
        head=found.head.hexdigest(),
        checkpoint_at=found.checkpoint_at,
        truncated=found.truncated,
        account=found.account,
        unsigned=max(0, found.events - sum(found.signed.values())),
    )


def check_chains(rows: Rows, store_id: str, found: Findings) -> None:
    """Compute every event's hash again, and compare where each chain ends with its head."""
    for account_id, events in groupby(trail.by_chain(rows), key=lambda row: row[4]):
        name, last = "", start(store_id, account_id)
        for row in events:
            found.events += 1
            name = row[3]
            if not follows(row, last):
                found.broken_at(last.seq + 1, name)
            last = Link(row[0], row[9])
        found.head.update(msgspec.json.encode([account_id, last]))
        head = rows("read_head", account_id=account_id)
        if not head or head[0][:2] != (last.seq, last.hash):
            found.broken_at(last.seq + 1, name)
    for account_id, seq, kept_hash in heads(rows):
        if rows("event_hash", account_id=account_id, seq=seq) != [(kept_hash,)]:
            found.cut()


def heads(rows: Rows) -> Iterator[Row]:
    """Stream where every chain is said to end."""
    yield from rows("head_of_nobody")
    after: Row = ("",)
    while page := rows("page_heads", after=after[0], page=trail.PAGE):
        yield from page
        after = further(page[-1][:1], after)


def check_checkpoints(rows: Rows, keys: Sequence[bytes], store_id: str, found: Findings, known: Checkpoints) -> None:
    """Check every signature, that each checkpoint names the one before, and that what was signed is still there.

    An earlier key is believed because a later checkpoint, signed with a present one, names what it signed.
    """
    number, previous, key = 0, b"", b""
    while page := rows("page_checkpoints", after=number, page=trail.PAGE):
        for kept_number, *rest in page:
            signed = Signed(*rest)
            body = read_body(signed)
            fits = body.store == store_id and body.number == kept_number and body.previous == previous
            if not fits or not (kept_number == number + 1 or body.lost) or not is_genuine(signed, body.key):
                found.intact = False
            for account_id, seq, kept_hash in body.heads:
                if rows("event_hash", account_id=account_id, seq=seq) != [(kept_hash,)]:
                    found.broken_at(seq, account_id)
                found.signed[account_id] = seq
            (number,), previous, key = further((kept_number,), (number,)), digest(signed), body.key
            known.kept.add(previous)
            known.lost.add(body.lost)
            found.checkpoint_at = body.at
    if number and key not in keys:
        found.intact = False


def genuine(content: bytes, store_id: str) -> Signed:
    """Read a checkpoint that somebody kept."""
    try:
        signed = read_outside(content)
        body = read_body(signed)
    except Broken as error:
        raise NotACheckpoint("this file is not a checkpoint of an audit log") from error
    if body.store != store_id or not is_genuine(signed, body.key):
        raise NotACheckpoint("this checkpoint is not one of this store")
    return signed


def is_known(outside: Signed | bytes, known: set[bytes]) -> bool:
    """Tell whether a checkpoint is one of these."""
    try:
        return digest(read_outside(outside) if isinstance(outside, bytes) else outside) in known
    except Broken:
        return False
