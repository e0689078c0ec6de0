"""What attackers try at the authorization and token endpoints (RFC 9700), and what comes of it."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

import pytest

from passless.actions.who import session_of, token_hash
from passless.domain.secret import Secret
from passless.ports.directory import Actor
from tests.server.oauth.world import CALLBACK, HTML, URL, VERIFIER, WEB_CALLBACK, Fields, World, asked, carried, challenge_of

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def holds(world: World, token: str) -> bool:
    return session_of(world.place.parts, Actor(token=Secret(token))) is not None


class TestCodes:
    def test_a_code_used_twice_ends_the_session_it_gave(self, world: World) -> None:
        """must hold 12; RFC 6749 §4.1.2."""
        code = world.browser(world.account()).agree()["code"]
        token = world.program().exchange(code).json()["access_token"]
        assert holds(world, token)
        again = world.program().exchange(code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert not holds(world, token)

    def test_a_code_lives_a_minute(self, world: World) -> None:
        code = world.browser(world.account()).agree()["code"]
        world.place.clock.move(seconds=60)
        assert world.program().exchange(code).json()["error"] == "invalid_grant"

    def test_a_code_is_of_no_use_to_another_client(self, world: World) -> None:
        other = world.register("other", public=True, redirect_uris=("http://127.0.0.1/callback",))
        code = world.browser(world.account()).agree()["code"]
        program = world.program()
        assert program.exchange(code, client_id=other.id).json()["error"] == "invalid_grant"
        assert program.exchange(code).status_code == 200  # and it was not used up by them

    def test_a_code_is_of_no_use_with_another_address(self, world: World) -> None:
        code = world.browser(world.account()).agree()["code"]
        for uri in ("http://127.0.0.1:49153/callback", "http://127.0.0.1:49152/callback/", None):
            assert world.program().exchange(code, redirect_uri=uri).json()["error"] == "invalid_grant"

    def test_a_code_is_of_no_use_once_the_browser_signed_out(self, world: World) -> None:
        ada = world.account()
        code = world.browser(ada).agree()["code"]
        world.site.directory.sign_out(Actor(token=ada.token))
        assert world.program().exchange(code).json()["error"] == "invalid_grant"

    def test_a_code_is_256_bits_and_only_its_hash_is_kept(self, world: World) -> None:
        code = world.browser(world.account()).agree()["code"]
        assert len(code) == 43
        assert code.encode() not in world.place.everything_kept()

    @pytest.mark.parametrize("code", ["", "x", "x" * 5000, "é", "\0"])
    def test_nonsense_is_no_code(self, world: World, code: str) -> None:
        answer = world.program().exchange(code)
        assert answer.status_code == 400
        assert answer.json()["error"] in ("invalid_grant", "invalid_request")


class TestProofKey:
    """PKCE with S256 for every client (RFC 9700 §2.1.1)."""

    @pytest.mark.parametrize(
        "change",
        [
            {"code_challenge": None},
            {"code_challenge": None, "code_challenge_method": None},
            {"code_challenge_method": None},
            {"code_challenge_method": "plain", "code_challenge": VERIFIER},
            {"code_challenge_method": "s256"},
            {"code_challenge": "short"},
            {"code_challenge": challenge_of(VERIFIER) + "="},
            {"code_challenge": "x" * 44},
        ],
        ids=str,
    )
    def test_no_request_goes_without_or_with_less(self, world: World, change: dict[str, str | None]) -> None:
        back = carried(world.browser(world.account()).ask(**change), to=CALLBACK)
        assert back["error"] == "invalid_request"
        assert "code" not in back

    @pytest.mark.parametrize("verifier", [None, "", "x" * 43, VERIFIER[:-1], challenge_of(VERIFIER), "short", "ü" * 50])
    def test_no_other_verifier_does(self, world: World, verifier: str | None) -> None:
        code = world.browser(world.account()).agree()["code"]
        answer = world.program().exchange(code, code_verifier=verifier)
        assert answer.status_code == 400
        assert answer.json()["error"] in ("invalid_grant", "invalid_request")

    def test_a_client_with_a_secret_needs_it_too(self, world: World) -> None:
        mail = world.register()
        browser = world.browser(world.account())
        assert mail.secret is not None
        changed = {"client_id": mail.id, "redirect_uri": WEB_CALLBACK}
        assert carried(browser.ask(**changed, code_challenge=None, code_challenge_method=None))["error"] == "invalid_request"
        code = browser.agree(**changed)["code"]
        basic = (mail.id, mail.secret.reveal())
        form = {"redirect_uri": WEB_CALLBACK, "client_id": None, "basic": basic}
        assert world.program().exchange(code, **form, code_verifier=None).status_code == 400
        assert world.program().exchange(code, **form).status_code == 200


class TestAddresses:
    """An error goes back only to an address that was registered for the client; else it is a page of ours."""

    @pytest.mark.parametrize(
        "uri",
        [
            "https://evil.example/callback",
            "http://evil.example:80/callback",
            "http://localhost:49152/callback",
            "https://127.0.0.1:49152/callback",
            "http://127.0.0.1:49152/Callback",
            "http://127.0.0.1:49152/callback/",
            "http://127.0.0.1:49152/callback/../evil",
            "http://127.0.0.1:49152/%63allback",
            "http://127.0.0.1:49152/callback?next=evil",
            "http://127.0.0.1:49152/callback#fragment",
            "http://127.0.0.1:49152@evil.example/callback",
            "http://evil@127.0.0.1:49152/callback",
            "http://127.0.0.1:49152.evil.example/callback",
            "http://127.0.0.1\\@evil.example/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:123456/callback",
            "http://127.1:49152/callback",
            "http://2130706433/callback",
            "http://0.0.0.0:49152/callback",
            "http://[::ffff:127.0.0.1]:49152/callback",
            "http://127.0.0.1:49152/callback ",
            'http://127.0.0.1:49152/"callback',
            "HTTP://127.0.0.1:49152/callback",
            "javascript:alert(1)",
            "//evil.example",
            "callback",
            None,
        ],
    )
    def test_nobody_is_sent_to_any_other(self, world: World, uri: str | None) -> None:
        for more in ({}, {"response_type": "token"}, {"code_challenge": None}):
            answer = world.browser(world.account(f"ada{len(more)}{more.get('response_type')}")).ask(redirect_uri=uri, **more)
            assert answer.status_code == 400
            assert "location" not in answer.headers
            assert answer.headers["content-type"].startswith("text/html")

    @pytest.mark.parametrize(
        "uri", ["https://mail.example:444/signed-in", "https://mail.example/signed-in?x=1", "https://MAIL.example/signed-in"]
    )
    def test_a_relying_party_gets_exactly_what_it_registered(self, world: World, uri: str) -> None:
        mail = world.register()
        assert world.browser(world.account()).ask(client_id=mail.id, redirect_uri=uri).status_code == 400

    @pytest.mark.parametrize("client_id", ["unknown", "", None, "passless-cli ", "PASSLESS-CLI", 'x"y', "../x", "é"])
    def test_a_client_that_is_none_gets_a_page(self, world: World, client_id: str | None) -> None:
        answer = world.browser(world.account()).ask(client_id=client_id)
        assert answer.status_code == 400
        assert "location" not in answer.headers

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "code token"}, "unsupported_response_type"),
            ({"response_type": None}, "unsupported_response_type"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"response_mode": "form_post"}, "invalid_request"),
            ({"scope": "everything"}, "invalid_scope"),
            ({"prompt": "none login"}, "invalid_request"),
            ({"prompt": "anything"}, "invalid_request"),
            ({"request": "eyJ"}, "request_not_supported"),
            ({"request_uri": "https://evil.example"}, "request_uri_not_supported"),
        ],
    )
    def test_what_is_not_understood_is_told_to_the_client(
        self, world: World, change: dict[str, str | None], error: str
    ) -> None:
        back = carried(world.browser(world.account()).ask(**change), to=CALLBACK)
        assert (back["error"], back["state"], back["iss"]) == (error, "opaque state", URL)

    @pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "code_challenge", "prompt", "x"])
    def test_nothing_may_be_said_twice(self, world: World, name: str) -> None:
        query = urlencode([*asked(scope="account", prompt="consent", x="1").items(), (name, "https://evil.example")])
        answer = world.browser(world.account()).http.get(f"/oauth/authorize?{query}", headers=HTML)
        assert (answer.status_code, "location" in answer.headers) == (400, False)


class TestConsent:
    """A page elsewhere cannot agree for somebody (must hold 11)."""

    def test_a_forged_form_agrees_to_nothing(self, world: World) -> None:
        browser = world.browser(world.account())
        hidden = Fields(browser.ask().text).hidden
        form = {**hidden, "answer": "approve"}
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            assert browser.post("/oauth/authorize", form, **headers).status_code == 403
        for token in ("", "x", None):
            forged = {name: value for name, value in form.items() if name != "form-token"}
            sent = forged if token is None else forged | {"form-token": token}
            assert browser.post("/oauth/authorize", sent).status_code == 403

    def test_another_visits_form_agrees_to_nothing(self, world: World) -> None:
        ada = world.account()
        hidden = Fields(world.browser(ada).ask().text).hidden
        other = world.browser(ada)
        other.ask()
        assert other.post("/oauth/authorize", {**hidden, "answer": "approve"}).status_code == 403

    def test_no_other_page_frames_it(self, world: World) -> None:
        headers = world.browser(world.account()).ask().headers
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "form-action 'self' http://127.0.0.1:49152;" in headers["content-security-policy"]

    def test_a_get_agrees_to_nothing(self, world: World) -> None:
        browser = world.browser(world.account())
        answer = browser.ask(answer="approve", passless_account="x")
        assert answer.status_code == 200
        assert "location" not in answer.headers

    def test_what_is_sent_is_checked_again(self, world: World) -> None:
        browser = world.browser(world.account())
        page = browser.ask()
        assert browser.answer(page, redirect_uri="https://evil.example/").status_code == 400
        assert browser.answer(page, answer="perhaps").status_code == 400
        assert carried(browser.answer(page, code_challenge="short"))["error"] == "invalid_request"

    def test_who_signed_in_meanwhile_is_asked_themselves(self, world: World) -> None:
        """A session that was put into somebody's browser agrees to nothing for them (session fixation)."""
        browser = world.browser(world.account())
        page = browser.ask()
        browser.sign_in(world.account("bob"))
        answer = browser.answer(page)
        assert answer.headers["location"].startswith("/oauth/authorize?")
        assert "code=" not in answer.headers["location"].replace("code_challenge", "")

    def test_who_signed_out_meanwhile_signs_in_first(self, world: World) -> None:
        ada = world.account()
        browser = world.browser(ada)
        page = browser.ask()
        world.site.directory.sign_out(Actor(token=ada.token))
        assert browser.answer(page).headers["location"].startswith("/sign-in?")


