"""Which addresses are of the public internet, and which lead into the network that a server stands in."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_GLOBAL_UNICAST = IPv6Network("2000::/3")  # IANA IPv6 address space: all that is given out to the internet
_IN_NO_USE = (IPv6Network("2001:db8::/32"), IPv6Network("3fff::/20"))  # RFC 3849, RFC 9637: for documents
_RELAYS = IPv4Network("192.88.99.0/24")  # RFC 7526: 6to4 relays of before, wherever the nearest one is
_TRANSLATED = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1: the last four bytes are an IPv4 address


def is_public(text: str) -> bool:
    """Tell whether an IP address is one that anybody on the internet could be; what is none is not."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inside = _within(address)
        if inside is not None:
            return is_public(str(inside))
        if address not in _GLOBAL_UNICAST or any(address in one for one in _IN_NO_USE):
            return False
    return address.is_global and not address.is_multicast and address not in _RELAYS


def is_surely_inner(uri: str) -> bool:
    """Tell whether an address is inside whatever its name stands for: a number that is not public, or the machine itself."""
    place = uri.split("/", 3)[2]
    host = place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return not is_public(host)


def _within(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 one carries, and is translated to on the way."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _TRANSLATED else None
