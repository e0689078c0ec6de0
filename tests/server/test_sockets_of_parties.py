"""The sockets of relying parties: one that cannot be had is tried again, and what could not be answered is asked again."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import uvloop

from passless.actions import relying_parties
from passless.domain.errors import Unavailable
from passless.programs.radius_packets import Asked, Code, question
from passless.server.log import Log
from passless.server.sockets import radius, trying
from passless.server.sockets.host_conversation import Conversation
from passless.server.sockets.opening import Wanted, wanted
from passless.server.sockets.trying import Sockets
from tests.server.oauth.world import World, world_in

SOON = 0.02  # seconds until the next try


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = world_in(tmp_path)
    yield made
    made.close()


@pytest.fixture
def log() -> Log:
    return Log(lambda: datetime(2026, 1, 1, tzinfo=UTC))


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(SOON / 4)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_one_that_cannot_be_had_keeps_no_other_from_answering_and_is_tried_again(
    world: World,
    log: Log,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    monkeypatch.setattr(trying, "AGAIN", SOON)
    for name, kind in (("host", "pam"), ("another", "pam"), ("mail", "dovecot")):
        world.register(name, kind=kind, redirect_uris=())
    late = tmp_path / "not-there-yet"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        wishes = [wanted(f"host=udp:127.0.0.1:{port}"), wanted(f"mail=unix:{late}/s"), wanted("another=udp:127.0.0.1:0")]

        async def serve(wishes: list[Wanted]) -> None:
            sockets = Sockets(world.site, log, wishes)
            await sockets.open()
            (only,) = sockets.addresses
            assert only.startswith("udp:127.0.0.1:")
            late.mkdir()
            first.close()
            await until(lambda: len(sockets.addresses) == 3)
            assert set(sockets.addresses) == {only, f"udp:127.0.0.1:{port}", f"unix:{late}/s"}
            sockets.close()

        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(serve(wishes))
    said = [msgspec.json.decode(line) for line in capfdbinary.readouterr().err.splitlines()]
    failed = {one["relying_party"]: one["message"] for one in said if one["event"] == "socket-not-open"}
    assert failed["host"] == f'"udp:127.0.0.1:{port}" cannot be had: address already in use'
    assert failed["mail"].endswith("no such file or directory")
    assert sorted(one["relying_party"] for one in said if one["event"] == "socket-open") == ["host", "mail"]
    assert len([one for one in said if one["event"] == "socket-not-open"]) == 2  # said once, however often it was tried


class Sent:
    """What would have gone out of a port."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []

    def is_closing(self) -> bool:
        return False

    def sendto(self, packet: bytes, _: object) -> None:
        self.packets.append(packet)

    def close(self) -> None:
        return


@pytest.mark.parametrize("fault", [Unavailable("the store is away"), RuntimeError("a fault of ours")])
def test_a_packet_that_could_not_be_answered_is_answered_when_it_is_sent_again(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    made = world.register("host", kind="pam", redirect_uris=())
    party = relying_parties.find_named(world.place.parts, "host")
    assert party is not None
    assert made.secret is not None
    asked = Asked(identifier=1, authenticator=os.urandom(16), user=b"ada", password=b"")
    packet = question(asked, made.secret.reveal().encode(), ())
    usual, tried = Conversation.reply, []

    def away(*given: Any) -> Any:
        tried.append(given)
        if len(tried) == 1:
            raise fault
        return usual(*given)

    monkeypatch.setattr(Conversation, "reply", away)
    sent = Sent()

    async def send_twice() -> None:
        endpoint = radius.Endpoint(world.site, log, party)
        endpoint.connection_made(cast(asyncio.DatagramTransport, sent))
        for _ in range(2):
            endpoint.datagram_received(packet, ("127.0.0.1", 4711))
            await until(lambda: not endpoint._tasks)
        endpoint.datagram_received(packet, ("127.0.0.1", 4711))  # the third is the second's answer again
        endpoint.close()

    asyncio.run(send_twice())
    assert len(tried) == 2
    assert len(sent.packets) == 2
    assert sent.packets[0] == sent.packets[1]
    assert sent.packets[0][0] == Code.CHALLENGE
