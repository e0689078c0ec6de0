"""What a registered program may try that means no good, and what pages may try that no program sent (OpenID Connect)."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passless.directories.local import LocalDirectory
from passless.domain.views import MadeRelyingParty
from passless.ports.directory import Actor
from tests.server.oauth.world import CALLBACK, HTML, URL, WEB_CALLBACK, Browser, Fields, World, asked, carried

OTHER_CALLBACK = "https://other.example/signed-in"
BYE = "https://mail.example/bye"
USERINFO = "/oauth/userinfo"
END_SESSION = "/oauth/end_session"


class Web:
    """A relying party that speaks OpenID Connect, and somebody's browser."""

    def __init__(self, world: World, name: str = "mail", callback: str = WEB_CALLBACK, **more: Any) -> None:
        self.world = world
        self.callback = callback
        self.party: MadeRelyingParty = world.register(name, kind="oidc", redirect_uris=(callback,), **more)

    @property
    def basic(self) -> tuple[str, str]:
        assert self.party.secret is not None
        return self.party.id, self.party.secret.reveal()

    def asks(self, **more: str | None) -> dict[str, str | None]:
        return {"client_id": self.party.id, "redirect_uri": self.callback, "scope": "openid", **more}

    def code(self, browser: Browser, **more: str | None) -> str:
        """Return a code, with consent where that is asked."""
        page = browser.ask(**self.asks(**more))
        return carried(page if page.status_code == 303 else browser.answer(page))["code"]

    def exchange(self, code: str, **more: Any) -> Any:
        return self.world.program().exchange(
            code, **{"client_id": None, "redirect_uri": self.callback, "basic": self.basic, **more}
        )

    def tokens(self, browser: Browser, **more: str | None) -> dict[str, str]:
        answer = self.exchange(self.code(browser, **more))
        assert answer.status_code == 200, answer.text
        said: dict[str, str] = answer.json()
        return said

    def refresh(self, token: str, **more: Any) -> Any:
        form = {"grant_type": "refresh_token", "refresh_token": token, **more}
        return self.world.program().post("/oauth/token", **{"basic": self.basic, **form})

    def is_good(self, token: str) -> bool:
        answer = self.world.program().post("/oauth/introspect", basic=self.basic, token=token)
        good: bool = answer.json()["active"]
        return good


@pytest.fixture
def web(world: World) -> Web:
    return Web(world, after_sign_out=(BYE,))


@pytest.fixture
def other(world: World) -> Web:
    return Web(world, "other", OTHER_CALLBACK)


@pytest.fixture
def ada(world: World) -> Browser:
    return world.browser(world.account())


def encoded(said: Any) -> str:
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    middle = token.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return said


def head_of(token: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".", maxsplit=1)[0] + "=="))
    return said


class TestCodes:
    def test_a_code_is_of_no_use_to_another_program(self, web: Web, other: Web, ada: Browser) -> None:
        code = web.code(ada)
        for more in ({}, {"redirect_uri": WEB_CALLBACK}, {"client_id": web.party.id}):
            assert other.exchange(code, **more).status_code == 400
        assert web.exchange(code).status_code == 200

    def test_a_code_used_twice_ends_all_that_it_gave(self, web: Web, ada: Browser) -> None:
        """must hold 12: the refresh token and what came of it, too."""
        code = web.code(ada, scope="openid offline_access")
        first = web.exchange(code).json()
        second = web.refresh(first["refresh_token"]).json()
        assert web.exchange(code).status_code == 400
        assert not web.is_good(first["access_token"])
        assert not web.is_good(second["access_token"])
        assert web.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"

    def test_a_challenge_is_not_optional_with_a_nonce(self, web: Web, ada: Browser) -> None:
        """PKCE downgrade (RFC 9700 §4.8.2)."""
        without = web.asks(nonce="n", code_challenge=None, code_challenge_method=None)
        assert carried(ada.ask(**without))["error"] == "invalid_request"
        assert web.exchange(web.code(ada, nonce="n"), code_verifier=None).status_code == 400

    def test_a_nonce_comes_back_as_it_was_sent(self, web: Web, ada: Browser) -> None:
        for nonce in ("n", "ü\u2028 <&'\"", "x" * 1000):
            assert claims_of(web.tokens(ada, nonce=nonce)["id_token"])["nonce"] == nonce
        assert "nonce" not in claims_of(web.tokens(ada)["id_token"])


