"""Relying parties: programs that sign people in against passless, and the addresses that people may be sent back to.

An address is read by one strict pattern and compared as it is written, never by taking it apart (RFC 9700 §4.1.3): what two
parsers read differently is refused when it is registered, and whatever was not registered when it is asked for.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from passless.domain import names
from passless.domain.errors import CannotDoThat, WrongUse
from passless.domain.names import printable
from passless.domain.views import MadeRelyingParty, RelyingPartyView

__all__ = [
    "BadRedirectUri",
    "BadRelyingParty",
    "BadScope",
    "Client",
    "KindComesLater",
    "MadeRelyingParty",
    "NewRelyingParty",
    "PartyKind",
    "RelyingPartyView",
    "check_redirect_uri",
    "check_scope",
    "cleaned",
]

LONGEST_ADDRESS = 2000  # characters of an address to be sent back to
MOST_ADDRESSES = 20  # of one relying party
MOST_SCOPES = 40  # of one relying party
SCOPE = re.compile(r"[a-z][a-z0-9_.:-]{0,63}")  # a part of RFC 6749 §3.3 that nobody mistakes for something else

_HOST = r"(?=.{1,253}(?:[:/]|$))(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
_PORT = r"(?::[1-9][0-9]{0,4})?"
_REST = r"(?P<path>/[A-Za-z0-9._~!$&'()+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()+,;=:@%/?-]*)?"
_SECURE = re.compile(rf"https://{_HOST}{_PORT}{_REST}")
_LOOPBACK = re.compile(rf"(?P<front>http://(?:127\.0\.0\.1|\[::1\]))(?P<port>{_PORT}){_REST}")  # RFC 8252 §7.3
_OWN_SCHEME = re.compile(rf"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:{_REST}")  # RFC 8252 §7.1: a domain name backwards
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)|%2f|%5c|%00", re.IGNORECASE)


class PartyKind(StrEnum):
    """How a relying party asks."""

    OAUTH = "oauth"
    OIDC = "oidc"
    HTTP = "http"
    DOVECOT = "dovecot"
    PAM = "pam"
    SSH = "ssh"


class BadRedirectUri(WrongUse):
    """An address that nobody may be sent back to."""

    code = "bad-redirect-uri"
    hint = "write it as https://host/path, or for a program on the person's own computer http://127.0.0.1/path"


class BadScope(WrongUse):
    """A scope that cannot be one."""

    code = "bad-scope"
    hint = "a scope is a lower-case word such as mail or files:read"


class BadRelyingParty(WrongUse):
    """What was asked for cannot be a relying party."""

    code = "bad-relying-party"
    hint = "see: passless relying-party add --help"


class KindComesLater(CannotDoThat):
    """A kind of relying party that this version does not have."""

    code = "not-built-yet"
    hint = "this version has: --kind oauth"


class Client(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A relying party by OAuth 2.0, as it is kept. A public one has no secret: it runs where everybody can look.

    `introspects`: it may look at tokens of every relying party, as a server does that takes them.
    """

    id: str
    name: str
    redirect_uris: tuple[str, ...]
    created_at: datetime
    secret_hash: bytes | None = None
    scopes: tuple[str, ...] = ()
    introspects: bool = False
    made_by: str = ""

    @property
    def is_public(self) -> bool:
        """Whether it has no secret."""
        return self.secret_hash is None

    def may_be_sent_to(self, uri: str) -> bool:
        """Tell whether an address is one of those registered: exactly; on the loopback the port may be any (RFC 8252 §7.3)."""
        if uri in self.redirect_uris:
            return True
        asked = without_port(uri) if self.is_public else None
        return asked is not None and any(without_port(one) == asked for one in self.redirect_uris)


class NewRelyingParty(Struct, frozen=True, kw_only=True):
    """Register a relying party (operators over all, or the host)."""

    name: str
    kind: str = PartyKind.OAUTH
    redirect_uris: tuple[str, ...] = ()
    public: bool = False
    scopes: tuple[str, ...] = ()
    introspects: bool = False


def cleaned(new: NewRelyingParty) -> NewRelyingParty:
    """Return a wish in its normal form; else the error says what cannot be."""
    if new.kind not in tuple(PartyKind):
        raise BadRelyingParty(f'there is no kind of relying party "{printable(new.kind)}"')
    if new.kind != PartyKind.OAUTH:
        raise KindComesLater(f'relying parties of the kind "{new.kind}" come with a later version')
    if new.public and new.introspects:
        raise BadRelyingParty("who looks at tokens proves who they are: a public relying party cannot")
    if len(new.redirect_uris) > MOST_ADDRESSES:
        raise BadRedirectUri(f"a relying party has at most {MOST_ADDRESSES} addresses")
    if len(new.scopes) > MOST_SCOPES:
        raise BadScope(f"a relying party has at most {MOST_SCOPES} scopes")
    return replace(
        new,
        name=names.clean(new.name, what="relying party's name"),
        redirect_uris=tuple(dict.fromkeys(check_redirect_uri(one, public=new.public) for one in new.redirect_uris)),
        scopes=tuple(dict.fromkeys(check_scope(one) for one in new.scopes)),
    )


def check_redirect_uri(uri: str, *, public: bool) -> str:
    """Return an address that people may be sent back to.

    Raises:
        BadRedirectUri: it is none; plain HTTP is for the loopback addresses alone, an own scheme for public programs.
    """
    secure, loopback = _SECURE.fullmatch(uri), _LOOPBACK.fullmatch(uri)
    found = secure or loopback or (_OWN_SCHEME.fullmatch(uri) if public else None)
    if found is None or len(uri) > LONGEST_ADDRESS or _DOTS.search(uri):
        raise BadRedirectUri(f'nobody can be sent back to "{printable(uri)}"', hint=_why(uri))
    return uri


def without_port(uri: str) -> str | None:
    """Return a loopback address without its port; None for every other."""
    found = _LOOPBACK.fullmatch(uri)
    if found is None or _DOTS.search(uri) or len(uri) > LONGEST_ADDRESS:
        return None
    return found["front"] + uri[found.end("port") :]


def check_scope(scope: str) -> str:
    """Return a scope; `BadScope` where it cannot be one."""
    if not SCOPE.fullmatch(scope):
        raise BadScope(f'"{printable(scope)}" is no scope')
    return scope


def _why(uri: str) -> str:
    if uri.startswith("http://localhost"):
        return "write 127.0.0.1: what localhost means is up to the machine (RFC 8252 §8.3)"
    if "#" in uri:
        return "leave out the part behind #"
    if "*" in uri:
        return "name each address; there are no wildcards"
    return BadRedirectUri.hint
