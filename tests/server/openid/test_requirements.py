"""What a relying party requires of how people sign in holds in every grant, and they are led to prove it."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from passless.actions.relying_parties import CLIENTS
from passless.domain.methods import Kind
from passless.domain.party_kinds import Requirement
from passless.domain.relying_parties import Client
from passless.ports import Write
from tests.server.oauth.world import HTML, Browser, Fields, World, carried
from tests.server.openid.relying import Relying, as_signed_in, read, with_key

STRICT = {"requires": "phishing-resistant"}


def requires(world: World, party: Relying, requirement: Requirement) -> None:
    """Change what is required, as the next version may."""
    record = world.place.store.record(CLIENTS, party.id)
    assert record is not None
    client = msgspec.structs.replace(msgspec.json.decode(record.document, type=Client), requires=requirement)
    put = msgspec.structs.replace(record, document=msgspec.json.encode(client))
    world.place.store.commit(Write(at=world.place.clock.now, puts=(put,)))


def asked_for(browser: Browser, wiki: Relying, **more: str) -> dict[str, str]:
    """Return what the sign-in page is asked for."""
    answer = browser.ask(**wiki.wish(**more))
    assert answer.status_code == 303, answer.text
    where = urlsplit(answer.headers["location"])
    assert where.path == "/sign-in", answer.headers["location"]
    return {name: value for name, (value,) in parse_qs(where.query).items()}


def test_who_has_nothing_as_strong_is_told_so(world: World) -> None:
    wiki = Relying(world, **STRICT)
    answer = carried(world.browser(world.account()).ask(**wiki.wish()))
    assert answer["error"] == "unmet_authentication_requirements"


def test_who_signed_in_with_less_is_led_to_a_key_and_let_in_with_it(world: World) -> None:
    wiki, ada = Relying(world, **STRICT), world.account()
    person, key = with_key(world, ada)
    person.token = None
    person.with_password()
    browser = as_signed_in(person, world.browser())
    assert carried(browser.ask(**wiki.wish(prompt="none")))["error"] == "login_required"
    wanted = asked_for(browser, wiki)
    assert (wanted["strength"], wanted["why"]) == ("3", "needs-key")
    page = browser.http.get(f"/sign-in?strength=3&fresh=600&why=needs-key&next={wanted['next'][:1]}", headers=HTML)
    assert "asks for a passkey or a security key" in page.text
    assert "with=password" not in page.text
    person.with_key(key)
    content = read(world, wiki.tokens(as_signed_in(person, browser))["id_token"])
    assert content["acr"] == "phr"
    assert {"hwk", "user", "mfa"} <= set(content["amr"])


def test_a_key_that_checks_nobody_is_one_factor_and_asks_for_another(world: World) -> None:
    wiki = Relying(world, **STRICT)
    person, key = with_key(world, world.account(), verifies=False)
    person.token = None
    person.with_key(key)
    browser = as_signed_in(person, world.browser())
    assert asked_for(browser, wiki)["strength"] == "3"
    page = browser.http.get("/sign-in?strength=3&fresh=600", headers=HTML)
    assert "with=password" in page.text
    person.with_password()
    content = read(world, wiki.tokens(as_signed_in(person, browser))["id_token"])
    assert (content["acr"], set(content["amr"])) == ("phr", {"hwk", "user", "pwd", "mfa"})


@pytest.mark.parametrize("word", ["2", "phr"])
def test_a_request_may_ask_for_as_much(world: World, word: str) -> None:
    """RFC 9470 §5; OpenID Connect EAP ACR Values 1.0."""
    wiki = Relying(world)
    person, key = with_key(world, world.account())
    person.token = None
    person.with_password()
    browser = as_signed_in(person, world.browser())
    claims = json.dumps({"id_token": {"acr": {"essential": True, "values": [word]}}})
    for more in ({"acr_values": word}, {"claims": claims}):
        assert asked_for(browser, wiki, **more)["strength"] == ("2" if word == "2" else "3")
    person.with_key(key)
    given = wiki.tokens(as_signed_in(person, browser), claims=claims)
    assert read(world, given["id_token"])["acr"] == word


def test_a_weaker_wish_does_not_lower_what_is_required(world: World) -> None:
    wiki = Relying(world, **STRICT)
    browser = world.browser(world.account())
    assert carried(browser.ask(**wiki.wish(acr_values="1")))["error"] == "unmet_authentication_requirements"


def test_no_device_code_is_given_where_only_keys_do(world: World) -> None:
    """A code can be phished, a key cannot."""
    wiki = Relying(world, **STRICT)
    answer = world.program().post("/oauth/device_authorization", basic=wiki.basic, scope="openid")
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_a_device_is_let_in_by_two_factors_where_these_are_required(world: World) -> None:
    wiki = Relying(world, requires="two-factors")
    begun = world.program().post("/oauth/device_authorization", basic=wiki.basic, scope="openid offline_access").json()
    weak = world.browser(world.account())
    page = weak.http.get("/device", headers=HTML)
    page = weak.post("/device", {**Fields(page.text).hidden, "user_code": begun["user_code"]})
    assert (page.status_code, "stronger sign-in" in page.text) == (403, True)
    person, key = with_key(world, world.account("bob"))
    person.token = None
    person.with_password()
    browser = as_signed_in(person, world.browser())
    page = browser.http.get("/device", headers=HTML)
    led = browser.post("/device", {**Fields(page.text).hidden, "user_code": begun["user_code"]})
    assert "strength=2" in led.headers["location"]
    person.with_key(key)
    as_signed_in(person, browser)
    page = browser.post(
        "/device", {**Fields(browser.http.get("/device", headers=HTML).text).hidden, "user_code": begun["user_code"]}
    )
    browser.post("/device", {**Fields(page.text).hidden, "answer": "approve"})
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": begun["device_code"]}
    given = world.program().post("/oauth/token", basic=wiki.basic, **form).json()
    content = read(world, given["id_token"])
    assert content["acr"] == "phr"
    assert "sid" not in content  # a device has no browser's session
    assert wiki.refresh(given["refresh_token"]).status_code == 200


def test_what_came_of_weaker_proofs_is_given_no_more(world: World) -> None:
    """Code, refresh token, introspection and userinfo: all look at what is required by now."""
    wiki, browser = Relying(world), world.browser(world.account())
    given = wiki.tokens(browser, scope="openid offline_access")
    waiting = wiki.code(browser)
    requires(world, wiki, Requirement.TWO_FACTORS)
    assert wiki.exchange(waiting).json()["error"] == "invalid_grant"
    assert wiki.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"
    assert not wiki.is_active(given["access_token"])
    assert wiki.userinfo(given["access_token"]).status_code == 401


def test_it_holds_without_openid_too(world: World) -> None:
    mail = Relying(world, "mail", kind="oauth", after_sign_out=(), told_of_endings_at="", requires="two-factors")
    answer = carried(world.browser(world.account()).ask(**mail.wish(scope=None, nonce=None)))
    assert answer["error"] == "unmet_authentication_requirements"


def test_a_passkey_is_enough_by_itself(world: World) -> None:
    wiki = Relying(world, **STRICT)
    person, key = with_key(world, world.account())
    person.add_key(key, Kind.PASSKEY, device="laptop")
    person.token = None
    person.with_key(key, Kind.PASSKEY)
    assert read(world, wiki.tokens(as_signed_in(person, world.browser()))["id_token"])["acr"] == "phr"