class TestRefreshing:
    @pytest.fixture
    def token(self, web: Web, ada: Browser) -> str:
        return web.tokens(ada, scope="openid offline_access")["refresh_token"]

    def test_another_program_cannot_use_or_end_it(self, web: Web, other: Web, token: str) -> None:
        assert other.refresh(token).json()["error"] == "invalid_grant"
        other.world.program().post("/oauth/revoke", basic=other.basic, token=token)
        assert web.refresh(token).status_code == 200

    def test_it_is_asked_for_with_the_secret(self, web: Web, token: str) -> None:
        program = web.world.program()
        form = {"grant_type": "refresh_token", "refresh_token": token}
        assert program.post("/oauth/token", **form, client_id=web.party.id).status_code == 401
        assert program.post("/oauth/token", **form, basic=(web.party.id, "wrong")).status_code == 401
        assert program.post("/oauth/token", **form).status_code == 401
        assert web.refresh(token).status_code == 200

    def test_nothing_is_added_to_what_was_agreed_to(self, web: Web, token: str) -> None:
        answer = web.refresh(token, scope="openid offline_access profile email")
        assert answer.status_code == 400 or "profile" not in answer.json()["scope"]

    def test_it_is_over_once_consent_is_taken_back(self, web: Web, token: str, world: World, ada: Browser) -> None:
        page = ada.http.get("/oauth/agreed", headers=HTML)
        answer = ada.post("/oauth/agreed", {**Fields(page.text).hidden, "client": web.party.id})
        assert answer.status_code == 303
        assert web.refresh(token).json()["error"] == "invalid_grant"

    def test_it_is_over_once_the_program_is_removed(self, web: Web, token: str, world: World) -> None:
        world.place.change(on_host=True)
        LocalDirectory(world.place.parts).remove_relying_party(Actor(), web.party.id)
        world.place.change(on_host=False)
        assert web.refresh(token).status_code == 401

    def test_it_is_good_for_nothing_else(self, web: Web, token: str, world: World) -> None:
        api = world.http().get("/api/v1/accounts/me", headers={"Authorization": f"Bearer {token}"})
        told = world.http().get(USERINFO, headers={"Authorization": f"Bearer {token}"})
        assert (api.status_code, told.status_code) == (401, 401)
        assert web.exchange(token).status_code == 400

    @pytest.mark.parametrize(
        "change", [lambda t: t[:-1], lambda t: t + "A", lambda t: t.lower(), lambda t: "", lambda t: "plr_"]
    )
    def test_nonsense_ends_nothing(self, web: Web, token: str, change: Any) -> None:
        assert web.refresh(change(token)).status_code == 400
        assert web.refresh(token).status_code == 200


class TestUserinfo:
    def told(self, world: World, token: str) -> Any:
        return world.http().get(USERINFO, headers={"Authorization": f"Bearer {token}".encode()})

    def test_tokens_of_other_kinds_are_none(self, world: World, web: Web, ada: Browser) -> None:
        command_line = world.program().exchange(ada.agree()["code"]).json()["access_token"]
        session = world.account("bob").token.reveal()
        tokens = web.tokens(ada)
        for token in (command_line, session, tokens["id_token"], "", "x", "é", "x" * 5000):
            answer = self.told(world, token)
            assert answer.status_code in (400, 401, 403), token
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert self.told(world, tokens["access_token"]).status_code == 200

    def test_a_token_of_oauth_alone_tells_nothing(self, world: World, ada: Browser) -> None:
        mail = world.register()
        assert mail.secret is not None
        code = ada.agree(client_id=mail.id, redirect_uri=WEB_CALLBACK)["code"]
        form = {"client_id": None, "redirect_uri": WEB_CALLBACK, "basic": (mail.id, mail.secret.reveal())}
        token = world.program().exchange(code, **form).json()["access_token"]
        assert self.told(world, token).status_code == 403

    def test_nothing_is_taken_from_the_address(self, world: World, web: Web, ada: Browser) -> None:
        token = web.tokens(ada)["access_token"]
        assert world.http().get(f"{USERINFO}?access_token={token}").status_code == 401
        assert ada.http.get(USERINFO).status_code == 401  # and a cookie is no token

    def test_only_what_was_agreed_to_is_told(self, world: World, web: Web, ada: Browser) -> None:
        assert set(self.told(world, web.tokens(ada)["access_token"]).json()) == {"sub"}
        named = json.dumps({"userinfo": {"preferred_username": None}})
        page = ada.ask(**web.asks(claims=named))
        assert page.status_code == 200, "what it asks for now was not agreed to before"

    def test_it_ends_with_the_session(self, world: World, web: Web) -> None:
        """must hold 7."""
        signed_in = world.account("eve")
        token = web.tokens(world.browser(signed_in))["access_token"]
        world.site.directory.sign_out(Actor(token=signed_in.token))
        assert self.told(world, token).status_code in (200, 401)  # what is said of it stands in docs/relying-parties/openid.md

    @pytest.mark.parametrize(
        "path", ["/.well-known/openid-configuration", "/oauth/keys", USERINFO, "/oauth/token", "/oauth/authorize"]
    )
    def test_no_page_elsewhere_reads_any_of_it(self, world: World, path: str) -> None:
        """CORS: a page in a browser gets nothing, a program needs no permission."""
        for method in ("GET", "OPTIONS", "POST"):
            asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
            answer = world.http().request(method, path, headers=asking)
            assert not [name for name in answer.headers if name.startswith("access-control-")]


