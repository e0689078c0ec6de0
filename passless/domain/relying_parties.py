"""Relying parties: programs that sign people in against passless, and the addresses that people may be sent back to.

What each kind can and cannot enforce stands in `party_kinds`.

An address is read by one strict pattern and compared as it is written, never by taking it apart (RFC 9700 §4.1.3): what two
parsers read differently is refused when it is registered, and whatever was not registered when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from passless.domain import names
from passless.domain.errors import WrongUse
from passless.domain.names import printable
from passless.domain.operators import clean_groups
from passless.domain.party_kinds import ALLOWED, BROWSERS, PartyKind, Requirement
from passless.domain.views import MadeRelyingParty, RelyingPartyView

__all__ = [
    "BadRedirectUri",
    "BadRelyingParty",
    "BadScope",
    "Client",
    "MadeRelyingParty",
    "NewRelyingParty",
    "PartyKind",
    "RelyingPartyView",
    "Requirement",
    "check_redirect_uri",
    "check_scope",
    "cleaned",
]

LONGEST_ADDRESS = 2000  # characters of an address to be sent back to
MOST_ADDRESSES = 20  # of one relying party
MOST_SCOPES = 40  # of one relying party
SIGNATURES = ("RS256", "ES256")  # of id_tokens (RFC 7518 §3.1)
SERVICE = re.compile(r"[a-z0-9_-]{1,32}")  # as app passwords are limited to them (`actions.requesting`)
SITE_CALLBACK = "/.passless/callback"  # where people come back to a site that a proxy guards; the proxy hands it to the server
SCOPE = re.compile(r"[a-z][a-z0-9_.:-]{0,63}")  # a part of RFC 6749 §3.3 that nobody mistakes for something else

_HOST = r"(?=.{1,253}(?:[:/]|$))(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
_PORT = r"(?::[1-9][0-9]{0,4})?"
_REST = r"(?P<path>/[A-Za-z0-9._~!$&'()+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()+,;=:@%/?-]*)?"
_SECURE = re.compile(rf"https://{_HOST}{_PORT}{_REST}")
_LOOPBACK = re.compile(rf"(?P<front>http://(?:127\.0\.0\.1|\[::1\]))(?P<port>{_PORT}){_REST}")  # RFC 8252 §7.3
_OWN_SCHEME = re.compile(rf"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:{_REST}")  # RFC 8252 §7.1: a domain name backwards
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)|%2f|%5c|%00", re.IGNORECASE)


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


class Client(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A relying party as it is kept. A public one has no secret: it runs where everybody can look.

    `introspects`: it may look at tokens of every relying party, as a server does that takes them. `requires` is how strongly
    people have to sign in for it. `services` are what app passwords may be limited to there; empty is any. `groups` are those
    whose people are users of a host; empty is everybody. `made_on_host`: whoever registered it may reach what the server's host
    reaches.
    """

    id: str
    name: str
    redirect_uris: tuple[str, ...]
    created_at: datetime
    kind: PartyKind = PartyKind.OAUTH
    secret_hash: bytes | None = None
    scopes: tuple[str, ...] = ()
    introspects: bool = False
    made_by: str = ""
    made_on_host: bool = False
    requires: Requirement = Requirement.ANY
    services: tuple[str, ...] = ()
    after_sign_out: tuple[str, ...] = ()
    told_of_endings_at: str = ""
    signed_with: str = ""
    groups: tuple[str, ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether it has no secret."""
        return self.secret_hash is None

    def has_user(self, groups: Iterable[str]) -> bool:
        """Tell whether somebody in these groups may be a user of a host; only operators put anybody into groups."""
        return not self.groups or not {names.key(one) for one in self.groups}.isdisjoint(map(names.key, groups))

    def may_be_sent_to(self, uri: str) -> bool:
        """Tell whether an address is one of those registered: exactly; on the loopback the port may be any (RFC 8252 §7.3)."""
        if uri in self.redirect_uris:
            return True
        asked = without_port(uri) if self.is_public else None
        return asked is not None and any(without_port(one) == asked for one in self.redirect_uris)


class NewRelyingParty(Struct, frozen=True, kw_only=True):
    """Register a relying party (operators over all, or the host).

    `requires` is a `Requirement`. `after_sign_out` are addresses that people may be sent to after they signed out
    (`post_logout_redirect_uris` of OpenID Connect), `told_of_endings_at` is where the program is told of a session that ended
    (its `backchannel_logout_uri`). `signed_with` is how what it is given is signed, one of `SIGNATURES`; empty is the first.
    `groups` are those whose people are users of a host, where not everybody is who has the name of one.
    """

    name: str
    kind: str = PartyKind.OAUTH
    redirect_uris: tuple[str, ...] = ()
    public: bool = False
    scopes: tuple[str, ...] = ()
    introspects: bool = False
    requires: str = Requirement.ANY
    services: tuple[str, ...] = ()
    after_sign_out: tuple[str, ...] = ()
    told_of_endings_at: str = ""
    signed_with: str = ""
    groups: tuple[str, ...] = ()


def cleaned(new: NewRelyingParty) -> NewRelyingParty:
    """Return a wish in its normal form; else the error says what cannot be."""
    kind = _kind(new.kind)
    _check_fields(new, kind)
    if new.public and new.introspects:
        raise BadRelyingParty("who looks at tokens proves who they are: a public relying party cannot")
    if new.requires not in tuple(Requirement):
        known = ", ".join(Requirement)
        raise BadRelyingParty(f'no requirement is called "{printable(new.requires)}"', hint=f"known are: {known}")
    if new.signed_with not in ("", *SIGNATURES):
        known = ", ".join(SIGNATURES)
        raise BadRelyingParty(f'nothing is signed with "{printable(new.signed_with)}"', hint=f"known are: {known}")
    if len(new.redirect_uris) > MOST_ADDRESSES or len(new.after_sign_out) > MOST_ADDRESSES:
        raise BadRedirectUri(f"a relying party has at most {MOST_ADDRESSES} addresses")
    if len(new.scopes) > MOST_SCOPES or len(new.services) > MOST_SCOPES:
        raise BadScope(f"a relying party has at most {MOST_SCOPES} scopes and services")
    if kind is PartyKind.HTTP:
        _check_site_addresses(new.redirect_uris)
    name = names.clean(new.name, what="relying party's name")
    services = tuple(map(_service, new.services)) or ((_service_of(name),) if kind is PartyKind.HTTP else ())
    return replace(
        new,
        name=name,
        redirect_uris=tuple(dict.fromkeys(check_redirect_uri(one, public=new.public) for one in new.redirect_uris)),
        scopes=tuple(dict.fromkeys(check_scope(one) for one in new.scopes)),
        services=tuple(dict.fromkeys(services)),
        after_sign_out=tuple(dict.fromkeys(check_redirect_uri(one, public=False) for one in new.after_sign_out)),
        told_of_endings_at=new.told_of_endings_at and check_redirect_uri(new.told_of_endings_at, public=False),
        groups=clean_groups(new.groups),
    )


def _service(words: str) -> str:
    """Return a service as people name it where they make an app password for it."""
    service = words.strip().lower()
    if not SERVICE.fullmatch(service):
        hint = "a service is one word of at most 32 letters, digits and dashes, such as wiki"
        raise BadRelyingParty(f'"{printable(words)}" cannot be the name of a service', hint=hint)
    return service


def _service_of(name: str) -> str:
    """Return the service of a site that has no other: its name, in the letters that one may have."""
    return re.sub(r"[^a-z0-9_-]+", "-", names.key(name)).strip("-")[:32].strip("-") or "web"


def _kind(text: str) -> PartyKind:
    if text not in tuple(PartyKind):
        raise BadRelyingParty(
            f'there is no kind of relying party "{printable(text)}"', hint=f"known are: {', '.join(PartyKind)}"
        )
    return PartyKind(text)


def _check_fields(new: NewRelyingParty, kind: PartyKind) -> None:
    """Refuse what means nothing for a kind, rather than keep it and do nothing with it."""
    for field, kinds in ALLOWED.items():
        if getattr(new, field) not in ((), "", False, Requirement.ANY) and kind not in kinds:
            words = field.replace("_", " ")
            raise BadRelyingParty(f"{words} mean nothing for a relying party of the kind {kind}")
    if kind in BROWSERS and new.public and new.requires != Requirement.ANY and not new.redirect_uris:
        raise BadRelyingParty("a program without an address to come back to cannot ask how people sign in")


def _check_site_addresses(uris: tuple[str, ...]) -> None:
    """Refuse what no proxy hands to the server: a site that is guarded has one address to come back to on each origin."""
    for uri in uris:
        origin = uri.removesuffix(SITE_CALLBACK)
        if origin == uri or origin.count("/") != 2:
            raise BadRedirectUri(f'"{printable(uri)}" is no site of a proxy', hint=f"write it as https://host{SITE_CALLBACK}")


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
