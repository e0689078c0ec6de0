"""A link from a terminal lets one browser add one passkey, where nobody is signed in and perhaps nobody could."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import httpx
import pytest

from passless.domain.errors import CannotDoThat, PasslessError, WrongUse
from passless.domain.methods import Kind
from passless.domain.requests import Answer, Enrol
from passless.domain.secret import Secret
from passless.domain.views import SignedIn
from passless.ports.directory import Actor, Operator
from passless.server.pages.enrolling import free
from tests.directories.place import Place
from tests.directories.security_key import SecurityKey
from tests.server.pages.world import Browser, World

OPTIONS = re.compile(r'data-options="([^"]*)"')


@pytest.fixture
def new(world: World) -> SignedIn:
    """An account that was made just now, without a password: nothing signs in to it yet."""
    return world.account("ada", password=None)


def link(world: World, who: SignedIn, **more: str) -> str:
    """Return what the terminal shows, and what stands at its end."""
    made = world.directory.enrol_link(Actor(token=who.token), who.account_id, Enrol(kind=Kind.PASSKEY, **more))
    address, _, secret = made.link.reveal().partition("#")
    assert address == f"{world.url}/enrol/here"
    assert made.expires_at == world.place.clock.now + timedelta(minutes=10)
    return secret


def opened(browser: Browser, secret: str) -> httpx.Response:
    return browser.fill(browser.get("/enrol/here"), "/enrol/here", link=secret)


def added(browser: Browser, page: httpx.Response, key: SecurityKey | None = None, **typed: str) -> httpx.Response:
    """Do what the script of the page does."""
    found = OPTIONS.search(page.text)
    assert found is not None, page.text
    response = (key or SecurityKey()).register(html.unescape(found[1]).encode(), browser.url)
    return browser.fill(page, "/enrol/here/passkey", response=response.reveal(), device="this computer", **typed)


def methods(world: World, who: SignedIn) -> list[tuple[str, str]]:
    view = world.directory.read(Actor(token=who.token), who.account_id)
    return [(method.kind, method.name) for method in view.methods]


def test_an_account_that_nothing_signs_in_to_gets_its_passkey(world: World, new: SignedIn, browser: Browser) -> None:
    page = opened(browser, link(world, new, name="laptop"))
    assert page.status_code == 200
    assert "<strong>ada</strong>" in page.text
    assert 'value="laptop"' in page.text
    done = added(browser, page, name="laptop")
    assert done.status_code == 200, done.text
    assert "The passkey is added." in done.text
    assert methods(world, new) == [("passkey", "laptop")]
    assert not any("session" in name for name in browser.cookies), "nobody is signed in in that browser"
    assert browser.get("/").status_code == 303


def test_a_browser_proves_nothing_for_the_session_that_made_the_link(world: World, new: SignedIn, browser: Browser) -> None:
    """must hold 6: whoever copied its token has nothing of what was done elsewhere."""
    added(browser, opened(browser, link(world, new)))
    view = world.directory.read(Actor(token=new.token), new.account_id)
    assert view.session is not None
    assert view.session.strength == 1, "the making of the account, as before"


def test_a_link_is_good_once_in_whichever_browser(world: World, new: SignedIn, browser: Browser) -> None:
    """must hold 5 and 12"""
    secret = link(world, new)
    page = opened(browser, secret)
    assert opened(world.browser(), secret).status_code == 401
    assert opened(browser, secret).status_code == 401
    assert added(browser, page).status_code == 200
    again = added(browser, page, SecurityKey(2))
    assert again.status_code == 401
    assert "used already" in again.text
    assert len(methods(world, new)) == 1


def test_what_one_browser_opened_no_other_finishes(world: World, new: SignedIn, browser: Browser) -> None:
    """must hold 5"""
    page = opened(browser, link(world, new))
    other = world.browser()
    token = re.search(r'name="form-token" value="([^"]*)"', other.get("/enrol/here").text)
    assert token is not None
    assert added(other, page, **{"form-token": token[1]}).status_code == 401
    assert methods(world, new) == []


@pytest.mark.parametrize("as_whom", ["nobody", "the terminal"])
def test_the_interface_does_not_finish_what_a_link_began(world: World, new: SignedIn, browser: Browser, as_whom: str) -> None:
    """must hold 5"""
    page = opened(browser, link(world, new))
    ceremony = re.search(r'name="ceremony" value="([^"]*)"', page.text)
    assert ceremony is not None
    actor = Actor() if as_whom == "nobody" else Actor(token=new.token)
    with pytest.raises(PasslessError) as caught:
        world.directory.finish(actor, ceremony[1], Answer(kind=Kind.PASSKEY, text=Secret("{}")))
    assert caught.value.code == "no-such-ceremony"


def test_a_link_is_good_for_ten_minutes(world: World, new: SignedIn, browser: Browser) -> None:
    """security.md, pairing link"""
    secret = link(world, new)
    world.place.clock.move(minutes=10)
    assert opened(browser, secret).status_code == 401


def test_a_link_ends_with_the_session_that_made_it(world: World, new: SignedIn, browser: Browser) -> None:
    """must hold 7"""
    before, after = link(world, new), None
    after = link(world, new)
    assert opened(browser, before).status_code == 401, "a newer link takes the place of the one before"
    page = opened(browser, after)
    assert page.status_code == 200
    world.directory.sign_out(Actor(token=new.token))
    assert added(browser, page).status_code == 401
    other = world.account("zoe")
    secret = link(world, other)
    world.directory.sign_out(Actor(token=other.token))
    assert opened(world.browser(), secret).status_code == 401


def test_a_link_needs_a_fresh_proof_and_so_does_its_end(world: World, new: SignedIn, browser: Browser) -> None:
    """must hold 6"""
    page = opened(browser, link(world, new))
    world.place.clock.move(minutes=4)
    secret = link(world, new)
    world.place.clock.move(minutes=6)
    assert opened(browser, secret).status_code != 200
    assert added(browser, page).status_code != 200
    assert methods(world, new) == []
    with pytest.raises(PasslessError, match="proof"):
        link(world, new)


def test_a_link_adds_a_passkey_and_nothing_else(world: World, new: SignedIn) -> None:
    with pytest.raises(WrongUse) as caught:
        world.directory.enrol_link(Actor(token=new.token), new.account_id, Enrol(kind=Kind.TOTP))
    assert caught.value.code == "only-passkeys"


def test_nobody_makes_a_link_for_somebody_else(world: World, new: SignedIn) -> None:
    """must hold 9"""
    desk = world.account("desk")
    world.make_operator(desk.account_id)
    actors = (
        Actor(),
        Actor(token=world.account("zoe").token),
        Actor(token=desk.token, operator=Operator(reason="they asked")),
    )
    for actor in actors:
        with pytest.raises(PasslessError):
            world.directory.enrol_link(actor, new.account_id, Enrol(kind=Kind.PASSKEY))


def test_an_embedded_store_makes_no_links(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.directories.place import in_memory

    place: Place = in_memory(tmp_path_factory.mktemp("embedded"))
    with pytest.raises(CannotDoThat):
        place.directory.enrol_link(Actor(), "ada", Enrol(kind=Kind.PASSKEY))
    place.close()


def test_a_wrong_answer_is_told_and_tried_again_in_the_same_browser(world: World, new: SignedIn, browser: Browser) -> None:
    page = opened(browser, link(world, new))
    again = browser.fill(page, "/enrol/here/passkey", response="{}", device="phone", name="mine")
    assert again.status_code == 422
    assert 'role="alert"' in again.text
    assert 'value="mine"' in again.text
    assert added(browser, page).status_code == 401, "the first challenge is over"
    assert added(browser, again).status_code == 200
    assert len(methods(world, new)) == 1


def test_the_trail_says_where_the_passkey_was_added_and_that_a_link_was_used(
    world: World, new: SignedIn, browser: Browser
) -> None:
    """must hold 8"""
    secret = link(world, new)
    added(browser, opened(browser, secret))
    events = [one for one in world.place.store.events(None) if one.event == "add-method"]
    assert [(one.actor, one.place, one.details["through"]) for one in events] == [("ada", "203.0.113.7", "link")]
    assert secret not in str(list(world.place.store.events(None)))


@pytest.mark.parametrize("secret", ["", "x", "ple_" + "A" * 43, "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")])
def test_what_is_no_link_opens_nothing(world: World, browser: Browser, secret: str) -> None:
    assert opened(browser, secret).status_code == 401


def test_a_page_elsewhere_opens_no_link(world: World, new: SignedIn, browser: Browser) -> None:
    """must hold 11"""
    secret = link(world, new)
    page = browser.get("/enrol/here")
    sent = browser.send("/enrol/here", {"link": secret}, **{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 200
    assert sent.status_code in (401, 403)
    assert opened(browser, secret).status_code == 200


def test_a_browser_says_what_kind_of_thing_it_is_on(world: World, new: SignedIn, browser: Browser) -> None:
    browser.http.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64)"
    assert 'name="device" value="Linux computer"' in opened(browser, link(world, new)).text


def test_another_computer_is_not_proposed_the_name_of_the_first() -> None:
    assert free("Linux computer", ()) == "Linux computer"
    assert free("Linux computer", ("phone", "linux Computer")) == ""
