"""Which browser's sessions a relying party was given something in, so that it can be told when one of them ends.

A record of each stays until the session would be over by itself. It is none of the account's, for it is read when that is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions.parts import Parts
from passless.domain.account import AccountId
from passless.domain.endings import Ending, What
from passless.domain.relying_parties import Client
from passless.domain.sessions import Session
from passless.ports import NoSuchAccount, Record, VersionMoved, Write

KIND = "openid-session"
CLAIMED_FOR = timedelta(minutes=1)  # longer than all tries to tell; then another process takes it over
ABOUT = frozenset({What.SESSIONS, What.METHODS, What.ACCOUNT})  # endings that may be of such a session


class GivenIn(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that was given: to whom, in which session, opened with which methods; `session` is what was given.

    `claimed_at` is since when a process tells of its end.
    """

    account_id: str
    client_id: str
    line: str
    session: str
    methods: tuple[str, ...] = ()
    claimed_at: datetime | None = None


class Held(Struct, frozen=True):
    """Such a thing, and its record."""

    given: GivenIn
    record: Record


def in_session(client: Client, source: Session, lasting: Session) -> Record:
    """Return the record that a relying party was given something in a browser's session, to be kept with it."""
    key = f"{source.account_id}/{client.id}/{lasting.id}"
    made = GivenIn(
        account_id=source.account_id,
        client_id=client.id,
        line=source.line,
        session=lasting.id,
        methods=tuple(proof.method for proof in source.proofs if proof.method is not None),
    )
    return Record(
        kind=KIND,
        key=key,
        document=msgspec.json.encode(made),
        ends_at=source.expires_at,
    )


def ended_by(parts: Parts, ending: Ending) -> tuple[Held, ...]:
    """Return what was given in sessions that an ending ended; what a program ended itself it knows of, and is forgotten."""
    if ending.is_everybodys or not ABOUT.intersection(ending.what):
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
    """Return what a process began to tell of and did not finish."""
    before = parts.now() - CLAIMED_FOR
    everything = (_read(one) for one in parts.store.records(KIND))
    return tuple(one for one in everything if one.given.claimed_at is not None and one.given.claimed_at < before)


def claim(parts: Parts, held: Held) -> Held | None:
    """Take it upon this process to tell of something; None where another one does, or did."""
    now = parts.now()
    claimed = replace(held.given, claimed_at=now)
    if held.given.claimed_at is not None and now < held.given.claimed_at + CLAIMED_FOR:
        return None
    record = replace(held.record, document=msgspec.json.encode(claimed))
    try:
        parts.store.commit(Write(at=now, puts=(record,)))
    except VersionMoved:
        return None
    return Held(claimed, replace(record, version=record.version + 1))


def forget(parts: Parts, held: Held) -> None:
    """Keep nothing more of something that was told."""
    try:
        parts.store.commit(Write(at=parts.now(), drops=(held.record,)))
    except VersionMoved:
        return  # another process did


def of(parts: Parts, account_id: str) -> Iterator[Held]:
    """Return everything that was given for somebody."""
    front = f"{account_id}/"
    found = takewhile(lambda one: one.key.startswith(front), parts.store.records(KIND, after=front))
    return (_read(one) for one in found)


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
    if ending.sessions:
        return bool({given.line, given.session} & set(ending.sessions)) or not set(given.methods) <= gone.methods
    return given.line not in gone.lines or not set(given.methods) <= gone.methods


def _read(record: Record) -> Held:
    return Held(msgspec.json.decode(record.document, type=GivenIn), record)
