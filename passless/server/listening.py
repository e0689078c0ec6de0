"""Where a server listens: an address of this machine, or a unix socket.

The last folder of a socket's path is made where it is missing, for what is in /run is gone whenever the machine was started.
Others may go through it to the socket, and see nothing of what else is in it.
"""

from __future__ import annotations

import errno
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
FOLDER_MODE = 0o711  # who may connect gets to the socket
BACKLOG = 4096  # connections that wait to be taken


class BadListen(WrongUse):
    """A place where nobody can listen."""

    code = "bad-listen"
    hint = "write it as 127.0.0.1:8080, [::1]:8080 or unix:/run/passless/socket"


class CannotListen(Unavailable):
    """The place is taken, or not ours."""

    code = "cannot-listen"
    hint = f"choose another place: {LISTEN} HOST:PORT"


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
    """Begin to listen; who connects waits until somebody takes them. `flag` is what stands before the place."""
    try:
        return _listen_on_path(Path(place.path)) if place.path else _listen_on_port(place)
    except OSError as error:
        where = place.path or f"{place.host}:{place.port}"
        hint = _hint(place, error, flag if flag.endswith("=") else f"{flag} ")
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
    _make_folder(path.parent)
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


def _make_folder(folder: Path) -> None:
    """Make the folder of a socket, where the one above it is there; one that is there stays as it is."""
    try:
        folder.mkdir(mode=FOLDER_MODE)
    except FileExistsError:
        return
    folder.chmod(FOLDER_MODE)  # whatever the umask


def _hint(place: Place, error: OSError, flag: str) -> str:
    """Say what helps with what went wrong."""
    path = Path(place.path)
    another = f"choose another place: {flag}{'unix:/PATH' if place.path else 'HOST:PORT'}"
    match error.errno:
        case errno.EADDRINUSE if place.path and not path.is_socket():
            return f"put away what is there, which is no socket, or {another}"
        case errno.EADDRINUSE:
            return f"stop what listens there, or {another}"
        case errno.ENOENT if place.path:
            return f"only the last folder is made; make the others: mkdir -p {printable(str(path.parent.parent))}"
        case errno.EACCES | errno.EPERM | errno.EROFS if place.path:
            folder = printable(str(path.parent))
            return f"let the server's user write in {folder} (systemd: RuntimeDirectory={path.parent.name}), or {another}"
        case errno.EACCES | errno.EPERM:
            return f"ports below 1024 are root's; {another}"
        case _:
            return another


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.connect(str(path))
        except OSError:
            return False
        return True
