"""What attackers try at an OpenID provider, and what comes of it (RFC 9700, RFC 8725, Core §16)."""

from __future__ import annotations

import base64
import hmac
import json
import logging
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from passless.actions import sealed_records, signing_keys
from passless.directories.local import LocalDirectory
from passless.domain.requests import EndSessions, NewAccount, RemoveMethodNamed
from passless.domain.secret import Secret
from passless.ports.directory import Actor
from tests.directories.place import PASSWORD
from tests.server.oauth.test_code_flow import password
from tests.server.oauth.test_tokens import token_for
from tests.server.oauth.world import HTML, URL, World, carried, challenge_of
from tests.server.openid.relying import SIGNED_OUT, Relying, as_signed_in, keys, read, with_key


def part(content: bytes) -> str:
    """Return a part of a token."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def forged(world: World, subject: str, client_id: str) -> dict[str, str]:
    """Return id_tokens that we did not sign, as attackers make them."""
    content = {"iss": URL, "sub": subject, "aud": client_id, "iat": 1, "exp": 99999999999, "sid": "x"}
    public = next(one for one in keys(world).keys if one.key_type == "RSA")
    kid = {"kid": public.kid}
    own = RSAKey.generate_key(2048)
    pem = public.as_pem(private=False)
    bare, body = part(json.dumps({"alg": "none", "typ": "JWT"}).encode()), part(json.dumps(content).encode())
    hashed = f"{part(json.dumps({'alg': 'HS256', 'typ': 'JWT', **kid}).encode())}.{body}"  # joserfc would not make it
    return {
        "none": f"{bare}.{body}.",
        "hmac with the public key": f"{hashed}.{part(hmac.digest(pem, hashed.encode(), 'sha256'))}",
        "another key under our name": jwt.encode({"alg": "RS256", **kid}, content, own),
        "its key in the header": jwt.encode({"alg": "RS256", "jwk": own.as_dict(private=False)}, content, own),
        "no token": "x.y.z",
    }


class TestHints:
    @pytest.mark.parametrize("way", ["none", "hmac with the public key", "another key under our name", "its key in the header"])
    def test_what_we_did_not_sign_is_no_hint(self, world: World, way: str) -> None:
        """RFC 8725 §3.1: neither `none` nor HMAC under a public key, nor a key that comes along."""
        wiki, ada = Relying(world), world.account()
        hint = forged(world, ada.account_id, wiki.id)[way]
        browser = world.browser(ada)
        assert carried(browser.ask(**wiki.wish(id_token_hint=hint)))["error"] == "invalid_request"
        page = browser.http.get(f"/oauth/end_session?{urlencode({'id_token_hint': hint})}", headers=HTML)
        assert "does not add up" in page.text
        assert browser.ask(**wiki.wish()).status_code == 200  # still signed in

    def test_the_id_token_of_another_client_is_no_hint(self, world: World) -> None:
        wiki, files, browser = Relying(world), Relying(world, "files"), world.browser(world.account())
        hint = wiki.tokens(browser)["id_token"]
        assert carried(browser.ask(**files.wish(id_token_hint=hint)))["error"] == "invalid_request"

    def test_the_id_token_of_an_earlier_session_signs_nobody_out(self, world: World) -> None:
        """RP-Initiated Logout §2: whoever kept one cannot sign the person out for ever."""
        wiki, ada = Relying(world), world.account()
        hint = wiki.tokens(world.browser(ada))["id_token"]
        later = world.browser(ada)
        world.site.directory.sign_out(Actor(token=ada.token))
        again = world.site.directory.sign_in(Actor(place="203.0.113.7"), "ada", password())
        later.sign_in(again)  # type: ignore[arg-type] # one factor is enough here
        asked = {"id_token_hint": hint, "post_logout_redirect_uri": SIGNED_OUT}
        page = later.http.get(f"/oauth/end_session?{urlencode(asked)}", headers=HTML)
        assert (page.status_code, "Sign out here?" in page.text) == (200, True)

    def test_a_forged_form_signs_nobody_out(self, world: World) -> None:
        """Must hold 11."""
        wiki, browser = Relying(world), world.browser(world.account())
        wiki.tokens(browser)
        for headers in ({"Origin": "https://evil.example"}, {}):
            answer = browser.post("/oauth/end_session", {"answer": "leave", "form-token": "x"}, **headers)
            assert answer.status_code == 403
        assert "code" in carried(browser.ask(**wiki.wish(prompt="none")))


class TestCodes:
    def test_a_code_without_its_challenge_is_not_to_be_had(self, world: World) -> None:
        """RFC 9700 §2.1.1: no downgrade of PKCE, by leaving it out or by `plain`."""
        wiki, browser = Relying(world), world.browser(world.account())
        for more in ({"code_challenge": None}, {"code_challenge_method": "plain"}, {"code_challenge_method": None}):
            assert carried(browser.ask(**wiki.wish(**more)))["error"] == "invalid_request"

    def test_a_code_of_another_client_gives_nothing(self, world: World) -> None:
        """RFC 9700 §4.4: mixed up, or injected."""
        wiki, files, browser = Relying(world), Relying(world, "files"), world.browser(world.account())
        code = wiki.code(browser)
        assert files.exchange(code).json()["error"] == "invalid_grant"
        other = wiki.exchange(code, code_verifier="another-verifier-another-verifier-another-verifier")
        assert other.json()["error"] == "invalid_grant"
        injected = wiki.code(browser, code_challenge=challenge_of("x" * 50))
        assert wiki.exchange(injected).json()["error"] == "invalid_grant"

    def test_a_nonce_comes_back_as_it_was_sent(self, world: World) -> None:
        wiki, browser = Relying(world), world.browser(world.account())
        nonce = "é <script> \" ' %00 " + "x" * 900
        assert read(world, wiki.tokens(browser, nonce=nonce)["id_token"])["nonce"] == nonce
        assert carried(browser.ask(**wiki.wish(nonce="x" * 1025)))["error"] == "invalid_request"


class TestTokens:
    def test_userinfo_takes_no_token_of_another_kind(self, world: World) -> None:
        """RFC 9700 §2.3: of a relying party without OpenID, of one without the scope, of the command line, of a browser."""
        ada = world.account()
        browser, wiki = world.browser(ada), Relying(world)
        mail = world.register("mail")
        assert wiki.userinfo(token_for(world, mail, ada)).status_code == 403
        assert wiki.userinfo(wiki.tokens(browser, scope="profile")["access_token"]).status_code == 403
        given = wiki.tokens(browser, scope="openid offline_access")
        for token in (given["id_token"], given["refresh_token"], ada.token.reveal(), "x", ""):
            assert wiki.userinfo(token).status_code in (400, 401)

    def test_an_access_token_says_no_name_that_was_not_agreed_to(self, world: World) -> None:
        wiki, browser = Relying(world), world.browser(world.account())
        basic = wiki.basic
        for scope, told in (("openid", False), ("openid profile", True)):
            token = wiki.tokens(browser, scope=scope)["access_token"]
            said = world.program().post("/oauth/introspect", basic=basic, token=token).json()
            assert ("username" in said) is told

    def test_an_address_that_somebody_notes_themselves_is_told_nobody(self, world: World) -> None:
        """Else whoever writes down an address has every program's account of its owner."""
        wish = NewAccount(name="mallory", password=Secret(PASSWORD), email="ada@example.org")
        made = LocalDirectory(world.place.parts).create(Actor(place="203.0.113.9"), wish)
        wiki, browser = Relying(world), world.browser(made)
        page = browser.ask(**wiki.wish(scope="openid email"))
        assert "so it learns none" in page.text
        assert set(wiki.userinfo(wiki.tokens(browser, scope="openid email")["access_token"]).json()) == {"sub"}

    def test_a_token_ends_with_the_method_that_it_came_of(self, world: World) -> None:
        """Must hold 7."""
        ada = world.account()
        person, key = with_key(world, ada)
        person.with_key(key)
        wiki, browser = Relying(world), as_signed_in(person, world.browser())
        given = wiki.tokens(browser, scope="openid offline_access")
        person.do(RemoveMethodNamed(method=next(one.id for one in person.view.methods if one.kind == "security-key")))
        assert not wiki.is_active(given["access_token"])
        assert wiki.userinfo(given["access_token"]).status_code == 401
        assert wiki.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"

    def test_nothing_of_it_is_in_a_log_or_kept(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        """Must hold 1; authlib writes tokens into its log where it is let."""
        caplog.set_level(logging.DEBUG)
        wiki, browser = Relying(world), world.browser(world.account())
        given = wiki.tokens(browser, scope="openid offline_access")
        again = wiki.refresh(given["refresh_token"]).json()
        wiki.userinfo(again["access_token"])
        secrets = [given[name] for name in ("access_token", "refresh_token", "id_token")]
        secrets += [again[name] for name in ("access_token", "refresh_token", "id_token")]
        kept = world.place.everything_kept()
        for secret in secrets:
            assert secret not in caplog.text
            assert secret.encode() not in kept

    def test_signing_out_everywhere_ends_what_was_given(self, world: World) -> None:
        """Must hold 7."""
        ada = world.account()
        wiki, browser = Relying(world), world.browser(ada)
        given = wiki.tokens(browser, scope="openid offline_access")
        world.site.directory.apply(Actor(token=ada.token), "ada", EndSessions(all=True))
        assert not wiki.is_active(given["access_token"])
        assert wiki.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"

    def test_a_private_key_is_kept_under_the_vault_key_alone(self, world: World) -> None:
        """Must hold 1."""
        world.http().get("/oauth/keys")
        parts, kept = world.place.parts, world.place.everything_kept()
        records = tuple(parts.store.records(signing_keys.KIND))
        assert len(records) == 2
        for record in records:
            secret = sealed_records.opened(parts, record)
            assert secret not in kept
            assert base64.b64encode(secret[40:70]) not in kept