def forged(real: str) -> dict[str, str]:
    """Return id_tokens that are none, each with its reason."""
    head, payload, signature = real.split(".")
    kid = head_of(real)["kid"]
    said = claims_of(real)
    heads: dict[str, Any] = {
        "none": {"alg": "none"},
        "no algorithm": {},
        "the public key as a secret": {"alg": "HS256", "kid": kid},
        "another algorithm's key": {"alg": "ES256", "kid": kid},
        "a key of its own": {"alg": "RS256", "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        "critical": {"alg": "RS256", "kid": kid, "crit": 1},
        "critical words": {"alg": "RS256", "kid": kid, "crit": ["x"], "x": 1},
        "not encoded": {"alg": "RS256", "kid": kid, "b64": False, "crit": ["b64"]},
        "a number": {"alg": 1, "kid": kid},
        "a list": [],
        "text": "x",
        "nothing": None,
        "deep": b"[" * 2000,
        "no text": b"\xff\xfe",
        "half a character": b'{"alg":"RS256","kid":"\\ud800"}',
    }
    return {
        **{name: f"{encoded(one)}.{payload}.{signature}" for name, one in heads.items()},
        "unsigned": f"{encoded({'alg': 'none'})}.{payload}.",
        "changed": f"{head}.{encoded(said | {'sub': 'somebody'})}.{signature}",
        "cut": f"{head}.{payload}",
        "points": "....",
        "long": "x" * 9000,
    }


class TestHints:
    def test_a_hint_that_we_did_not_sign_is_refused_everywhere(self, web: Web, ada: Browser) -> None:
        real = web.tokens(ada)["id_token"]
        assert "code" in carried(ada.ask(**web.asks(id_token_hint=real)))
        for name, hint in forged(real).items():
            back = carried(ada.ask(**web.asks(id_token_hint=hint)))
            assert back["error"] in ("invalid_request", "login_required"), name
            left = ada.http.get(f"{END_SESSION}?{urlencode({'id_token_hint': hint})}", headers=HTML)
            assert left.status_code in (200, 303, 400), name
            assert "//" not in left.headers.get("location", ""), name
        assert ada.http.get("/", headers=HTML).status_code == 200, "somebody was signed out"

    def test_a_hint_of_another_program_is_none(self, web: Web, other: Web, ada: Browser) -> None:
        theirs = other.tokens(ada)["id_token"]
        assert carried(ada.ask(**web.asks(id_token_hint=theirs, prompt="none")))["error"] in (
            "invalid_request",
            "login_required",
        )

    def test_a_hint_at_somebody_else_signs_nobody_in(self, web: Web, world: World, ada: Browser) -> None:
        bobs = web.tokens(world.browser(world.account("bob")))["id_token"]
        web.tokens(ada)
        assert carried(ada.ask(**web.asks(id_token_hint=bobs, prompt="none")))["error"] == "login_required"
        asked_first = ada.ask(**web.asks(id_token_hint=bobs))
        assert asked_first.headers["location"].startswith("/sign-in?")
        assert bobs not in asked_first.headers["location"]


class TestParameters:
    @pytest.mark.parametrize(
        "claims",
        [
            "x",
            "[]",
            "1",
            "null",
            '"x"',
            '{"id_token":1}',
            '{"id_token":[]}',
            '{"id_token":{"sub":1}}',
            '{"id_token":{"sub":{"value":1}}}',
            '{"id_token":{"sub":{"value":["x"]}}}',
            "[" * 2000,
            '{"id_token":' * 150,
            '{"id_token":{"x":"' + "x" * 5000 + '"}}',
            '{"id_token":{"x":"\\ud800"}}',
            "{" + ",".join(f'"{n}":{{}}' for n in range(200)) + "}x",
        ],
        ids=lambda text: text[:20],
    )
    def test_claims_that_are_none_are_told_so(self, web: Web, ada: Browser, claims: str) -> None:
        back = carried(ada.ask(**web.asks(claims=claims)), to=WEB_CALLBACK)
        assert back["error"] in ("invalid_request", "login_required")

    @pytest.mark.parametrize(
        "acr",
        [
            {"values": "2"},
            {"values": [["2"]]},
            {"values": [{}]},
            {"values": [None, 2]},
            {"value": 2},
            {"value": {"value": "2"}},
            {"values": {}, "essential": "yes"},
            {"essential": True},
        ],
        ids=str,
    )
    def test_nonsense_in_a_claim_never_lowers_what_is_asked(self, world: World, ada: Browser, acr: Any) -> None:
        strict = Web(world, "strict", requires="two-factors")
        answer = ada.ask(**strict.asks(claims=json.dumps({"id_token": {"acr": acr}})))
        assert answer.status_code == 303
        assert "code=" not in answer.headers["location"].replace("code_challenge=", "")

    @pytest.mark.parametrize("words", [None, "1", "0 1", "1 2", "nonsense", "phr 1"])
    def test_a_program_cannot_ask_for_less_than_was_registered(self, world: World, ada: Browser, words: str | None) -> None:
        strict = Web(world, "strict", requires="phishing-resistant")
        assert carried(ada.ask(**strict.asks(acr_values=words)))["error"] == "unmet_authentication_requirements"

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"prompt": "none login"}, "invalid_request"),
            ({"prompt": "none consent"}, "invalid_request"),
            ({"prompt": "create"}, "invalid_request"),
            ({"max_age": "-1"}, "invalid_request"),
            ({"max_age": "٣"}, "invalid_request"),
            ({"max_age": "1e3"}, "invalid_request"),
            ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
            ({"request_uri": "http://169.254.169.254/"}, "request_uri_not_supported"),
            ({"registration": "{}"}, "registration_not_supported"),
            ({"response_type": "id_token"}, "unsupported_response_type"),
            ({"response_type": "code id_token"}, "unsupported_response_type"),
            ({"response_type": "none"}, "unsupported_response_type"),
            ({"response_mode": "form_post"}, "invalid_request"),
            ({"nonce": "x" * 5000}, "invalid_request"),
        ],
        ids=str,
    )
    def test_what_is_not_understood_gives_no_code(self, web: Web, ada: Browser, change: dict[str, str], error: str) -> None:
        web.tokens(ada)
        back = carried(ada.ask(**web.asks(**change)), to=WEB_CALLBACK)
        assert (back["error"], back["iss"]) == (error, URL)

    def test_signing_in_anew_cannot_be_claimed(self, web: Web, ada: Browser) -> None:
        """The mark that a sign-in was asked for is ours, and for one request."""
        web.tokens(ada)
        answer = ada.ask(**web.asks(prompt="login"))
        mark = carried(answer)["next"].partition("passless_asked=")[2]
        for forged_mark in ("0.", "99999999999.x", mark, "1" + mark):
            again = ada.ask(**web.asks(prompt="login", state="another", passless_asked=forged_mark))
            assert again.headers["location"].startswith("/sign-in?")


