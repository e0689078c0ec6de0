"""Clients as authlib sees them, the command line's own among them, and how they prove who they are."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError
from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE

from passless.actions import relying_parties, throttle
from passless.actions.parts import Parts
from passless.domain.party_kinds import BROWSERS, PartyKind
from passless.domain.relying_parties import Client
from passless.domain.safety.assurance import REQUIRED, Assurance
from passless.server.oauth.forms import Credentials
from passless.server.openid.claims import SCOPES

SECRET_METHODS = ("client_secret_basic", "client_secret_post")
CODE_GRANT = "authorization_code"
GRANTS = (CODE_GRANT, DEVICE_CODE_GRANT_TYPE)
REFRESH_GRANT = "refresh_token"  # for relying parties of the kind oidc
COMMAND_LINE = Client(
    id=relying_parties.COMMAND_LINE,
    name="the passless command line",
    redirect_uris=("http://127.0.0.1/callback", "http://[::1]/callback"),
    scopes=("account",),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),  # nobody made it
)
_CLIENT_ID = re.compile(r"[a-z0-9-]{1,64}")


class TooManyWrongSecrets(InvalidClientError):  # type: ignore[misc] # authlib has no types
    """A source that guessed too often at a client's secret."""

    status_code = 429
    description = "too many wrong secrets, wait"


class KnownClient(ClientMixin):  # type: ignore[misc] # authlib has no types
    """A client, in the words that authlib asks in."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @property
    def is_command_line(self) -> bool:
        """Whether it is the command line, which acts as the person, and not a relying party with scopes."""
        return self.client is COMMAND_LINE

    @property
    def speaks_openid(self) -> bool:
        """Whether it may ask for an id_token."""
        return self.client.kind is PartyKind.OIDC

    @property
    def requires(self) -> Assurance:
        """How sure it must be who signs in."""
        return REQUIRED[self.client.requires]

    def get_client_id(self) -> str:
        """Return its id."""
        return self.client.id

    def get_default_redirect_uri(self) -> None:
        """Every request names where it goes back to."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Return what it may ask for; None, an error, where there is something else in it."""
        asked = dict.fromkeys((scope or "").split())
        if self.speaks_openid:  # what is not understood is passed over (OpenID Connect Core §3.1.2.1)
            return " ".join(one for one in asked if one in (*SCOPES, *self.client.scopes))
        return " ".join(asked) if set(asked) <= set(self.client.scopes) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Tell whether people may be sent there."""
        return self.client.may_be_sent_to(redirect_uri)

    def check_response_type(self, response_type: str) -> bool:
        """Codes alone."""
        return bool(response_type == "code")

    def check_grant_type(self, grant_type: str) -> bool:
        """Codes for who has an address to be sent back to, refreshing for who speaks OpenID Connect.

        Device codes are for everybody but who asks for more than a person can prove elsewhere: a code can be phished.
        """
        if self.client.kind not in BROWSERS:
            return False
        if grant_type == REFRESH_GRANT:
            return self.speaks_openid
        if grant_type == DEVICE_CODE_GRANT_TYPE:
            return self.requires < Assurance.PHISHING_RESISTANT
        return grant_type == CODE_GRANT and bool(self.client.redirect_uris)

    def __repr__(self) -> str:
        return f"KnownClient({self.client.id})"


def query(parts: Parts, client_id: str | None) -> KnownClient | None:
    """Return a client by its id."""
    if client_id == COMMAND_LINE.id:
        return KnownClient(COMMAND_LINE)
    if client_id is None or not _CLIENT_ID.fullmatch(client_id):
        return None
    found = relying_parties.find(parts, client_id)
    return None if found is None else KnownClient(found[0])


def prove(parts: Parts, said: Credentials | None, place: str, *, public: bool) -> KnownClient:
    """Return the client that asks, if it is who it says; `public` takes one without a secret too.

    Who there is none of, and who sends a wrong secret, get the same answer. Wrong secrets are counted for each source.

    Raises:
        InvalidClientError: it is not, or not one of those.
        TooManyWrongSecrets: this source has to wait.
    """
    if said is None:
        raise unproven()
    client = query(parts, said.client_id)
    if said.secret is None:
        if client is None or not client.client.is_public or not public:
            raise unproven()
        return client
    if client is not None and not client.client.is_public and relying_parties.is_secret(client.client, said.secret):
        return client
    _count_wrong(parts, client, place)
    raise unproven()


def _count_wrong(parts: Parts, client: KnownClient | None, place: str) -> None:
    """Slow down who guesses. A right secret is neither counted nor refused: nobody finds 256 bits by trying, and whoever
    shares the program's address could otherwise keep it from its work.
    """
    who = "" if client is None else client.client.id
    counter, now = f"oauth-client/{who}/{throttle.source_of(place)}", parts.now()
    before = parts.store.attempts(counter)
    if before is not None and now < before.last_at + throttle.wait_after(before.count):
        raise TooManyWrongSecrets
    parts.store.count_attempt(counter, at=now)


def unproven() -> InvalidClientError:
    """Return the answer to who is not who they say, the same for every reason."""
    return InvalidClientError("the client is not known, or its secret is not right", status_code=401)
