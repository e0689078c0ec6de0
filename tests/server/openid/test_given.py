"""Which endings are of a session that a program was given something in; idle sessions and other people's are none."""

from __future__ import annotations

from datetime import timedelta

from passless.actions.endings import between
from passless.domain.requests import Delete, EndSessions, RemoveMethodNamed
from passless.ports.directory import Actor
from passless.server.openid import given
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
    world.place.clock.move(seconds=61)
    (left,) = given.left_behind(parts)
    again = given.claim(parts, left)
    assert again is not None
    given.forget(parts, claimed)  # the first one, that was only slow, takes nothing away
    assert len(tuple(given.of(parts, ada.account_id))) == 1
    given.forget(parts, again)
    assert tuple(given.of(parts, ada.account_id)) == ()
