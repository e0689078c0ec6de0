"""TLS handshakes that never end: they hold nothing that others need."""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from passless.server import handshakes
from passless.server.connections import Connection, Idle
from passless.server.handshakes import Doorkeeper, Handshake
from tests.server.asking import Caller
from tests.server.serving import Served, home_in
from tests.server.test_serving import certificate_in
from tests.server.test_slow_clients import HOLDER

FILES = 600  # descriptors that the server may have
MANY = 900  # connections that say nothing
SPARE = 100  # descriptors that the child needs for itself
LIMITED = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))
from passless.cli.main import main
sys.exit(main())
"""


def test_connections_that_begin_no_handshake_keep_nobody_out(tmp_path: Path) -> None:
    """They would be beyond every bound: no more files could be opened, for a minute each."""
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= MANY + SPARE
    cert, key = certificate_in(tmp_path)
    given = ["--store", f"sqlite:///{tmp_path}/accounts.sqlite", "--vault-key-file", str(tmp_path / "vault.key")]
    given += ["--sign-up", "open", "--listen", "127.0.0.1:0", "--tls-cert", str(cert), "--tls-key", str(key)]
    served = Served(*given, home=home_in(tmp_path), command=("-c", LIMITED, "serve")).await_ready()
    trusting = ssl.create_default_context(cafile=str(cert))
    script = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({MANY + SPARE},) * 2)\n{HOLDER}"
    with Caller(served, verify=trusting) as ada:
        ada.create()
        command = [sys.executable, "-c", script, *map(str, served.address), str(MANY)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert int(holder.stdout.readline()) == MANY
            for _ in range(3):
                with Caller(served, verify=trusting) as another:
                    another.sign_in()
            holder.communicate()
        ada.sign_in()
    served.stop()


class Inside(asyncio.Protocol):
    """What is let in, and what it heard."""

    def __init__(self, heard: list[bytes]) -> None:
        self.heard = heard

    def data_received(self, data: bytes) -> None:
        self.heard.append(data)


class Sitting:
    """An idle connection that is inside already."""

    peer = "192.0.2.1"
    is_gone = False

    def leave(self) -> None:
        self.is_gone = True


class Room:
    """A door of a server that has room for 16 connections, and what is open before it."""

    def __init__(self, opened: ExitStack) -> None:
        self.heard: list[bytes] = []
        self.sitting = Sitting()
        Connection.idle.add(self.sitting)  # type: ignore[arg-type]
        self._opened = opened

    def door(self, context: ssl.SSLContext) -> Doorkeeper:
        listening = self._opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        return Doorkeeper(listening, context, lambda: Inside(self.heard), lambda: 0)

    def shaking(self, door: Doorkeeper, *peers: str) -> list[socket.socket]:
        """Add handshakes of peers, and return their other ends."""
        others = []
        for peer in peers:
            here, there = map(self._opened.enter_context, socket.socketpair())
            door._shaking.add(Handshake(here, peer))
            others.append(there)
        return others


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setattr(Connection, "idle", Idle())
    monkeypatch.setattr(Connection, "most", 16)
    with ExitStack() as opened:
        yield Room(opened)


def is_ended(other: socket.socket) -> bool:
    other.setblocking(False)
    try:
        return other.recv(1) == b""
    except BlockingIOError:
        return False


def test_few_handshakes_are_not_ended_for_idle_connections(room: Room) -> None:
    door = room.door(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    others = room.shaking(door, "203.0.113.9", "203.0.113.9")
    door._make_room()
    assert room.sitting.is_gone
    assert [is_ended(one) for one in others] == [False, False]


def test_many_handshakes_go_for_each_other_the_oldest_of_whom_has_most(room: Room) -> None:
    door = room.door(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    others = room.shaking(door, "192.0.2.7", "203.0.113.9", "203.0.113.9")
    door._make_room()
    assert not room.sitting.is_gone
    assert [is_ended(one) for one in others] == [False, True, False]


def test_a_handshake_has_its_time(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshakes, "HANDSHAKE_TIME", 0.01)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate_in(tmp_path))

    async def scene() -> None:
        door = room.door(context)
        door.open()
        reader, writer = await asyncio.open_connection(*door._listening.getsockname())
        assert await reader.read() == b""  # it says nothing, and is ended
        writer.close()
        door.close()

    with asyncio.Runner() as runner:
        runner.run(scene())


def test_who_speaks_tls_is_let_in_with_all_that_was_said(room: Room, tmp_path: Path) -> None:
    cert, key = certificate_in(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    async def scene() -> None:
        door = room.door(context)
        door.open()
        trusting = ssl.create_default_context(cafile=str(cert))
        where = door._listening.getsockname()
        _, writer = await asyncio.open_connection(*where, ssl=trusting, server_hostname="localhost")
        writer.write(b"at once")
        await writer.drain()
        while not room.heard or len(door._shaking):
            await asyncio.sleep(0)
        assert room.heard == [b"at once"]
        writer.transport.abort()
        door.close()

    with asyncio.Runner() as runner:
        runner.run(scene())
