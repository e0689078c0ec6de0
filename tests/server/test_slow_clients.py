"""Clients that send little, late or nothing: they are let go, and meanwhile others are served."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from passless.server import app, connections
from passless.server.site import Site
from tests.directories.place import in_memory
from tests.server.asking import Caller
from tests.server.at_the_gate import Asked, asked
from tests.server.serving import a_server

MANY = 10_000  # idle connections, or as many as the machine lets one process have
SPARE = 200  # descriptors that the child needs for itself
HOLDER = """
import socket, sys
host, port, many = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
held = [socket.create_connection((host, port), timeout=60) for _ in range(many)]
print(len(held), flush=True)
sys.stdin.read()
"""


def test_ten_thousand_idle_connections_do_not_stop_others(tmp_path: Path) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    many = MANY if hard == resource.RLIM_INFINITY else min(MANY, hard - SPARE)
    with a_server(tmp_path) as served, Caller(served) as ada:
        ada.create()
        script = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({many + SPARE}, {hard}))\n{HOLDER}"
        command = [sys.executable, "-c", script, *map(str, served.address), str(many)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert int(holder.stdout.readline()) == many
            ada.sign_in()
            with Caller(served) as another:
                another.sign_in()
            holder.communicate()
        ada.sign_in()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(app, "PARTS", ("api",))
    return Site(directory=in_memory(tmp_path).directory, url="http://localhost:8080")


def test_a_body_that_is_too_large_is_not_read_on(site: Site) -> None:
    answered = asked(site, Asked(site, "POST", "/api/v1/accounts/ada/sign-in", *[b"a" * 64 * 1024] * 100, ends=False))
    assert answered.status == 413
    assert answered.headers[b"connection"] == b"close"


class Timers:
    """A loop that only remembers what is to be called later."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[[], None]]] = []
        self.loop = asyncio.new_event_loop()

    def call_later(self, seconds: float, what: Callable[[], None], *_: Any) -> Any:
        entry = (seconds, what)
        self.waiting.append(entry)
        timers = self

        class Handle:
            def cancel(self) -> None:
                timers.waiting.remove(entry)

        return Handle()

    def let_time_pass(self) -> None:
        """Call everything that waits."""
        waiting, self.waiting = self.waiting, []
        for _, what in waiting:
            what()

    def create_task(self, work: Awaitable[Any], **_: Any) -> Any:
        assert asyncio.iscoroutine(work)
        work.close()
        return asyncio.Future(loop=self.loop)


class Transport(asyncio.Transport):
    """The other end of a connection: what was written, and whether it is still open."""

    def __init__(self, peer: str = "203.0.113.9") -> None:
        super().__init__()
        self.peer = (peer, 4711)
        self.written = b""
        self.closed = self.aborted = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.peer if name == "peername" else default

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.is_paused = True

    def write(self, content: Any) -> None:
        self.written += content

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(connections.Connection, "idle", connections.Idle())
    monkeypatch.setattr(connections.Connection, "unread", connections.Idle())
    monkeypatch.setattr(connections.Connection, "most", 10)
    found = Timers()
    yield found
    found.loop.close()


def connected(timers: Timers, state: ServerState, peer: str = "203.0.113.9") -> tuple[connections.Connection, Transport]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        return None

    config = uvicorn.Config(app, log_config=None, access_log=False, **connections.options(10))
    config.load()
    connection = connections.Connection(config, state, {}, timers)  # type: ignore[arg-type]
    transport = Transport(peer)
    connection.connection_made(transport)
    return connection, transport


def test_a_connection_that_says_nothing_is_let_go(timers: Timers) -> None:
    _, transport = connected(timers, ServerState())
    timers.let_time_pass()
    assert transport.closed


def test_a_head_that_comes_byte_by_byte_does_not_hold_a_connection(timers: Timers) -> None:
    connection, transport = connected(timers, ServerState())
    for octet in b"GET / HTTP/1.1\r\nHost: loc":
        connection.data_received(bytes([octet]))
    assert [seconds for seconds, _ in timers.waiting] == [connections.HEAD_TIME]  # the one from the beginning
    timers.let_time_pass()
    assert transport.closed


