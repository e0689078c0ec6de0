"""nginx's auth_request with the snippets that `relying-party add` writes: Basic, and browsers at both kinds of sites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.oauth.world import Fields
from tests.server.serving import check_all_logs, keep_secret, leaked
from tests.strangers.registering import on_host
from tests.strangers.web import attacks
from tests.strangers.web.guarded import FORGED, Guarded, basic, cookies, front, nginx, seen, site

PAGE = {"Accept": "text/html,*/*"}
GUESS = "abcd efgh ijkl mnop qrst uvwx"


class Place:
    """All of it, running."""

    def __init__(self, guarded: Guarded, log: Path) -> None:
        self.guarded = guarded
        self.log = log
        self.ada = guarded.person("ada")
        self.web = self.ada.new_app_password("web")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    guarded = Guarded(tmp_path_factory.mktemp("nginx"))
    try:
        there = guarded.register("web", "--redirect-uri", f"{guarded.site}/.passless/callback")
        here = guarded.register("here")
        own = (
            f"include {here}/passless-here-nginx-server.conf;"
            f" location /wiki {{ include {here}/passless-here-nginx-location.conf;"
            f" proxy_pass http://127.0.0.1:{guarded.backend.server_port}; }}"
        )
        settings = front(guarded, own) + site(guarded, there, "web")
        with nginx(guarded, {"web": there, "here": here}, settings) as log:
            yield Place(guarded, log)
    finally:
        guarded.close()


def test_an_app_password_opens_the_site_and_the_site_learns_who_it_is_and_nothing_else(place: Place) -> None:
    guarded = place.guarded
    with guarded.browser(**FORGED) as script:
        headers = seen(script.get(f"{guarded.site}/page?a=b", headers=basic("ADA", place.web)))
    assert headers["remote-user"] == "ada"
    assert headers["passless-method"] == "app-password"
    assert headers["passless-account-id"] not in ("", "root")
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert not {"authorization", "cookie", "passless-acr", "passless-amr", "passless-auth-time"} & set(headers)


def test_names_of_other_letters_arrive_in_utf_8(place: Place) -> None:
    zoe = place.guarded.person("Zoë Ångström")
    secret = zoe.new_app_password("web")
    with place.guarded.browser() as script:
        got = seen(script.get(place.guarded.site, headers=basic("zoë ångström", secret)))["remote-user"]
    assert got.encode("latin-1").decode() == "Zoë Ångström"


def test_wrong_ones_stay_out(place: Place) -> None:
    guarded, ada = place.guarded, place.ada
    revoked, mail = ada.new_app_password("revoked"), ada.new_app_password("mail", services=["imap"])
    eve = guarded.person("eve").new_app_password()
    with guarded.browser(**FORGED) as script:
        assert script.get(guarded.site, headers=basic("ada", revoked)).status_code == 200
        ada.revoke("revoked")
        for name, secret in (("ada", GUESS), ("ada", revoked), ("ada", mail), ("ada", eve), ("root", place.web), ("", "")):
            for method in ("GET", "POST", "HEAD", "DELETE"):
                answer = script.request(method, f"{guarded.site}/page", headers=basic(name, secret))
                assert answer.status_code == 401, (name, method)
                assert answer.headers["www-authenticate"] == 'Basic realm="web", charset="UTF-8"'
                assert "The site" not in answer.text
        assert script.get(f"{guarded.site}/.passless/check", headers=basic("ada", place.web)).status_code == 404
        assert script.get(f"{guarded.site}/open").status_code == 200


def test_who_guesses_waits_where_they_are_and_nobody_else_does(place: Place) -> None:
    guarded = place.guarded
    short = place.ada.new_app_password("short", short=True)
    wrong = basic("ada", "aaaa bbbb cccc dddd")
    with guarded.browser(at="127.0.0.2") as guesser, guarded.browser(at="127.0.0.3") as other:
        for number in range(10):
            forged = {"X-Forwarded-For": f"198.51.100.{number}"}
            assert guesser.get(guarded.site, headers=wrong | forged).status_code == 401
        assert guesser.get(guarded.site, headers=basic("ada", short)).status_code == 401
        assert guesser.get(guarded.site, headers=basic("ada", place.web)).status_code == 200
        assert other.get(guarded.site, headers=basic("ada", short)).status_code == 200
    events = place.ada.caller.get("/events?account=me")["items"]
    assert {one["place"] for one in events if one["event"] == "check-app-password"} >= {"127.0.0.2"}


def test_a_browser_is_sent_to_sign_in_and_a_script_is_not(place: Place) -> None:
    guarded = place.guarded
    with guarded.browser() as browser:
        answer = browser.get(f"{guarded.site}/page?a=b&c=d", headers=PAGE)
        assert (answer.status_code, answer.headers["location"]) == (302, "/.passless/sign-in?to=/page?a=b&c=d")
        answer = browser.get(f"{guarded.url}/wiki/x?a=b", headers=PAGE)
        assert (answer.status_code, answer.headers["location"]) == (302, f"{guarded.url}/auth/here/sign-in?to=/wiki/x?a=b")
        for address in (guarded.site, f"{guarded.url}/wiki"):
            assert browser.get(address).status_code == 401
            assert browser.get(address, headers=PAGE | basic("ada", GUESS)).status_code == 401


def test_at_the_servers_own_address_its_session_counts_and_the_site_never_sees_it(place: Place) -> None:
    guarded = place.guarded
    person = guarded.person("carol")
    token = person.caller.token
    with guarded.browser(Cookie=f"a=b; __Host-passless-session={token}; c=d") as browser:
        headers = seen(browser.get(f"{guarded.url}/wiki"))
        assert headers["remote-user"] == "carol"
        assert headers["cookie"] == "a=b; c=d"
        assert headers["passless-method"] == "session"
        assert browser.get(guarded.site, headers=PAGE).status_code == 302
        sent = browser.get(f"{guarded.url}/auth/here/sign-in?to=/wiki/x?a=b&c=d", headers=PAGE)
        assert sent.headers["location"] == "/wiki/x?a=b&c=d"
        person.caller.ask("POST", "/sign-out", {})
        assert browser.get(f"{guarded.url}/wiki").status_code == 401


def test_no_cookie_of_passless_reaches_the_site_whichever_relying_party_it_is_of(place: Place) -> None:
    """A relying party that was removed and added anew has another id, and a sign-in under way a cookie of its own."""
    guarded, headers = place.guarded, basic("ada", place.web)
    with guarded.browser() as browser:
        for address in (guarded.site, f"{guarded.url}/wiki"):
            for sent in cookies():
                got = seen(browser.get(address, headers=headers | {"Cookie": sent})).get("cookie", "")
                kept = [one for one in got.split(";") if one.strip()]
                assert "pls_secret" not in got, sent
                assert [one.strip() for one in kept] == [one.strip() for one in sent.split(";") if "pls_secret" not in one], (
                    sent
                )
            many = "; ".join(f"passless-site-{number}=pls_secret; a{number}=1" for number in range(20))
            assert "pls_secret" not in str(seen(browser.get(address, headers=headers | {"Cookie": many})))


def test_a_browser_signs_in_to_another_origin_and_out_again(place: Place) -> None:
    guarded = place.guarded
    person = guarded.person("dave")
    with guarded.browser(**PAGE) as browser:
        browser.cookies.set("__Host-passless-session", person.caller.token, domain="localhost.local", path="/")
        first = browser.get(f"{guarded.site}/page?a=b", follow_redirects=True)
        assert first.url.path == "/oauth/authorize", first.text
        assert "web" in first.text
        form = {**Fields(first.text).hidden, "answer": "approve"}
        headers = {"Origin": guarded.url, "Sec-Fetch-Site": "same-origin"}
        back = browser.post(f"{guarded.url}/oauth/authorize", data=form, headers=headers, follow_redirects=True)
        assert str(back.url) == f"{guarded.site}/page?a=b"
        got = seen(back)
        assert got["remote-user"] == "dave"
        assert got["passless-acr"] == "2"
        assert "passless-site" not in got.get("cookie", "")
        held = [one for one in browser.cookies.jar if one.domain == "127.0.0.1"]
        assert [one.name.rpartition("-")[0] for one in held] == ["__Host-passless-site"]
        keep_secret(str(held[0].value))
        assert held[0].secure
        assert seen(browser.post(f"{guarded.site}/page", content=b"x" * 100_000))["remote-user"] == "dave"
        out = browser.get(
            f"{guarded.site}/.passless/sign-out", headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=True
        )
        assert str(out.url) == f"{guarded.url}/auth/web/signed-out"
        assert not [one for one in browser.cookies.jar if one.domain == "127.0.0.1"]
        with guarded.browser(Cookie=f"{held[0].name}={held[0].value}") as thief:
            assert thief.get(guarded.site).status_code == 401
    assert not leaked(place.log.read_bytes())


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
