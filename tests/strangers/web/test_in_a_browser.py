"""A person in Chromium at sites behind nginx: in, out, and pages that would like to sign them out or in as somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.server.asking import PASSWORD, Caller
from tests.server.pages.chromium import Chromium, chromium
from tests.strangers.web.guarded import Guarded, front, nginx, site


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    made = Guarded(tmp_path_factory.mktemp("browser"))
    try:
        there = made.register("web", "--redirect-uri", f"{made.site}/.passless/callback")
        here = made.register("here")
        own = (
            f"include {here}/passless-here-nginx-server.conf;"
            f" location /wiki {{ include {here}/passless-here-nginx-location.conf;"
            f" proxy_pass http://127.0.0.1:{made.backend.server_port}; }}"
        )
        with nginx(made, {"web": there, "here": here}, front(made, own) + site(made, there, "web")):
            yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("profile"), "--ignore-certificate-errors") as found:
        yield found


@pytest.fixture
def browser(guarded: Guarded, opened: Chromium) -> Chromium:
    """Return a browser in which nobody is signed in."""
    opened.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    return opened


def sign_in(guarded: Guarded, browser: Chromium, name: str) -> None:
    """Sign in on the page that the browser was sent to."""
    options = {"Host": urlsplit(guarded.url).netloc, "X-Forwarded-Proto": "https"}
    with Caller(url=guarded.upstream, name=name, headers=options) as caller:
        caller.create()
    browser.wait(lambda: browser.path.startswith("/sign-in?"), "the sign-in page")
    browser.open(browser.driver.current_url.replace("/sign-in?", f"/sign-in?account={name}&with=password&"))
    browser.find("[name=secret]").send_keys(PASSWORD)
    browser.find("[name=secret]").submit()


def test_a_person_signs_in_to_another_origin_sees_the_page_they_wanted_and_signs_out(
    guarded: Guarded, browser: Chromium
) -> None:
    browser.open(f"{guarded.site}/page?a=b&c=d")
    sign_in(guarded, browser, "frank")
    browser.wait_words("web")
    browser.find("button[name=answer][value=approve]").click()
    browser.wait_for("The site")
    assert browser.driver.current_url == f"{guarded.site}/page?a=b&c=d"
    assert '["remote-user", "frank"]' in browser.words
    (held,) = browser.driver.get_cookies()
    assert held["name"].startswith("__Host-passless-site-")
    assert (held["httpOnly"], held["secure"], held["sameSite"]) == (True, True, "Lax")
    assert str(held["value"]) not in browser.words

    browser.open(f"http://127.0.0.1:{guarded.backend.server_port}/somebody-elses-page")
    for script in (
        "location = arguments[0]",
        "document.body.innerHTML = `<img src='${arguments[0]}'>`; location = arguments[0]",
    ):
        browser.driver.execute_script(script, f"{guarded.site}/.passless/sign-out")
        browser.wait_for("Another page tried to sign you out")
        browser.open(f"{guarded.site}/page")
        browser.wait_for("The site")
        browser.open(f"http://127.0.0.1:{guarded.backend.server_port}/somebody-elses-page")

    browser.open(f"{guarded.site}/page")
    browser.driver.execute_script("location = '/.passless/sign-out'")
    browser.wait_for("You are signed out of web")
    browser.open(f"{guarded.site}/page")
    browser.wait_for("The site")  # still signed in at the server, so nobody was asked
    browser.open(f"{guarded.site}/.passless/sign-out")
    browser.press("Sign out here too")
    browser.wait(lambda: browser.path.startswith("/sign-in"), "the sign-in page")
    browser.open(f"{guarded.site}/page")
    browser.wait(lambda: browser.path.startswith("/sign-in?"), "the sign-in page")


def test_a_person_comes_to_a_site_at_the_servers_own_address(guarded: Guarded, browser: Chromium) -> None:
    browser.open(f"{guarded.url}/wiki/page?a=b")
    sign_in(guarded, browser, "grace")
    browser.wait_for("The site")
    assert browser.driver.current_url == f"{guarded.url}/wiki/page?a=b"
    assert '["remote-user", "grace"]' in browser.words
    assert "passless-session" not in browser.words
    browser.open(f"{guarded.url}/auth/here/sign-out")
    browser.wait_for("Sign out?")
    browser.press("Sign out here")
    browser.wait(lambda: browser.path.startswith("/sign-in"), "the sign-in page")
    browser.open(f"{guarded.url}/wiki/page")
    browser.wait(lambda: browser.path.startswith("/sign-in?"), "the sign-in page")


def test_a_callback_that_somebody_else_began_is_explained(guarded: Guarded, browser: Chromium) -> None:
    browser.open(f"{guarded.site}/.passless/callback?code=stolen&state=stolen&iss={guarded.url}")
    browser.wait_for("This sign-in was not begun in this browser")
    browser.press("Go back to web")
    browser.wait(lambda: browser.path.startswith("/sign-in?"), "the sign-in page")
