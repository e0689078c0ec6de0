"""Many requests at once: no source keeps everybody else out, however few bytes it sends."""

from __future__ import annotations

import asyncio
import resource
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from passless.server import crowd
from passless.server.gate import Gate
from passless.server.log import Log
from passless.server.metrics import Metrics
from passless.server.site import Site
from tests.directories.place import entropy_of, in_memory
from tests.server.asking import Caller
from tests.server.at_the_gate import Asked, run
from tests.server.raw import WAIT, head, read_all, statuses
from tests.server.serving import Served, a_server

MANY = 1010  # as many heads as once stopped a server
SPARE = 100  # descriptors that the child needs for itself
SENDER = f"""
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({MANY + SPARE}, {MANY + SPARE}))
host, port, head = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
held = []
for _ in range({MANY}):
    held.append(socket.create_connection((host, port), timeout=60))
    held[-1].sendall(head)
print(len(held), flush=True)
sys.stdin.read()
"""
OTHER = "127.0.0.2"  # another address of this machine, as far as a server can tell


def test_a_thousand_heads_without_bodies_keep_nobody_out(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= MANY + SPARE
    with a_server(tmp_path) as served, Caller(served) as ada:
        ada.create()
        slow = head(
            served, "POST /api/v1/accounts/ada/sign-in HTTP/1.1", ["Content-Type: application/json", "Content-Length: 50"]
        )
        command = [sys.executable, "-c", SENDER, *map(str, served.address), slow.decode()]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sender:
            assert sender.stdout is not None
            assert int(sender.stdout.readline()) == MANY
            for source in (OTHER, "127.0.0.1"):
                assert [asked_from(served, source, path) for path in ("/healthz", "/sign-in", "/api/v1/")] == [200, 200, 200]
            ada.sign_in()
            sender.communicate()
        ada.sign_in()
        assert Counter(line["status"] for line in served.requests() if line["status"] >= 500) == {}


def asked_from(served: Served, source: str, path: str) -> int:
    """Ask from an address of this machine, and return the status."""
    with socket.create_connection(served.address, timeout=WAIT, source_address=(source, 0)) as connection:
        connection.sendall(head(served, f"GET {path} HTTP/1.1", ["Connection: close"]))
        return statuses(read_all(connection))[0]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(directory=in_memory(tmp_path).directory, url="http://localhost:8080")


class Busy:
    """An application that answers when it is told to."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached.append(scope["client"][0])
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def busy(site: Site) -> AsyncIterator[tuple[Busy, Callable[[Asked], asyncio.Task[None]]]]:
    """Have a gate before a busy application, and a way to send it requests."""
    app, tasks = Busy(), []
    gate = Gate(app, site, log=Log(site.parts.clock), metrics=Metrics(), entropy=entropy_of(3))

    def send(request: Asked) -> asyncio.Task[None]:
        tasks.append(asyncio.create_task(gate(request.scope, request.receive, request.send)))
        return tasks[-1]

    try:
        yield app, send
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def a_while() -> None:
    """Let everything go on until it waits for something outside."""
    for _ in range(20):
        await asyncio.sleep(0)


def a_slow_body(site: Site, client: str) -> Asked:
    return Asked(site, "POST", "/api/v1/accounts/ada/sign-in", b"{", ends=False, client=client)


def test_of_bodies_that_do_not_come_the_oldest_of_their_source_goes(site: Site) -> None:
    async def scene() -> None:
        async with busy(site) as (app, send):
            patient = a_slow_body(site, "192.0.2.1")
            send(patient)
            slow = [a_slow_body(site, "203.0.113.9") for _ in range(crowd.ARRIVING_SHARE + 2)]
            for one in slow:
                send(one)
            await a_while()
            assert [one.status for one in slow if one.answers] == [408, 408]
            assert [bool(one.answers) for one in slow[:3]] == [True, True, False]
            assert slow[0].headers[b"connection"] == b"close"
            assert not patient.answers
            assert app.reached == []

    run(scene())


def test_of_too_many_bodies_the_source_that_has_most_loses_one(site: Site) -> None:
    async def scene() -> None:
        async with busy(site) as (_, send):
            honest = [a_slow_body(site, f"192.0.2.{number}") for number in range(100)]
            greedy = [
                a_slow_body(site, f"2001:db8:0:{network}::{number}")
                for network in range(6)
                for number in range(crowd.ARRIVING_SHARE)
            ]
            for one in (*honest, *greedy):
                send(one)
            await a_while()
            gone = len(honest) + len(greedy) - crowd.MOST_ARRIVING
            assert gone > 0
            assert [one for one in honest if one.answers] == []
            assert Counter(one.status for one in greedy if one.answers) == {408: gone}

    run(scene())


def test_a_body_that_came_is_read_as_it_was_sent(site: Site) -> None:
    async def scene() -> None:
        heard: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            heard.append(await receive())
            await Busy.__call__(told, scope, receive, send)

        told = Busy()
        told.go_on.set()
        gate = Gate(app, site, log=Log(site.parts.clock), metrics=Metrics(), entropy=entropy_of(3))
        request = Asked(site, "POST", "/", b'{"a', b'":', b"1}")
        await gate(request.scope, request.receive, request.send)
        assert request.status == 200
        assert heard == [{"type": "http.request", "body": b'{"a":1}', "more_body": False}]

    run(scene())


def test_one_source_does_not_take_every_place_at_work(site: Site) -> None:
    async def scene() -> None:
        async with busy(site) as (app, send):
            greedy = [Asked(site, "GET", "/", client=f"2001:db8::{number}") for number in range(crowd.WORK_SHARE + 1)]
            for one in greedy:
                send(one)
            other = Asked(site, "GET", "/", client="2001:db8:0:1::1")
            answered = send(other)
            await a_while()
            assert [one.status for one in greedy if one.answers] == [503]
            assert app.reached[-1] == "2001:db8:0:1::1"
            app.go_on.set()
            await answered
            assert other.status == 200
            await a_while()
            again = Asked(site, "GET", "/", client="2001:db8::1")
            await send(again)
            assert again.status == 200  # a place is free again once its request was answered

    run(scene())


def test_who_does_not_take_answers_holds_no_place_at_work(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "WORK_SHARE", 1)

    async def scene() -> None:
        async with busy(site) as (app, send):
            app.go_on.set()
            slow, next_one = Asked(site, "GET", "/"), Asked(site, "GET", "/")

            async def never_taken(_: Any) -> None:
                await asyncio.get_running_loop().create_future()

            slow.send = never_taken  # type: ignore[method-assign]
            send(slow)
            await a_while()
            await send(next_one)
            assert next_one.status == 200

    run(scene())


def test_health_is_answered_whatever_else_is_under_way(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "MOST_AT_WORK", 0)

    async def scene() -> None:
        async with busy(site) as (_, send):
            health, other = Asked(site, "GET", "/healthz"), Asked(site, "GET", "/")
            await asyncio.gather(send(health), send(other))
            assert health.status == 200
            assert other.status == 503
            assert other.headers[b"retry-after"] == b"1"

    run(scene())


def test_many_who_ask_for_its_health_cost_one_look_at_the_store(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    attempts = site.parts.store.attempts
    monkeypatch.setattr(site.parts.store, "attempts", lambda key: (looked.append(key), attempts(key))[1])

    async def scene() -> None:
        async with busy(site) as (_, send):
            asked = [Asked(site, "GET", "/healthz") for _ in range(50)]
            await asyncio.gather(*map(send, asked))
            assert {one.status for one in asked} == {200}

    run(scene())
    assert looked == ["health"]


def test_a_client_that_hangs_up_before_its_body_is_there_reaches_nobody(site: Site) -> None:
    async def scene() -> None:
        async with busy(site) as (app, send):
            request = a_slow_body(site, "192.0.2.1")

            async def hang_up() -> Any:
                return {"type": "http.disconnect"}

            request.receive = hang_up  # type: ignore[method-assign]
            await send(request)
            assert request.answers == []
            assert app.reached == []

    run(scene())


def test_cookies_that_take_long_to_read_are_left_out(site: Site) -> None:
    """Python before 3.11.10 takes nine seconds for one head of them (CVE-2024-7592)."""

    async def scene() -> None:
        heard: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            heard.extend(value for name, value in scope["headers"] if name == b"cookie")

        gate = Gate(app, site, log=Log(site.parts.clock), metrics=Metrics(), entropy=entropy_of(3))
        request = Asked(site, "GET", "/")
        request.scope["headers"] += [(b"cookie", b'one=1; evil="' + b"\\" * 30_000 + b'"; two=2'), (b"cookie", b'three="3"')]
        await gate(request.scope, request.receive, request.send)
        assert heard == [b"one=1; two=2", b'three="3"']

    run(scene())
