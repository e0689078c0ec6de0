"""Endings on the event loop, and as relying parties are told of them over HTTP."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from passless.domain.audit import AuditEntry
from passless.domain.party_changes import RelyingPartyChange
from passless.domain.relying_parties import MadeRelyingParty
from passless.domain.requests import SetGroups
from passless.ports import StoreUnavailable, Write
from passless.ports.directory import Actor, Operator
from passless.server import endings
from passless.server.endings import Endings, Told
from passless.server.problems import Overloaded
from tests.actions.test_endings import entry
from tests.builders import NOW
from tests.directories.person import Person
from tests.directories.remembered_hashes import remembered_hashes
from tests.server.oauth.world import World, world_in

ADDRESS = "/relying-parties/endings"
LONG = 30.0  # seconds that nobody waits


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on an event loop of its own."""

    @functools.wraps(test)
    def run(*given: Any, **named: Any) -> None:
        asyncio.run(test(*given, **named))

    return run


@pytest.fixture(scope="module", autouse=True)
def _quick_hashes() -> Iterator[None]:
    with remembered_hashes():
        yield


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = world_in(tmp_path)
    yield made
    made.close()


def end(world: World, *names: str, at: float = 0, event: str = "end-session", **details: str) -> None:
    """Write endings into the trail, as some process does."""
    entries = tuple(entry(event, at=at, account=name, **details) for name in names)
    world.place.store.commit(Write(at=NOW, events=entries))


def names(told: Told) -> list[str]:
    return [one.account for one in told.endings]


@on_a_loop
async def test_a_cursor_by_a_clock_that_was_ahead_is_not_believed_by_another_server(world: World) -> None:
    """Something may have ended since then that has an earlier time."""
    one = Endings(world.site)
    told = await one.after()
    world.place.clock.move(days=1)
    await one._look(far=True)
    ahead = await one.after(told.cursor)
    world.place.clock.move(days=-1)
    back = await one.after(ahead.cursor)
    assert (ahead.known, back.known) == (True, True)
    one.close()
    end(world, "ada", at=30)
    world.place.clock.move(seconds=40)
    two = Endings(world.site)
    assert not (await two.after(ahead.cursor)).known
    assert names(await two.after(back.cursor)) == ["ada"]
    two.close()


@on_a_loop
async def test_who_listens_is_told_as_soon_as_something_ends(world: World) -> None:
    hears = Endings(world.site)
    begins = await hears.after()
    assert (begins.endings, begins.known) == ((), False)
    waits = asyncio.create_task(hears.after(begins.cursor, wait=LONG))
    await asyncio.sleep(0)
    end(world, "ada")
    told = await waits
    assert names(told) == ["ada"]
    assert told.known
    assert (await hears.after(told.cursor)).endings == ()
    hears.close()


