"""Where a request comes from: the peer, or what a trusted proxy says of its own client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from litestar import Request

    from passless.server.site import Site

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Headers = Iterable[tuple[bytes, bytes]]

PLACE = "passless_place"  # where the scope of a request remembers its place
SOCKET = "socket"  # the place of a peer without an address, on a unix socket
FORWARDED_FOR = b"x-forwarded-for"
FORWARDED_PROTO = b"x-forwarded-proto"
MOST_HOPS = 32  # addresses in a forwarded list that are looked at; longer ones are forged


def address_of(request: Request[Any, Any, Any], site: Site) -> str:
    """Return the address that a request comes from; proxies have a say only where they are trusted."""
    return place_of(request.scope, site)


def place_of(scope: Any, site: Site) -> str:
    """Return where a request comes from, by its ASGI scope, which remembers it."""
    known: str | None = scope.get(PLACE)
    if known is None:
        known = scope[PLACE] = _place(scope, site)
    return known


def _place(scope: Any, site: Site) -> str:
    peer = peer_of(scope)
    if not is_trusted(peer, site):
        return written(peer) if peer is not None else SOCKET
    return _forwarded(peer, _hops(scope["headers"]), site)


def peer_of(scope: Any) -> Address | None:
    """Return the address at the other end of the connection; nothing on a unix socket."""
    client = scope.get("client")
    return parse(client[0]) if client else None


def is_trusted(peer: Address | None, site: Site) -> bool:
    """Tell whether a peer is a proxy whose word counts; on a unix socket only the machine's own proxy gets through."""
    if peer is None:
        return True
    return bool(site.trusted) and any(peer in network for network in site.trusted)


def says_plain(headers: Headers) -> bool:
    """Tell whether a proxy says that its client did not use TLS."""
    said = [value.strip().lower() for name, value in headers if name == FORWARDED_PROTO]
    return bool(said) and said[-1].rpartition(b",")[2].strip() != b"https"


@lru_cache(maxsize=4096)  # a peer is read several times for each of its requests
def parse(text: str) -> Address | None:
    """Read an address, with or without a port; an IPv4 address in IPv6 form is the IPv4 address."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _hops(headers: Headers) -> Sequence[str]:
    """Return what stands in the forwarded lists, the nearest hop first."""
    listed = b",".join(value for name, value in headers if name == FORWARDED_FOR)
    return [hop.decode("latin-1") for hop in reversed(listed.split(b",")[-MOST_HOPS:])]


def _forwarded(peer: Address | None, hops: Sequence[str], site: Site) -> str:
    """Walk back from the peer to the first address that is no proxy of ours; what is no address ends the walk."""
    nearest = peer
    for hop in hops:
        address = parse(hop)
        if address is None:
            break
        nearest = address
        if not is_trusted(address, site):
            break
    return written(nearest) if nearest is not None else SOCKET


@lru_cache(maxsize=4096)  # as often as it is read
def written(address: Address) -> str:
    """Write an address."""
    return str(address)
