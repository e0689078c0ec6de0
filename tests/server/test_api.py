"""The interface over HTTP, as a program sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from passless.domain.requests import NewAccount
from passless.domain.secret import Secret
from passless.ports.directory import Actor
from tests.directories.security_key import SecurityKey
from tests.server.asking import ANOTHER_PASSWORD, PASSWORD, Caller
from tests.server.serving import Served, a_server, keep_secret
from tests.server.watching import on_host

NUMBERS = count(1)
TRUSTED = ("--trusted-proxy", "127.0.0.1")  # so that each test may come from somewhere else


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_server(tmp_path_factory.mktemp("api"), *TRUSTED) as running:
        yield running


@pytest.fixture
def ada(served: Served) -> Iterator[Caller]:
    """Somebody with a password, who just made the account, at an address of their own."""
    number = next(NUMBERS)
    with Caller(served, name=f"ada-{number}", headers={"X-Forwarded-For": f"198.18.{number}.1"}) as caller:
        caller.create()
        yield caller


def a_key(**more: Any) -> SecurityKey:
    """A key like no other."""
    return SecurityKey(next(NUMBERS), **more)


@pytest.fixture(scope="module")
def reader(served: Served) -> Iterator[Caller]:
    """Somebody who is refused all the time, always the same."""
    with Caller(served, name="reader", headers={"X-Forwarded-For": "198.51.100.1"}) as caller:
        caller.create()
        yield caller


@pytest.fixture
def stranger(served: Served) -> Iterator[Caller]:
    number = next(NUMBERS)
    with Caller(served, name=f"nobody-{number}", headers={"X-Forwarded-For": f"198.18.{number}.1"}) as caller:
        yield caller


def test_anybody_learns_what_the_server_is(served: Served, stranger: Caller) -> None:
    about = stranger.get("/")
    assert (about["url"], about["rp_id"], about["api"], about["sign_up"]) == (served.url, "localhost", 1, "open")
    assert not about["may"]["phone"]["is_possible"]


def test_nothing_is_kept_by_anybody_in_between(ada: Caller) -> None:
    for path in ("/", "/accounts/me", "/nothing"):
        assert ada.ask("GET", path).headers["cache-control"] == "no-store"


def test_an_account_is_made_read_changed_and_left(ada: Caller) -> None:
    view = ada.get("/accounts/me")
    assert view["account"] == ada.name
    app, key = ada.add_app(), a_key()
    ada.add_key(key)
    assert len(ada.get("/accounts/me")["methods"]) == 3
    assert app.secret not in ada.ask("GET", "/accounts/me").text
    code = keep_secret(ada.apply("new-recovery-code")["code"])
    assert ada.post("/accounts/me/recovery-code/check", {"code": code})["right"] is False  # not saved yet
    ada.apply("confirm-recovery-code", code=code)
    assert ada.post("/accounts/me/recovery-code/check", {"code": code})["right"] is True
    ada.apply("two-step-on")
    mail = ada.apply("new-app-password", name="Mail", services=["imap"])
    keep_secret(mail["secret"])
    assert [one["name"] for one in ada.get("/accounts/me/app-passwords")["items"]] == ["Mail"]
    ada.apply("passwordless-on")
    assert ada.get("/accounts/me")["passwordless"] is True
    assert ada.post("/sign-out", {"everywhere": True})["ended"] == 1
    assert ada.get("/accounts/me", 401)["code"] == "sign-in-needed"


def test_two_step_asks_for_the_second_proof(ada: Caller) -> None:
    app, key = ada.add_app(), a_key(verifies=False)
    ada.add_key(key)
    ada.finish_key(key, ada.begin_key())
    ada.apply("two-step-on")
    ada.token = ""
    half = ada.sign_in()
    assert set(half["accepts"]) == {"totp", "security-key"}
    assert half["publicKey"]["challenge"]
    done = ada.post(f"/ceremonies/{half['ceremony']}", {"kind": "totp", "text": app.now()})
    assert keep_secret(done["token"])


def test_the_plan_is_what_would_be_done(ada: Caller) -> None:
    before = ada.get("/accounts/me")
    plan = ada.post("/accounts/me/plan", {"type": "two-step-on"})
    assert plan["applied"] is False
    assert plan["plan"]["accepted"] is False
    assert "no-way-in" in {one["code"] for one in plan["plan"]["problems"]}
    assert ada.get("/accounts/me") == before
    refused = ada.apply("two-step-on", 409)
    assert refused["kind"] == "refused"
    assert refused["problems"] == plan["plan"]["problems"]


def test_what_was_looked_at_is_what_is_changed(ada: Caller) -> None:
    seen = ada.ask("GET", "/accounts/me").headers["etag"]
    assert re.fullmatch(r'"\d+"', seen)
    assert ada.apply("rename-account", headers={"If-Match": seen}, display_name="Ada")["applied"]
    assert ada.apply("rename-account", 412, headers={"If-Match": seen}, display_name="Eve")["code"] == "busy"
    assert ada.apply("rename-account", 400, headers={"If-Match": "5"}, display_name="Eve")["code"] == "bad-version"
    assert ada.apply("rename-account", headers={"If-Match": "*"}, display_name="Ada L.")["applied"]
    assert ada.get("/accounts/me")["display_name"] == "Ada L."


def test_what_is_sent_twice_is_done_once(ada: Caller) -> None:
    key = {"Idempotency-Key": "the first"}
    first = ada.apply("new-recovery-code", headers=key)
    keep_secret(first["code"])
    again = ada.apply("new-recovery-code", headers=key)
    assert again == {name: value for name, value in first.items() if name != "code"} | {"repeated": True}
    other = ada.post("/accounts/me/apply", {"type": "two-step-on"}, 409, headers=key)
    assert other["code"] == "key-in-use"
    events = [one["event"] for one in ada.get("/events?account=me")["items"]]
    assert events.count("add-recovery-code") == 1


def test_of_two_at_once_with_one_key_one_is_done(ada: Caller) -> None:
    body = {"type": "new-recovery-code"}
    with ThreadPoolExecutor(4) as many:
        asked = [
            many.submit(ada.ask, "POST", "/accounts/me/apply", body, headers={"Idempotency-Key": "at once"}) for _ in range(4)
        ]
    answers = [one.result() for one in asked]
    assert sum("code" in one.json() and one.status_code == 200 for one in answers) == 1
    assert {one.status_code for one in answers} <= {200, 409}
    events = [one["event"] for one in ada.get("/events?account=me")["items"]]
    assert events.count("add-recovery-code") == 1


def test_what_was_refused_may_be_tried_again_with_its_key(ada: Caller) -> None:
    key = {"Idempotency-Key": "refused"}
    ada.apply("two-step-on", 409, headers=key)
    ada.add_app()
    ada.add_key(a_key())
    ada.apply("two-step-on", headers=key)


@pytest.mark.parametrize("key", ["", "a" * 65, "a\tb"])
def test_a_key_that_is_none_is_refused(reader: Caller, key: str) -> None:
    answer = reader.ask("POST", "/accounts/me/apply", {"type": "new-recovery-code"}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-idempotency-key")


def test_a_new_account_that_is_sent_twice_is_made_once(stranger: Caller) -> None:
    body, key = {"name": stranger.name, "password": keep_secret(PASSWORD)}, {"Idempotency-Key": "new"}
    first = stranger.post("/accounts", body, 201, headers=key)
    keep_secret(first["token"])
    again = stranger.post("/accounts", body, 201, headers=key)
    assert "token" not in again
    assert again["account_id"] == first["account_id"]
    assert again["repeated"] is True


def test_a_lost_answer_takes_no_session_with_it(ada: Caller) -> None:
    """What may be sent twice gives the session no new token, so nobody waits for one that was lost."""
    for kind, fields in (("set-password", {"password": keep_secret(ANOTHER_PASSWORD)}), ("new-recovery-code", {})):
        key, before = {"Idempotency-Key": kind}, ada.token
        assert "token" not in ada.apply(kind, headers=key, **fields)
        assert ada.apply(kind, headers=key, **fields)["repeated"] is True
        assert ada.get("/accounts/me")["session"]["strength"] == 1
        assert ada.token == before


def test_what_was_asked_before_a_session_got_a_new_token_is_repeated_after(ada: Caller) -> None:
    """Must hold 12: a key is the session's, whatever its token."""
    key, before = {"Idempotency-Key": "a code"}, ada.token
    ada.apply("new-recovery-code", headers=key)
    ada.sign_in()
    assert ada.token != before
    assert ada.apply("new-recovery-code", headers=key)["repeated"] is True


