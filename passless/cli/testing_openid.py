"""Looking whether a program finds what it needs to speak OpenID Connect: the description of the server, and its keys."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from passless.domain.names import printable
from passless.domain.relying_parties import SIGNATURES, RelyingPartyView
from passless.output.machine_results import Verdict

if TYPE_CHECKING:
    from passless.directories.server.connection import Connection

DISCOVERY = "/.well-known/openid-configuration"  # OpenID Connect Discovery 1.0 §4
NEEDED = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint")
LONGEST = 200  # characters shown of what a server says
OTHER_ADDRESS = "the server does not answer by this address; give the one that `serve --url` was given"
OTHER_SERVER = "the server's passless may be older, or it is another server"
KEYS_HINT = "see on its host: passless relying-party keys"


def look_at(connection: Connection, found: RelyingPartyView) -> Iterator[Verdict]:
    """Read what the program will read: the issuer must be the very address that the server is asked at."""
    status, said = _document(connection, DISCOVERY)
    if status != HTTPStatus.OK:
        hint = OTHER_ADDRESS if status == HTTPStatus.MISDIRECTED_REQUEST else OTHER_SERVER
        yield Verdict(check="discovery", ok=False, message=f"{DISCOVERY} answers with status {status}", hint=hint)
        return
    if said.get("issuer") != connection.origin:
        hint = "give the program this address, or serve it: passless serve --url"
        who = printable(str(said.get("issuer", "nobody")), at_most=LONGEST)
        yield Verdict(check="discovery", ok=False, message=f"{connection.origin} says that it is {who}", hint=hint)
        return
    elsewhere = [one for one in NEEDED if not str(said.get(one, "")).startswith(f"{connection.origin}/")]
    if elsewhere:
        hint = "something between here and the server changes what it says"
        yield Verdict(check="discovery", ok=False, message=f"not at {connection.origin}: {', '.join(elsewhere)}", hint=hint)
        return
    yield Verdict(check="discovery", ok=True, message=f"{connection.origin}{DISCOVERY}")
    yield _keys(connection, found, str(said["jwks_uri"]).removeprefix(connection.origin))


def _keys(connection: Connection, found: RelyingPartyView, path: str) -> Verdict:
    """Look whether there is a key of the kind that signs for this program, with nothing of its private half."""
    wanted = found.signed_with or SIGNATURES[0]
    listed = _document(connection, path)[1].get("keys")
    keys = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if any("d" in one for one in keys):
        return Verdict(check="signing-keys", ok=False, message=f"{path} shows private keys", hint="replace them at once")
    if not any(one.get("alg") == wanted and one.get("kid") for one in keys):
        return Verdict(check="signing-keys", ok=False, message=f"{path} has no key for {wanted}", hint=KEYS_HINT)
    return Verdict(check="signing-keys", ok=True, message=f"{path} has a key for {wanted}")


def _document(connection: Connection, path: str) -> tuple[int, dict[str, Any]]:
    """Return the status of an answer, and what stands in it; nothing where that is no JSON object."""
    received = connection.send("GET", path, repeatable=True)
    try:
        return received.status, msgspec.json.decode(received.content, type=dict[str, Any])
    except msgspec.DecodeError:
        return received.status, {}