def test_the_time_of_a_head_that_came_is_over(timers: Timers) -> None:
    connection, transport = connected(timers, ServerState())
    connection.data_received(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert timers.waiting == []
    assert not transport.closed


POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"


def test_a_body_that_does_not_come_is_not_waited_for(timers: Timers) -> None:
    connection, transport = connected(timers, ServerState())
    connection.data_received(POST + b"he")
    for octet in b"ll":
        connection.data_received(bytes([octet]))
    assert [seconds for seconds, _ in timers.waiting] == [connections.BODY_TIME]  # from its beginning, not from the last byte
    timers.let_time_pass()
    assert transport.closed
    assert transport.written.startswith(b"HTTP/1.1 408 ")


def test_the_time_of_a_body_that_came_is_over(timers: Timers) -> None:
    connection, transport = connected(timers, ServerState())
    connection.data_received(POST + b"he")
    connection.data_received(b"llo")
    assert timers.waiting == []
    assert not transport.closed


def test_a_client_that_does_not_take_its_answer_is_let_go(timers: Timers) -> None:
    connection, transport = connected(timers, ServerState())
    connection.data_received(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    connection.pause_writing()
    connection.resume_writing()
    assert timers.waiting == []
    connection.pause_writing()
    timers.let_time_pass()
    assert transport.closed


def test_many_clients_that_take_no_answers_cost_the_one_who_has_most(timers: Timers, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for them is memory: few bytes ask for much."""
    monkeypatch.setattr(connections, "MOST_UNREAD", 3)
    state = ServerState()
    opened = [connected(timers, state, peer) for peer in ("192.0.2.1", "203.0.113.9", "203.0.113.9", "192.0.2.2")]
    for connection, _ in opened:
        connection.data_received(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.pause_writing()
    assert [transport.aborted for _, transport in opened] == [False, True, False, False]
    opened[0][0].resume_writing()
    assert opened[0][0] not in connections.Connection.unread


def test_nothing_is_left_of_a_connection_that_ended(timers: Timers) -> None:
    connection, _ = connected(timers, ServerState())
    connection.data_received(POST + b"he")
    connection.pause_writing()
    connection.connection_lost(None)
    assert timers.waiting == []
    assert connection not in connections.Connection.idle
    assert connection not in connections.Connection.unread


def test_too_many_connections_cost_the_idlest(timers: Timers) -> None:
    state = ServerState()
    opened = [connected(timers, state) for _ in range(10)]
    opened[0][0].data_received(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")  # it is being served
    connected(timers, state)
    assert [transport.closed for _, transport in opened] == [False, True, *[False] * 8]


def test_too_many_connections_cost_the_peer_that_has_most(timers: Timers) -> None:
    state = ServerState()
    early = connected(timers, state, "192.0.2.1")[1]
    many = [connected(timers, state, f"2001:db8::{number}")[1] for number in range(9)]  # one network, so one peer
    late = connected(timers, state, "192.0.2.1")[1]
    assert [transport.closed for transport in many] == [True, *[False] * 8]
    assert not early.closed
    assert not late.closed


def test_a_refused_client_that_takes_no_answer_is_let_go(timers: Timers) -> None:
    connection, transport = connected(timers, ServerState())
    connection.data_received(b"GET / HTTP/1.1\r\nX: " + b"a" * connections.HEAD_SIZE + b"\r\n\r\n")
    assert transport.closed
    assert not transport.aborted  # what was written may still be taken
    assert connection in connections.Connection.idle
    timers.let_time_pass()
    assert transport.aborted


def test_what_is_no_http_keeps_no_connection_open(timers: Timers) -> None:
    connection, transport = connected(timers, ServerState())
    connection.data_received(b"\x16\x03\x01\r\n\r\n")
    assert transport.written.startswith(b"HTTP/1.1 400 ")
    timers.let_time_pass()
    assert transport.aborted


def test_a_connection_that_ended_is_not_counted_when_its_answer_comes(timers: Timers) -> None:
    connection, transport = connected(timers, ServerState())
    connection.data_received(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    transport.closed = True
    connection.connection_lost(ConnectionResetError())
    connection.on_response_complete()
    assert connection not in connections.Connection.idle
    assert timers.waiting == []


def test_many_requests_ahead_of_their_answers_end_the_connection(timers: Timers) -> None:
    state = ServerState()
    connection, transport = connected(timers, state)
    connection.data_received(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * (connections.AHEAD + 1))
    assert not transport.closed
    connection.data_received(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
    assert transport.is_paused
    assert transport.aborted
    assert len(connection.pipeline) == connections.AHEAD


def test_nothing_after_a_refused_head_is_carried_out(timers: Timers) -> None:
    state = ServerState()
    connection, transport = connected(timers, state)
    huge = b"X: " + b"a" * connections.HEAD_SIZE
    second = b"GET /second HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connection.data_received(b"GET / HTTP/1.1\r\n" + huge + b"\r\nContent-Length: 2\r\n\r\nab" + second)
    assert transport.closed
    assert transport.written.startswith(b"HTTP/1.1 431 ")
    assert state.tasks == set()
