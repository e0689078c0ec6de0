"""The sites that a relying party of the kind `http` guards: found by its name, their origins, and the cookies they get.

A site at the server's own address has no address to come back to: the server's own session counts there. Every other has
`ORIGIN/.passless/callback`, which its proxy hands to this server, and a cookie of its own that says who somebody is and no
more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal
from urllib.parse import quote, urlsplit

from litestar.datastructures import Cookie

from passless.actions import relying_parties
from passless.actions.parts import Parts
from passless.domain import names
from passless.domain.errors import NotFound
from passless.domain.party_kinds import PartyKind
from passless.domain.relying_parties import SITE_CALLBACK, Client
from passless.server.site import Site

AUTH = "/auth"
TOKEN = "passless-site"  # the cookie with a relying party's token, on the site's own origin
GOING = "passless-going"  # the cookie of a sign-in under way
OURS = (b"passless-", b"__Host-passless-")  # how every cookie of passless begins
SLOTS = "abc"  # sign-ins that may be under way at once, in several tabs of one browser
FORWARDED_HOST = b"x-forwarded-host"
MOST_KNOWN = 1000  # relying parties whose ids a process remembers by their names


class NoSuchSite(NotFound):
    """No site is guarded under that name."""

    code = "no-such-page"
    default = "there is no such page"


class Sites:
    """The relying parties that guard sites, by their names; what is remembered is only where to look."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ids: dict[str, str] = {}
        self._read: tuple[int, dict[str, Client | None]] = (0, {})

    def find_in(self, turn: int, name: str) -> Client | None:
        """Return a relying party as it is in a batch of work, read once for all of it; 0 is none (`Batches.turn`)."""
        if turn == 0:
            return self.find(name)
        if self._read[0] != turn:
            self._read = turn, {}
        read = self._read[1]
        if name not in read:
            read[name] = self.find(name)
        return read[name]

    def find(self, name: str) -> Client | None:
        """Return a relying party as it is now; one look-up once its name is known."""
        key = names.key(name)
        known = self._ids.get(key)
        found = None if known is None else relying_parties.find(self._parts, known)
        if found is None:
            client = relying_parties.find_named(self._parts, name)
            if client is None:
                self._ids.pop(key, None)
                return None
            if len(self._ids) < MOST_KNOWN:
                self._ids[key] = client.id
        else:
            client = found[0]
        return client if client.kind is PartyKind.HTTP else None


def named(site: Site, name: str) -> Client:
    """Return the relying party that guards a site; `NoSuchSite` where there is none of that name."""
    found = Sites(site.parts).find(name)
    if found is None:
        raise NoSuchSite
    return found


def path_of(client: Client, what: str = "") -> str:
    """Return an address of a relying party at this server."""
    return f"{AUTH}/{quote(client.name, safe='')}{what}"


def is_elsewhere(client: Client) -> bool:
    """Tell whether the site has an address of its own."""
    return bool(client.redirect_uris)


def origins(client: Client) -> tuple[str, ...]:
    """Return where the site is, if that is not this server's own address."""
    return tuple(uri.removesuffix(SITE_CALLBACK) for uri in client.redirect_uris)


def origin_asked(client: Client, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return which of its origins the browser is at, as the proxy says; nothing else than what was registered."""
    said = [value.decode("latin-1").strip().lower() for name, value in headers if name == FORWARDED_HOST]
    if not said:
        return None
    return next((one for one in origins(client) if urlsplit(one).netloc in said[-1:]), None)


def token_cookie(client: Client, origin: str) -> str:
    """Return what the cookie with the token is called on an origin; no other relying party's has this name."""
    return f"{_front(origin)}{TOKEN}-{client.id}"


def token_cookies(client: Client) -> frozenset[str]:
    """Return what it may be called, on whichever of the origins."""
    return frozenset(token_cookie(client, one) for one in origins(client))


def going_cookie(client: Client, origin: str, slot: str) -> str:
    """Return what the cookie of a sign-in under way is called."""
    return f"{_front(origin)}{GOING}-{client.id}-{slot}"


def cookie(
    origin: str, name: str, value: str, *, max_age: int | None = None, same_site: Literal["lax", "strict"] = "lax"
) -> Cookie:
    """Return a cookie of a site's own origin, which no script reads and no other host sets."""
    return Cookie(
        key=name,
        value=value,
        path="/",
        max_age=max_age,
        httponly=True,
        secure=origin.startswith("https://"),
        samesite=same_site,
    )


def values_of(headers: Iterable[tuple[bytes, bytes]], wanted: Iterable[str]) -> Mapping[str, str]:
    """Return the cookies of these names; of two with one name neither, for one of them is somebody else's."""
    looked_for, found = set(wanted), dict[str, list[str]]()
    for name, line in headers:
        if name == b"cookie":
            for pair in line.decode("latin-1").split(";"):
                key, equals, value = pair.strip().partition("=")
                if equals and key in looked_for:
                    found.setdefault(key, []).append(value.strip())
    return {key: values[0] for key, values in found.items() if len(values) == 1}


def _front(origin: str) -> str:
    return "__Host-" if origin.startswith("https://") else ""
