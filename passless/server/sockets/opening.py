"""From `--socket NAME=ADDRESS` to something that answers there."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from litestar.concurrency import sync_to_thread
from msgspec import Struct

from passless.actions import relying_parties
from passless.domain.errors import WrongUse
from passless.domain.names import printable
from passless.domain.party_kinds import ON_HOST, PartyKind
from passless.domain.relying_parties import Client
from passless.server.log import Log
from passless.server.site import Site

MODULES = {PartyKind.DOVECOT: "passless.server.sockets.dovecot", PartyKind.PAM: "passless.server.sockets.radius"}
ANSWERS = {"unix": MODULES[PartyKind.DOVECOT], "udp": MODULES[PartyKind.PAM]}  # what answers at an address of the form


class BadSocket(WrongUse):
    """A socket for nobody, or no socket."""

    code = "bad-socket"
    hint = "write it as NAME=unix:/run/passless/NAME.sock for mail, NAME=udp:127.0.0.1:PORT for sign-in on Linux"


class Wanted(Struct, frozen=True):
    """A relying party, by its name or id, and where it asks: `unix:/path` or `udp:HOST:PORT`."""

    party: str
    address: str


class Opened(Protocol):
    """Something that answers until it is closed."""

    @property
    def address(self) -> str:
        """Where, as it was asked for, with the port that it has."""
        ...

    async def aclose(self) -> None:
        """Answer nobody any more, and leave no file behind."""
        ...


def wanted(text: str) -> Wanted:
    """Read one of the options; `BadSocket` where it is none."""
    name, equals, address = text.partition("=")
    if not (name.strip() and equals and address.startswith(("unix:/", "udp:"))) or "\0" in address:
        raise BadSocket(f'"{printable(text)}" is no socket for a relying party')
    import_module(ANSWERS[address.partition(":")[0]]).place_of(
        address
    )  # what is wrong with it is told before anybody is answered
    return Wanted(name.strip(), address)


def _party_of(site: Site, wish: Wanted) -> Client:
    """Return the relying party that a socket is for; `BadSocket` where there is none, or none that asks there."""
    found = relying_parties.find_named(site.parts, wish.party)
    if found is None:
        raise BadSocket(f'there is no relying party "{printable(wish.party)}"', hint="see: passless relying-party list")
    if found.kind not in ON_HOST:
        raise BadSocket(f'"{found.name}" is of the kind {found.kind}, which asks over HTTP', hint="leave its socket out")
    import_module(MODULES[found.kind]).place_of(wish.address)  # which may be one for another kind
    return found


async def open_at(site: Site, log: Log, wish: Wanted) -> Opened:
    """Begin to answer a relying party."""
    party = await sync_to_thread(_party_of, site, wish)
    opened: Opened = await import_module(MODULES[party.kind]).open_at(site, log, party, wish.address)
    return opened