class TestTokenEndpoint:
    def test_only_posted_forms_are_read(self, world: World) -> None:
        http = world.program().http
        assert http.get("/oauth/token").status_code == 405
        assert http.put("/oauth/token", content=b"").status_code == 405
        assert http.post("/oauth/token", json={"grant_type": "authorization_code"}).status_code == 400
        assert http.post("/oauth/token?client_id=passless-cli", content=b"code=x", headers=FORM).status_code == 400
        assert http.post("/oauth/token", content=b"\xff\xfe=1", headers=FORM).status_code == 400
        assert http.post("/oauth/token", content=b"a=%ff", headers=FORM).status_code == 400
        assert http.post("/oauth/token", content=b"a=1&a=2", headers=FORM).status_code == 400

    def test_errors_are_json_that_nobody_keeps(self, world: World) -> None:
        answer = world.program().exchange("nothing")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"
        assert set(answer.json()) == {"error", "error_description"}

    @pytest.mark.parametrize("grant", ["password", "client_credentials", "implicit", 'x"y', "é", ""])
    def test_there_are_no_other_grants(self, world: World, grant: str) -> None:
        answer = world.program().post("/oauth/token", grant_type=grant, client_id="passless-cli")
        assert answer.status_code == 400
        assert answer.json()["error"] in ("unsupported_grant_type", "invalid_request")

    def test_nobody_refreshes_but_who_speaks_openid(self, world: World) -> None:
        answer = world.program().post("/oauth/token", grant_type="refresh_token", refresh_token="x", client_id="passless-cli")
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")

    @pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic /w==", "Basic eDp5", "Basic eA==", "Bearer x", "Digest x"])
    def test_nobody_gets_in_with_a_header_that_is_none(self, world: World, header: str) -> None:
        http = world.program().http
        answer = http.post("/oauth/introspect", data={"token": "x"}, headers={"Authorization": header})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")

    def test_two_ways_to_say_who_one_is_are_one_too_many(self, world: World) -> None:
        mail = world.register()
        assert mail.secret is not None
        secret = mail.secret.reveal()
        answer = world.program().post("/oauth/introspect", basic=(mail.id, secret), client_secret=secret, token="x")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    def test_who_guesses_a_secret_waits(self, world: World) -> None:
        mail = world.register()
        program = world.program()
        for _ in range(10):
            assert program.post("/oauth/introspect", basic=(mail.id, "wrong"), token="x").status_code == 401
        slowed = program.post("/oauth/introspect", basic=(mail.id, "wrong"), token="x")
        assert slowed.status_code == 429
        assert slowed.headers["retry-after"]
        world.place.clock.move(seconds=61)
        assert program.post("/oauth/introspect", basic=(mail.id, "wrong"), token="x").status_code == 401

    def test_who_guesses_beside_a_program_does_not_keep_it_from_its_work(self, world: World) -> None:
        mail = world.register()
        assert mail.secret is not None
        program = world.program()
        for _ in range(30):
            program.post("/oauth/introspect", basic=(mail.id, "wrong"), token="x")
            assert program.post("/oauth/introspect", basic=(mail.id, mail.secret.reveal()), token="x").status_code == 200

    def test_a_wrong_secret_and_no_client_look_alike(self, world: World) -> None:
        mail = world.register()
        one = world.program().post("/oauth/introspect", basic=(mail.id, "wrong"), token="x")
        other = world.program().post("/oauth/introspect", basic=("nobody", "wrong"), token="x")
        assert (one.status_code, one.json()) == (other.status_code, other.json())

    def test_a_client_with_a_secret_cannot_go_without(self, world: World) -> None:
        mail = world.register()
        code = world.browser(world.account()).agree(client_id=mail.id, redirect_uri=WEB_CALLBACK)["code"]
        answer = world.program().exchange(code, redirect_uri=WEB_CALLBACK, client_id=mail.id)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_nothing_secret_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """must hold 1: authlib's own log would hold tokens."""
    with caplog.at_level(logging.DEBUG):
        code = world.browser(world.account()).agree()["code"]
        token = world.program().exchange(code).json()["access_token"]
        device = world.program().begin_device().json()["device_code"]
        world.program().poll(device)
    for secret in (token, code, device, VERIFIER):
        assert secret not in caplog.text
    assert world.place.store.session(token_hash(Secret(token))) is not None
