"""Which browser's sessions a relying party was given something in, so that it can be told when one of them ends.

A record of each stays until what was given would be over by itself, and the session too. It is none of the account's, for it is
read when that is gone, and lets nobody do anything, so that it outlives an old copy of the store that is put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import takewhile

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions.parts import Parts
from passless.domain.account import AccountId
from passless.domain.endings import AT_HOSTS, Ending, What
from passless.domain.relying_parties import Client
from passless.domain.sessions import Session
from passless.ports import NoSuchAccount, Record, VersionMoved, Write

KIND = "openid-session"
CLAIMED_FOR = timedelta(minutes=1)  # longer than all tries to tell; then another process takes it over
AGAIN_AFTER = tuple(timedelta(minutes=one) for one in (1, 2, 5, 15))  # waits for who could not be told; then the last of them
TOLD_FOR = timedelta(hours=24)  # since it ended; then nobody tries any more
SLACK = timedelta(hours=1)  # that a record stays after that, for whoever is about to try
RESTORED = "store-restored"  # after which every session of before is void
ABOUT = frozenset({What.SESSIONS, What.METHODS, What.ACCOUNT})  # endings that may be of such a session


class GivenIn(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that was given: to whom, in which session, opened with which methods; `session` is what was given.

    `at` is when, and `line_until` when the browser's session is over by itself. `ended_at` is since when its end is told,
    `tried` how often it could not be, `next_at` when somebody may try: one process does, and has until then.
    """

    account_id: str
    client_id: str
    line: str
    session: str
    methods: tuple[str, ...] = ()
    at: datetime | None = None
    line_until: datetime | None = None
    ended_at: datetime | None = None
    next_at: datetime | None = None
    tried: int = 0


class Held(Struct, frozen=True):
    """Such a thing, and its record."""

    given: GivenIn
    record: Record


def in_session(client: Client, source: Session, lasting: Session, now: datetime) -> Record:
    """Return the record that a relying party was given something in a browser's session, to be kept with it."""
    key = f"{source.account_id}/{client.id}/{lasting.id}"
    made = GivenIn(
        account_id=source.account_id,
        client_id=client.id,
        line=source.line,
        session=lasting.id,
        methods=tuple(proof.method for proof in source.proofs if proof.method is not None),
        at=now,
        line_until=source.expires_at,
    )
    return Record(
        kind=KIND,
        key=key,
        document=msgspec.json.encode(made),
        ends_at=max(source.expires_at, lasting.expires_at),
    )


def ended_by(parts: Parts, ending: Ending) -> tuple[Held, ...]:
    """Return what was given in sessions that an ending ended; what a program ended itself it knows of, and is forgotten."""
    if ending.event == RESTORED:
        return tuple(one for one in _everything(parts) if one.given.at is None or one.given.at < ending.at)
    if ending.is_everybodys or ending.event in AT_HOSTS or not ABOUT.intersection(ending.what):
        return ()
    held = tuple(of(parts, ending.account_id))
    if not held:
        return ()
    gone = _Gone(parts, ending.account_id)
    for one in held:
        if _is_its_own(one.given, ending) and one.given.session in ending.sessions:
            forget(parts, one)
    return tuple(one for one in held if _is_over(one.given, ending, gone))


def left_behind(parts: Parts) -> tuple[Held, ...]:
    """Return what is to be told now: it could not be told before, or a process began to and did not finish."""
    now = parts.now()
    return tuple(one for one in _everything(parts) if one.given.next_at is not None and one.given.next_at <= now)


def claim(parts: Parts, held: Held) -> Held | None:
    """Take it upon this process to tell of something; None where another one does, or did, or it is not time again."""
    now = parts.now()
    if held.given.next_at is not None and now < held.given.next_at:
        return None
    since = held.given.ended_at or now
    return _keep(parts, held, replace(held.given, ended_at=since, next_at=now + CLAIMED_FOR))


def tell_later(parts: Parts, held: Held) -> timedelta | None:
    """Have something that could not be told be told later; return when. None where that was tried for long: it is forgotten."""
    now, tried = parts.now(), held.given.tried
    if held.given.ended_at is not None and now >= held.given.ended_at + TOLD_FOR:
        forget(parts, held)
        return None
    wait = AGAIN_AFTER[min(tried, len(AGAIN_AFTER) - 1)]
    _keep(parts, held, replace(held.given, tried=tried + 1, next_at=now + wait))
    return wait


def _keep(parts: Parts, held: Held, given: GivenIn) -> Held | None:
    """Keep what changed for as long as it is told; None where another process came in between."""
    until = None if given.ended_at is None else given.ended_at + TOLD_FOR + SLACK
    ends_at = max((one for one in (held.record.ends_at, until) if one is not None), default=None)
    record = replace(held.record, document=msgspec.json.encode(given), ends_at=ends_at)
    try:
        parts.store.commit(Write(at=parts.now(), puts=(record,)))
    except VersionMoved:
        return None
    return Held(given, replace(record, version=record.version + 1))


def forget(parts: Parts, held: Held) -> None:
    """Keep nothing more of something that was told."""
    try:
        parts.store.commit(Write(at=parts.now(), drops=(held.record,)))
    except VersionMoved:
        return  # another process did


def of(parts: Parts, account_id: str) -> Iterator[Held]:
    """Return everything that was given for somebody."""
    front = f"{account_id}/"
    return _read(takewhile(lambda one: one.key.startswith(front), parts.store.records(KIND, after=front)))


class _Gone:
    """What is no more of an account."""

    def __init__(self, parts: Parts, account_id: str) -> None:
        self.lines = {one.line for one in parts.store.sessions(AccountId(account_id))}
        try:
            self.methods = {one.id for one in parts.store.read(AccountId(account_id)).account.methods}
        except NoSuchAccount:
            self.methods = set()


def _is_its_own(given: GivenIn, ending: Ending) -> bool:
    return ending.event == "end-session" and ending.relying_party == given.client_id


def _is_over(given: GivenIn, ending: Ending, gone: _Gone) -> bool:
    if _is_its_own(given, ending):
        return False
    if ending.everything:  # what was over here by itself may go on at the program, and people were told that this ends it
        return given.at is None or given.at < ending.at
    if ending.sessions:
        return bool({given.line, given.session} & set(ending.sessions)) or not set(given.methods) <= gone.methods
    own = {given.session} if _outlived(given, ending) else {given.line}
    return not own <= gone.lines or not set(given.methods) <= gone.methods


def _outlived(given: GivenIn, ending: Ending) -> bool:
    """Tell whether what was given goes on after the session in which it was, which was over by itself."""
    return given.line_until is not None and ending.at >= given.line_until


def _everything(parts: Parts) -> Iterator[Held]:
    return _read(parts.store.records(KIND))


def _read(records: Iterable[Record]) -> Iterator[Held]:
    """Read records, but for those of a later version of passless, which tells of them itself."""
    for record in records:
        with suppress(msgspec.DecodeError):
            yield Held(msgspec.json.decode(record.document, type=GivenIn), record)
