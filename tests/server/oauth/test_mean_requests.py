"""Authorization requests that no honest program sends: each is told so, and none gives a code (OpenID Connect)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.oauth.web import Web
from tests.server.oauth.world import CALLBACK, HTML, URL, WEB_CALLBACK, Browser, World, asked, carried


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
