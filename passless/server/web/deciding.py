"""Who somebody is that a proxy asks about: by an app password, or by the session that their browser has."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from msgspec import Struct

from passless.actions import app_password_check, granting
from passless.actions.reading import note_seen
from passless.actions.throttle import Throttled
from passless.domain import names
from passless.domain.account import Account
from passless.domain.errors import ProofNeeded
from passless.domain.party_kinds import Requirement
from passless.domain.relying_parties import Client
from passless.domain.safety.assurance import REQUIRED, acr_of, amr_of, assurance
from passless.domain.secret import Secret
from passless.domain.sessions import Session, SessionKind
from passless.ports.directory import Actor
from passless.server import browser
from passless.server.oauth import asking, looking
from passless.server.site import Site
from passless.server.web import sites

LONGEST_BASIC = 4096  # characters of name and secret as they are sent
LONGEST_TOKEN = 512  # characters; ours are far shorter

Headers = Sequence[tuple[bytes, bytes]]


class Granted(Struct, frozen=True, kw_only=True):
    """Somebody who may come in. `session` is the one that says so, where it was no app password."""

    account: Account
    method: str
    session: Session | None = None


class Refused(Struct, frozen=True, kw_only=True):
    """Somebody who may not; after `seconds` it is worth another try."""

    seconds: int = 0


class Question(Struct, frozen=True, kw_only=True):
    """What a proxy asks: about which headers of its client, and where that client is.

    `exact`: the name must be written as the account's is, for programs that go on with what was typed.
    """

    headers: Headers
    place: str
    exact: bool = False


def decide(site: Site, client: Client | None, asked: Question) -> Granted | Refused:
    """Say who it is; a relying party that there is none of lets nobody in.

    Raises:
        Unavailable: there is no telling now.
    """
    decided = Refused() if client is None else _decided(site, client, asked)
    if isinstance(decided, Granted) and not names.is_plain(decided.account.name):
        return Refused()  # a site that splits lists would take "admin,x" for somebody else's name
    return decided


def _decided(site: Site, client: Client, asked: Question) -> Granted | Refused:
    scheme, _, sent = dict(asked.headers).get(b"authorization", b"").partition(b" ")  # it stands there once (gate.py)
    if scheme.lower() == b"basic":
        return _by_app_password(site, client, asked, sent.strip())
    session = _of_site(site, client, asked) if sites.is_elsewhere(client) else _of_server(site, asked)
    if session is None or not is_enough(site, client, *session):
        return Refused()
    account, found = session
    return Granted(account=account, method="session", session=found)


def _by_app_password(site: Site, client: Client, asked: Question, encoded: bytes) -> Granted | Refused:
    pair = _pair(encoded)
    if pair is None or client.requires is not Requirement.ANY:  # an app password is one factor, and can be phished
        return Refused()
    name, secret = pair
    service, *also = client.services
    now = site.parts.now()
    try:
        checked = app_password_check.check(
            site.parts, name, secret, service=service, also=tuple(also), place=asked.place, now=now
        )
    except Throttled as error:
        return Refused(seconds=error.seconds)
    except ProofNeeded:
        return Refused()
    if asked.exact and name != checked.name:
        return Refused()
    return Granted(account=checked.account, method="app-password")


def _pair(encoded: bytes) -> tuple[str, Secret] | None:
    """Read name and secret of HTTP Basic in UTF-8 (RFC 7617 §2.1)."""
    if len(encoded) > LONGEST_BASIC:
        return None
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, Secret(secret)) if name and colon and secret else None


def _of_server(site: Site, asked: Question) -> tuple[Account, Session] | None:
    """Return who is signed in at the server itself, in the browser that the proxy asks about."""
    name = browser.cookie_name(site, browser.SESSION)
    token = sites.values_of(asked.headers, (name,)).get(name)
    if not token or len(token) > LONGEST_TOKEN:
        return None
    someone = asking.person(site.parts, Actor(token=Secret(token), place=asked.place))
    if someone is None:
        return None
    note_seen(site.parts, someone.session, site.parts.now())
    return someone.account, someone.session


def _of_site(site: Site, client: Client, asked: Question) -> tuple[Account, Session] | None:
    tokens = sites.values_of(asked.headers, sites.token_cookies(client))
    return next((found for one in tokens.values() if (found := of_token(site, client, one)) is not None), None)


def of_token(site: Site, client: Client, token: str) -> tuple[Account, Session] | None:
    """Return who a relying party's own token is of: it ends with the session that it came of, and that is in use with it."""
    found = looking.find(site, token) if 0 < len(token) <= LONGEST_TOKEN else None
    if found is None or found.session.kind is not SessionKind.CLIENT or found.client_id != client.id:
        return None
    now = site.parts.now()
    source = next((one for one in site.parts.store.sessions(found.account.id) if one.line == found.session.came_of), None)
    if source is None or source.is_expired(now):
        return None
    note_seen(site.parts, source, now)
    return found.account, found.session


def is_enough(site: Site, client: Client, account: Account, session: Session) -> bool:
    """Tell whether a session says who somebody is, as surely as the relying party asks."""
    if session.kind is not SessionKind.CLIENT and not granting.says_who(session):
        return False
    parts = site.parts
    return assurance(account, session.proofs, parts.rules, parts.now()) >= REQUIRED[client.requires]


def shown(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return what the site may see of the client's own `Authorization` and `Cookie`: no app password, no cookie of passless."""
    seen = [(name, value) for name, value in headers if name == b"authorization" and not value.lower().startswith(b"basic")]
    cookies = [one.strip() for name, value in headers if name == b"cookie" for one in value.split(b";")]
    kept = [one for one in cookies if one and not one.startswith(sites.OURS)]
    return [*seen, (b"cookie", b"; ".join(kept))] if kept else seen


def told(site: Site, granted: Granted) -> list[tuple[bytes, bytes]]:
    """Return what the proxy is told of who it is, as headers; names are in UTF-8.

    All of them are there: Caddy writes its own words where one that it copies is missing. What is not known is empty.
    """
    account, session = granted.account, granted.session
    acr = amr = since = ""
    if session is not None and session.proofs:
        parts = site.parts
        assured = assurance(account, session.proofs, parts.rules, parts.now())
        acr, amr = acr_of(assured), " ".join(amr_of(account, session.proofs, assured))
        since = str(int(max(proof.at for proof in session.proofs).timestamp()))
    return [
        (b"remote-user", account.name.encode()),
        (b"passless-account-id", account.id.encode()),
        (b"passless-method", granted.method.encode()),
        (b"passless-acr", acr.encode()),
        (b"passless-amr", amr.encode()),
        (b"passless-auth-time", since.encode()),
    ]
