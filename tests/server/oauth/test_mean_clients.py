"""What a registered program may try that means no good, and what pages may try that no program sent (OpenID Connect)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from passless.directories.local import LocalDirectory
from passless.ports.directory import Actor
from tests.server.oauth.web import Web, claims_of, encoded, head_of
from tests.server.oauth.world import HTML, WEB_CALLBACK, Browser, Fields, World, carried

USERINFO = "/oauth/userinfo"
END_SESSION = "/oauth/end_session"


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

    def test_nobody_is_recognised_before_they_agreed(self, web: Web, world: World) -> None:
        """`prompt=none` with somebody's `sub`: the same answer whether they sit there or somebody else."""
        signed_in = world.account()
        ada = world.browser(signed_in)

        def said(subject: str) -> dict[str, str]:
            named = json.dumps({"id_token": {"sub": {"value": subject}}})
            return carried(ada.ask(**web.asks(prompt="none", claims=named)))

        assert said(signed_in.account_id) == said("somebody")
        web.tokens(ada)
        assert "code" in said(signed_in.account_id)
        assert said("somebody")["error"] == "login_required"