def test_the_answer_to_an_added_proof_carries_the_new_token(ada: Caller) -> None:
    """Must hold 7: whoever has a copy of the one of before has nothing of what was proven."""
    before = ada.token
    ada.sign_in()
    renewed = ada.token
    ada.add_app()
    assert len({before, renewed, ada.token}) == 3
    for old in (before, renewed):
        assert ada.ask("GET", "/accounts/me", headers={"Authorization": f"Bearer {old}"}).status_code == 401
    assert len(ada.get("/accounts/me/sessions")["items"]) == 1


def test_a_weak_proof_is_told_as_the_standard_has_it(ada: Caller) -> None:
    """Must hold 6 (RFC 9470): the answer to a weak proof says how many factors are asked for, and how fresh."""
    ada.add_key(a_key())
    with Caller(url=str(ada.http.base_url).removesuffix("/api/v1/"), name=ada.name, headers=ada.http.headers) as again:
        again.sign_in()
        refused = again.ask("POST", "/accounts/me/apply", {"type": "new-app-password", "name": "x"})
        assert refused.status_code in {401, 409}
        refused = again.ask("POST", "/accounts/me/apply", {"type": "delete-account"})
        assert refused.status_code == 401
        assert refused.json()["code"] == "weak-proof"
        challenge = refused.headers["www-authenticate"]
        assert challenge == 'Bearer error="insufficient_user_authentication", acr_values="2", max_age=600'


