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
from msgspec.structs import replace

from passless.actions import relying_parties
from passless.domain.errors import Unavailable
from passless.domain.secret import Secret
from passless.ports.directory import Actor
from passless.programs.radius_packets import Asked, Code, question
from passless.server import listening
from passless.server.listening import CannotListen, Place
from passless.server.log import Log
from passless.server.sockets import opening, radius, trying
from passless.server.sockets.host_conversation import Conversation, NotFromHost
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
    async with asyncio.timeout(60):
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
        wishes = [wanted(f"host=udp:127.0.0.1:{port}"), wanted(f"mail=unix:{late}/made/s"), wanted("another=udp:127.0.0.1:0")]

        async def serve(wishes: list[Wanted]) -> None:
            sockets = Sockets(world.site, log, wishes)
            await sockets.open()
            (only,) = sockets.addresses
            assert only.startswith("udp:127.0.0.1:")
            late.mkdir()
            first.close()
            await until(lambda: len(sockets.addresses) == 3)
            assert set(sockets.addresses) == {only, f"udp:127.0.0.1:{port}", f"unix:{late}/made/s"}
            await sockets.aclose()

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


def test_what_a_conversation_was_begun_with_answers_nothing_in_it_after_a_restart(world: World) -> None:
    world.register("host", kind="pam", redirect_uris=())
    party = relying_parties.find_named(world.place.parts, "host")
    assert party is not None
    before, after = Conversation(world.site, party), Conversation(world.site, party)
    asked = Asked(identifier=1, authenticator=os.urandom(16), user=b"ada", password=b"")
    stage = before.reply(asked, None).stage
    assert stage is not None
    again = replace(asked, password=b"123456", state=before.state(stage))
    with pytest.raises(NotFromHost, match="another packet"):
        after.stage_of(again)
    assert after.stage_of(replace(again, authenticator=os.urandom(16))) == stage


async def answered(endpoint: radius.Endpoint, sent: Sent, secret: Secret | None) -> bool:
    """Ask with a secret, and tell whether there was an answer."""
    assert secret is not None
    asked = Asked(identifier=1, authenticator=os.urandom(16), user=b"ada", password=b"")
    before = len(sent.packets)
    endpoint.datagram_received(question(asked, secret.reveal().encode(), ()), ("127.0.0.1", 4711))
    await until(lambda: not endpoint._tasks)
    return len(sent.packets) > before


def test_a_host_is_answered_with_its_new_secret_and_no_more_with_the_one_before(world: World, log: Log) -> None:
    """Neither is it with that of a host that was removed, once another one has its name."""
    first = world.register("host", kind="pam", redirect_uris=())
    party = relying_parties.find_named(world.place.parts, "host")
    assert party is not None
    world.place.change(on_host=True)
    parts, sent = world.place.parts, Sent()

    async def change_twice() -> None:
        endpoint = radius.Endpoint(world.site, log, party)
        endpoint.connection_made(cast(asyncio.DatagramTransport, sent))
        assert await answered(endpoint, sent, first.secret)
        second = relying_parties.new_secret(parts, Actor(), "host")
        assert not await answered(endpoint, sent, first.secret), "not even where it was looked at just before"
        endpoint._looked_at = 0.0
        assert await answered(endpoint, sent, second.secret)
        assert not await answered(endpoint, sent, first.secret)
        relying_parties.remove(parts, Actor(), "host")
        third = world.register("Host", kind="pam", redirect_uris=())
        assert not await answered(endpoint, sent, second.secret)
        endpoint._looked_at = 0.0
        assert await answered(endpoint, sent, third.secret)
        assert not await answered(endpoint, sent, second.secret)
        endpoint.close()

    asyncio.run(change_twice())


