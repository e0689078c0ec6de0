"""Authorization codes: 256 bits, a minute, once; used a second time, one ends what it gave (RFC 6749 §4.1.2).

Whoever comes second may be the person's own program, after a thief: it stands in the audit trail, and programs are told.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import granting
from passless.actions.accounts import find_id
from passless.actions.parts import Parts
from passless.domain.account import AccountId
from passless.domain.sessions import SessionId
from passless.ports import NoSuchAccount, Record, VersionMoved, Write
from passless.server.oauth.recording import entry_of
from passless.server.openid.id_tokens import Said

CODES = "oauth-code"
REUSED = "reuse-code"
CODE_SIZE = 32  # bytes, 256 bits
CODE_LIFE = timedelta(seconds=60)  # RFC 6749 §4.1.2: at most 10 minutes


class Code(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a code is bound to.

    `browser` is the line of the session that agreed; `gave` is the session it was used for.

    `said` is what the id_token is to say.
    """

    client_id: str
    redirect_uri: str
    challenge: str
    scope: str
    account_id: str
    browser: str
    ends_at: datetime
    gave: str = ""
    said: Said = Said()

    # In the words that authlib asks in:

    @property
    def code_challenge(self) -> str:
        """What the verifier must hash to (RFC 7636)."""
        return self.challenge

    @property
    def code_challenge_method(self) -> str:
        """The only one there is."""
        return "S256"

    def get_redirect_uri(self) -> str:
        """Return where the code was sent to."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return what was agreed to."""
        return self.scope


class Held(Struct, frozen=True):
    """A code as it was read, and its record."""

    code: Code
    record: Record


def make(parts: Parts, code: Code) -> tuple[str, Record]:
    """Make a code, and the record of its hash."""
    text = urlsafe_b64encode(parts.entropy(CODE_SIZE)).rstrip(b"=").decode()
    document = msgspec.json.encode(code)
    return text, Record(kind=CODES, key=_key(text), document=document, account_id=code.account_id, ends_at=code.ends_at)


def find(parts: Parts, text: str, client_id: str, place: str) -> Held | None:
    """Return a code of this client that is still good; one that was used before ends what it gave."""
    record = parts.store.record(CODES, _key(text))
    return None if record is None else _good(parts, record, client_id, place)


def again(parts: Parts, held: Held, place: str) -> Held | None:
    """Read a code once more, after somebody else wrote in between; one that was used meanwhile was used twice."""
    record = parts.store.record(CODES, held.record.key)
    return None if record is None else _good(parts, record, held.code.client_id, place)


def _good(parts: Parts, record: Record, client_id: str, place: str) -> Held | None:
    code = msgspec.json.decode(record.document, type=Code)
    if code.client_id != client_id:
        return None
    if code.gave:
        _end(parts, code, record, place)
        return None
    return Held(code, record) if parts.now() < code.ends_at else None


def _end(parts: Parts, code: Code, record: Record, place: str) -> None:
    """End what was given for a code that was used twice."""
    now = parts.now()
    try:
        account = find_id(parts, AccountId(code.account_id), now).account
    except NoSuchAccount:
        return  # its sessions and records went with it
    ends = granting.with_what_came_of(parts, code.account_id, SessionId(code.gave))
    entry = entry_of(account, place, REUSED, now, {"client": code.client_id, "sessions": ",".join(ends)})
    with suppress(VersionMoved):  # a third one was as fast: what it gave ends once
        parts.store.commit(Write(at=now, ends=ends, drops=(record,), events=(entry,)))


def used(held: Held, session_id: str, until: datetime) -> Record:
    """Return the record of a code that was used, to be kept with the session that it gave, for as long as that lasts."""
    document = msgspec.json.encode(replace(held.code, gave=session_id))
    return msgspec.structs.replace(held.record, document=document, ends_at=until)


def _key(text: str) -> str:
    return sha256(text.encode()).hexdigest()