WORDS = st.sampled_from(
    [
        "openid",
        "none",
        "login",
        "consent",
        "1",
        "2",
        "phr",
        "code",
        "token",
        "query",
        "S256",
        "plain",
        "0",
        "{}",
        "",
        "é",
        "\0",
        CALLBACK,
    ]
) | st.text(max_size=30)
PARAMETERS = (
    "response_type response_mode redirect_uri scope state nonce code_challenge code_challenge_method prompt max_age acr_values "
    "login_hint id_token_hint claims request request_uri display ui_locales passless_asked passless_only passless_account "
    "answer form-token client_id"
)
NAMES = st.sampled_from(PARAMETERS.split())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change=st.dictionaries(NAMES, WORDS, min_size=1, max_size=4))
def test_nobody_is_sent_anywhere_else_and_no_code_is_given_unasked(web: Web, ada: Browser, change: dict[str, str]) -> None:
    """Whatever a program asks: a page, or back to its own address without a code, for nobody agreed to anything."""
    request = {**asked(**web.asks(state="s")), **change}
    answer = ada.http.get(f"/oauth/authorize?{urlencode(request, errors='surrogatepass')}", headers=HTML)
    assert answer.status_code in (200, 303, 400)
    location = answer.headers.get("location", "")
    if answer.status_code == 303:
        assert location.startswith((f"{WEB_CALLBACK}?", "/sign-in?"))
    if location.startswith(WEB_CALLBACK):
        assert "code" not in carried(answer)
