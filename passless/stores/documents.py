"""How accounts, sessions and events are written as rows, and read back."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from passless.domain.account import SCHEMA, Account, AccountId, Version
from passless.domain.audit import AuditEvent, Notice, Outcome
from passless.domain.ceremonies import Ceremony, CeremonyId
from passless.domain.names import key as name_key
from passless.domain.recovery import RECOVERY_PERIOD
from passless.domain.sealed import Sealed
from passless.domain.sessions import NEVER_IDLE, SESSION_IDLE, Session
from passless.domain.use_state import UseState
from passless.ports import Record, Stored

Row = Sequence[Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FOREVER = 2**63 - 1  # microseconds; later than any time that is stored
SEALED_FIELD = '"box":'  # what the document of an account with a seal contains

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode_account = msgspec.json.Decoder(Account).decode
_decode_session = msgspec.json.Decoder(Session).decode
_decode_details = msgspec.json.Decoder(dict[str, str]).decode


class Unreadable(ValueError):
    """A row does not hold what was written; the store turns it into an error that names the file."""


class WrittenByNewer(ValueError):
    """A row is of a newer schema; the store turns it into an error that names the file."""


def micros(at: datetime) -> int:
    """Return a time as whole microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def moment(at: int) -> datetime:
    """Return the time that so many microseconds since 1970 are."""
    return EPOCH + timedelta(microseconds=at)


def plain(text: str) -> str:
    """Return text from outside without what no database keeps: NUL and broken characters."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def checksum(account_id: str, version: int, document: str) -> int:
    """Return a sum over what an account's row holds, so that a flipped bit is noticed and never believed."""
    return zlib.crc32(f"{account_id}\n{version}\n{document}".encode())


def account_row(account: Account, version: int) -> dict[str, Any]:
    """Return the row of an account: its document and the few columns that reports need."""
    document = _encode(account).decode()
    recovery, temporary_pass = account.recovery, account.temporary_pass
    until = None
    if recovery is not None:
        until = FOREVER if recovery.finished_at is None else micros(recovery.finished_at + RECOVERY_PERIOD)
    return {
        "id": account.id,
        "name_key": name_key(account.name),
        "version": version,
        "document": document,
        "checksum": checksum(account.id, version, document),
        "created_at": micros(account.created_at),
        "finished": int(account.finished),
        "recovery_until": until,
        "two_step": int(account.two_step),
        "passwordless": int(account.passwordless),
        "pass_until": None if temporary_pass is None else micros(temporary_pass.expires_at),
    }


def stored_account(row: Row) -> Stored:
    """Read an account from its row.

    Raises:
        Unreadable: the row was changed outside of passless.
        WrittenByNewer: its schema is not known here.
    """
    account_id, document, version, kept_sum = row[:4]
    if not isinstance(document, str) or checksum(account_id, version, document) != kept_sum:
        raise Unreadable(f'the account "{account_id}"')
    account = _decode_account(document)
    if account.schema > SCHEMA:
        raise WrittenByNewer(f'the account "{account_id}"')
    return Stored(account, Version(version))


def session_row(session: Session) -> dict[str, Any]:
    """Return the row of a session; `ends_at` is when it is of no more use."""
    ends_at = session.expires_at
    if session.kind not in NEVER_IDLE:
        ends_at = min(ends_at, session.seen_at + SESSION_IDLE)
    return {
        "id": session.id,
        "token_hash": session.token_hash,
        "account_id": session.account_id,
        "created_at": micros(session.created_at),
        "ends_at": micros(ends_at),
        "document": _encode(session).decode(),
    }


def stored_session(row: Row) -> Session:
    """Read a session from its row."""
    return _decode_session(row[0])


def ceremony_row(ceremony: Ceremony) -> dict[str, Any]:
    """Return the row of a ceremony."""
    return {
        "id": ceremony.id,
        "account_id": ceremony.account_id,
        "purpose": ceremony.purpose,
        "session_id": ceremony.session_id,
        "created_at": micros(ceremony.created_at),
        "expires_at": micros(ceremony.expires_at),
        "state": ceremony.state,
    }


def stored_ceremony(row: Row) -> Ceremony:
    """Read a ceremony from its row."""
    ceremony_id, account_id, purpose, session_id, created_at, expires_at, state = row
    return Ceremony(
        id=CeremonyId(ceremony_id),
        account_id=account_id,
        purpose=purpose,
        session_id=session_id,
        created_at=moment(created_at),
        expires_at=moment(expires_at),
        state=state,
    )


def record_row(record: Record) -> dict[str, Any]:
    """Return the row of a record, but its version."""
    return {
        "kind": plain(record.kind),
        "key": plain(record.key),
        "account_id": plain(record.account_id),
        "ends_at": None if record.ends_at is None else micros(record.ends_at),
        "document": record.document,
    }


def stored_record(row: Row) -> Record:
    """Read a record from its row."""
    kind, key, document, account_id, ends_at, version = row
    return Record(
        kind=kind,
        key=key,
        document=bytes(document),
        account_id=account_id,
        ends_at=None if ends_at is None else moment(ends_at),
        version=version,
    )


def stored_use(row: Row, floor: int) -> UseState:
    """Read a use-state from its row; no TOTP step up to `floor` counts as unused."""
    item, last_used_at, totp_step, counter, backed_up, cloned = row
    return UseState(
        item=item,
        last_used_at=moment(last_used_at),
        totp_step=None if totp_step is None else max(totp_step, floor),
        counter=counter,
        backed_up=bool(backed_up),
        cloned=bool(cloned),
    )


def stored_notice(row: Row) -> Notice:
    """Read a notice from its row."""
    notice_id, account_id, at, code, message = row
    return Notice(id=notice_id, account_id=account_id, at=moment(at), code=code, message=message)


def details_text(details: Mapping[str, str]) -> str:
    """Return an event's details as one text that is the same for the same details."""
    return _encode({plain(name): plain(value) for name, value in details.items()}).decode()


def stored_event(row: Row) -> AuditEvent:
    """Read an event from its row."""
    seq, at, actor, account, account_id, event, outcome, place, details, kept_hash = row
    return AuditEvent(
        seq=seq,
        at=moment(at),
        actor=actor,
        account=account,
        account_id=account_id,
        event=event,
        outcome=Outcome(outcome),
        place=place,
        details=_decode_details(details),
        hash=kept_hash.hex(),
    )


def stored_number(row: Row) -> int:
    """Read a row that is one whole number."""
    if not isinstance(row[0], int):
        raise Unreadable("a number")
    return row[0]


def further(key: Row, after: Row) -> Row:
    """Return the key that the next page starts after; in a broken file the order may run in circles.

    Raises:
        Unreadable: it is not further on than the one before.
    """
    if not tuple(key) > tuple(after):
        raise Unreadable("the order of the rows")
    return key


def seals_in(value: object) -> Iterator[Sealed]:
    """Find every seal in a value of the domain."""
    match value:
        case Sealed():
            yield value
        case msgspec.Struct():
            for field in value.__struct_fields__:
                yield from seals_in(getattr(value, field))
        case tuple():
            for part in value:
                yield from seals_in(part)
        case _:
            return


def account_seals(account: Account) -> tuple[tuple[AccountId, Sealed], ...]:
    """Return every seal of an account, with whose it is."""
    return tuple((account.id, sealed) for sealed in seals_in(account))
