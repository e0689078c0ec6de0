"""What people agreed to: which relying parties may learn who they are, until they take it back."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import msgspec
from msgspec import Struct

from passless.actions import relying_parties
from passless.actions.parts import Parts
from passless.actions.relying_parties import CONSENTS, GIVEN, NoSuchRelyingParty
from passless.domain.account import Account
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.names import key, printable
from passless.domain.sessions import SessionId
from passless.ports import Record, VersionMoved, Write, item_of_record

TRIES = 8  # of a transaction that others came in between


class Consent(Struct, frozen=True, kw_only=True):
    """What somebody agreed to that a relying party may ask for, and when."""

    at: datetime
    scopes: tuple[str, ...] = ()


class ConsentView(Struct, frozen=True, kw_only=True):
    """A relying party that somebody let in."""

    client_id: str
    name: str
    scopes: tuple[str, ...]
    agreed_at: datetime


def covers(parts: Parts, account_id: str, client_id: str, scope: str) -> bool:
    """Tell whether somebody agreed to this much before."""
    record = parts.store.record(CONSENTS, _key(account_id, client_id))
    return record is not None and set(scope.split()) <= set(_read(record).scopes)


def with_more(parts: Parts, account_id: str, client_id: str, scope: str) -> Record:
    """Return the record of a consent to this as well, to be kept."""
    before = parts.store.record(CONSENTS, _key(account_id, client_id))
    known = () if before is None else _read(before).scopes
    consent = Consent(at=parts.now(), scopes=tuple(dict.fromkeys((*known, *scope.split()))))
    return Record(
        kind=CONSENTS,
        key=_key(account_id, client_id),
        document=msgspec.json.encode(consent),
        account_id=account_id,
        version=0 if before is None else before.version,
    )


def of(parts: Parts, account_id: str) -> tuple[ConsentView, ...]:
    """List whom somebody let in, in the order of their names."""
    views = []
    for record in parts.store.records(CONSENTS, account_id=account_id):
        client_id = record.key.partition("/")[0]
        found, consent = relying_parties.find(parts, client_id), _read(record)
        if found is not None:
            views.append(ConsentView(client_id=client_id, name=found[0].name, scopes=consent.scopes, agreed_at=consent.at))
    return tuple(sorted(views, key=lambda one: key(one.name)))


def take_back(parts: Parts, account: Account, client_id: str, place: str) -> int:
    """Take a consent back, and end every session that came of it; return how many ended.

    Raises:
        NoSuchRelyingParty: nobody of that id was let in.
    """
    ended: list[SessionId] = []
    was_let_in = False
    for _ in range(TRIES):
        record, given = parts.store.record(CONSENTS, _key(account.id, client_id)), _given(parts, account, client_id)
        if record is None and not given:  # also what was given while the rest was taken back
            break
        was_let_in = True
        with suppress(VersionMoved):
            parts.store.commit(_without(parts, account, client_id, record, given, place))
            ended += (_session_of(one) for one in given)
    else:
        raise VersionMoved
    if not was_let_in:
        raise NoSuchRelyingParty(f'you let no program "{printable(client_id)}" in', hint="")
    return len(ended)


def _given(parts: Parts, account: Account, client_id: str) -> tuple[Record, ...]:
    """Return the records of what was given to a client for somebody."""
    front = f"{client_id}/"
    return tuple(one for one in parts.store.records(GIVEN, account_id=account.id, after=front) if one.key.startswith(front))


def _session_of(given: Record) -> SessionId:
    return SessionId(given.key.partition("/")[2])


def _without(
    parts: Parts, account: Account, client_id: str, consent: Record | None, given: tuple[Record, ...], place: str
) -> Write:
    """Return what takes a consent back, together with all that came of it."""
    ends = tuple(_session_of(one) for one in given)
    entry = AuditEntry(
        at=parts.now(),
        actor=account.name,
        event="take-back-consent",
        outcome=Outcome.DONE,
        account_id=account.id,
        account=account.name,
        place=printable(place),
        details={"client": printable(client_id), "sessions": ",".join(ends)},
    )
    return Write(
        at=parts.now(),
        account_id=account.id,
        drops=(*given, *(() if consent is None else (consent,))),
        ends=ends,
        ended=() if consent is None else (item_of_record(consent.kind, consent.key),),
        events=(entry,),
    )


def _read(record: Record) -> Consent:
    return msgspec.json.decode(record.document, type=Consent)


def _key(account_id: str, client_id: str) -> str:
    return f"{client_id}/{account_id}"
