"""Refresh tokens (RFC 6749 §6, RFC 9700 §4.14): each is used once and gives the next; one that comes back ends all of them.

What a person agreed to is one family: a session of the kind `OFFLINE` that lasts, the sessions that came of it, and a record
with the hash of the only refresh token that is good. Every token of a family begins with the same secret name, by which the
record is found: whoever knows the name and not the rest had an earlier token, so that two have the family, and it ends.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from contextlib import suppress
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import granting
from passless.actions.accounts import find_id
from passless.actions.parts import Parts
from passless.domain.account import AccountId
from passless.domain.audit import Outcome
from passless.domain.sessions import Session, SessionId
from passless.ports import NoSuchAccount, Record, VersionMoved, Write
from passless.server.oauth.recording import entry_of
from passless.server.openid.id_tokens import Said

FAMILIES = "oauth-refresh"
PREFIX = "plr_"  # recognisable in a leak
NAME_SIZE, SECRET_SIZE = 16, 32  # bytes, 128 and 256 bits
_TOKEN = re.compile(r"plr_(?P<name>[A-Za-z0-9_-]{22})(?P<secret>[A-Za-z0-9_-]{43})")


class Family(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the refresh tokens of a family stand for.

    `line` is the browser's session in which the person agreed; empty where they approved a device, which is agreed to once.
    """

    client_id: str
    account_id: str
    session: str
    scope: str
    line: str
    good: bytes
    said: Said = Said()


class HeldFamily(Struct, frozen=True):
    """A family as it was read, its record, and what every token of it begins with."""

    family: Family
    record: Record
    name: str

    # In the words that authlib asks in:

    def check_client(self, client: object) -> bool:
        """It is looked at before."""
        return True

    def get_scope(self) -> str:
        """Return what was agreed to."""
        return self.family.scope


def first(parts: Parts, client_id: str, session: Session, *, scope: str, line: str, said: Said) -> tuple[str, Record]:
    """Return the first refresh token of a family, and the record of it."""
    name = _random(parts, NAME_SIZE)
    text, good = _next_token(parts, name)
    family = Family(
        client_id=client_id,
        account_id=session.account_id,
        session=session.id,
        scope=scope,
        line=line,
        good=good,
        said=replace(said, nonce=""),
    )
    record = Record(
        kind=FAMILIES,
        key=_key(name),
        document=msgspec.json.encode(family),
        account_id=session.account_id,
        ends_at=session.expires_at,
    )
    return text, record


def following(parts: Parts, held: HeldFamily) -> tuple[str, Record]:
    """Return the next refresh token of a family, and the record in which the one before is good no more."""
    text, good = _next_token(parts, held.name)
    document = msgspec.json.encode(replace(held.family, good=good))
    return text, replace(held.record, document=document)


def find(parts: Parts, text: str, client_id: str, place: str) -> HeldFamily | None:
    """Return the family of a refresh token of this client; one that was used before ends it."""
    found = _TOKEN.fullmatch(text)
    record = None if found is None else parts.store.record(FAMILIES, _key(found["name"]))
    if found is None or record is None:
        return None
    held = HeldFamily(msgspec.json.decode(record.document, type=Family), record, found["name"])
    if held.family.client_id != client_id or (record.ends_at is not None and parts.now() >= record.ends_at):
        return None
    if not hmac.compare_digest(held.family.good, _hash(text)):
        end(parts, held, place, "reuse-refresh-token")
        return None
    return held


def again(parts: Parts, held: HeldFamily, place: str) -> HeldFamily | None:
    """Read a family once more, after somebody else wrote in between; a token that was used meanwhile was used twice."""
    record = parts.store.record(FAMILIES, held.record.key)
    if record is None:
        return None
    now_held = HeldFamily(msgspec.json.decode(record.document, type=Family), record, held.name)
    if now_held.family.good != held.family.good:
        end(parts, now_held, place, "reuse-refresh-token")
        return None
    return now_held


def end(parts: Parts, held: HeldFamily, place: str, event: str) -> None:
    """End a family: nothing that was given in it is good any more."""
    family = held.family
    ends = granting.with_what_came_of(parts, family.account_id, SessionId(family.session))
    details = {"client": family.client_id, "sessions": ",".join(ends)}
    now = parts.now()
    try:
        account = find_id(parts, AccountId(family.account_id), now).account
    except NoSuchAccount:
        return  # its sessions and records went with it
    entry = entry_of(account, place, event, now, details, Outcome.DONE)
    parts.store.commit(Write(at=now, ends=ends, events=(entry,)))
    with suppress(VersionMoved):  # its session is gone, and with it what the record stands for
        parts.store.commit(Write(at=now, drops=(held.record,)))


def _next_token(parts: Parts, name: str) -> tuple[str, bytes]:
    text = f"{PREFIX}{name}{_random(parts, SECRET_SIZE)}"
    return text, _hash(text)


def _random(parts: Parts, size: int) -> str:
    return urlsafe_b64encode(parts.entropy(size)).rstrip(b"=").decode()


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _key(name: str) -> str:
    return sha256(name.encode()).hexdigest()
