"""Caddy's forward_auth with the snippet that `relying-party add` writes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.server.oauth.world import Fields
from tests.strangers.mail.people import Person
from tests.strangers.web import attacks
from tests.strangers.web.guarded import FORGED, Guarded, basic, caddy, cookies, seen

PAGE = {"Accept": "text/html,*/*"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    made = Guarded(tmp_path_factory.mktemp("caddy"))
    try:
        snippets = made.register("web", "--redirect-uri", f"{made.site}/.passless/callback")
        with caddy(made, snippets, "web"):
            yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def ada(guarded: Guarded) -> Person:
    return guarded.person("ada")


@pytest.fixture(scope="module")
def secret(ada: Person) -> str:
    return ada.new_app_password("lasting")


def test_an_app_password_opens_the_site_and_nobody_says_who_they_are_themselves(guarded: Guarded, ada: Person) -> None:
    secret = ada.new_app_password("web")
    with guarded.browser(**FORGED) as script:
        for name in ("ada", "ADA"):
            headers = seen(script.get(f"{guarded.site}/page", headers=basic(name, secret)))
            assert headers["remote-user"] == "ada"
            assert headers["passless-method"] == "app-password"
            assert not {"authorization", "cookie"} & set(headers)
            assert not headers.get("passless-acr")
        for wrong in (basic("ada", "abcd efgh ijkl mnop qrst uvwx"), basic("root", secret), {}):
            answer = script.get(f"{guarded.site}/page", headers=wrong)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Basic ")
            assert "The site" not in answer.text
        ada.revoke("web")
        assert script.get(guarded.site, headers=basic("ada", secret)).status_code == 401


def test_nobody_who_comes_in_is_nobody_to_the_site(guarded: Guarded) -> None:
    """A proxy leaves out what `Connection` names (RFC 9110 §7.6.1), and what was added on the way too."""
    headers = basic("fay", guarded.person("fay").new_app_password("web"))
    with guarded.browser() as script:
        for leaves_out in ("Remote-User, close", "close, passless-account-id", "upgrade, REMOTE-USER"):
            got = seen(script.get(f"{guarded.site}/page", headers=headers | {"Connection": leaves_out}))
            assert got["remote-user"] == "fay"
            assert got["passless-account-id"]


def test_who_guesses_waits_where_they_are(guarded: Guarded) -> None:
    ada = guarded.person("bob")
    short = basic("bob", ada.new_app_password("short", short=True))
    with guarded.browser(at="127.0.0.2", **FORGED) as guesser, guarded.browser(at="127.0.0.3") as other:
        for _ in range(10):
            assert guesser.get(guarded.site, headers=basic("bob", "aaaa bbbb cccc dddd")).status_code == 401
        assert guesser.get(guarded.site, headers=short).status_code == 401
        assert other.get(guarded.site, headers=short).status_code == 200


def test_a_browser_signs_in_and_comes_to_the_page_that_it_wanted(guarded: Guarded) -> None:
    person = guarded.person("dave")
    with guarded.browser(**PAGE) as browser:
        sent = browser.get(f"{guarded.site}/page?a=b&c=d")
        wanted = quote("/page?a=b&c=d", safe="")
        assert (sent.status_code, sent.headers["location"]) == (302, f"{guarded.site}/.passless/sign-in?to={wanted}")
        browser.cookies.set("__Host-passless-session", person.caller.token, domain="localhost.local", path="/")
        asked = browser.get(sent.headers["location"], follow_redirects=True)
        assert asked.url.path == "/oauth/authorize", asked.text
        form = {**Fields(asked.text).hidden, "answer": "approve"}
        headers = {"Origin": guarded.url, "Sec-Fetch-Site": "same-origin"}
        back = browser.post(f"{guarded.url}/oauth/authorize", data=form, headers=headers, follow_redirects=True)
        assert str(back.url) == f"{guarded.site}/page?a=b&c=d"
        got = seen(browser.get(f"{guarded.site}/page", headers={"Cookie": _with(browser, "theirs=1")}))
        assert got["remote-user"] == "dave"
        (token,) = (one.value for one in browser.cookies.jar if one.domain == "127.0.0.1")
        assert str(token) not in str(got)
        assert "hidden" in got["cookie"]
        assert "theirs=1" in got["cookie"]
        assert browser.get(f"{guarded.site}/.passless/sign-out", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
        assert browser.get(f"{guarded.site}/page").status_code == 302


def test_no_cookie_of_passless_reaches_the_site_whichever_relying_party_it_is_of(guarded: Guarded) -> None:
    """Caddy leaves their names, and no value."""
    headers = basic("gil", guarded.person("gil").new_app_password("web"))
    with guarded.browser() as browser:
        for sent in cookies():
            got = seen(browser.get(guarded.site, headers=headers | {"Cookie": sent}))["cookie"]
            assert "pls_secret" not in got, sent
            wanted = [one if "pls_secret" not in one else f"{one.partition('=')[0]}=hidden" for one in sent.split(";")]
            assert got.split(";") == wanted


def test_what_a_client_says_of_itself_or_of_its_host_counts_for_nothing(guarded: Guarded, secret: str) -> None:
    attacks.check_what_a_client_says_of_itself(guarded, secret)
    attacks.check_what_the_site_is_told_of_its_host(guarded, secret)
    attacks.check_that_two_readings_are_one(guarded, secret)


def test_no_other_method_and_no_other_way_to_write_a_path_goes_around_it(guarded: Guarded) -> None:
    attacks.check_that_other_methods_are_asked_about(guarded)
    attacks.check_that_none_goes_around(guarded)


def test_bodies_and_websockets_pass_and_no_other_upgrade_does(guarded: Guarded, secret: str) -> None:
    attacks.check_that_bodies_pass(guarded, secret)
    attacks.check_that_it_goes_on_with_a_websocket_alone(guarded, secret)


def test_a_server_that_is_down_lets_nobody_in_and_is_there_again_by_itself(guarded: Guarded) -> None:
    secret = guarded.person("eve").new_app_password("web")
    guarded.stop_serving()
    with guarded.browser() as script:
        for headers in (basic("eve", secret), PAGE, {}):
            assert script.get(guarded.site, headers=headers).status_code in {502, 503}
        guarded.served = guarded.serve()
        assert script.get(guarded.site, headers=basic("eve", secret)).status_code == 200


def _with(browser: object, more: str) -> str:
    held = [f"{one.name}={one.value}" for one in browser.cookies.jar if one.domain == "127.0.0.1"]  # type: ignore[attr-defined]
    return "; ".join((*held, more))
