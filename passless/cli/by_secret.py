"""What a relying party's own host learns of it with its secret: a host needs nobody signed in to be set up."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import msgspec
from msgspec import Struct

from passless.cli.testing_parties import SecretWrong
from passless.domain.errors import Unavailable
from passless.domain.party_kinds import PartyKind
from passless.domain.party_views import RelyingPartyView
from passless.domain.secret import Secret

if TYPE_CHECKING:
    from passless.cli.context import Run

ENDINGS = "/relying-parties/endings"  # says who asks, beside what ended


class Who(Struct, frozen=True, kw_only=True):
    """The relying party that asked."""

    id: str
    name: str
    kind: str


class Said(Struct, frozen=True, kw_only=True):
    """An answer, of which only this much is read."""

    relying_party: Who


def host_of(run: Run, words: str, server: str, secret: Secret) -> RelyingPartyView | None:
    """Ask the server who it is whose secret this is; None where that is no host of users, or it does not say.

    The other kinds have more in their files than a host is told here.

    Raises:
        SecretWrong: the server knows no such relying party with that secret.
    """
    from passless.directories.server.connection import Connection

    connection = Connection(server, clock=run.now, entropy=run.entropy, ca=run.profile.ca)
    pair = f"{quote_plus(words)}:{quote_plus(secret.reveal())}"
    headers = {"Authorization": f"Basic {base64.b64encode(pair.encode('utf-8', 'surrogatepass')).decode()}"}
    try:
        received = connection.send("GET", ENDINGS, params={"wait": "0"}, headers=headers)
        if received.status == HTTPStatus.UNAUTHORIZED:
            raise SecretWrong("the server does not know this relying party, or its secret is not right")
        if received.status != HTTPStatus.OK:
            return None
        who = msgspec.json.decode(received.content, type=Said).relying_party
    except (Unavailable, msgspec.MsgspecError):
        return None
    finally:
        connection.close()
    if who.kind != PartyKind.SSH:
        return None
    return RelyingPartyView(
        id=who.id,
        name=who.name,
        kind=who.kind,
        public=False,
        redirect_uris=(),
        scopes=(),
        introspects=False,
        created_at=run.now(),
    )
