"""Ending a token (RFC 7009), and telling a program that takes tokens what one is good for (RFC 7662)."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from msgspec import Struct

from passless.actions.accounts import find_id
from passless.actions.parts import Parts
from passless.actions.who import token_hash
from passless.domain.account import Account
from passless.domain.safety.assurance import acr_of, assurance
from passless.domain.secret import Secret
from passless.domain.sessions import Session, SessionKind
from passless.ports import NoSuchAccount, Write
from passless.server.oauth import refreshing
from passless.server.oauth.calls import ClientRequest
from passless.server.oauth.clients import COMMAND_LINE, SECRET_METHODS, KnownClient, query
from passless.server.oauth.recording import entry_of
from passless.server.openid.claims import PROFILE
from passless.server.openid.id_tokens import auth_time
from passless.server.site import Site

GIVEN_TO_COMMAND_LINES = (
    SessionKind.BROWSER,
    SessionKind.DEVICE_CODE,
)  # by this server's OAuth; others were signed in elsewhere


class Token(Struct, frozen=True):
    """A token that was given by OAuth and still holds: its session, and whose account that is."""

    session: Session
    account: Account

    @property
    def client_id(self) -> str:
        """Who it was given to."""
        return self.session.name if self.session.kind is SessionKind.CLIENT else COMMAND_LINE.id

    # In the words that authlib asks in:

    def check_client(self, client: KnownClient) -> bool:
        """Tell whether it was given to this client."""
        return self.client_id == client.get_client_id()

    def is_expired(self) -> bool:
        """It is looked at before."""
        return False

    def is_revoked(self) -> bool:
        """One that was ended is not found."""
        return False


class Refreshing(Struct, frozen=True):
    """A refresh token that is good, of whoever asks."""

    held: refreshing.HeldFamily


def find(site: Site, text: str) -> Token | None:
    """Return a token that still holds."""
    parts = site.parts
    session = parts.store.session(token_hash(Secret(text)))
    if session is None or session.is_expired(parts.now()):
        return None
    if session.kind is not SessionKind.CLIENT and session.kind not in GIVEN_TO_COMMAND_LINES:
        return None
    try:
        account = find_id(parts, session.account_id, parts.now()).account
    except NoSuchAccount:
        return None
    opened = {proof.method for proof in session.proofs if proof.method is not None}
    return Token(session, account) if opened <= {method.id for method in account.methods} else None


def owner_of(parts: Parts, token: Token) -> KnownClient | None:
    """Return the relying party that a token was given to; None where that is none, or requires more than was proven by now."""
    client = query(parts, token.client_id) if token.session.kind is SessionKind.CLIENT else None
    if client is None or assurance(token.account, token.session.proofs, parts.rules, parts.now()) < client.requires:
        return None
    return client


class Revocation(RevocationEndpoint):  # type: ignore[misc] # authlib has no types
    """Ending a token of one's own; a public client needs no more than the token itself (RFC 7009 §2.1)."""

    CLIENT_AUTH_METHODS = (*SECRET_METHODS, "none")

    def authenticate_token(self, request: ClientRequest, client: KnownClient) -> Token | Refreshing | None:
        """Return a token of whoever asks that still holds; one that does not is ended already."""
        _need_token(request)
        text = request.form["token"]
        if text.startswith(refreshing.PREFIX):
            held = refreshing.find(self.server.site.parts, text, client.get_client_id(), request.place)
            return None if held is None else Refreshing(held)
        token = find(self.server.site, text)
        if token is not None and not token.check_client(client):
            raise InvalidGrantError
        return token

    def revoke_token(self, token: Token | Refreshing, request: ClientRequest) -> None:
        """End the session behind a token; a refresh token's with all that it gave (RFC 7009 §2.1)."""
        parts = self.server.site.parts
        if isinstance(token, Refreshing):
            refreshing.end(parts, token.held, request.place, "end-session")
            return
        details = {"client": token.client_id, "sessions": token.session.id}
        entry = entry_of(token.account, request.place, "end-session", parts.now(), details)
        parts.store.commit(Write(at=parts.now(), ends=(token.session.id,), events=(entry,)))


class Introspection(IntrospectionEndpoint):  # type: ignore[misc] # authlib has no types
    """What a token is good for, said to confidential clients: of their own tokens, and to one that introspects of every
    relying party's. The command line's sessions are nobody's to look at.
    """

    CLIENT_AUTH_METHODS = SECRET_METHODS

    def check_params(self, request: ClientRequest, client: KnownClient) -> None:
        """Refuse a request without a token."""
        _need_token(request)

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        """Return a token that still holds."""
        return find(self.server.site, token_string)

    def check_permission(self, token: Token, client: KnownClient, request: ClientRequest) -> bool:
        """Tell whether a client may look at a token."""
        if owner_of(self.server.site.parts, token) is None:
            return False
        self.asks = client
        return token.check_client(client) or client.client.introspects

    def introspect_token(self, token: Token) -> dict[str, Any]:
        """Return what it is good for, and how whoever it is about signed in."""
        site, session = self.server.site, token.session
        now = site.parts.now()
        said = {
            "active": True,
            "scope": " ".join(session.rights),
            "client_id": token.client_id,
            "token_type": "Bearer",
            "exp": int(session.expires_at.timestamp()),
            "iat": int(session.created_at.timestamp()),
            "sub": token.account.id,
            "aud": token.client_id,
            "iss": site.url,
        }
        if PROFILE in session.rights or not (self.asks.speaks_openid and token.check_client(self.asks)):
            said["username"] = token.account.name  # else the person let it know no name
        if session.proofs:
            said["auth_time"] = int(auth_time(session).timestamp())
            said["acr"] = acr_of(assurance(token.account, session.proofs, site.parts.rules, now))
        return said


def _need_token(request: ClientRequest) -> None:
    if "token" not in request.form:
        raise InvalidRequestError("Missing 'token' in request.")