def test_who_is_not_signed_in_is_told_so(stranger: Caller) -> None:
    plain = stranger.ask("GET", "/accounts/me")
    assert (plain.status_code, plain.headers["www-authenticate"]) == (401, "Bearer")
    stranger.token = "pls_of_nobody"
    stale = stranger.ask("GET", "/accounts/me")
    assert stale.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_machine_may_what_it_was_given(ada: Caller) -> None:
    token = keep_secret(ada.apply("new-token", name="ci", rights=["status"], lifetime="P30D")["secret"])
    person, ada.token = ada.token, token
    assert ada.get("/accounts/me")["account"] == ada.name
    assert ada.get("/accounts/me/sessions", 403)["code"] == "token-may-not"
    assert ada.apply("rename-account", 403, display_name="x")["code"] == "token-may-not"
    ada.token = person
    ada.apply("revoke-token", token="ci")
    ada.token = token
    ada.get("/accounts/me", 401)


ERRORS: list[tuple[str, str, Any, int, str]] = [
    ("GET", "/nothing", None, 404, "no-such-address"),
    ("GET", "/accounts/me/nothing", None, 404, "no-such-address"),
    ("PUT", "/accounts/me", {}, 405, "wrong-method"),
    ("DELETE", "/accounts/me", None, 405, "wrong-method"),
    ("GET", "/accounts?limit=0", None, 400, "bad-limit"),
    ("GET", "/accounts?limit=201", None, 400, "bad-limit"),
    ("GET", "/accounts?limit=ten", None, 400, "bad-limit"),
    ("GET", "/accounts?cursor=!", None, 400, "bad-cursor"),
    ("GET", "/accounts?cursor=bm90", None, 400, "bad-cursor"),
    ("GET", "/events?account=me&since=yesterday", None, 400, "bad-time"),
    ("GET", "/events?account=me&cursor=WyJhIl0", None, 400, "bad-cursor"),
    ("POST", "/accounts/me/apply", {"type": "become-admin"}, 400, "not-understood"),
    ("POST", "/accounts/me/apply", {}, 400, "not-understood"),
    ("POST", "/accounts/me/apply", [], 400, "not-understood"),
    ("POST", "/accounts/me/apply", {"type": "remove-method", "method": "nothing"}, 404, "no-such-method"),
    ("POST", "/accounts/me/apply", {"type": "remove-method", "method": 5}, 400, "not-understood"),
    ("POST", "/accounts/me/apply", {"type": "passwordless-off"}, 400, "not-understood"),
    ("POST", "/accounts/me/ceremonies", {"type": "enrol", "kind": "phone"}, 501, ""),
    ("POST", "/accounts/me/ceremonies", {"type": "enrol", "kind": "magic"}, 400, "not-understood"),
    ("POST", "/ceremonies/none", {"kind": "totp", "text": "123456"}, 401, "no-such-ceremony"),
    ("POST", "/check", {"policy": {"numbers": {"wait_days": 1}}, "targets": ["me"]}, 400, "bad-policy"),
    ("POST", "/check", {"policy": {"nonsense": 1}}, 400, "not-understood"),
    ("POST", "/accounts/me/what-if", {"lost": ["device:none"]}, 404, "no-such-device"),
    ("POST", "/accounts/reader/sign-in", {"kind": "password", "text": "wrong wrong"}, 401, "wrong-proof"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), ERRORS)
