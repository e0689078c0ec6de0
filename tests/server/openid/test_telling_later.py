"""A program that is away when a session ends is told when it is back; its record says so, whichever process looks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from passless.ports import Write
from passless.server.log import Log
from passless.server.openid import back_channel, given
from passless.server.openid.back_channel import BackChannel
from passless.server.openid.given import Held
from tests.server.oauth.world import WEB_CALLBACK, World
from tests.server.openid.listener import Listener
from tests.server.openid.relying import Relying, read


@pytest.fixture
def listener() -> Iterator[Listener]:
    with closing(Listener()) as made:
        yield made


@pytest.fixture
def wiki(world: World, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> Relying:
    monkeypatch.setattr(back_channel, "TRIES_AFTER", (0.0, 0.0, 0.0, 0.0))
    made = Relying(world, told_of_endings_at=listener.uri)
    made.tokens(world.browser(world.account()))
    return made


def held(world: World) -> tuple[Held, ...]:
    return tuple(given.of(world.place.parts, world.place.store.read_named("ada").account.id))


def tell(world: World, *these: Held) -> None:
    """Tell as a server process does that has just started."""
    teller = BackChannel(world.site, None, Log(world.place.clock))  # type: ignore[arg-type] # what it does not ask here

    async def all_of_them() -> None:
        for one in these:
            teller._tell(one)
        await asyncio.gather(*teller._telling.values())

    asyncio.run(all_of_them())


def test_who_was_away_is_told_a_minute_later(
    world: World, wiki: Relying, listener: Listener, capfd: pytest.CaptureFixture[str]
) -> None:
    """must hold 7: Back-Channel Logout asks for no more than one try; a thief's session at the program would go on."""
    listener.statuses = [503] * 4
    tell(world, *held(world))
    assert listener.heard.qsize() == 4
    (line,) = (json.loads(one) for one in capfd.readouterr().err.splitlines() if "logout-not-told" in one)
    assert (line["why"], line["again_in"]) == ("it answered 503", 60)
    world.place.clock.move(seconds=59)
    tell(world, *held(world))
    assert listener.heard.qsize() == 4
    world.place.clock.move(seconds=1)
    listener.statuses = [503]
    tell(world, *given.left_behind(world.place.parts))
    assert listener.heard.qsize() == 5  # once each time, so that those who are there need not wait for those who are not
    world.place.clock.move(seconds=120)
    tell(world, *given.left_behind(world.place.parts))
    tokens = [listener.next()[2]["logout_token"] for _ in range(6)]
    assert len({read(world, token)["jti"] for token in tokens}) == 6
    assert held(world) == ()


@pytest.mark.parametrize("status", [302, 403, 404, 521])
def test_what_a_proxy_says_in_the_programs_place_is_no_answer(
    world: World, wiki: Relying, listener: Listener, status: int
) -> None:
    """must hold 7: while a program is put in place anew, its proxy answers that there is none."""
    listener.statuses = [status] * 4
    tell(world, *held(world))
    world.place.clock.move(seconds=60)
    tell(world, *given.left_behind(world.place.parts))
    assert (listener.heard.qsize(), held(world)) == (5, ())


@pytest.mark.parametrize("status", [400, 410])
def test_who_will_never_take_it_is_told_once(world: World, wiki: Relying, listener: Listener, status: int) -> None:
    listener.statuses = [status]
    tell(world, *held(world))
    assert (listener.heard.qsize(), held(world)) == (1, ())


def test_what_is_on_its_way_is_not_told_twice_by_one_process(world: World, wiki: Relying, listener: Listener) -> None:
    tell(world, *held(world) * 3)
    assert (listener.heard.qsize(), held(world)) == (1, ())


def test_a_program_that_is_removed_is_told_nothing_and_left_nowhere(world: World, listener: Listener) -> None:
    made = Relying(world, told_of_endings_at=listener.uri, redirect_uris=(WEB_CALLBACK,))
    made.tokens(world.browser(world.account()))
    record = world.place.store.record("oauth-client", made.id)
    assert record is not None
    world.place.store.commit(Write(at=world.place.clock.now, drops=(record,)))
    tell(world, *held(world))
    assert listener.heard.empty()
    assert held(world) == ()
