"""Work that goes on as long as a server does: after a fault of ours too, and past records that it does not know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from passless.actions import due
from passless.actions.parts import Parts
from passless.domain.endings import Ending
from passless.ports import Record, Write
from passless.ports.directory import Actor
from passless.server import lasting, timekeeping
from passless.server.endings import Endings
from passless.server.lasting import go_on
from passless.server.log import Log
from passless.server.openid import given, posting
from passless.server.openid.back_channel import BackChannel
from passless.server.openid.given import Held
from passless.server.openid.posting import Answer
from passless.server.site import Site
from passless.server.sockets import trying
from passless.server.sockets.opening import Opened, Wanted, wanted
from passless.server.sockets.trying import Sockets
from passless.server.timekeeping import keep_time
from tests.server.oauth.world import World, world_in
from tests.server.openid.relying import TOLD_AT, Relying


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = world_in(tmp_path)
    yield made
    made.close()


@pytest.fixture
def log() -> Log:
    return Log(lambda: datetime(2026, 1, 1, tzinfo=UTC))


def test_time_is_kept_after_a_fault(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lasting, "AGAIN", 0.01)
    faults = [RuntimeError("secret"), KeyError("secret")]

    async def run() -> None:
        settled = asyncio.Event()
        loop = asyncio.get_running_loop()

        def settle(*_: object) -> None:
            if faults:
                raise faults.pop()
            loop.call_soon_threadsafe(settled.set)

        monkeypatch.setattr(timekeeping.due, "settle", settle)
        task = asyncio.create_task(go_on(lambda: keep_time(world.place.parts, log), log, "time"))
        async with asyncio.timeout(30):
            await settled.wait()
        task.cancel()

    asyncio.run(run())
    said = capfd.readouterr().err
    assert said.count('"event":"fault"') == 2
    assert "secret" not in said


def test_a_lasting_fault_over_one_thing_keeps_nothing_else_from_its_time(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is written down once, however often it is tried."""
    monkeypatch.setattr(timekeeping, "LATEST", 0.01)
    monkeypatch.setattr(timekeeping, "SOONEST", 0.01)
    store, now = world.place.store, world.place.clock.now
    keys = tuple(f"{number:020}/{name}/x" for number, name in enumerate(("ada", "bob")))
    store.commit(Write(at=now, puts=tuple(Record(kind=due.KIND, key=key, document=b"{}") for key in keys)))
    usual, tries = due._settled, []

    def settled(parts: Parts, record: Record, at: datetime) -> Write:
        if record.key == keys[0]:
            tries.append(record)
            raise RuntimeError("secret")
        return usual(parts, record, at)

    monkeypatch.setattr(due, "_settled", settled)

    async def run() -> None:
        task = asyncio.create_task(keep_time(world.place.parts, log))
        async with asyncio.timeout(30):
            while len(tries) < 3:
                await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(run())
    assert [one.key for one in store.records(due.KIND)] == [keys[0]]
    said = capfd.readouterr().err
    assert said.count('"event":"fault"') == 1
    assert "secret" not in said


def test_a_lasting_fault_over_one_ending_keeps_no_other_from_being_told(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ada, bob, wiki = world.account(), world.account("bob"), Relying(world, told_of_endings_at=TOLD_AT)
    for person in (ada, bob):
        wiki.tokens(world.browser(person))
    usual = given.ended_by

    def ended_by(parts: Parts, ending: Ending) -> Iterable[Held]:
        if ending.account == "ada":
            raise RuntimeError("secret")
        return usual(parts, ending)

    monkeypatch.setattr(given, "ended_by", ended_by)
    world.site.directory.sign_out(Actor(token=ada.token))
    assert told_of(world, log, monkeypatch, lambda: world.site.directory.sign_out(Actor(token=bob.token))) == TOLD_AT
    said = capfd.readouterr().err
    assert '"request":"back-channel"' in said
    assert "secret" not in said


def test_a_socket_that_we_fail_at_keeps_no_other_from_answering(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world.register("host", kind="pam", redirect_uris=())
    monkeypatch.setattr(trying, "AGAIN", 0.01)
    usual, tries = trying.open_at, []

    async def open_at(site: Site, log: Log, wish: Wanted) -> Opened:
        if wish.party == "broken" and len(tries) < 3:
            tries.append(wish)
            raise RuntimeError("secret")
        return await usual(site, log, replace(wish, party="host"))

    monkeypatch.setattr(trying, "open_at", open_at)

    async def run() -> None:
        sockets = Sockets(world.site, log, [wanted(f"{name}=udp:127.0.0.1:0") for name in ("broken", "host")])
        await sockets.open()
        assert len(sockets.addresses) == 1
        async with asyncio.timeout(30):
            while len(sockets.addresses) < 2:
                await asyncio.sleep(0.01)
        await sockets.aclose()

    asyncio.run(run())
    said = capfd.readouterr().err
    assert said.count('"event":"fault"') == 1
    assert "secret" not in said


def test_work_that_is_done_is_not_begun_anew(log: Log) -> None:
    done = []

    async def work() -> None:
        done.append(1)

    asyncio.run(go_on(work, log, "work"))
    assert done == [1]


def test_programs_are_told_past_a_record_of_a_later_version(world: World, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, wiki = world.account(), Relying(world, told_of_endings_at=TOLD_AT)
    wiki.tokens(world.browser(ada))
    account = world.place.store.read_named("ada").account.id
    odd = tuple(Record(kind=given.KIND, key=key, document=b'{"form":2}') for key in (f"{account}/0/0", "0/0/0"))
    world.place.store.commit(Write(at=world.place.clock.now, puts=odd))

    assert told_of(world, log, monkeypatch, lambda: world.site.directory.sign_out(Actor(token=ada.token))) == TOLD_AT


def told_of(world: World, log: Log, monkeypatch: pytest.MonkeyPatch, end: Callable[[], object]) -> str:
    """End something while the back channel is at work, and return where that is told."""

    async def run() -> str:
        told: asyncio.Queue[str] = asyncio.Queue()

        async def post(uri: str, token: str, *, inwards: bool) -> Answer:
            await told.put(uri)
            return Answer(200, "ok")

        monkeypatch.setattr(posting, "post", post)
        endings = Endings(world.site)
        task = asyncio.create_task(BackChannel(world.site, endings, log).run())
        end()
        async with asyncio.timeout(30):
            heard = await told.get()
        task.cancel()
        endings.close()
        return heard

    return asyncio.run(run())