def test_errors_are_problem_documents(reader: Caller, method: str, path: str, body: Any, status: int, code: str) -> None:
    answer = reader.ask(method, path, body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["title"]
    assert document["hint"]
    assert not code or document["code"] == code


@pytest.mark.parametrize("path", ["/api/v1accounts", "/api/v1accounts/me", "/api/v2/accounts", "/api", "/api/", "/%61pi/v1/"])
def test_what_only_looks_like_an_address_is_none(served: Served, reader: Caller, path: str) -> None:
    assert reader.http.get(served.url + path, headers={"Accept": "application/json"}).status_code == 404


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"{}", "application/json; charset=latin-1", 415),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"type":"rename-account","name":"\\ud800"}', "application/json", 400),
        (b'{"type":"rename-account","name":"' + b"a" * 300_000 + b'"}', "application/json", 413),
        (b'{"type":"rename-account","display_name":"ok"}', "application/json; charset=UTF-8", 200),
    ],
)
def test_bodies_are_json_of_some_size(reader: Caller, content: bytes, kind: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {reader.token}"} | ({"Content-Type": kind} if kind else {})
    assert reader.http.post("/accounts/me/apply", content=content, headers=headers).status_code == status


def test_lists_come_in_pages(ada: Caller) -> None:
    for number in range(4):
        keep_secret(ada.apply("new-token", name=f"token {number}", rights=["status"], lifetime="P1D")["secret"])
    whole = ada.get("/accounts/me/tokens")
    assert whole["next"] is None
    found, cursor = [], ""
    while True:
        page = ada.get(f"/accounts/me/tokens?limit=3{cursor}")
        found += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == whole["items"]
    assert len(found) == 4


def test_the_trail_comes_in_pages(ada: Caller) -> None:
    for number in range(5):
        ada.apply("rename-account", display_name=f"name {number}")
    whole = ada.get("/events?account=me")["items"]
    found, cursor = [], ""
    while len(found) <= len(whole):
        page = ada.get(f"/events?account=me&limit=2{cursor}")
        found += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == whole
    assert len({one["seq"] for one in found}) == len(found)


@pytest.mark.parametrize("name", ["a/b", "a b", "a%2Fb", "ä ö", "..", "a?b#c", "a+b", "a;b"])
def test_any_name_can_stand_in_an_address(served: Served, stranger: Caller, name: str) -> None:
    from urllib.parse import quote

    stranger.name = f"{name} {next(NUMBERS)}"
    with on_host(served.home.parent) as directory:  # nobody gives themselves some of these
        made = directory.create(Actor(), NewAccount(name=stranger.name, password=Secret(PASSWORD)))
    stranger.token = keep_secret(made.token.reveal())
    assert stranger.get(f"/accounts/{quote(stranger.name, safe='')}")["account"] == stranger.name


def test_no_account_is_called_what_an_address_reads_as_something_else(ada: Caller, stranger: Caller) -> None:
    for name in ("me", "Me", ".."):
        made = stranger.ask("POST", "/accounts", {"name": name})
        assert (made.status_code, made.json()["code"]) == (400, "bad-name")
        renamed = ada.ask("POST", "/accounts/me/apply", {"type": "rename-account", "name": name})
        assert (renamed.status_code, renamed.json()["code"]) == (400, "bad-name")


def test_unknown_names_and_wrong_proofs_are_the_same(ada: Caller, stranger: Caller) -> None:
    """Must hold 3: status, headers and body tell nothing, whatever is asked."""
    bodies: list[tuple[str, Any]] = [
        ("sign-in", {"kind": "password", "text": "wrong wrong wrong"}),
        ("sign-in", {"kind": "totp", "text": "123456"}),
        ("sign-in", {"kind": "temporary-pass", "text": "ABCDEFGH2345"}),
        ("recover", {"code": "00000-00000-00000-00000-00000"}),
    ]
    for path, body in bodies:
        known = stranger.ask("POST", f"/accounts/{ada.name}/{path}", body)
        unknown = stranger.ask("POST", f"/accounts/{stranger.name}/{path}", body)
        assert known.status_code == unknown.status_code == 401
        assert known.content == unknown.content
        assert _told(known) == _told(unknown)
    for path in ("", "/sessions", "/devices", "/app-passwords"):
        known, unknown = (stranger.ask("GET", f"/accounts/{name}{path}") for name in (ada.name, stranger.name))
        assert known.status_code == unknown.status_code == 401
        assert known.text.replace(ada.name, "NAME") == unknown.text.replace(stranger.name, "NAME")
    for kind in ("security-key", "passkey"):
        known, unknown = (
            stranger.ask("POST", f"/accounts/{name}/ceremonies", {"type": "sign-in", "kind": kind})
            for name in (ada.name, stranger.name)
        )
        assert known.status_code == unknown.status_code == 201
        assert set(known.json()) == set(unknown.json())


def _told(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in {"date", "x-request-id"}}


def test_a_ceremony_is_bound_to_its_account_and_used_once(ada: Caller, stranger: Caller) -> None:
    """Must hold 5: foreign, replayed and misused ceremonies are refused."""
    key, other = a_key(), a_key()
    ada.add_key(key)
    stranger.create()
    stranger.add_key(other)
    begun = ada.begin_key()
    wrong_origin = {**begun, "origin": "https://evil.example"}
    assert ada.finish_key(key, wrong_origin, 401)["code"] == "wrong-proof"
    begun = ada.begin_key()
    ada.finish_key(key, begun)
    assert ada.finish_key(key, begun, 401)["code"] == "no-such-ceremony"
    enrolment = stranger.post("/accounts/me/ceremonies", {"type": "enrol", "kind": "totp"}, 201)
    keep_secret(enrolment["secret"])
    refused = ada.ask("POST", f"/ceremonies/{enrolment['ceremony']}", {"kind": "totp", "text": "123456"})
    assert refused.status_code in {401, 403}


def test_every_sign_in_is_in_the_trail(ada: Caller) -> None:
    """Must hold 8: good or bad, with who, what, when, from where, and no secret."""
    ada.sign_in("wrong wrong wrong", 401)
    ada.sign_in()
    events = [one for one in ada.get("/events?account=me")["items"] if one["event"] == "sign-in"]
    assert [one["outcome"] for one in events] == ["failed", "done"]
    assert all(one["place"] == ada.http.headers["x-forwarded-for"] and one["at"].endswith("Z") for one in events)
    assert PASSWORD not in str(events)


def test_a_new_password_ends_the_old_one_at_once(ada: Caller) -> None:
    """Must hold 7."""
    ada.apply("set-password", password=keep_secret(ANOTHER_PASSWORD))
    ada.sign_in(PASSWORD, 401)
    ada.sign_in(ANOTHER_PASSWORD)


def test_nobody_reads_somebody_else(ada: Caller, stranger: Caller) -> None:
    """Must hold 9: who is no operator acts on nobody else, whatever reason they give."""
    stranger.create()
    reason = {"Passless-Reason": "curious", "Passless-Ticket": "T-1"}
    for headers in ({}, reason):
        for path in ("", "/sessions", "/devices", "/app-passwords", "/tokens", "/passes"):
            assert stranger.ask("GET", f"/accounts/{ada.name}{path}", headers=headers).status_code in {401, 403}
        for body in ({"type": "report-lost-device", "device": "phone"}, {"type": "issue-temporary-pass", "lifetime": "PT1H"}):
            refused = stranger.ask("POST", f"/accounts/{ada.name}/apply", body, headers=headers)
            assert refused.status_code in {401, 403}, refused.text
    assert [one["account"] for one in stranger.get("/accounts")["items"]] == [stranger.name]


def test_the_description_is_of_what_answers(served: Served, stranger: Caller) -> None:
    described = stranger.http.get(f"{served.url}/api/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    for path, operations in described["paths"].items():
        for method in operations:
            asked = re.sub(r"\{\w+\}", "x", path).removeprefix("/api/v1")
            answer = stranger.ask(method.upper(), asked, {} if method == "post" else None)
            assert answer.status_code != 405, (method, path)
            assert answer.status_code != 404 or answer.json()["code"] != "no-such-address", (method, path)
