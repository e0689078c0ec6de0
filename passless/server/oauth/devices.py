"""Device grants (RFC 8628): a device with hardly a keyboard asks, a person approves it elsewhere, the device gets a session.

Everything is in one record, so that several processes behave as one: its key is the hash of the user code, which the device
code carries in front of its own 256 bits. Each step is kept only over what it was read at.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import throttle
from passless.actions.parts import Parts
from passless.credentials.random_codes import choose
from passless.domain.audit import AuditEntry
from passless.domain.errors import NotFound, ProofNeeded
from passless.ports import BRIEF, Record, VersionMoved, Write

DEVICES = "oauth-device"
SOURCES = "oauth-source"  # when a source asked; what it holds is gone after `WINDOW`
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 §6.1: no vowels, so no words
USER_CODE_LENGTH = 8  # characters; security.md, "device code"
DEVICE_CODE_SIZE = 32  # bytes, 256 bits; security.md, "device code"
LIFE = timedelta(minutes=15)  # security.md, "device code"
TOLD_UNTIL = timedelta(minutes=15)  # how long a device is still told that its code is over
INTERVAL = timedelta(seconds=5)  # RFC 8628 §3.2, the default
SLOWER = timedelta(seconds=5)  # RFC 8628 §3.5: for this and all requests after it
MOST_OPEN = 5  # requests of one source in `WINDOW`
WINDOW = timedelta(minutes=10)
WRONG_CODES = 5  # security.md, "device code": wrong entries of one account from one source, then it waits
TRIES = 8  # of a write that others came in between


class TooManyDevices(ProofNeeded):
    """A source that asks for one code after the other."""

    code = "throttled"
    default = "too many devices ask from there"
    hint = "wait ten minutes and try again"


class NoSuchUserCode(NotFound):
    """A user code that nobody waits with, or not any more."""

    code = "no-such-code"
    default = "no device waits with that code"
    hint = "look at the device again: a code works for 15 minutes"


class Device(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device that asks: from where and since when, how often it may look, and what the person said.

    `approved_in` is the line of the session in which they did. `only_for` is the id of the one account that may answer, where
    the device asks for one.
    """

    client_id: str
    scope: str
    secret_hash: bytes
    place: str
    asked_at: datetime
    ends_at: datetime
    interval: timedelta = INTERVAL
    looked_at: datetime | None = None
    answer: Literal["", "approved", "refused"] = ""
    account_id: str = ""
    approved_in: str = ""
    only_for: str = ""


class Waiting(Struct, frozen=True):
    """A device as it was read, and its record."""

    device: Device
    record: Record

    def get_client_id(self) -> str:
        """Return the client that asks, in the word that authlib asks with."""
        return self.device.client_id


class Asked(Struct, frozen=True, kw_only=True):
    """What a device gets: the two codes, once."""

    device_code: str
    user_code: str


def begin(parts: Parts, client_id: str, scope: str, place: str, *, only_for: str = "") -> Asked:
    """Let a device ask; `TooManyDevices` where its source asked too often.

    Where it asks for one account, whoever is there has proven one factor of it: that account is counted for itself.
    """
    asks_for = f"{client_id}/{only_for}/" if only_for else ""
    for _ in range(TRIES):
        now = parts.now()
        user_code = choose(ALPHABET, USER_CODE_LENGTH, parts.entropy)
        secret = urlsafe_b64encode(parts.entropy(DEVICE_CODE_SIZE)).rstrip(b"=").decode()
        device = Device(
            client_id=client_id,
            scope=scope,
            secret_hash=_hash(secret),
            place=place,
            asked_at=now,
            ends_at=now + LIFE,
            only_for=only_for,
        )
        key = _key(user_code)
        record = Record(kind=DEVICES, key=key, document=msgspec.json.encode(device), ends_at=device.ends_at + TOLD_UNTIL)
        try:
            parts.store.commit(Write(at=now, puts=(record, _counted(parts, f"{asks_for}{throttle.source_of(place)}", now))))
        except VersionMoved:
            continue  # somebody else asked at the same moment, or waits with that code
        return Asked(device_code=f"{key}.{secret}", user_code=shown(user_code))
    raise VersionMoved


def find(parts: Parts, device_code: str) -> Waiting | None:
    """Return the device that looks with its code."""
    key, _, secret = device_code.partition(".")
    found = _read(parts, key) if len(key) == 64 and key.isascii() and key.isalnum() else None
    return found if found is not None and hmac.compare_digest(found.device.secret_hash, _hash(secret)) else None


def again(parts: Parts, waiting: Waiting) -> Waiting | None:
    """Read a device once more, after somebody else wrote in between; None where its code was used."""
    found = _read(parts, waiting.record.key)
    return found if found is not None and found.device == waiting.device else None


