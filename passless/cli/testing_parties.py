"""Looking whether a relying party works: what the server says, what its program says, and whether its secret is right."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, urlencode

import msgspec

from passless.cli import configuring, relying_parties, testing_openid, testing_programs
from passless.cli.testing_openid import OTHER_ADDRESS, OTHER_SERVER
from passless.domain.errors import PasslessError, ProofNeeded, Unavailable
from passless.domain.names import printable
from passless.domain.party_kinds import BROWSERS, PartyKind
from passless.domain.relying_parties import RelyingPartyView, check_redirect_uri
from passless.output.machine_results import Verdict

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import SecretFile
    from passless.directories.server.connection import Connection
    from passless.domain.secret import Secret

METADATA = "/.well-known/oauth-authorization-server"  # RFC 8414 §3
INTROSPECT = "/oauth/introspect"
ENDINGS = "/relying-parties/endings"
KEYS = "/relying-parties/keys"
NOBODY = "passless-test-nobody"  # who has no account, or nothing that these questions could be answered with
SECRET = "secret"  # what is looked at, by the name that a verdict has
NEEDED = ("authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint")
NOT_RIGHT = "not asked, for the secret is not right"


class SecretWrong(ProofNeeded):
    """The secret is not the relying party's."""

    code = "wrong-secret"
    hint = "a lost secret is not shown again: passless relying-party new-secret NAME"
    default = "the secret is not right"


class NotWorking(Unavailable):
    """Something that a relying party needs does not work."""

    code = "relying-party-broken"
    hint = "see what was found above"
    default = "the relying party cannot work like this"


def look_at(run: Run, words: str, where: configuring.Where, secret: SecretFile | None) -> tuple[Verdict, ...]:
    """Look at everything that can be looked at from here."""
    typed = None if secret is None else secret.read()
    found = _found(run, words, where, typed)
    about = "public" if found.public else "with a secret"
    asked = tuple(_at_server(run, found, where.server, typed))
    is_wrong = any(one.check == SECRET and not one.ok for one in asked)
    return (
        Verdict(check="registered", ok=True, message=f"{found.name}, {found.kind}, {about}, client id {found.id}"),
        *_addresses(found),
        *asked,
        *testing_programs.look_at(run, found, where, None if is_wrong else typed),
    )


def end(verdicts: Sequence[Verdict]) -> None:
    """End the run as something that does not work deserves."""
    wrong = {one.check for one in verdicts if not one.ok}
    if SECRET in wrong:
        raise SecretWrong
    if wrong:
        raise NotWorking


def _found(run: Run, words: str, where: configuring.Where, secret: Secret | None) -> RelyingPartyView:
    """Return the relying party; where its secret is wrong, what a store here knows of it, so that the rest is looked at."""
    try:
        return relying_parties.known(run, words, where, secret)
    except SecretWrong:
        if not run.is_remote:
            with suppress(PasslessError):
                return relying_parties.find(run, words)
        raise


def _addresses(found: RelyingPartyView) -> Iterator[Verdict]:
    """Look at where people are sent back to, of the kinds that people come to by a browser."""
    if found.kind not in BROWSERS:
        return
    for uri in found.redirect_uris:
        try:
            yield Verdict(check="address", ok=True, message=check_redirect_uri(uri, public=found.public))
        except PasslessError as error:
            yield Verdict(check="address", ok=False, message=error.message, hint=error.hint)
    if not found.redirect_uris:
        without = "none: the server's own address" if found.kind == PartyKind.HTTP else "none: device codes only"
        yield Verdict(check="address", ok=True, message=without)


def _at_server(run: Run, found: RelyingPartyView, server: str | None, secret: Secret | None) -> Iterator[Verdict]:
    connection = _connection(run, server)
    if connection is None:
        yield Verdict(check="server", ok=True, message="not asked", hint="name it to ask it: --server URL", tested=False)
        if secret is not None:
            yield _secret_in_store(run, found, secret)
        return
    try:
        yield _metadata(connection)
        yield from _asked_as_program(connection, found)
        if secret is not None:
            yield from _asked_with_secret(connection, found, secret)
    except PasslessError as error:
        yield Verdict(check="server", ok=False, message=error.message, hint=error.hint)
    finally:
        connection.close()