@on_a_loop
async def test_many_who_listen_take_one_look_at_the_store(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    store = world.place.store
    real = store.events
    monkeypatch.setattr(store, "events", lambda *given, **named: (looks.append(1), real(*given, **named))[1])
    hears = Endings(world.site)
    cursor = (await hears.after()).cursor
    assert len(looks) == 1
    waiting = [asyncio.create_task(hears.after(cursor, wait=LONG)) for _ in range(1000)]
    await asyncio.sleep(0)
    end(world, "ada", "bob")
    told = await asyncio.gather(*waiting)
    assert {tuple(names(one)) for one in told} == {("ada", "bob")}
    assert len(looks) <= 3
    hears.close()


@on_a_loop
async def test_nobody_looks_while_nobody_listens(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "LINGER", 0.01)
    hears = Endings(world.site)
    await hears.after()
    assert hears._looking is not None
    await asyncio.wait_for(hears._looking, LONG)
    end(world, "ada")
    assert names(await hears.after((await hears.after()).cursor)) == []  # from here on
    hears.close()


@on_a_loop
async def test_a_cursor_goes_on_at_another_server_and_after_a_restart_and_nothing_comes_twice(world: World) -> None:
    one, other = Endings(world.site), Endings(world.site)
    begins = (await one.after()).cursor
    end(world, "ada", at=0)
    first = await other.after(begins)
    assert names(first) == ["ada"]
    end(world, "bob", at=-20)  # kept by a host whose clock is behind
    world.place.clock.move(seconds=1)
    second = await Endings(world.site).after(first.cursor)
    assert names(second) == ["bob"]
    world.place.clock.move(minutes=9)
    end(world, "eve", at=540)
    third = await Endings(world.site).after(second.cursor)
    assert names(third) == ["eve"]
    assert names(await Endings(world.site).after(third.cursor)) == []
    for hears in (one, other):
        hears.close()


@on_a_loop
async def test_who_was_away_for_hours_is_told_all_of_it_and_for_days_that_nobody_knows(world: World) -> None:
    begins = (await Endings(world.site).after()).cursor
    for hour in range(20):
        end(world, f"of-hour-{hour}", at=hour * 3600 + 1)
    world.place.clock.move(hours=20)
    told = await Endings(world.site).after(begins)
    assert names(told) == [f"of-hour-{hour}" for hour in range(20)]
    assert told.known
    world.place.clock.move(hours=5)
    told = await Endings(world.site).after(begins)
    assert (told.endings, told.known) == ((), False)


@on_a_loop
async def test_who_missed_more_than_can_be_told_is_told_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "MOST_MISSED", 10)
    monkeypatch.setattr(endings, "MOST_REMEMBERED", 2)
    begins = (await Endings(world.site).after()).cursor
    end(world, *(f"one-of-{number}" for number in range(11)), at=1)
    assert not (await Endings(world.site).after(begins)).known


@on_a_loop
async def test_what_is_kept_is_bounded_and_who_is_slow_misses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "KEPT", 10)
    monkeypatch.setattr(endings, "MOST_AT_ONCE", 4)
    hears = Endings(world.site)
    cursor = (await hears.after()).cursor
    heard: list[str] = []
    for batch in range(5):
        end(world, *(f"{batch}-{number}" for number in range(9)), at=batch + 1)
        world.place.clock.move(seconds=1)
        told = await _told(hears, cursor)
        cursor = told.cursor
        heard += names(told)
    assert len(hears._kept) <= 10
    while (told := await hears.after(cursor)).endings:
        cursor = told.cursor
        heard += names(told)
    assert set(heard) == {f"{batch}-{number}" for batch in range(5) for number in range(9)}
    hears.close()


async def _told(hears: Endings, cursor: str) -> Told:
    await hears._look(far=True)
    return await hears.after(cursor)


@on_a_loop
async def test_who_falls_out_of_the_middle_of_many_goes_on_there_at_another_server(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "MOST_AT_ONCE", 4)
    hears = Endings(world.site)
    cursor = (await hears.after()).cursor
    end(world, *(f"one-{number}" for number in range(10)), at=1)
    await hears._look(far=True)
    told = await hears.after(cursor)
    assert len(told.endings) == 4
    world.place.clock.move(minutes=5)
    rest = await Endings(world.site).after(told.cursor)
    assert len(rest.endings) == 6
    assert not {one.id for one in rest.endings} & {one.id for one in told.endings}
    hears.close()


@on_a_loop
async def test_a_store_that_is_away_is_said_and_then_nothing_is_missed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hears = Endings(world.site)
    cursor = (await hears.after()).cursor
    with monkeypatch.context() as broken:
        broken.setattr(world.place.store, "events", _away)
        with pytest.raises(StoreUnavailable):
            await Endings(world.site).after(cursor)
        assert (await hears.after(cursor, wait=0.6)).endings == ()
        end(world, "ada")
    assert names(await hears.after(cursor, wait=LONG)) == ["ada"]
    hears.close()


def _away(*given: Any, **named: Any) -> Any:
    raise StoreUnavailable("the store is away")


@on_a_loop
async def test_a_server_that_ends_lets_everybody_go_at_once(world: World) -> None:
    hears = Endings(world.site)
    cursor = (await hears.after()).cursor
    waiting = [asyncio.create_task(hears.after(cursor, wait=LONG)) for _ in range(10)]
    await asyncio.sleep(0)
    hears.close()
    assert [one.endings for one in await asyncio.gather(*waiting)] == [()] * 10


