"""The audit log's chain: each event's hash covers every field and the event before it.

It is evidence, not proof: who owns the file and the keys can write another chain. It shows everybody else's changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from passless.domain.audit import AuditEntry
from passless.stores.documents import Row, Unreadable, details_text, micros, plain

START = b"passless audit 1"

_encode = msgspec.json.encode


class Link(msgspec.Struct, frozen=True):
    """Where a chain stands: the last event's number and hash."""

    seq: int
    hash: bytes


def start(store_id: str, account_id: str) -> Link:
    """Return where the chain of an account in a store begins, so that none can stand in for another."""
    return Link(0, hashlib.sha256(START + _encode([store_id, account_id])).digest())


def stored_link(row: Row) -> Link:
    """Read where a chain stands from its row."""
    seq, kept_hash = row
    if not isinstance(seq, int) or not isinstance(kept_hash, bytes):
        raise Unreadable("the head of an audit trail")
    return Link(seq, kept_hash)


def link(before: bytes, fields: Sequence[str | int]) -> bytes:
    """Return an event's hash. Its fields are written as one JSON list: no text can pass for two, or for another field."""
    return hashlib.sha256(before + _encode(fields)).digest()


def event_row(entry: AuditEntry, before: Link) -> dict[str, str | int | bytes]:
    """Return the row of an entry that is appended to its chain."""
    seq, at, details = before.seq + 1, micros(entry.at), details_text(entry.details)
    actor, account, event, place = plain(entry.actor), plain(entry.account), plain(entry.event), plain(entry.place)
    account_id, outcome = plain(entry.account_id), str(entry.outcome)
    return {
        "seq": seq,
        "at": at,
        "actor": actor,
        "account": account,
        "account_id": account_id,
        "event": event,
        "outcome": outcome,
        "place": place,
        "details": details,
        "hash": link(before.hash, [seq, at, actor, account, account_id, event, outcome, place, details]),
    }


def follows(row: Row, before: Link) -> bool:
    """Tell whether an event's row is the next of its chain, unchanged."""
    return bool(row[0] == before.seq + 1 and row[9] == link(before.hash, row[:9]))
