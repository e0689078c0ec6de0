"""Work that goes on as long as a server does: after a fault of ours too, and past records that it does not know."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from passless.ports import Record, Write
from passless.ports.directory import Actor
from passless.server import lasting, timekeeping
from passless.server.endings import Endings
from passless.server.lasting import go_on
from passless.server.log import Log
from passless.server.openid import given, posting
from passless.server.openid.back_channel import BackChannel
from passless.server.openid.posting import Answer
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

        def settle(_: object) -> None:
            if faults:
                raise faults.pop()
            loop.call_soon_threadsafe(settled.set)

        monkeypatch.setattr(timekeeping.due, "settle", settle)
        task = asyncio.create_task(go_on(lambda: keep_time(world.place.parts), log, "time"))
        async with asyncio.timeout(30):
            await settled.wait()
        task.cancel()

    asyncio.run(run())
    said = capfd.readouterr().err
    assert said.count('"event":"fault"') == 2
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

    async def run() -> str:
        told: asyncio.Queue[str] = asyncio.Queue()

        async def post(uri: str, token: str, *, inwards: bool) -> Answer:
            await told.put(uri)
            return Answer(200, "ok")

        monkeypatch.setattr(posting, "post", post)
        endings = Endings(world.site)
        task = asyncio.create_task(BackChannel(world.site, endings, log).run())
        world.site.directory.sign_out(Actor(token=ada.token))
        async with asyncio.timeout(30):
            heard = await told.get()
        task.cancel()
        endings.close()
        return heard

    assert asyncio.run(run()) == TOLD_AT