class TestUnixSockets:
    @pytest.fixture
    def umask(self) -> Iterator[None]:
        before = os.umask(0o077)
        yield
        os.umask(before)

    def open(self, world: World, log: Log, address: str) -> CannotListen:
        """Return why a socket cannot be had."""
        if relying_parties.find_named(world.place.parts, "mail") is None:
            world.register("mail", kind="dovecot", redirect_uris=())
        with pytest.raises(CannotListen) as refused:
            asyncio.run(opening.open_at(world.site, log, wanted(f"mail={address}")))
        return refused.value

    @pytest.mark.usefixtures("umask")
    def test_the_last_folder_is_made_for_who_may_go_through_it(self, tmp_path: Path) -> None:
        path = tmp_path / "passless" / "mail.sock"
        with listening.listen(Place(path=str(path))):
            assert path.parent.stat().st_mode & 0o777 == 0o711
            assert path.stat().st_mode & 0o777 == 0o660
        path.parent.chmod(0o750)
        with listening.listen(Place(path=str(path))):
            assert path.parent.stat().st_mode & 0o777 == 0o750, "one that is there stays as it is"

    def test_no_other_folder_is(self, world: World, log: Log, tmp_path: Path) -> None:
        error = self.open(world, log, f"unix:{tmp_path}/a/b/mail.sock")
        assert error.message == f'cannot listen on "{tmp_path}/a/b/mail.sock": no such file or directory'
        assert error.hint == f"only the last folder is made; make the others: mkdir -p {tmp_path}/a"

    def test_what_is_taken_is_said_in_the_words_of_a_unix_socket(self, world: World, log: Log, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("somebody's")
        error = self.open(world, log, f"unix:{tmp_path}/file")
        assert error.hint == "put away what is there, which is no socket, or choose another place: --socket NAME=unix:/PATH"
        assert (tmp_path / "file").read_text() == "somebody's"
        with listening.listen(Place(path=f"{tmp_path}/taken")):
            error = self.open(world, log, f"unix:{tmp_path}/taken")
        assert error.hint == "stop what listens there, or choose another place: --socket NAME=unix:/PATH"

    def test_a_group_that_is_not_there_leaves_no_socket(self, world: World, log: Log, tmp_path: Path) -> None:
        error = self.open(world, log, f"unix:{tmp_path}/s?group=nobody-has-it")
        assert error.message == f'"{tmp_path}/s" cannot be for the group "nobody-has-it": there is none'
        assert "getent group" in (error.hint or "")
        assert not (tmp_path / "s").exists()

    def test_a_mail_server_asks_at_no_port(self, world: World, log: Log) -> None:
        world.register("mail", kind="dovecot", redirect_uris=())
        with pytest.raises(opening.BadSocket, match="no socket for a mail server"):
            asyncio.run(opening.open_at(world.site, log, wanted("mail=udp:127.0.0.1:1")))


@pytest.mark.parametrize(
    "text", ["mail=udp:192.0.2.1:1812", "mail=udp:127.0.0.1:high", "mail=unix:/run/s?group=", "mail=tcp:1"]
)
def test_an_address_that_is_none_is_told_before_anything_is_served(text: str) -> None:
    with pytest.raises(opening.BadSocket):
        wanted(text)


def test_who_is_not_registered_keeps_nobody_else_from_being_served(
    world: World, log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(trying, "AGAIN", SOON)
    world.register("site", kind="http", redirect_uris=())

    async def serve() -> None:
        sockets = Sockets(world.site, log, [wanted(f"mail=unix:{tmp_path}/mail"), wanted(f"site=unix:{tmp_path}/site")])
        await sockets.open()
        assert sockets.addresses == []
        world.register("mail", kind="dovecot", redirect_uris=())
        await until(lambda: sockets.addresses == [f"unix:{tmp_path}/mail"])
        await sockets.aclose()

    asyncio.run(serve())
    said = [msgspec.json.decode(line) for line in capfdbinary.readouterr().err.splitlines()]
    why = {one["relying_party"]: one["message"] for one in said if one["event"] == "socket-not-open"}
    assert why["mail"] == 'there is no relying party "mail"'
    assert "which asks over HTTP" in why["site"]
