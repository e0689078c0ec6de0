"""What a client can check of the OpenID Foundation's rules, as its test plans "Basic OP", "Config OP" and the logout ones do.

Each test names its section: Core is OpenID Connect Core 1.0, Discovery, RP-Initiated Logout and Back-Channel Logout are its
companions.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from passless.directories.local import LocalDirectory
from passless.domain.requests import NewAccount
from passless.domain.secret import Secret
from passless.domain.views import SignedIn
from passless.ports.directory import Actor
from tests.directories.place import PASSWORD
from tests.server.oauth.test_code_flow import password, proven_again
from tests.server.oauth.world import HTML, URL, WEB_CALLBACK, Browser, Fields, World, asked, carried
from tests.server.openid.relying import NONCE, SIGNED_OUT, Relying, keys, read


@pytest.fixture
def ada(world: World) -> SignedIn:
    """Somebody whose address was given by whoever runs the server."""
    world.place.change(on_host=True)
    host = LocalDirectory(world.place.parts)
    world.place.change(on_host=False)
    wish = NewAccount(name="ada", password=Secret(PASSWORD), display_name="Ada Lovelace", email="ada@example.org")
    made = host.create(Actor(place="203.0.113.7"), wish)
    world.place.keep_secret(made.token)
    return made


@pytest.fixture
def browser(world: World, ada: SignedIn) -> Browser:
    return world.browser(ada)


@pytest.fixture
def wiki(world: World) -> Relying:
    return Relying(world)


@pytest.fixture
def said(world: World) -> dict[str, Any]:
    answer = world.http().get("/.well-known/openid-configuration")
    assert answer.headers["content-type"] == "application/json"
    document: dict[str, Any] = answer.json()
    return document


def now(world: World) -> int:
    return int(world.place.clock.now.timestamp())


class TestDiscovery:
    def test_the_document_names_what_it_must(self, said: dict[str, Any]) -> None:
        """Discovery §3: REQUIRED members, and the issuer exactly the address it was fetched from (§4.3)."""
        assert said["issuer"] == URL
        for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"):
            assert said[name].startswith(f"{URL}/")
        assert said["response_types_supported"] == ["code"]
        assert said["subject_types_supported"] == ["public"]
        assert "RS256" in said["id_token_signing_alg_values_supported"]
        assert "none" not in said["id_token_signing_alg_values_supported"]
        assert "openid" in said["scopes_supported"]

    def test_every_claim_that_it_names_is_told(
        self, world: World, wiki: Relying, browser: Browser, said: dict[str, Any]
    ) -> None:
        """Discovery §3, `claims_supported`."""
        given = wiki.tokens(browser, scope="openid profile email")
        told = set(read(world, given["id_token"])) | set(wiki.userinfo(given["access_token"]).json())
        assert told | {"amr"} == set(said["claims_supported"])

    def test_every_scope_that_it_names_may_be_asked_for(self, wiki: Relying, browser: Browser, said: dict[str, Any]) -> None:
        """Discovery §3, `scopes_supported`."""
        assert wiki.tokens(browser, scope=" ".join(said["scopes_supported"]))["scope"].split() == said["scopes_supported"]

    def test_each_word_for_how_sure_it_is_can_be_asked_for(self, wiki: Relying, browser: Browser, said: dict[str, Any]) -> None:
        """Discovery §3, `acr_values_supported`: who cannot prove it is told so, and no weaker sign-in is given."""
        for word in said["acr_values_supported"]:
            answer = browser.ask(**wiki.wish(acr_values=word))
            assert answer.status_code == (200 if word == "1" else 303)
            if word != "1":
                assert carried(answer)["error"] == "unmet_authentication_requirements"

    def test_what_it_does_not_support_it_refuses(self, wiki: Relying, browser: Browser, said: dict[str, Any]) -> None:
        """Discovery §3, `request_parameter_supported` and `request_uri_parameter_supported`; Core §6."""
        assert (said["request_parameter_supported"], said["request_uri_parameter_supported"]) == (False, False)
        for name in ("request", "request_uri", "registration"):
            assert carried(browser.ask(**wiki.wish(**{name: "x"})))["error"] == f"{name}_not_supported"

    def test_the_keys_are_public_halves_that_say_what_they_are_for(self, world: World, said: dict[str, Any]) -> None:
        """Discovery §3, `jwks_uri`; RFC 7517 §4; must hold 1."""
        found = world.http().get(said["jwks_uri"].removeprefix(URL)).json()["keys"]
        assert {one["alg"] for one in found} == set(said["id_token_signing_alg_values_supported"])
        for one in found:
            assert one["use"] == "sig"
            assert one["kid"]
            assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & set(one)
        assert len({one["kid"] for one in found}) == len(found)


class TestAuthenticationRequest:
    def test_the_parameters_may_be_posted(self, wiki: Relying, browser: Browser) -> None:
        """Core §3.1.2.1: GET and POST, from any site."""
        form = urlencode(asked(**wiki.wish()))
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://mail.example", **HTML}
        answer = browser.http.post("/oauth/authorize", content=form, headers=sent)
        assert answer.status_code == 303
        page = browser.http.get(answer.headers["location"], headers=HTML)
        assert "wiki" in page.text

    def test_what_is_not_understood_is_passed_over(self, wiki: Relying, browser: Browser) -> None:
        """Core §3.1.2.1: unknown parameters and scopes, and those that only say how a page looks."""
        more = {"display": "page", "ui_locales": "se", "claims_locales": "se", "login_hint": "ada", "extra": "foobar"}
        given = wiki.tokens(browser, scope="openid address phone", **more)
        assert given["scope"] == "openid"

    def test_without_openid_it_is_oauth_alone(self, wiki: Relying, browser: Browser) -> None:
        """Core §3.1.2.1, `scope`."""
        assert "id_token" not in wiki.tokens(browser, scope="profile")

    def test_no_response_type_is_an_error(self, wiki: Relying, browser: Browser) -> None:
        """Core §3.1.2.6."""
        answer = browser.ask(**wiki.wish(response_type=None))
        assert answer.status_code in (303, 400)
        assert "code=" not in answer.headers.get("location", "")

    def test_an_address_that_is_not_registered_is_sent_nobody(self, wiki: Relying, browser: Browser) -> None:
        """Core §3.1.2.1, `redirect_uri`: compared character by character, the query too."""
        for uri in (f"{WEB_CALLBACK}?foo=bar", f"{WEB_CALLBACK}/", "https://evil.example/", WEB_CALLBACK.upper()):
            answer = browser.ask(**wiki.wish(redirect_uri=uri))
            assert answer.status_code == 400
            assert "location" not in answer.headers

    def test_the_answer_carries_the_state_and_who_answers(self, wiki: Relying, browser: Browser) -> None:
        """Core §3.1.2.5; RFC 9207."""
        browser.answer(browser.ask(**wiki.wish()))
        back = carried(browser.ask(**wiki.wish(state="as it was")))
        assert (back["state"], back["iss"]) == ("as it was", URL)

    def test_prompt_none_asks_nobody(self, world: World, wiki: Relying, browser: Browser) -> None:
        """Core §3.1.2.1, `prompt`; §3.1.2.6: login_required, consent_required, then a code."""
        nobody = carried(world.browser().ask(**wiki.wish(prompt="none")))
        assert nobody["error"] == "login_required"
        assert carried(browser.ask(**wiki.wish(prompt="none")))["error"] == "consent_required"
        wiki.tokens(browser)
        assert "code" in carried(browser.ask(**wiki.wish(prompt="none")))
        assert carried(browser.ask(**wiki.wish(prompt="none login")))["error"] == "invalid_request"

    def test_prompt_login_asks_again_and_the_time_says_so(
        self, world: World, ada: SignedIn, wiki: Relying, browser: Browser
    ) -> None:
        """Core §3.1.2.1, `prompt`; §2, `auth_time`."""
        first = read(world, wiki.tokens(browser)["id_token"])
        world.place.clock.move(minutes=1)
        answer = browser.ask(**wiki.wish(prompt="login"))
        assert urlsplit(answer.headers["location"]).path == "/sign-in"
        back = _proven(world, browser, ada, answer)
        second = read(world, wiki.exchange(_code(browser, back)).json()["id_token"])
        assert second["auth_time"] > first["auth_time"]
        assert second["sub"] == first["sub"]

    def test_max_age_asks_who_signed_in_too_long_ago(
        self, world: World, ada: SignedIn, wiki: Relying, browser: Browser
    ) -> None:
        """Core §3.1.2.1, `max_age`: within it nobody is asked, past it they prove it anew."""
        first = read(world, wiki.tokens(browser)["id_token"])
        assert "code" in carried(browser.ask(**wiki.wish(max_age="10000")))
        world.place.clock.move(seconds=2)
        answer = browser.ask(**wiki.wish(max_age="1"))
        assert urlsplit(answer.headers["location"]).path == "/sign-in"
        back = _proven(world, browser, ada, answer)
        second = read(world, wiki.exchange(_code(browser, back)).json()["id_token"])
        assert second["auth_time"] > first["auth_time"]
        assert now(world) - second["auth_time"] <= 1

    def test_an_id_token_hint_is_about_who_must_be_signed_in(self, world: World, wiki: Relying, browser: Browser) -> None:
        """Core §3.1.2.1, `id_token_hint`: with prompt=none a code for the same person, an error for another."""
        hint = wiki.tokens(browser)["id_token"]
        assert "code" in carried(browser.ask(**wiki.wish(prompt="none", id_token_hint=hint)))
        bob = world.browser(world.account("bob"))
        wiki.tokens(bob)
        assert carried(bob.ask(**wiki.wish(prompt="none", id_token_hint=hint)))["error"] == "login_required"
        assert "/sign-in?another=yes" in bob.ask(**wiki.wish(id_token_hint=hint)).headers["location"]

    def test_a_subject_that_is_asked_for_alone_may_answer(self, world: World, wiki: Relying, browser: Browser) -> None:
        """Core §5.5.1: `sub` with a value."""
        wiki.tokens(browser)
        claims = json.dumps({"id_token": {"sub": {"value": "nobody"}}})
        assert carried(browser.ask(**wiki.wish(prompt="none", claims=claims)))["error"] == "login_required"


class TestIdToken:
    def test_it_says_what_it_must(self, world: World, ada: SignedIn, wiki: Relying, browser: Browser) -> None:
        """Core §2, §3.1.3.6, §3.1.3.7: everything that a client has to check."""
        given = wiki.tokens(browser)
        content = read(world, given["id_token"])
        digest = sha256(given["access_token"].encode()).digest()[:16]
        assert content.pop("sid")
        assert content == {
            "iss": URL,
            "sub": ada.account_id,
            "aud": wiki.id,
            "azp": wiki.id,
            "iat": now(world),
            "exp": now(world) + 3600,
            "auth_time": now(world),
            "nonce": NONCE,
            "acr": "1",
            "at_hash": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        }
        assert len(content["sub"]) <= 255

    def test_its_header_names_a_published_key_and_the_registered_algorithm(self, world: World, browser: Browser) -> None:
        """Core §2, §10.1; RFC 7515 §4.1.4."""
        for number, algorithm in enumerate(("RS256", "ES256")):
            party = Relying(world, f"wiki {number}", signed_with=algorithm)
            token = party.tokens(browser)["id_token"]
            header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
            assert header["alg"] == algorithm
            assert header["kid"] in {one.kid for one in keys(world).keys}
            assert read(world, token, algorithm=algorithm)["aud"] == party.id

    def test_without_a_nonce_it_has_none(self, world: World, wiki: Relying, browser: Browser) -> None:
        """Core §3.1.2.1: `nonce` is OPTIONAL with the code flow."""
        assert "nonce" not in read(world, wiki.tokens(browser, nonce=None)["id_token"])

    def test_it_says_how_the_person_proved_it(self, world: World, ada: SignedIn, wiki: Relying, browser: Browser) -> None:
        """Core §2, `amr`; RFC 8176 §2."""
        world.place.clock.move(seconds=1)
        proven = world.site.directory.sign_in(Actor(token=ada.token, place="203.0.113.7"), "ada", password())
        assert isinstance(proven, SignedIn)
        world.place.keep_secret(proven.token)
        browser.sign_in(proven)
        assert read(world, wiki.tokens(browser)["id_token"])["amr"] == ["pwd"]

    def test_claims_asked_for_by_name_stand_in_it(self, world: World, wiki: Relying, browser: Browser) -> None:
        """Core §5.5."""
        claims = json.dumps({"id_token": {"email": None, "nickname": {"essential": True}}})
        content = read(world, wiki.tokens(browser, claims=claims)["id_token"])
        assert content["email"] == "ada@example.org"
        assert not {"nickname", "name"} & set(content)

    def test_an_essential_word_for_how_sure_it_is_holds_or_nothing_is_given(
        self, world: World, wiki: Relying, browser: Browser
    ) -> None:
        """Core §5.5.1.1."""
        claims = json.dumps({"id_token": {"acr": {"essential": True, "values": ["2", "1"]}}})
        assert read(world, wiki.tokens(browser, claims=claims)["id_token"])["acr"] == "1"
        for values in (["2"], ["urn:mace:incommon:iap:silver"]):
            claims = json.dumps({"id_token": {"acr": {"essential": True, "values": values}}})
            assert carried(browser.ask(**wiki.wish(claims=claims)))["error"] == "unmet_authentication_requirements"

    @pytest.mark.parametrize("claims", ["x", "[]", '{"id_token": []}', '{"id_token": {"sub": {"value": 1}}}', "[" * 2000])
    def test_claims_that_are_none_are_refused(self, wiki: Relying, browser: Browser, claims: str) -> None:
        """Core §3.1.2.6."""
        assert carried(browser.ask(**wiki.wish(claims=claims)))["error"] == "invalid_request"


class TestTokenEndpoint:
    def test_its_answer_is_kept_by_nobody(self, wiki: Relying, browser: Browser) -> None:
        """Core §3.1.3.3."""
        answer = wiki.exchange(wiki.code(browser))
        assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
        assert answer.json()["token_type"] == "Bearer"

    def test_a_code_is_good_once_and_takes_back_what_it_gave(self, wiki: Relying, browser: Browser) -> None:
        """Core §3.1.3.2; RFC 6749 §4.1.2; must hold 12."""
        code = wiki.code(browser, scope="openid offline_access")
        given = wiki.exchange(code).json()
        assert wiki.exchange(code).json()["error"] == "invalid_grant"
        assert wiki.userinfo(given["access_token"]).status_code == 401
        assert wiki.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"

    def test_every_way_to_say_who_one_is_that_is_named_works(
        self, world: World, wiki: Relying, browser: Browser, said: dict[str, Any]
    ) -> None:
        """Core §9."""
        client_id, secret = wiki.basic
        assert set(said["token_endpoint_auth_methods_supported"]) == {"client_secret_basic", "client_secret_post", "none"}
        posted = wiki.exchange(wiki.code(browser), basic=None, client_id=client_id, client_secret=secret)
        assert posted.status_code == 200
        app = world.register("app", kind="oidc", public=True)
        back = carried(browser.answer(browser.ask(**wiki.wish(client_id=app.id))))
        none = world.program().exchange(back["code"], client_id=app.id, redirect_uri=WEB_CALLBACK)
        assert none.status_code == 200
        assert "id_token" in none.json()


class TestUserinfo:
    def test_it_answers_get_and_post(self, world: World, ada: SignedIn, wiki: Relying, browser: Browser) -> None:
        """Core §5.3.1: GET and POST, the token in the header or in the form (RFC 6750 §2)."""
        token = wiki.tokens(browser)["access_token"]
        header = {"Authorization": f"Bearer {token}"}
        http = world.http()
        answers = [
            http.get("/oauth/userinfo", headers=header),
            http.post("/oauth/userinfo", headers=header),
            http.post("/oauth/userinfo", data={"access_token": token}),
        ]
        assert [(one.status_code, one.json()) for one in answers] == [(200, {"sub": ada.account_id})] * 3
        assert all(one.headers["content-type"] == "application/json" for one in answers)

    def test_scopes_ask_for_claims(self, ada: SignedIn, wiki: Relying, browser: Browser) -> None:
        """Core §5.4: profile and email, as far as something is known."""
        found = wiki.userinfo(wiki.tokens(browser, scope="openid profile email address phone")["access_token"]).json()
        assert found == {
            "sub": ada.account_id,
            "name": "Ada Lovelace",
            "preferred_username": "ada",
            "email": "ada@example.org",
            "email_verified": True,
        }

    def test_claims_ask_for_claims(self, wiki: Relying, browser: Browser) -> None:
        """Core §5.5: `userinfo` with an essential claim."""
        claims = json.dumps({"userinfo": {"name": {"essential": True}}})
        assert wiki.userinfo(wiki.tokens(browser, claims=claims)["access_token"]).json()["name"] == "Ada Lovelace"

    def test_without_a_token_it_says_how_to_show_one(self, world: World) -> None:
        """Core §5.3.3; RFC 6750 §3."""
        answer = world.http().get("/oauth/userinfo")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        wrong = world.http().get("/oauth/userinfo", headers={"Authorization": "Bearer x"})
        assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')


class TestRefreshing:
    def test_it_gives_a_new_id_token_about_the_same_sign_in(self, world: World, wiki: Relying, browser: Browser) -> None:
        """Core §12.2: same iss, sub, aud, azp and auth_time; a new iat; no nonce."""
        first = wiki.tokens(browser, scope="openid offline_access")
        world.place.clock.move(hours=5)
        second = wiki.refresh(first["refresh_token"]).json()
        before, after = read(world, first["id_token"]), read(world, second["id_token"])
        for name in ("iss", "sub", "aud", "azp", "auth_time", "sid", "acr"):
            assert before[name] == after[name]
        assert after["iat"] == before["iat"] + 5 * 3600
        assert "nonce" not in after
        assert wiki.userinfo(second["access_token"]).status_code == 200

    def test_it_is_given_to_who_asks_for_offline_access(self, wiki: Relying, browser: Browser) -> None:
        """Core §11."""
        assert "refresh_token" not in wiki.tokens(browser)


class TestSigningOut:
    def leave(self, browser: Browser, **asked_for: str) -> httpx.Response:
        return browser.http.get(f"/oauth/end_session?{urlencode(asked_for)}", headers=HTML)

    def test_who_shows_the_id_token_of_the_session_is_believed(self, wiki: Relying, browser: Browser) -> None:
        """RP-Initiated Logout §2, §3: signed out, and back to the registered address with the state."""
        hint = wiki.tokens(browser)["id_token"]
        answer = self.leave(browser, id_token_hint=hint, post_logout_redirect_uri=SIGNED_OUT, state="s 1")
        assert answer.headers["location"] == f"{SIGNED_OUT}?state=s+1"
        assert carried(browser.ask(**wiki.wish(prompt="none")))["error"] == "login_required"

    def test_it_may_be_posted(self, wiki: Relying, browser: Browser) -> None:
        """RP-Initiated Logout §2: GET and POST."""
        form = urlencode({"id_token_hint": wiki.tokens(browser)["id_token"], "post_logout_redirect_uri": SIGNED_OUT})
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://mail.example", **HTML}
        answer = browser.http.post("/oauth/end_session", content=form, headers=sent)
        assert browser.http.get(answer.headers["location"], headers=HTML).headers["location"] == SIGNED_OUT

    def test_without_a_hint_the_person_is_asked(self, wiki: Relying, browser: Browser) -> None:
        """RP-Initiated Logout §2: MUST ask; §6: and nobody is signed out by a link alone."""
        wiki.tokens(browser)
        page = self.leave(browser, client_id=wiki.id, post_logout_redirect_uri=SIGNED_OUT, state="x")
        assert page.status_code == 200
        assert "wiki" in page.text
        assert "code" in carried(browser.ask(**wiki.wish(prompt="none")))
        answer = browser.post("/oauth/end_session", {**Fields(page.text).hidden, "answer": "leave"})
        assert answer.headers["location"] == f"{SIGNED_OUT}?state=x"

    def test_an_expired_id_token_is_a_hint_too(self, world: World, wiki: Relying, browser: Browser) -> None:
        """RP-Initiated Logout §2: SHOULD accept ID Tokens when the RP session is current or recent, even past `exp`."""
        hint = wiki.tokens(browser)["id_token"]
        for _ in range(4):
            world.place.clock.move(minutes=30)
            browser.http.get("/", headers=HTML)
        answer = self.leave(browser, id_token_hint=hint, post_logout_redirect_uri=SIGNED_OUT)
        assert answer.headers["location"] == SIGNED_OUT

    @pytest.mark.parametrize("uri", [f"{SIGNED_OUT}?x=1", "https://evil.example/", f"{SIGNED_OUT}/", WEB_CALLBACK])
    def test_nobody_is_sent_where_nothing_is_registered(self, wiki: Relying, browser: Browser, uri: str) -> None:
        """RP-Initiated Logout §3: MUST NOT redirect; the hint does not help."""
        hint = wiki.tokens(browser)["id_token"]
        page = self.leave(browser, id_token_hint=hint, post_logout_redirect_uri=uri)
        assert page.status_code == 200
        assert uri not in page.text
        answer = browser.post("/oauth/end_session", {**Fields(page.text).hidden, "answer": "leave"})
        assert "evil" not in answer.text + answer.headers.get("location", "")

    def test_the_hint_and_the_client_must_be_the_same(self, world: World, wiki: Relying, browser: Browser) -> None:
        """RP-Initiated Logout §2, `client_id`: MUST verify that it matches."""
        other = Relying(world, "files")
        hint = wiki.tokens(browser)["id_token"]
        page = self.leave(browser, id_token_hint=hint, client_id=other.id, post_logout_redirect_uri=SIGNED_OUT)
        assert page.status_code == 200
        assert "does not add up" in page.text


def _proven(world: World, browser: Browser, ada: SignedIn, asked_to: httpx.Response) -> httpx.Response:
    """Prove it once more, as the page asks, and go back to where the program sent the browser."""
    again = proven_again(world, ada)
    world.place.keep_secret(again.token)
    browser.sign_in(again)
    return browser.http.get(parse_qs(urlsplit(asked_to.headers["location"]).query)["next"][0], headers=HTML)


def _code(browser: Browser, page: httpx.Response) -> str:
    """Return the code that a browser carries back, by whichever page it goes."""
    if page.status_code == 200 and "Approve" in page.text:
        page = browser.answer(page)
    address = page.headers.get("location") or page.headers["refresh"].partition("url=")[2]
    return parse_qs(urlsplit(address).query)["code"][0]
