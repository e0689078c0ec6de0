"""What every request on a server stands on."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit

from msgspec import Struct

from passless.actions.parts import Parts
from passless.directories.local import LocalDirectory


class Site(Struct, frozen=True, kw_only=True):
    """One server process.

    `url` is the public origin without a path; `trusted` are the proxies whose word on addresses counts.
    """

    directory: LocalDirectory
    url: str
    name: str = "passless"
    trusted: tuple[IPv4Network | IPv6Network, ...] = ()

    @property
    def parts(self) -> Parts:
        """The ports of the store behind it."""
        return self.directory.parts

    @property
    def is_secure(self) -> bool:
        """Whether it is reached over TLS; plain HTTP is for localhost alone."""
        return self.url.startswith("https://")

    @property
    def host(self) -> str:
        """The host and port that requests must name."""
        return urlsplit(self.url).netloc
