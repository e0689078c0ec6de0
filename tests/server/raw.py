"""Bytes to a server as they are, and what it answers until it closes: no client in between that would correct them."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from contextlib import suppress

from tests.server.serving import Served

WAIT = 60.0  # seconds; a server that neither answers nor closes fails the test
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def connect(served: Served, at: str = "") -> socket.socket:
    """Open a connection, from an address of this machine."""
    return socket.create_connection(served.address, timeout=WAIT, source_address=(at, 0))


def head(served: Served, line: str = "GET /api/v1/ HTTP/1.1", headers: Iterable[str] = (), *, host: str | None = None) -> bytes:
    """Return the head of a request."""
    named = served.url.partition("//")[2] if host is None else host
    return "\r\n".join([line, f"Host: {named}", *headers, "", ""]).encode("latin-1")


def ask(served: Served, *sent: bytes, at: str = "") -> bytes:
    """Send bytes, and return all that comes back until the other side closes."""
    with connect(served, at) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # it closed already
            for part in sent:
                connection.sendall(part)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    found = bytearray()
    try:
        while part := connection.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return bytes(found)


def read_one(connection: socket.socket) -> bytes:
    """Return one answer of a connection that stays open."""
    found = bytearray()
    while b"\r\n\r\n" not in found:
        part = connection.recv(65536)
        assert part, f"closed after {bytes(found)!r}"
        found += part
    length = re.search(rb"content-length: (\d+)", found, re.IGNORECASE)
    assert length is not None
    while len(found) < found.index(b"\r\n\r\n") + 4 + int(length[1]):
        found += connection.recv(65536)
    return bytes(found)


def statuses(answers: bytes) -> list[int]:
    """Return the statuses of the answers."""
    return [int(status) for status in STATUS.findall(answers)]
