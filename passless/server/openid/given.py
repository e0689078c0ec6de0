"""Which browser's sessions a relying party was given something in, so that it can be told when one of them ends.

A record of each stays until the session would be over by itself. It is none of the account's, for it is read when that is gone.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from passless.actions.parts import Parts
from passless.domain.relying_parties import Client
from passless.domain.sessions import Session
from passless.ports import Record

KIND = "openid-session"


class GivenIn(Struct, frozen=True, kw_only=True):
    """Something that was given: to whom, in which session; `session` is what lasts of it, until `until`."""

    account_id: str
    client_id: str
    line: str
    session: str
    until: datetime


def in_session(parts: Parts, client: Client, source: Session, lasting: Session) -> Record:
    """Return the record that a relying party was given something in a browser's session, to be kept with it."""
    key = f"{source.account_id}/{client.id}/{source.line}"
    before = parts.store.record(KIND, key)
    made = GivenIn(
        account_id=source.account_id,
        client_id=client.id,
        line=source.line,
        session=lasting.id,
        until=lasting.expires_at,
    )
    return Record(
        kind=KIND,
        key=key,
        document=msgspec.json.encode(made),
        ends_at=source.expires_at,
        version=0 if before is None else before.version,
    )
