"""Ending a token (RFC 7009), and telling a program that takes tokens what one is good for (RFC 7662)."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from msgspec import Struct

from passless.actions import relying_parties
from passless.actions.accounts import find_id
from passless.actions.who import token_hash
from passless.domain.account import Account
from passless.domain.safety.proofs import covered
from passless.domain.secret import Secret
from passless.domain.sessions import Session, SessionKind
from passless.ports import NoSuchAccount, Write
from passless.server.oauth.calls import ClientRequest
from passless.server.oauth.clients import COMMAND_LINE, SECRET_METHODS, KnownClient
from passless.server.oauth.recording import entry_of
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


class Revocation(RevocationEndpoint):  # type: ignore[misc] # authlib has no types
    """Ending a token of one's own; a public client needs no more than the token itself (RFC 7009 §2.1)."""

    CLIENT_AUTH_METHODS = (*SECRET_METHODS, "none")

    def check_params(self, request: ClientRequest, client: KnownClient) -> None:
        """Refuse a request without a token; hints are passed over (RFC 7009 §2.1)."""
        _need_token(request)

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        """Return a token that still holds; one that does not is ended already."""
        return find(self.server.site, token_string)

    def revoke_token(self, token: Token, request: ClientRequest) -> None:
        """End the session behind a token."""
        parts = self.server.site.parts
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
        if token.session.kind is not SessionKind.CLIENT or not self._is_registered(token.client_id):
            return False
        return token.check_client(client) or client.client.introspects

    def introspect_token(self, token: Token) -> dict[str, Any]:
        """Return what it is good for, and how whoever it is about signed in."""
        site, session = self.server.site, token.session
        now = site.parts.now()
        said = {
            "active": True,
            "scope": " ".join(session.rights),
            "client_id": token.client_id,
            "username": token.account.name,
            "token_type": "Bearer",
            "exp": int(session.expires_at.timestamp()),
            "iat": int(session.created_at.timestamp()),
            "sub": token.account.id,
            "aud": token.client_id,
            "iss": site.url,
        }
        if session.proofs:
            said["auth_time"] = int(max(proof.at for proof in session.proofs).timestamp())
            said["acr"] = str(int(covered(token.account, session.proofs, site.parts.rules, now)))
        return said

    def _is_registered(self, client_id: str) -> bool:
        return relying_parties.find(self.server.site.parts, client_id) is not None


def _need_token(request: ClientRequest) -> None:
    if "token" not in request.form:
        raise InvalidRequestError("Missing 'token' in request.")