@on_a_loop
async def test_no_more_listen_than_there_is_room_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "MOST_LISTENERS", 2)
    monkeypatch.setattr(endings, "MOST_OF_ONE", 1)
    hears = Endings(world.site)
    cursor = (await hears.after()).cursor
    waiting = [asyncio.create_task(hears.after(cursor, wait=LONG, party="one"))]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await hears.after(cursor, party="one")
    waiting.append(asyncio.create_task(hears.after(cursor, wait=LONG, party="other")))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await hears.after(cursor, party="third")
    hears.close()
    await asyncio.gather(*waiting)
    assert not hears._listening


@on_a_loop
async def test_what_follows_in_the_server_itself_hears_of_everything(world: World) -> None:
    hears = Endings(world.site)
    cursor = (await hears.after()).cursor
    followed = hears.follow(cursor)
    end(world, "ada")
    assert names(await anext(followed)) == ["ada"]
    end(world, "bob")
    assert names(await anext(followed)) == ["bob"]
    hears.close()
    await followed.aclose()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "1.2.3",
        "1.00000000.0.*",
        "9" * 30 + ".0.0.",
        "-1.0.0.",
        "1.a.0." + "A" * 9000,
        "٣.a.0.",
        "999999999999999999.a.0.",
        "200000000000000000.a.0.",
    ],
)
@on_a_loop
async def test_what_is_no_cursor_begins_at_the_end(world: World, text: str) -> None:
    told = await Endings(world.site).after(text)
    assert (told.endings, told.known) == ((), False)


# Over HTTP


def listen(world: World, party: MadeRelyingParty, secret: str = "", **asked: str) -> httpx.Response:
    assert party.secret is not None
    auth = httpx.BasicAuth(party.id, secret or party.secret.reveal())
    with world.http() as client:
        return client.get(ADDRESS, params=asked, auth=auth)


