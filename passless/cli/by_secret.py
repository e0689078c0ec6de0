"""What a relying party's own host learns of it with its secret: a host needs nobody signed in to be set up and looked at."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from passless.cli.testing_parties import SecretWrong
from passless.cli.watching import NotAnswering
from passless.domain.party_views import RelyingPartyView
from passless.domain.secret import Secret

if TYPE_CHECKING:
    from passless.cli.context import Run

ENDINGS = "/relying-parties/endings"  # says who asks, beside what ended


class Who(Struct, frozen=True, kw_only=True):
    """The relying party that asked, as much of it as its program's files are made of."""

    id: str
    name: str
    kind: str
    introspects: bool
    redirect_uris: tuple[str, ...]
    requires: str
    services: tuple[str, ...]
    signed_with: str


class Said(Struct, frozen=True, kw_only=True):
    """An answer, of which only this much is read."""

    relying_party: Who


def ask(run: Run, words: str, server: str, secret: Secret) -> RelyingPartyView:
    """Ask the server who it is whose secret this is.

    Raises:
        SecretWrong: the server knows no such relying party with that secret.
        NotAnswering: it answers something else.
        Unavailable: nothing answers there.
    """
    from passless.directories.server.connection import Connection

    connection = Connection(server, clock=run.now, entropy=run.entropy, ca=run.profile.ca)
    pair = f"{quote_plus(words)}:{quote_plus(secret.reveal())}"
    headers = {"Authorization": f"Basic {base64.b64encode(pair.encode('utf-8', 'surrogatepass')).decode()}"}
    try:
        received = connection.send("GET", ENDINGS, params={"wait": "0"}, headers=headers, repeatable=True)
    finally:
        connection.close()
    if received.status == HTTPStatus.UNAUTHORIZED:
        raise SecretWrong("the server does not know this relying party, or its secret is not right")
    if received.status != HTTPStatus.OK:
        raise NotAnswering(f"{server}{ENDINGS} answers with status {received.status}")
    try:
        who = msgspec.json.decode(received.content, type=Said).relying_party
    except msgspec.MsgspecError as error:
        raise NotAnswering(f"what {server}{ENDINGS} answers is not understood") from error
    return RelyingPartyView(**asdict(who), public=False, scopes=(), created_at=run.now())
