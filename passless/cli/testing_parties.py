"""Looking whether a relying party works: what the server says, what its program says, and whether its secret is right."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, urlencode

import msgspec
from msgspec.structs import replace

from passless.cli import configuring, relying_parties, testing_openid
from passless.cli.testing_openid import OTHER_ADDRESS, OTHER_SERVER
from passless.domain.errors import PasslessError, ProofNeeded, Unavailable
from passless.domain.names import printable
from passless.domain.party_kinds import BROWSERS, PartyKind
from passless.domain.relying_parties import RelyingPartyView, check_redirect_uri
from passless.output.machine_results import Verdict
from passless.programs.setting_up import program_of

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import SecretFile
    from passless.directories.server.connection import Connection
    from passless.domain.secret import Secret
    from passless.programs.setting_up import Program, Setup

METADATA = "/.well-known/oauth-authorization-server"  # RFC 8414 §3
INTROSPECT = "/oauth/introspect"
ENDINGS = "/relying-parties/endings"
KEYS = "/relying-parties/keys"
NOBODY = "passless-test-nobody"  # who has no account, or nothing that these questions could be answered with
SECRET = "secret"  # what is looked at, by the name that a verdict has
NEEDED = ("authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint")
PATIENCE = 5.0  # seconds for a socket on this machine
UNIX = "unix:"
SOMEWHERE = "http://localhost"  # in the place of a server that nobody named


class SecretWrong(ProofNeeded):
    """The secret is not the relying party's."""

    code = "wrong-secret"
    hint = "a lost secret is not shown again: remove the relying party and add it anew"
    default = "the secret is not right"


class NotWorking(Unavailable):
    """Something that a relying party needs does not work."""

    code = "relying-party-broken"
    hint = "see what was found above"
    default = "the relying party cannot work like this"


def look_at(run: Run, words: str, where: configuring.Where, secret: SecretFile | None) -> tuple[Verdict, ...]:
    """Look at everything that can be looked at from here."""
    found = relying_parties.find(run, words)
    typed = None if secret is None else secret.read()
    about = "public" if found.public else "with a secret"
    return (
        Verdict(check="registered", ok=True, message=f"{found.name}, {found.kind}, {about}, client id {found.id}"),
        *_addresses(found),
        *_at_server(run, found, where.server, typed),
        *_of_program(run, found, where),
    )


def end(verdicts: Sequence[Verdict]) -> None:
    """End the run as something that does not work deserves."""
    wrong = {one.check for one in verdicts if not one.ok}
    if SECRET in wrong:
        raise SecretWrong
    if wrong:
        raise NotWorking


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
        yield Verdict(check="server", ok=True, message="not asked", hint="name it to ask it: --server URL")
        if secret is not None:
            yield _secret_in_store(run, found, secret)
        return
    try:
        yield _metadata(connection)
        if secret is not None:
            yield _secret_at_server(connection, found, secret)
        yield from _asked_as_program(connection, found, secret)
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


def _asked_as_program(connection: Connection, found: RelyingPartyView, secret: Secret | None) -> Iterator[Verdict]:
    """Ask what the program itself will ask, about nobody."""
    if found.kind == PartyKind.HTTP:
        path = f"/auth/{quote(found.name, safe='')}"
        yield _status(connection, path, "asking", HTTPStatus.UNAUTHORIZED, "lets nobody in who says nothing")
    if found.kind == PartyKind.OIDC:
        yield from testing_openid.look_at(connection, found)
    if secret is None or found.public:
        return
    if found.kind == PartyKind.SSH:
        yield _status(connection, KEYS, "keys", HTTPStatus.OK, "answers", _basic(found, secret))
    yield _status(connection, ENDINGS, "endings", HTTPStatus.OK, "tells of them", _basic(found, secret))


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


def _of_program(run: Run, found: RelyingPartyView, where: configuring.Where) -> Iterator[Verdict]:
    """Have the program on this machine judge its files, where they are here; then ask on its socket as it does."""
    program = program_of(found.kind)
    if program is None:
        return
    try:
        setup = _setup(run, program, found, where)
        paths = [file.path for file in program.files(setup)]
        if not all(path.exists() for path in paths):
            hint = "run this where the program is; files that were written elsewhere: --to DIR"
            yield Verdict(check="program", ok=True, message="its files are not here", hint=hint)
            return
        for one in program.findings(setup):
            yield Verdict(check=one.check, ok=one.ok, message=one.message, hint="" if one.ok else one.hint)
        if found.kind == PartyKind.DOVECOT:
            from passless.programs import dovecot

            yield _mail_socket(dovecot.socket_of(setup))
        if found.kind == PartyKind.PAM:
            from passless.programs import pam

            asked = pam.answers(setup)
            yield Verdict(check=asked.check, ok=asked.ok, message=asked.message, hint=asked.hint)
    except (PasslessError, OSError) as error:
        message = error.message if isinstance(error, PasslessError) else f"its files cannot be looked at: {error.strerror}"
        yield Verdict(check="program", ok=False, message=message, hint=getattr(error, "hint", "run it as root"))


def _setup(run: Run, program: Program, found: RelyingPartyView, where: configuring.Where) -> Setup:
    """Return where a program's files would be; what stands in them about the server is there already, and not asked for."""
    try:
        return configuring.setup_of(run, program, found, where)
    except configuring.NoServer:
        return configuring.setup_of(run, program, found, replace(where, server=SOMEWHERE))


def _mail_socket(address: str) -> Verdict:
    """Ask on Dovecot's socket for somebody who is nobody: they are to be unknown, and said to be so."""
    path = address.removeprefix(UNIX)
    digest = sha256(NOBODY.encode()).hexdigest()
    question = f"H3\t0\t0\t\tpassless\nLshared/passdb/imap/{digest}/127.0.0.1/{NOBODY}\t\n".encode()
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(PATIENCE)
            asking.connect(path)
            asking.sendall(question)
            said = asking.recv(4096)
    except OSError as error:
        hint = f"serve it: passless serve … --socket NAME={address}"
        return Verdict(check="socket", ok=False, message=f"{path}: {error.strerror or 'no answer in time'}", hint=hint)
    if said.startswith(b"N"):
        return Verdict(check="socket", ok=True, message=f"{path} answers, and knows nobody whom it should not know")
    hint = "see the server's log; while its store is away it cannot say"
    return Verdict(check="socket", ok=False, message=f"{path} does not say whether it knows somebody", hint=hint)


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
