"""The socket of a mail server, asked by a stranger who does not read what is answered."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import aclosing, suppress
from importlib import import_module
from pathlib import Path

import pytest

from passless.actions import relying_parties
from passless.directories.local import LocalDirectory
from passless.domain.relying_parties import Client, NewRelyingParty
from passless.ports.directory import Actor
from passless.server.log import Log
from passless.server.site import Site
from passless.server.sockets import dict_protocol
from passless.server.sockets.dovecot import OpenedSocket, open_at
from tests.directories.place import in_memory

HELLO = b"H3\t2\t0\t\tpassless\n"
QUESTION = b"I0\t0\tshared/userdb/\t\n"
MOST = 2 << 20  # bytes of questions that nobody takes who is not heard; the buffers of a socket hold some hundred thousand
LONG = 60.0  # seconds that nobody waits


@pytest.fixture
def site_and_party(tmp_path: Path) -> tuple[Site, Client]:
    place = in_memory(tmp_path)
    made = relying_parties.add(place.parts, Actor(), NewRelyingParty(name="mail", kind="dovecot"))
    found = relying_parties.find(place.parts, made.id)
    assert found is not None
    return Site(directory=LocalDirectory(place.parts), url="https://passless.example"), found[0]


async def _asked_without_reading(opened: OpenedSocket, asking: socket.socket) -> int:
    """Ask until no question is taken any more, and return how many bytes of questions were."""
    asking.sendall(HELLO)
    asking.setblocking(False)
    while not opened._answering.open:
        await asyncio.sleep(0)
    (connection,) = opened._answering.open
    assert connection._transport is not None
    many, sent = QUESTION * 5000, 0
    while sent < MOST and connection._transport.is_reading():
        with suppress(BlockingIOError):
            sent += asking.send(many[sent % len(QUESTION) :])
        await asyncio.sleep(0)
    return sent


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sockets in folders")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_who_reads_no_answers_is_not_listened_to_until_they_do(
    tmp_path: Path, site_and_party: tuple[Site, Client], loop: str
) -> None:
    """Otherwise the answers of a mail server that hangs would fill the memory of this one."""

    async def ask() -> None:
        site, party = site_and_party
        path = tmp_path / "mail.sock"
        opened = await open_at(site, Log(site.parts.clock), party, f"unix:{path}")
        async with aclosing(opened):
            with socket.socket(socket.AF_UNIX) as asking:
                asking.connect(str(path))
                sent = await _asked_without_reading(opened, asking)
                assert sent < MOST, "questions are taken without end"
                loop, heard = asyncio.get_running_loop(), 0
                while heard < sent // len(QUESTION):
                    heard += (await asyncio.wait_for(loop.sock_recv(asking, 1 << 20), LONG)).count(b"\n")
                await loop.sock_sendall(asking, QUESTION[sent % len(QUESTION) :])
                last = await asyncio.wait_for(loop.sock_recv(asking, 1000), LONG)
                assert last == dict_protocol.not_now("people are not listed here")

    with asyncio.Runner(loop_factory=import_module(loop).new_event_loop) as runner:
        runner.run(ask())
