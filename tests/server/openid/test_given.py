"""Which endings are of a session that a program was given something in; idle sessions and other people's are none."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from passless.actions.endings import between
from passless.domain.requests import Delete, EndSessions, RemoveMethodNamed
from passless.domain.sessions import SessionKind
from passless.domain.views import SignedIn
from passless.ports.directory import Actor
from passless.server.oauth import giving
from passless.server.openid import given
from tests.directories.person import Person
from tests.directories.place import on_disk
from tests.server.oauth.test_code_flow import password
from tests.server.oauth.world import World
from tests.server.openid.relying import Relying, as_signed_in, with_key


def over(world: World) -> set[str]:
    """Return the ids of the programs that are told by now."""
    parts = world.place.parts
    endings = tuple(between(parts.store, parts.now() - timedelta(hours=12)))
    return {held.given.client_id for ending in endings for held in given.ended_by(parts, ending)}


def test_signing_out_is_told_to_who_was_given_something_there(world: World) -> None:
    ada = world.account()
    wiki, files = Relying(world), Relying(world, "files")
    wiki.tokens(world.browser(ada))
    files.tokens(world.browser(world.account("bob")))
    assert over(world) == set()
    world.site.directory.sign_out(Actor(token=ada.token))
    assert over(world) == {wiki.id}


def test_a_method_that_goes_ends_what_it_opened(world: World) -> None:
    ada = world.account()
    person, key = with_key(world, ada)
    here, wiki = person.elsewhere(), Relying(world)
    here.with_key(key)
    wiki.tokens(as_signed_in(here, world.browser()))
    person.do(RemoveMethodNamed(method=next(one.id for one in person.view.methods if one.kind == "security-key")))
    assert over(world) == {wiki.id}


def test_a_deleted_account_ends_everything(world: World) -> None:
    ada, wiki = world.account(), Relying(world)
    wiki.tokens(world.browser(ada))
    world.site.directory.apply(Actor(token=ada.token), "ada", Delete())
    assert over(world) == {wiki.id}


def test_the_token_alone_that_a_person_ends_is_told_too(world: World) -> None:
    ada, wiki = world.account(), Relying(world)
    wiki.tokens(world.browser(ada))
    shown = world.site.directory.sessions(Actor(token=ada.token), "ada")
    one = next(each for each in shown if not each.current)
    world.site.directory.apply(Actor(token=ada.token), "ada", EndSessions(session=one.id))
    assert over(world) == {wiki.id}


def test_what_is_idle_or_over_by_itself_is_told_nobody(world: World) -> None:
    ada, wiki = world.account(), Relying(world)
    wiki.tokens(world.browser(ada))
    world.place.clock.move(hours=2)
    world.place.store.sweep(at=world.place.clock.now)
    assert over(world) == set()


@pytest.mark.parametrize("swept", [True, False])
@pytest.mark.parametrize("signs_out", [True, False])
def test_ending_everything_is_told_to_who_goes_on_after_an_idle_session(world: World, *, swept: bool, signs_out: bool) -> None:
    ada, wiki, later = world.account(), Relying(world), Relying(world, "later")
    files = Relying(world, "files")
    wiki.tokens(world.browser(ada))
    files.tokens(world.browser(world.account("bob")))
    world.place.clock.move(hours=2)
    if swept:
        world.place.store.sweep(at=world.place.clock.now)
    person = Person(world.place, "ada")
    person.with_password()
    if signs_out:
        world.site.directory.sign_out(person.actor, everywhere=True)
    else:
        person.do(EndSessions(all=True))
    world.place.clock.move(seconds=1)
    person.with_password()
    later.tokens(as_signed_in(person, world.browser()))
    assert over(world) == {wiki.id}


def test_an_operator_who_ends_everything_is_heard_where_no_session_is_left(world: World) -> None:
    ada, wiki = world.account(), Relying(world)
    wiki.tokens(world.browser(ada))
    world.place.clock.move(hours=2)
    world.site.directory.apply(world.place.operator(), "ada", EndSessions(all=True))
    assert over(world) == {wiki.id}


def test_who_goes_on_for_a_month_is_told_for_a_month(world: World) -> None:
    """must hold 7: what is over by itself is not the session that was agreed in, but what was given."""
    ada, wiki = world.account(), Relying(world)
    token = wiki.tokens(world.browser(ada), scope="openid offline_access")["refresh_token"]
    person = Person(world.place, "ada")
    for _ in range(2):
        world.place.clock.move(days=10)
        world.place.store.sweep(at=world.place.clock.now)
        token = wiki.refresh(token).json()["refresh_token"]
    person.with_password()
    person.add_app()
    person.do(RemoveMethodNamed(method=next(one.id for one in person.view.methods if one.kind == "totp")))
    assert over(world) == set()  # the browser's session of then is over by itself, and that of the program is not
    (offline,) = (one for one in world.site.directory.sessions(person.actor, "ada") if one.kind == SessionKind.OFFLINE)
    person.do(EndSessions(session=offline.id))
    assert over(world) == {wiki.id}


def test_a_family_that_ends_with_its_method_is_told_on_the_second_day(world: World) -> None:
    """must hold 7."""
    ada, wiki = world.account(), Relying(world)
    person, key = with_key(world, ada)
    here = person.elsewhere()
    here.with_key(key)
    wiki.tokens(as_signed_in(here, world.browser()), scope="openid offline_access")
    world.place.clock.move(hours=25)
    world.place.store.sweep(at=world.place.clock.now)
    person = Person(world.place, "ada")
    person.with_password()
    person.with_key(key)
    person.do(RemoveMethodNamed(method=next(one.id for one in person.view.methods if one.kind == "security-key")))
    assert over(world) == {wiki.id}


def test_a_code_that_is_used_twice_is_in_the_trail_and_told(world: World) -> None:
    """must hold 8: RFC 6749 §4.1.2; somebody stole it, and nobody knows which of the two."""
    wiki, browser = Relying(world), world.browser(world.account())
    code = wiki.code(browser, scope="openid offline_access")
    tokens = wiki.exchange(code).json()
    assert wiki.exchange(code).json()["error"] == "invalid_grant"
    assert not wiki.is_active(tokens["access_token"])
    (event,) = (one for one in world.place.store.events() if one.event == "reuse-code")
    assert (event.account, event.details["client"], event.place) == ("ada", wiki.id, "203.0.113.7")
    assert len(event.details["sessions"].split(",")) == 2
    assert over(world) == {wiki.id}
    assert wiki.exchange(code).status_code == 400
    assert [one.event for one in world.place.store.events()].count("reuse-code") == 1


def test_what_is_taken_back_while_it_is_given_is_in_the_trail(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """must hold 8: and nobody is told of what nobody got."""
    wiki, browser = Relying(world), world.browser(world.account())
    code = wiki.code(browser)
    monkeypatch.setattr(giving, "_still_wanted", lambda *_: False)
    assert wiki.exchange(code).json()["error"] == "invalid_grant"
    (event,) = (one for one in world.place.store.events() if one.event == "end-session")
    assert event.details["client"] == wiki.id
    assert over(world) == set()


def test_an_old_copy_that_is_put_back_ends_everything_from_before(tmp_path: Path) -> None:
    """must hold 7 and 13: all sessions are void, so programs are told; of what was given since then they are not."""
    place = on_disk(tmp_path)
    with closing(World(place)) as world:
        wiki = Relying(world)
        wiki.tokens(world.browser(world.account()))
        place.clock.move(minutes=1)
        place.store.take_for_old_copy(at=place.clock.now)
        place.clock.move(minutes=1)
        assert over(world) == {wiki.id}
        (before,) = given.of(place.parts, place.store.read_named("ada").account.id)
        signed_in = world.site.directory.sign_in(Actor(place="203.0.113.7"), "ada", password())
        assert isinstance(signed_in, SignedIn)
        Relying(world, "wiki anew").tokens(world.browser(signed_in))
        endings = tuple(between(place.store, place.clock.now - timedelta(hours=12)))
        told = [held.given.session for ending in endings for held in given.ended_by(place.parts, ending)]
        assert told == [before.given.session]


def test_who_cannot_be_told_is_told_for_a_day(world: World) -> None:
    """must hold 7: a program that is away, such as for a new version, hears of it when it is back."""
    ada, wiki = world.account(), Relying(world)
    wiki.tokens(world.browser(ada))
    parts, clock = world.place.parts, world.place.clock
    (held,) = given.of(parts, ada.account_id)
    claimed = given.claim(parts, held)
    waits = []
    while claimed is not None:
        wait = given.tell_later(parts, claimed)
        if wait is None:
            break
        waits.append(wait)
        clock.move(seconds=wait.total_seconds() - 1)
        world.place.store.sweep(at=clock.now)
        assert given.left_behind(parts) == ()
        clock.move(seconds=1)
        (left,) = given.left_behind(parts)
        claimed = given.claim(parts, left)
    assert waits[:4] == list(given.AGAIN_AFTER)
    assert timedelta(hours=24) <= sum(waits, timedelta()) < timedelta(hours=25)
    assert tuple(given.of(parts, ada.account_id)) == ()


def test_one_process_tells(world: World) -> None:
    """The other one, which read the same, gets nothing to tell."""
    ada, wiki = world.account(), Relying(world)
    wiki.tokens(world.browser(ada))
    parts = world.place.parts
    (held,) = given.of(parts, ada.account_id)
    claimed = given.claim(parts, held)
    assert claimed is not None
    assert given.claim(parts, held) is None
    assert given.claim(parts, claimed) is None
    assert given.left_behind(parts) == ()
    world.place.clock.move(seconds=60)
    (left,) = given.left_behind(parts)
    again = given.claim(parts, left)
    assert again is not None
    given.forget(parts, claimed)  # the first one, that was only slow, takes nothing away
    assert len(tuple(given.of(parts, ada.account_id))) == 1
    given.forget(parts, again)
    assert tuple(given.of(parts, ada.account_id)) == ()
