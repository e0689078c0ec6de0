"""Traefik's forwardAuth with the file that `relying-party add` writes, in front of the site and of the server itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.server.oauth.world import Fields
from tests.server.serving import check_all_logs, keep_secret, leaked
from tests.strangers.registering import on_host
from tests.strangers.web import attacks
from tests.strangers.web.guarded import FORGED, THEIRS, Guarded, basic, cookies, seen
from tests.strangers.web.traefik import FRONT, SITE, traefik

PAGE = {"Accept": "text/html,*/*"}
GUESS = "abcd efgh ijkl mnop qrst uvwx"
ROUTERS: dict[str, dict[str, Any]] = {
    "server": {"rule": "Host(`localhost`)", "entryPoints": [FRONT], "service": "server"},
    "wiki": {
        "rule": "Host(`localhost`) && PathPrefix(`/wiki`)",
        "entryPoints": [FRONT],
        "service": "site",
        "middlewares": ["here-passless@file"],
    },
    "site": {"rule": "Host(`127.0.0.1`)", "entryPoints": [SITE], "service": "site", "middlewares": ["web-passless@file"]},
    "public": {
        "rule": "Host(`127.0.0.1`) && (Path(`/open`) || PathPrefix(`/public/`))",
        "entryPoints": [SITE],
        "service": "site",
    },
}


class Place:
    """All of it, running."""

    def __init__(self, guarded: Guarded, log: Path) -> None:
        self.guarded = guarded
        self.log = log
        self.ada = guarded.person("ada")
        self.web = self.ada.new_app_password("web")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    guarded = Guarded(tmp_path_factory.mktemp("traefik"))
    try:
        there = guarded.register("web", "--redirect-uri", f"{guarded.site}/.passless/callback")
        here = guarded.register("here")
        with traefik(guarded, (there, here), ROUTERS) as log:
            yield Place(guarded, log)
    finally:
        guarded.close()


def test_an_app_password_opens_the_site_and_the_site_learns_who_it_is_and_nothing_else(place: Place) -> None:
    guarded = place.guarded
    zoe = guarded.person("Zoë Ångström")
    with guarded.browser(**FORGED) as script:
        headers = seen(script.get(f"{guarded.site}/page?a=b", headers=basic("ADA", place.web)))
        name = seen(script.get(guarded.site, headers=basic("zoë ångström", zoe.new_app_password("web"))))["remote-user"]
    assert name.encode("latin-1").decode() == "Zoë Ångström"
    assert headers["remote-user"] == "ada"
    assert headers["passless-method"] == "app-password"
    assert headers["passless-account-id"] not in ("", "root")
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert not {"authorization", "cookie"} & set(headers)
    assert not [name for name in ("passless-acr", "passless-amr", "passless-auth-time") if headers.get(name)]


def test_wrong_ones_stay_out(place: Place) -> None:
    """Must hold 3 and 7."""
    guarded, ada = place.guarded, place.ada
    revoked, mail = ada.new_app_password("revoked"), ada.new_app_password("mail", services=["imap"])
    eve = guarded.person("eve").new_app_password()
    with guarded.browser(**FORGED) as script:
        assert script.get(guarded.site, headers=basic("ada", revoked)).status_code == 200
        ada.revoke("revoked")
        for name, secret in (("ada", GUESS), ("ada", revoked), ("ada", mail), ("ada", eve), ("root", place.web), ("", "")):
            for method in ("GET", "POST", "HEAD", "DELETE"):
                answer = script.request(method, f"{guarded.site}/page", headers=basic(name, secret) | PAGE)
                assert answer.status_code == 401, (name, method)
                assert answer.headers["www-authenticate"] == 'Basic realm="web", charset="UTF-8"'
                assert "The site" not in answer.text
        assert script.get(f"{guarded.site}/.passless/check", headers=basic("ada", place.web)).status_code == 404
        assert script.get(f"{guarded.site}/open").status_code == 200


def test_nobody_who_comes_in_is_nobody_to_the_site(place: Place) -> None:
    """A proxy leaves out what `Connection` names (RFC 9110 §7.6.1); not what it added itself."""
    headers = basic("ada", place.web)
    with place.guarded.browser() as script:
        for leaves_out in ("Remote-User, close", "close, passless-account-id", "upgrade, REMOTE-USER", "X-Forwarded-For"):
            got = seen(script.get(f"{place.guarded.site}/page", headers=headers | {"Connection": leaves_out}))
            assert got["remote-user"] == "ada"
            assert got["passless-account-id"]
            assert got["x-forwarded-for"] == "127.0.0.1"


def test_who_guesses_waits_where_they_are_and_nobody_else_does(place: Place) -> None:
    guarded = place.guarded
    short = place.ada.new_app_password("short", short=True)
    with guarded.browser(at="127.0.0.2") as guesser, guarded.browser(at="127.0.0.3") as other:
        for number in range(10):
            forged = {"X-Forwarded-For": f"198.51.100.{number}", "X-Real-Ip": f"198.51.100.{number}"}
            assert guesser.get(guarded.site, headers=basic("ada", "aaaa bbbb cccc dddd") | forged).status_code == 401
        assert guesser.get(guarded.site, headers=basic("ada", short)).status_code == 401
        assert guesser.get(guarded.site, headers=basic("ada", place.web)).status_code == 200
        assert other.get(guarded.site, headers=basic("ada", short)).status_code == 200


def test_a_browser_signs_in_comes_to_the_page_that_it_wanted_and_out_again(place: Place) -> None:
    guarded = place.guarded
    person = guarded.person("dave")
    with guarded.browser(**PAGE) as browser:
        sent = browser.get(
            f"{guarded.site}/page/%C3%A4?a=b&c=/d", headers={"X-Forwarded-Uri": "/x", "X-Forwarded-Host": "x.example"}
        )
        wanted = quote("/page/%C3%A4?a=b&c=/d", safe="")
        assert (sent.status_code, sent.headers["location"]) == (302, f"{guarded.site}/.passless/sign-in?to={wanted}")
        browser.cookies.set("__Host-passless-session", person.caller.token, domain="localhost.local", path="/")
        asked = browser.get(sent.headers["location"], follow_redirects=True)
        assert asked.url.path == "/oauth/authorize", asked.text
        form = {**Fields(asked.text).hidden, "answer": "approve"}
        headers = {"Origin": guarded.url, "Sec-Fetch-Site": "same-origin"}
        back = browser.post(f"{guarded.url}/oauth/authorize", data=form, headers=headers, follow_redirects=True)
        assert str(back.url) == f"{guarded.site}/page/%C3%A4?a=b&c=/d"
        got = seen(back)
        assert (got["remote-user"], got["passless-method"], got["passless-acr"]) == ("dave", "session", "2")
        assert "cookie" not in got
        (held,) = (one for one in browser.cookies.jar if one.domain == "127.0.0.1")
        keep_secret(str(held.value))
        assert held.secure
        assert seen(browser.get(guarded.site, headers={"Authorization": "Bearer theirs"}))["authorization"] == "Bearer theirs"
        out = browser.get(
            f"{guarded.site}/.passless/sign-out", headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=True
        )
        assert str(out.url) == f"{guarded.url}/auth/web/signed-out"
        assert not [one for one in browser.cookies.jar if one.domain == "127.0.0.1"]
        with guarded.browser(Cookie=f"{held.name}={held.value}") as thief:
            assert thief.get(guarded.site).status_code == 401
    assert not leaked(place.log.read_bytes())


def test_at_the_servers_own_address_its_session_counts_and_the_site_never_sees_it(place: Place) -> None:
    guarded = place.guarded
    person = guarded.person("carol")
    with guarded.browser(Cookie=f"a=b; __Host-passless-session={person.caller.token}; c=d") as browser:
        headers = seen(browser.get(f"{guarded.url}/wiki/x"))
        assert (headers["remote-user"], headers["passless-method"]) == ("carol", "session")
        assert headers["cookie"] == "a=b; c=d"
        person.caller.ask("POST", "/sign-out", {})
        sent = browser.get(f"{guarded.url}/wiki/x?a=b&c=d", headers=PAGE)
        wanted = quote("/wiki/x?a=b&c=d", safe="")
        assert (sent.status_code, sent.headers["location"]) == (302, f"{guarded.url}/auth/here/sign-in?to={wanted}")


def test_no_cookie_of_passless_reaches_the_site_whichever_relying_party_it_is_of(place: Place) -> None:
    """Must hold 2: those of others arrive, in their order."""
    guarded, headers = place.guarded, basic("ada", place.web)
    with guarded.browser() as browser:
        for address in (guarded.site, f"{guarded.url}/wiki"):
            for sent in (*cookies(), "; ".join(f"passless-site-{number}=pls_secret; a{number}=1" for number in range(20))):
                got = seen(browser.get(address, headers=headers | {"Cookie": sent})).get("cookie", "")
                kept = [one.strip() for one in sent.split(";") if "pls_secret" not in one]
                assert got == "; ".join(kept), sent
        two = [("Cookie", "passless-session=pls_secret"), ("Cookie", THEIRS[0]), *headers.items()]
        assert seen(browser.get(guarded.site, headers=two))["cookie"] == THEIRS[0]


def test_what_a_client_says_of_itself_or_of_its_host_counts_for_nothing(place: Place) -> None:
    attacks.check_what_a_client_says_of_itself(place.guarded, place.web)
    attacks.check_what_the_site_is_told_of_its_host(place.guarded, place.web)
    attacks.check_that_two_readings_are_one(place.guarded, place.web)


def test_no_other_method_and_no_other_way_to_write_a_path_goes_around_it(place: Place) -> None:
    attacks.check_that_other_methods_are_asked_about(place.guarded)
    attacks.check_that_none_goes_around(place.guarded)


def test_bodies_and_websockets_pass_and_no_other_upgrade_does(place: Place) -> None:
    attacks.check_that_bodies_pass(place.guarded, place.web)
    attacks.check_that_it_goes_on_with_a_websocket_alone(place.guarded, place.web)


def test_a_server_that_is_down_lets_nobody_in_and_is_there_again_by_itself(place: Place) -> None:
    guarded = place.guarded
    right, wrong = basic("ada", place.web), basic("ada", GUESS)
    guarded.stop_serving()
    with guarded.browser() as script:
        for headers in (right, wrong, PAGE, {}):
            answer = script.get(guarded.site, headers=headers)
            assert answer.status_code in {500, 502, 503, 504}
            assert "www-authenticate" not in answer.headers
        guarded.served = guarded.serve()
        assert script.get(guarded.site, headers=right).status_code == 200
        assert script.get(guarded.site, headers=wrong).status_code == 401


def test_a_site_whose_relying_party_is_removed_lets_nobody_in(place: Place) -> None:
    guarded = place.guarded
    on_host(guarded.served, "relying-party", "remove", "web", "--yes")
    with guarded.browser() as script:
        assert script.get(guarded.site, headers=basic("ada", place.web)).status_code == 401
        assert script.get(f"{guarded.url}/wiki", headers=basic("ada", place.web)).status_code == 200  # another one's
    check_all_logs()
