"""Cookies: out of reach of scripts and other hosts, and other ones after every sign-in and sign-out."""

from __future__ import annotations

from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from passless.domain.views import SignedIn
from tests.server.pages.world import Browser, World

SESSION, VISIT, ACCOUNTS = "__Host-passless-session", "__Host-passless-visit", "__Host-passless-accounts"


def set_by(answer: httpx.Response) -> dict[str, SimpleCookie]:
    """Return the cookies that an answer sets, each with what stands beside it."""
    found = {}
    for header in answer.headers.get_list("set-cookie"):
        cookie = SimpleCookie(header)
        found |= dict.fromkeys(cookie, cookie)
    return found


def test_cookies_are_kept_from_scripts_other_hosts_and_plain_connections(ada: SignedIn, browser: Browser) -> None:
    """must hold 11"""
    visit = set_by(browser.get("/sign-in"))
    session = set_by(browser.sign_in())
    assert set(session) >= {SESSION, VISIT, ACCOUNTS}
    for name, cookie in (*visit.items(), *session.items()):
        said = cookie[name]
        assert name.startswith("__Host-")
        assert said["httponly"], name
        assert said["secure"], name
        assert (said["samesite"], said["path"], said["domain"]) == ("lax", "/", ""), name
    assert session[SESSION][SESSION]["max-age"] == "", "the session goes with the browser"


def test_plain_http_is_for_localhost_whose_cookies_say_so(tmp_path: Path) -> None:
    world = World(tmp_path, url="http://app.localhost:8080")
    try:
        said = set_by(world.browser().get("/sign-in"))
        assert list(said) == ["passless-visit"]
        assert not said["passless-visit"]["passless-visit"]["secure"]
    finally:
        world.close()


def test_a_sign_in_and_a_sign_out_begin_another_visit(ada: SignedIn, browser: Browser) -> None:
    """must hold 5 and 11: a visit that somebody else planted is of no use after the sign-in (session fixation)."""
    browser.get("/sign-in")
    planted = browser.cookies[VISIT]
    browser.sign_in()
    first, session = browser.cookies[VISIT], browser.cookies[SESSION]
    assert first != planted
    page = browser.get("/")
    browser.fill(page, "/sign-out")
    assert browser.cookies[VISIT] not in {planted, first}
    assert SESSION not in browser.cookies
    browser.sign_in()
    assert browser.cookies[SESSION] != session


def test_a_session_that_somebody_planted_is_not_taken_over(world: World, ada: SignedIn, browser: Browser) -> None:
    """must hold 5: a sign-in gives a token of its own, whatever was in the browser before."""
    browser.http.cookies.set(SESSION, "pls_planted-by-somebody-else-000000000000000000", domain="passless.example", path="/")
    browser.sign_in()
    assert browser.cookies[SESSION].startswith("pls_")
    assert "planted" not in browser.cookies[SESSION]


@pytest.mark.parametrize("visit", ["", "short", "x" * 43 + "é", "a" * 400, '"quoted"'])
def test_a_visit_that_is_none_of_ours_is_replaced(browser: Browser, visit: str) -> None:
    answer = browser.get("/sign-in", Cookie=f"{VISIT}={quote(visit)}")
    assert VISIT in set_by(answer)


def test_signing_in_as_somebody_else_ends_the_session_before(world: World, signed_in: Browser) -> None:
    """must hold 7"""
    world.account("grace")
    before = signed_in.cookies[SESSION]
    page = signed_in.get("/sign-in?account=grace&with=password&another=yes")
    signed_in.fill(page, "/sign-in", secret="stately otter lantern mosaic")
    assert "grace" in signed_in.get("/").text
    other = world.browser()
    other.http.cookies.set(SESSION, before)
    assert other.get("/").status_code == 303, "nobody has that session any more"


def test_a_session_that_ended_elsewhere_asks_to_sign_in_and_comes_back(world: World, signed_in: Browser) -> None:
    """must hold 7"""
    world.place.clock.move(hours=2)
    answer = signed_in.get("/change/two-step-on")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fchange%2Ftwo-step-on"


def test_the_browser_knows_names_until_one_says_forget(world: World, signed_in: Browser) -> None:
    signed_in.fill(signed_in.get("/"), "/sign-out")
    page = signed_in.get("/sign-in")
    assert "ada" in page.text
    signed_in.fill(page, "/sign-in/forget")
    assert "ada" not in signed_in.get("/sign-in").text


def test_signing_out_can_forget_the_name_too(signed_in: Browser) -> None:
    signed_in.fill(signed_in.get("/"), "/sign-out", forget="yes")
    assert "ada" not in signed_in.get("/sign-in").text


@pytest.mark.parametrize("kept", ["W10", "e30", "not base64 at all!", "WyJhXHUyMDJlYiJd", "W251bGxd", "A" * 3000])
def test_names_that_somebody_else_wrote_are_left_out(browser: Browser, kept: str) -> None:
    answer = browser.get("/sign-in", Cookie=f"{ACCOUNTS}={quote(kept)}")
    assert answer.status_code == 200
    assert "Another account" not in answer.text