def _connection(run: Run, server: str | None) -> Connection | None:
    from passless.directories.server.connection import Connection

    origin = server.rstrip("/") if server else run.profile.address.rstrip("/") if run.profile.place == "server" else None
    if origin is None:
        return None
    return Connection(origin, clock=run.now, entropy=run.entropy, ca=run.profile.ca)


def _metadata(connection: Connection) -> Verdict:
    """Ask the server what it can do, and whether it is who it should be (RFC 8414 §3.3)."""
    received = connection.send("GET", METADATA, repeatable=True)
    said = _document(received.content) if received.status == HTTPStatus.OK else {}
    if said.get("issuer") != connection.origin or not all(name in said for name in NEEDED):
        who = printable(str(said.get("issuer", "nobody")), at_most=200)
        hint = "the program must know the server by this very address"
        return Verdict(check="server", ok=False, message=f"{connection.origin} says that it is {who}", hint=hint)
    return Verdict(check="server", ok=True, message=f"{connection.origin}{METADATA}")


def _secret_at_server(connection: Connection, found: RelyingPartyView, secret: Secret) -> Verdict:
    """Ask about a token that is none: only who has the secret is answered."""
    headers = _basic(found, secret) | {"Content-Type": "application/x-www-form-urlencoded"}
    content = urlencode({"token": "none"}).encode()
    received = connection.send("POST", INTROSPECT, headers=headers, content=content)
    if received.status in (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED):
        return _secret_verdict(is_right=received.status == HTTPStatus.OK)
    return _unexpected(INTROSPECT, "introspection", received.status)  # which says nothing of the secret


def _asked_as_program(connection: Connection, found: RelyingPartyView) -> Iterator[Verdict]:
    """Ask what the program itself will ask without its secret, about nobody."""
    if found.kind == PartyKind.HTTP:
        path = f"/auth/{quote(found.name, safe='')}"
        yield _status(connection, path, "asking", HTTPStatus.UNAUTHORIZED, "lets nobody in who says nothing")
    if found.kind == PartyKind.OIDC:
        yield from testing_openid.look_at(connection, found)


def _asked_with_secret(connection: Connection, found: RelyingPartyView, secret: Secret) -> Iterator[Verdict]:
    """Ask whether the secret is right, and with it what the program will."""
    judged = _secret_at_server(connection, found, secret)
    yield judged
    if found.public:
        return
    asked = [("endings", ENDINGS, "tells of them")]
    if found.kind == PartyKind.SSH:
        asked.insert(0, ("keys", KEYS, "answers"))
    for check, path, says in asked:
        if judged.check == SECRET and not judged.ok:
            yield Verdict(check=check, ok=True, message=NOT_RIGHT, tested=False)
        else:
            yield _status(connection, path, check, HTTPStatus.OK, says, _basic(found, secret))


def _status(
    connection: Connection, path: str, check: str, wanted: int, says: str, headers: Mapping[str, str] | None = None
) -> Verdict:
    about = {"user": NOBODY} if path == KEYS else {}
    received = connection.send("GET", path, params=about, headers=headers or {}, repeatable=True)
    if received.status == wanted:
        return Verdict(check=check, ok=True, message=f"{path} {says}")
    return _unexpected(path, check, received.status)


def _unexpected(path: str, check: str, status: int) -> Verdict:
    hint = OTHER_ADDRESS if status == HTTPStatus.MISDIRECTED_REQUEST else OTHER_SERVER
    return Verdict(check=check, ok=False, message=f"{path} answers with status {status}", hint=hint)


def _basic(found: RelyingPartyView, secret: Secret) -> dict[str, str]:
    pair = f"{quote_plus(found.id)}:{quote_plus(secret.reveal())}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _secret_in_store(run: Run, found: RelyingPartyView, secret: Secret) -> Verdict:
    from passless.actions import relying_parties as kept_parties
    from passless.directories.local.parts_of import parts_of

    kept = kept_parties.find(parts_of(run.directory), found.id)
    return _secret_verdict(is_right=kept is not None and kept_parties.is_secret(kept[0], secret))


def _secret_verdict(*, is_right: bool) -> Verdict:
    if is_right:
        return Verdict(check=SECRET, ok=True, message="right")
    return Verdict(check=SECRET, ok=False, message="not right", hint=SecretWrong.hint)


def _document(content: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
