"""Where a server listens: an address of this machine, or a unix socket."""

from __future__ import annotations

import socket
import stat
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from msgspec import Struct

from passless.domain.errors import Unavailable, WrongUse
from passless.domain.names import printable
from passless.private_files import reason

UNIX = "unix:"
LISTEN, LISTEN_METRICS = "--listen", "--metrics-listen"
SOCKET_MODE = 0o660  # the proxy's group may connect
BACKLOG = 4096  # connections that wait to be taken


class BadListen(WrongUse):
    """A place where nobody can listen."""

    code = "bad-listen"
    hint = "write it as 127.0.0.1:8080, [::1]:8080 or unix:/run/passless/socket"


class CannotListen(Unavailable):
    """The place is taken, or not ours."""

    code = "cannot-listen"
    hint = f"stop what listens there, or choose another place: {LISTEN} HOST:PORT"


class Place(Struct, frozen=True, kw_only=True):
    """A host and a port, or the path of a socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine gets there."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def place_of(text: str) -> Place:
    """Read a place; `BadListen` where it is none."""
    if text.startswith(UNIX):
        path = text.removeprefix(UNIX)
        if not path.startswith("/") or "\0" in path:
            raise BadListen(f'"{printable(text)}" is no path of a socket')
        return Place(path=path)
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) <= 65535):
        raise BadListen(f'"{printable(text)}" is no host and port')
    return Place(host=host, port=int(port))


def listen(place: Place, *, flag: str = LISTEN) -> socket.socket:
    """Begin to listen; who connects waits until somebody takes them. `flag` is what named the place."""
    try:
        return _listen_on_path(Path(place.path)) if place.path else _listen_on_port(place)
    except OSError as error:
        where = place.path or f"{place.host}:{place.port}"
        hint = CannotListen.hint.replace(LISTEN, flag)
        raise CannotListen(f'cannot listen on "{printable(where)}": {reason(error)}', hint=hint) from error


def leave(place: Place) -> None:
    """Take the socket's file away."""
    if place.path:
        with suppress(OSError):
            Path(place.path).unlink()


def _listen_on_port(place: Place) -> socket.socket:
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _listen_on_path(path: Path) -> socket.socket:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
        path.unlink()  # a killed process left it
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(path))
        path.chmod(SOCKET_MODE)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.connect(str(path))
        except OSError:
            return False
        return True