def heard(answer: httpx.Response) -> Sequence[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["endings"]
    return found


def test_a_relying_party_hears_of_an_ending_with_its_secret(world: World) -> None:
    party = world.register("mail", kind="dovecot", redirect_uris=())
    begins = listen(world, party).json()
    assert (begins["known"], begins["endings"]) == (False, [])
    end(world, "ada")
    (one,) = heard(listen(world, party, after=begins["cursor"]))
    assert one == {
        "id": one["id"],
        "at": one["at"],
        "event": "end-session",
        "what": ["sessions"],
        "everybody": False,
        "account_id": "id-of-ada",
        "account": "ada",
    }


def test_a_wrong_secret_hears_nothing_and_is_slowed_down(world: World) -> None:
    party = world.register("mail", kind="dovecot", redirect_uris=())
    answers = [listen(world, party, secret="plc_wrong").status_code for _ in range(12)]
    assert answers[:10] == [401] * 10
    assert answers[-1] == 429
    with world.http("203.0.113.8") as client:
        assert client.get(ADDRESS).status_code == 401
        assert client.get(ADDRESS, auth=("nobody", "plc_x")).status_code == 401


def test_a_public_relying_party_hears_nothing(world: World) -> None:
    party = world.register("phone", public=True)
    with world.http() as client:
        assert client.get(ADDRESS, auth=(party.id, "x")).status_code == 401
        assert client.get(ADDRESS, params={"client_id": party.id}).status_code == 400


def test_a_web_app_is_told_no_names_and_nothing_of_the_tokens_of_others(world: World) -> None:
    """Otherwise every program that was ever registered would learn who has an account, and which others they use."""
    app, other = world.register("app", kind="oidc"), world.register("other", kind="oidc")
    cursor = listen(world, app).json()["cursor"]
    end(world, "ada")
    end(world, "bob", client=other.id)
    end(world, "eve", client=app.id)
    found = heard(listen(world, app, after=cursor))
    assert [one["account_id"] for one in found] == ["id-of-ada", "id-of-eve"]
    assert not any("account" in one for one in found)


def test_a_relying_party_that_is_removed_hears_nothing_more(world: World) -> None:
    party = world.register("mail", kind="dovecot", redirect_uris=())
    cursor = listen(world, party).json()["cursor"]
    world.place.change(on_host=True)
    world.place.directory.remove_relying_party(Actor(), party.id)
    assert listen(world, party, after=cursor).status_code == 401


@pytest.mark.parametrize(
    "asked", [{"wait": "-1"}, {"wait": "1e9"}, {"wait": "99999"}, {"wait": "a"}, {"before": "1"}, {"wait": "١"}]
)
def test_a_question_that_is_none_is_refused(world: World, asked: dict[str, str]) -> None:
    party = world.register("mail", kind="dovecot", redirect_uris=())
    assert listen(world, party, **asked).status_code == 400


def test_the_restore_of_a_store_and_a_removed_party_are_everybodys(world: World) -> None:
    party = world.register("mail", kind="dovecot", redirect_uris=(), introspects=True)
    cursor = listen(world, party).json()["cursor"]
    end(world, "", event="store-restored")
    end(world, "", event="remove-relying-party", relying_party="someone")
    found = heard(listen(world, party, after=cursor))
    assert [(one["event"], one["everybody"]) for one in found] == [("store-restored", True), ("remove-relying-party", True)]


def test_a_real_sign_out_is_heard(world: World) -> None:
    party = world.register("mail", kind="dovecot", redirect_uris=())
    made = world.account("ada")
    cursor = listen(world, party).json()["cursor"]
    world.place.directory.sign_out(Actor(token=made.token))
    assert [one["event"] for one in heard(listen(world, party, after=cursor))] == ["sign-out"]


def test_a_host_hears_of_nobody_who_had_nothing_for_it(world: World) -> None:
    """Its own user of that name is somebody else, whose sessions a stranger must not end."""
    ssh = world.register("file server", kind="ssh", redirect_uris=())
    pam = world.register("host", kind="pam", redirect_uris=())
    begins = [(one, listen(world, one).json()["cursor"]) for one in (ssh, pam)]
    end(world, "deploy2", event="delete-account", at=1)
    world.place.store.commit(Write(at=NOW, events=(_never("git", "pam,ssh"), _never("ada", "ssh"), _never("bob", ""))))
    told = [{one["account"] for one in heard(listen(world, one, after=cursor))} for one, cursor in begins]
    assert told == [{"deploy2", "bob"}, {"deploy2", "bob", "ada"}]


def _never(account: str, kinds: str) -> AuditEntry:
    return msgspec.structs.replace(entry("delete-account", account=account), details={"never_at": kinds} if kinds else {})


class TestGroups:
    """A host that has groups takes nobody for its user who is in none of them, and ends what runs when somebody leaves them."""

    @pytest.fixture
    def chief(self, world: World) -> Actor:
        """An operator over everybody, who has just signed in."""
        made = world.account("chief")
        world.make_operator(made.account_id)
        return Actor(token=made.token, operator=Operator(reason="others work there now"))

    def heard_by(self, world: World, parties: Sequence[MadeRelyingParty], act: Callable[[], object]) -> list[set[str]]:
        """Do something, and return whose ending each is told then."""
        begins = [listen(world, one).json()["cursor"] for one in parties]
        act()
        at = (world.place.clock.now - NOW).total_seconds()
        end(world, "", at=at, event="store-restored")  # so that none of them waits
        told = [heard(listen(world, one, after=cursor)) for one, cursor in zip(parties, begins, strict=True)]
        return [{one["account"] for one in found if "methods" in one["what"] and not one["everybody"]} for found in told]

    def test_who_leaves_a_group_is_told_to_the_hosts_of_that_group(self, world: World, chief: Actor) -> None:
        """And to no program that lets people in otherwise, nor where another group of theirs is one of the host's."""
        parties = [
            world.register("staff only", kind="pam", redirect_uris=(), groups=("Staff",)),
            world.register("keys only", kind="ssh", redirect_uris=(), groups=("staff",)),
            world.register("both", kind="pam", redirect_uris=(), groups=("staff", "sales")),
            world.register("other", kind="pam", redirect_uris=(), groups=("sales",)),
            world.register("anybody", kind="pam", redirect_uris=()),
            world.register("mail", kind="dovecot", redirect_uris=(), introspects=True),
        ]
        Person(world.place, "ada", token=world.account("ada").token).add_app()
        world.account("bob")

        def put(name: str, *groups: str) -> None:
            world.site.directory.apply(chief, name, SetGroups(groups=groups))

        nobody: list[set[str]] = [set()] * 6
        assert self.heard_by(world, parties, lambda: put("ada", "staff")) == nobody
        assert self.heard_by(world, parties, lambda: put("ada", "STAFF", "sales")) == nobody
        assert self.heard_by(world, parties, lambda: put("bob", "staff")) == nobody
        assert self.heard_by(world, parties, lambda: put("ada", "sales")) == [{"ada"}, *nobody[1:]]
        assert self.heard_by(world, parties, lambda: put("bob")) == nobody  # with a password alone
        assert self.heard_by(world, parties, lambda: put("ada")) == [set(), set(), {"ada"}, {"ada"}, set(), set()]

    def test_who_was_in_no_group_of_a_host_ends_nothing_there(self, world: World) -> None:
        """A stranger with an app and the name of a local user."""
        parties = [world.register(name, kind="pam", redirect_uris=(), groups=(name,)) for name in ("staff", "sales")]
        parties.append(world.register("anybody", kind="pam", redirect_uris=()))
        of_whom = {"ada": "staff,sales", "bob": "sales", "stranger": ""}
        entries = [replace(entry("remove-method", account=one), details={"groups_before": of_whom[one]}) for one in of_whom]
        told = self.heard_by(world, parties, lambda: world.place.store.commit(Write(at=NOW, events=tuple(entries))))
        assert told == [{"ada"}, {"ada", "bob"}, {"ada", "bob", "stranger"}]

    def test_a_host_is_told_who_is_its_user_no_more(self, world: World, chief: Actor) -> None:
        """All in its groups before who are in none of them now; where it had none, who has something that it takes."""
        parties = [world.register(name, kind="pam", redirect_uris=()) for name in ("host", "another")]
        for name, groups in {"ada": ("staff",), "bob": ("staff", "sales"), "eve": ()}.items():
            Person(world.place, name, token=world.account(name).token).add_app()
            world.site.directory.apply(chief, name, SetGroups(groups=groups))
        world.account("with a password alone")

        def give(*groups: str) -> None:
            world.site.directory.change_relying_party(chief, "host", RelyingPartyChange(groups=groups))

        assert self.heard_by(world, parties, lambda: give("staff", "sales")) == [{"eve"}, set()]
        assert self.heard_by(world, parties, lambda: give("Sales")) == [{"ada"}, set()]
        assert self.heard_by(world, parties, lambda: give("sales", "staff")) == [set(), set()]
        assert self.heard_by(world, parties, give) == [set(), set()]


def test_what_ended_for_somebody_is_found_however_long_ago(world: World) -> None:
    party = world.register("file server", kind="ssh", redirect_uris=())
    cursor = listen(world, party).json()["cursor"]
    end(world, "Ada", "bob", at=60, event="remove-method")
    world.place.store.commit(Write(at=NOW, events=(entry("store-restored", account=""),)))
    world.place.clock.move(days=300)
    end(world, "eve", at=300 * 86400, event="remove-method")
    assert not listen(world, party, after=cursor).json()["known"]
    said = listen(world, party, after=cursor, about="ada eve nobody").json()
    assert said["known"]
    assert said["cursor"] == cursor
    assert [(one.get("account", ""), one["everybody"]) for one in said["endings"]] == [
        ("", True),
        ("Ada", False),
        ("eve", False),
    ]
    assert not listen(world, party, after="x", about="ada").json()["known"]


def test_what_ended_for_somebody_is_told_within_bounds_and_to_who_knows_names(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    party, app = world.register("host", kind="pam", redirect_uris=()), world.register("app", kind="oidc")
    cursor = listen(world, party).json()["cursor"]
    assert listen(world, app, after=cursor, about="ada").status_code == 400
    assert listen(world, party, after=cursor, about=" ".join(["ada"] * 101)).status_code == 400
    end(world, *("ada",) * 3, at=1)
    monkeypatch.setattr(endings, "MOST_LOOKED_THROUGH", 2)
    assert not listen(world, party, after=cursor, about="ada").json()["known"]
