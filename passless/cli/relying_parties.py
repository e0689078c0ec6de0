"""Registering, testing and removing relying parties, on a store or at a server."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

import msgspec

from passless.cli import configuring, operators, plans
from passless.domain.errors import NotFound, PasslessError, ProofNeeded, Unavailable
from passless.domain.names import are_same, printable
from passless.domain.party_views import ConfiguredRelyingParty
from passless.domain.relying_parties import NewRelyingParty, RelyingPartyView, check_redirect_uri, cleaned
from passless.domain.views import Applied, PlanView
from passless.output.machine_results import Verdict

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import SecretFile
    from passless.directories.server.connection import Connection
    from passless.domain.secret import Secret

METADATA = "/.well-known/oauth-authorization-server"  # RFC 8414 §3
SECRET = "secret"  # what is looked at, by the name that a verdict has
NEEDED = ("authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint")


class NoSuchRelyingParty(NotFound):
    """There is no such relying party."""

    code = "no-such-relying-party"
    hint = "see what there is: passless relying-party list"


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


def ready(run: Run) -> Run:
    """Act for nobody else: at a server as the account that acts, on a store as whoever opened it."""
    return operators.as_themselves(run) if run.acting_account is not None else run


def helping(run: Run) -> Run:
    """Act as an operator, who says why; whoever opened a store needs no reason."""
    ready(run)
    return operators.helping(run) if run.is_remote or run.given.reason else run


def wish(kind: str, name: str, **said: Any) -> NewRelyingParty:
    """Return what is asked for, in its normal form; what cannot be is said before anything is opened."""
    return cleaned(NewRelyingParty(name=name, kind=kind, **{field: value for field, value in said.items() if value}))


def add(run: Run, new: NewRelyingParty, where: configuring.Where) -> Applied | PlanView:
    """Register a relying party, and write its program's files where that is on this machine.

    A dry run asks for no more than whether one may. Where the files cannot be written the relying party is gone again.
    """
    plan = plans.add_relying_party(new)
    if run.given.dry_run:
        run.attempt(run.directory.relying_parties)
        configuring.prepared(run, new, where)
        return plan
    setup = configuring.prepared(run, new, where)
    made = run.attempt(lambda actor: run.directory.add_relying_party(actor, new))
    if setup is not None:
        try:
            made = configuring.write(setup, made)
        except PasslessError:
            run.attempt(lambda actor: run.directory.remove_relying_party(actor, made.id))
            raise
    return Applied(plan=plan, made=made)


def configure(run: Run, words: str, where: configuring.Where, secret: SecretFile | None) -> ConfiguredRelyingParty:
    """Write the files of a relying party's program on this machine."""
    found = find(run, words)
    return configuring.configure(run, found, where, None if secret is None else secret.read())


def find(run: Run, words: str) -> RelyingPartyView:
    """Return a relying party by its id, or its name."""
    everything = run.attempt(run.directory.relying_parties)
    found = [one for one in everything if one.id == words] or [one for one in everything if are_same(one.name, words)]
    if len(found) != 1:
        raise NoSuchRelyingParty(f'there is no relying party "{printable(words)}"')
    return found[0]


def remove(run: Run, words: str) -> Applied | PlanView:
    """Forget a relying party."""
    found = find(run, words)
    plan = plans.remove_relying_party(found)
    if run.given.dry_run:
        return plan
    run.confirm(f'remove "{found.name}"? every token that it was given ends', plan=lambda: plan)
    return Applied(plan=plan, made=run.attempt(lambda actor: run.directory.remove_relying_party(actor, found.id)))


def look_at(run: Run, words: str, server: str | None, secret: SecretFile | None) -> tuple[Verdict, ...]:
    """Look at everything that can be looked at from here."""
    found = find(run, words)
    typed = None if secret is None else secret.read()
    return tuple(_verdicts(run, found, server, typed))


def end(verdicts: Sequence[Verdict]) -> None:
    """End the run as something that does not work deserves."""
    wrong = {one.check for one in verdicts if not one.ok}
    if SECRET in wrong:
        raise SecretWrong
    if wrong:
        raise NotWorking


def _verdicts(run: Run, found: RelyingPartyView, server: str | None, secret: Secret | None) -> Iterator[Verdict]:
    about = "public" if found.public else "with a secret"
    yield Verdict(check="registered", ok=True, message=f"{found.name}, {found.kind}, {about}, client id {found.id}")
    yield from _addresses(found)
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
    except PasslessError as error:
        yield Verdict(check="server", ok=False, message=error.message, hint=error.hint)
    finally:
        connection.close()


def _addresses(found: RelyingPartyView) -> Iterator[Verdict]:
    for uri in found.redirect_uris:
        try:
            yield Verdict(check="address", ok=True, message=check_redirect_uri(uri, public=found.public))
        except PasslessError as error:
            yield Verdict(check="address", ok=False, message=error.message, hint=error.hint)
    if not found.redirect_uris:
        yield Verdict(check="address", ok=True, message="none: device codes only")


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
    pair = f"{quote_plus(found.id)}:{quote_plus(secret.reveal())}"
    headers = {
        "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    content = urlencode({"token": "none"}).encode()
    received = connection.send("POST", "/oauth/introspect", headers=headers, content=content)
    return _secret_verdict(is_right=received.status == HTTPStatus.OK)


def _secret_in_store(run: Run, found: RelyingPartyView, secret: Secret) -> Verdict:
    from passless.actions import relying_parties
    from passless.directories.local.parts_of import parts_of

    kept = relying_parties.find(parts_of(run.directory), found.id)
    return _secret_verdict(is_right=kept is not None and relying_parties.is_secret(kept[0], secret))


def _secret_verdict(*, is_right: bool) -> Verdict:
    if is_right:
        return Verdict(check=SECRET, ok=True, message="right")
    return Verdict(check=SECRET, ok=False, message="not right", hint=SecretWrong.hint)


def _document(content: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