def look(parts: Parts, device_code: str, *, slow: bool = False) -> tuple[Waiting, bool] | None:
    """Note that a device looked, and tell whether it did so too soon: then it may look less often for good."""
    for _ in range(TRIES):
        waiting = find(parts, device_code)
        if waiting is None:
            return None
        now, device = parts.now(), waiting.device
        if device.answer or now >= device.ends_at:
            return waiting, False
        soon = device.looked_at is not None and now < device.looked_at + device.interval
        later = replace(device, looked_at=now, interval=device.interval + (SLOWER if soon else timedelta(0)))
        try:
            _put(parts, waiting, later)
        except VersionMoved:
            continue
        return waiting, soon
    raise VersionMoved


def enter(parts: Parts, typed: str, account_id: str, place: str) -> Waiting:
    """Return the device that waits with a user code, as a person typed it.

    Raises:
        Throttled: too many wrong codes came from them there, or from many people there.
        NoSuchUserCode: no device waits with it.
    """
    counter, now = _counter(account_id, place), parts.now()
    throttle.check_source(parts, place, throttle.Source.USER_CODE, now=now, account_id=account_id)
    before = parts.store.count_attempt(counter, at=now)
    wait = throttle.wait_after(before.count + throttle.FREE_ATTEMPTS - WRONG_CODES)
    if now < before.last_at + wait:
        raise throttle.Throttled("too many wrong codes in a row", hint="wait a while, then look at the device again")
    found = _read(parts, _key(as_typed(typed)))
    is_theirs = found is not None and found.device.only_for in ("", account_id)
    if found is None or not is_theirs or found.device.answer or now >= found.device.ends_at:
        throttle.count_source(parts, place, throttle.Source.USER_CODE, now=now, share_of=account_id)
        raise NoSuchUserCode
    if not before.count:  # a right one alone takes nothing from who types it; after wrong ones it counts until it is answered
        parts.store.commit(Write(at=now, forgives=(counter,)))
    return found


def answer(
    parts: Parts, waiting: Waiting, *, approved: bool, account_id: str, line: str, place: str, entry: AuditEntry
) -> None:
    """Keep what a person said of a device, once, and that they did; `NoSuchUserCode` where it was answered meanwhile."""
    said = replace(waiting.device, answer="approved" if approved else "refused", account_id=account_id, approved_in=line)
    for _ in range(TRIES):
        record = msgspec.structs.replace(
            waiting.record, document=msgspec.json.encode(said), account_id=account_id if approved else ""
        )
        try:
            parts.store.commit(Write(at=parts.now(), puts=(record,), forgives=(_counter(account_id, place),), events=(entry,)))
            return
        except VersionMoved as error:  # the device looked meanwhile, or somebody else answered
            found = _read(parts, waiting.record.key)
            if found is None or found.device.answer or found.device.secret_hash != said.secret_hash:
                raise NoSuchUserCode from error
            waiting = found
    raise VersionMoved


def shown(user_code: str) -> str:
    """Return a user code as it is shown: XXXX-XXXX."""
    return f"{user_code[:4]}-{user_code[4:]}"


def as_typed(typed: str) -> str:
    """Read a user code as people type it: in any case, with or without what stands between (RFC 8628 §6.1)."""
    return "".join(one for one in typed.upper()[:64] if one in ALPHABET)


def _read(parts: Parts, key: str) -> Waiting | None:
    record = parts.store.record(DEVICES, key)
    return None if record is None else Waiting(msgspec.json.decode(record.document, type=Device), record)


def _put(parts: Parts, waiting: Waiting, device: Device) -> None:
    record = msgspec.structs.replace(waiting.record, document=msgspec.json.encode(device))
    parts.store.commit(Write(at=parts.now(), puts=(record,)))


def _counted(parts: Parts, who: str, now: datetime) -> Record:
    """Return the record that whoever is counted under these words asked once more."""
    key = sha256(who.encode()).hexdigest()
    before = parts.store.record(SOURCES, key)
    times: list[datetime] = [] if before is None else msgspec.json.decode(before.document, type=list[datetime])
    recent = [at for at in times if now < at + WINDOW]
    if len(recent) >= MOST_OPEN:
        raise TooManyDevices
    document = msgspec.json.encode([*recent, now])
    if before is None:
        return Record(kind=SOURCES, key=key, document=document, ends_at=now + WINDOW)
    return msgspec.structs.replace(before, document=document, ends_at=now + WINDOW)


def _counter(account_id: str, place: str) -> str:
    return f"{BRIEF}user-code/{account_id}/{throttle.source_of(place)}"


def _key(user_code: str) -> str:
    return sha256(user_code.encode()).hexdigest()


def _hash(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
