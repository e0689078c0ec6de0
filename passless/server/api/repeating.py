"""Requests that may be sent twice: the same key by the same session gets the same answer, and nothing is done twice.

What is kept of an answer has no secret in it. None of these requests gives its session a new token, so that a lost answer takes
no session with it; what was asked before the session got one may be repeated after. A request whose answer was never kept,
because the process ended in between, may or may not have been done: its key stays taken, so that it is not done again by
mistake.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from passless import wire
from passless.actions.who import session_of
from passless.domain.errors import WrongUse
from passless.ports import Record, VersionMoved, Write
from passless.server.api.calls import Call, Operation, Said

HEADER = "idempotency-key"
KIND = "answer"  # of the records
KEPT = timedelta(hours=24)  # docs/api.md
UNDER_WAY = timedelta(minutes=1)  # after which a request without an answer was cut short
KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,62}[\x21-\x7e])?")  # 1 to 64 printable characters


class BadKey(WrongUse):
    """An Idempotency-Key that is none."""

    code = "bad-idempotency-key"
    hint = "use 1 to 64 printable characters, new ones for each request"
    default = "that is no Idempotency-Key"


class KeyInUse(WrongUse):
    """The key stands for another request."""

    code = "key-in-use"
    hint = "use a new Idempotency-Key for each request"
    default = "this Idempotency-Key was used for another request"


class StillUnderWay(WrongUse):
    """The same request is being carried out."""

    code = "under-way"
    hint = "try again in a moment"
    default = "the same request is under way"


class OutcomeUnknown(WrongUse):
    """The process that carried it out ended before it answered."""

    code = "outcome-unknown"
    hint = "see whether it was done, and use a new Idempotency-Key if it was not"
    default = "the same request was cut short, and may have been done or not"


class _Kept(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is remembered of a request; no answer while it is under way."""

    body: bytes
    at: datetime
    status: int = 0
    answer: Raw = Raw()


def once(call: Call, operation: Operation, work: Callable[[], Said]) -> Said:
    """Do it, or answer as before.

    Raises:
        KeyInUse: the key was used for something else.
        StillUnderWay, OutcomeUnknown: somebody else does it now, or began to.
    """
    store, now = call.site.parts.store, call.site.parts.now()
    key, body = _key(call, operation), _digest(call)
    before = store.record(KIND, key)
    if before is not None and before.ends_at is not None and now < before.ends_at:
        return _again(msgspec.json.decode(before.document, type=_Kept), body, now)
    mine = Record(
        kind=KIND,
        key=key,
        document=msgspec.json.encode(_Kept(body=body, at=now)),
        ends_at=now + KEPT,
        version=0 if before is None else before.version,
    )
    try:
        store.commit(Write(at=now, puts=(mine,)))
    except VersionMoved as error:  # somebody was quicker
        raise StillUnderWay from error
    return _first(call, operation, work, replace(mine, version=mine.version + 1), body)


def _first(call: Call, operation: Operation, work: Callable[[], Said], mine: Record, body: bytes) -> Said:
    store, now = call.site.parts.store, call.site.parts.now
    is_done = False
    try:
        said = work()
        is_done = True
    finally:
        if not is_done:  # it was refused, so that it may be tried again
            store.commit(Write(at=now(), drops=(mine,)))
    kept = _Kept(body=body, at=now(), status=said.status or operation.status, answer=Raw(wire.encode_repeated(said.value)))
    store.commit(Write(at=now(), puts=(replace(mine, document=msgspec.json.encode(kept)),)))
    return said


def _again(kept: _Kept, body: bytes, now: datetime) -> Said:
    if kept.body != body:
        raise KeyInUse
    if kept.status:
        return Said(content=bytes(kept.answer), status=kept.status)
    if now < kept.at + UNDER_WAY:
        raise StillUnderWay
    raise OutcomeUnknown


def _digest(call: Call) -> bytes:
    """Return what stands for a body: keyed with what only the client has, for there may be a password in it."""
    return hmac.digest(call.headers[HEADER].encode("utf-8", "replace"), call.body, sha256)


def _key(call: Call, operation: Operation) -> str:
    """Return what stands for a key: that of one session, or of one source where there is none, for one address."""
    given = call.headers[HEADER]
    if not KEY.fullmatch(given):
        raise BadKey
    session = session_of(call.site.parts, call.actor)
    who = f"place/{call.actor.place}" if session is None else f"session/{session.id}"  # which keeps it under a new token
    return sha256("\0".join((who, operation.name, *call.parts.values(), given)).encode()).hexdigest()
