"""The device grant (RFC 8628): a device shows a code, a person approves it elsewhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from passless.actions.who import token_hash
from passless.domain.secret import Secret
from passless.domain.sessions import SessionKind
from passless.domain.views import SignedIn
from passless.ports.directory import Actor
from passless.server.oauth import devices
from tests.directories.place import on_disk
from tests.server.oauth.world import URL, Browser, Fields, World


def entered(browser: Browser, user_code: str) -> httpx.Response:
    """Type a code, as a person does on the page."""
    browser.http.get("/device", headers={"Accept": "text/html"})
    page = browser.http.get("/device", headers={"Accept": "text/html"})
    return browser.post("/device", {**Fields(page.text).hidden, "user_code": user_code})


def answered(browser: Browser, user_code: str, said: str = "approve") -> httpx.Response:
    return browser.answer(entered(browser, user_code), said)


def begun(world: World) -> tuple[Any, str, str]:
    device = world.program("198.51.100.9")
    given = device.begin_device().json()
    return device, given["device_code"], given["user_code"]


def test_an_approved_device_gets_a_session_that_proves_nothing(world: World) -> None:
    """Rule 8: a device code could be phished."""
    ada = world.account()
    device, device_code, user_code = begun(world)
    assert device.poll(device_code).json() == {"error": "authorization_pending"}
    page = answered(world.browser(ada), user_code)
    assert "let in" in page.text
    world.place.clock.move(seconds=5)
    answer = device.poll(device_code).json()
    assert (answer["account"], answer["account_id"]) == ("ada", ada.account_id)
    session = world.place.store.session(token_hash(Secret(answer["access_token"])))
    assert session is not None
    assert session.kind is SessionKind.DEVICE_CODE
    assert session.fresh_proofs(world.place.clock.now) == ()
    view = world.site.directory.read(Actor(token=Secret(answer["access_token"])), "ada")
    assert view.session is not None
    assert view.session.strength == 0


def test_what_the_device_is_told_is_what_the_standard_says(world: World) -> None:
    given = world.program().begin_device()
    assert given.headers["cache-control"] == "no-store"
    answer = given.json()
    assert (answer["expires_in"], answer["interval"]) == (900, 5)
    assert answer["verification_uri"] == "https://passless.example/device"
    assert answer["verification_uri_complete"] == f"https://passless.example/device?user_code={answer['user_code']}"
    letters = answer["user_code"].replace("-", "")
    assert len(letters) == 8
    assert set(letters) <= set("BCDFGHJKLMNPQRSTVWXZ")
    assert len(answer["device_code"].partition(".")[2]) == 43


def test_the_page_says_what_asks_from_where_and_since_when(world: World) -> None:
    _, _, user_code = begun(world)
    words = " ".join(Fields(entered(world.browser(world.account()), user_code).text).words)
    for said in ("the passless command line", "198.51.100.9", "UTC", user_code, "ada"):
        assert said in words
    assert "Look at your account from that device, and sign itself out; it can change nothing" in words


def test_what_the_page_says_of_the_device_is_what_it_may(world: World) -> None:
    """Must hold 6, decision 0016: RFC 9470 says what would help."""
    ada = world.account()
    device, device_code, user_code = begun(world)
    answered(world.browser(ada), user_code)
    token = device.poll(device_code).json()["access_token"]
    headers = {"Authorization": f"Bearer {world.place.keep_secret(token)}", "Origin": URL}

    def asked(method: str, path: str, body: Any = None) -> httpx.Response:
        return world.http().request(method, f"/api/v1{path}", json=body, headers=headers)

    assert asked("GET", "/accounts/me").status_code == 200
    lost = {"type": "report-lost-device", "device": "phone"}
    for path, body in (
        ("/accounts/me/apply", lost),
        ("/accounts/me/apply", {"type": "end-sessions", "all": True}),
        ("/accounts/me/apply", {"type": "rename-account", "name": "gone"}),
        ("/accounts/me/ceremonies", {"type": "enrol", "kind": "totp"}),
        ("/sign-out", {"everywhere": True}),
    ):
        refused = asked("POST", path, body)
        assert (refused.status_code, refused.json()["code"]) == (401, "session-may-not")
        assert 'error="insufficient_user_authentication"' in refused.headers["www-authenticate"]
    planned = asked("POST", "/accounts/me/plan", {"type": "rename-account", "name": "gone"})
    assert (planned.status_code, planned.json()["plan"]["accepted"]) == (200, False)
    assert asked("POST", "/sign-out", {"everywhere": False}).json() == {"ended": 1}


@pytest.mark.parametrize("typed", ["{0}", "{0} ", "{1}", "{2}"])
def test_a_code_is_taken_as_people_type_it(world: World, typed: str) -> None:
    _, _, user_code = begun(world)
    spelled = typed.format(user_code, user_code.replace("-", "").lower(), user_code.replace("-", " "))
    assert "198.51.100.9" in entered(world.browser(world.account()), spelled).text


def test_a_refused_device_is_told_so(world: World) -> None:
    device, device_code, user_code = begun(world)
    assert "Refused" in answered(world.browser(world.account()), user_code, "refuse").text
    assert device.poll(device_code).json()["error"] == "access_denied"


def test_a_code_is_over_after_fifteen_minutes(world: World) -> None:
    ada = world.account()
    device, device_code, user_code = begun(world)
    browser = world.browser(ada)
    page = entered(browser, user_code)
    world.place.clock.move(minutes=15)
    assert device.poll(device_code).json()["error"] == "expired_token"
    assert browser.answer(page).status_code == 303  # the proof is stale as well
    world.place.clock.move(minutes=16)
    world.place.store.sweep(at=world.place.clock.now)
    assert device.poll(device_code).json()["error"] == "invalid_grant"


def test_who_looks_too_often_waits_longer_for_good(world: World) -> None:
    device, device_code, _ = begun(world)
    said = []
    for seconds in (0, 5, 4, 9, 10, 15, 14, 15):
        world.place.clock.move(seconds=seconds)
        said.append(device.poll(device_code).json()["error"])
    slow, wait = "slow_down", "authorization_pending"
    assert said == [wait, wait, slow, slow, slow, slow, slow, slow]
    world.place.clock.move(seconds=35)
    assert device.poll(device_code).json()["error"] == wait


def test_a_device_code_is_used_once(world: World) -> None:
    """must hold 12."""
    device, device_code, user_code = begun(world)
    answered(world.browser(world.account()), user_code)
    assert device.poll(device_code).status_code == 200
    assert device.poll(device_code).json()["error"] == "invalid_grant"


def test_two_looks_at_once_give_one_session(tmp_path: Path) -> None:
    """must hold 12: in whichever process it arrives first."""
    world = World(on_disk(tmp_path))
    try:
        ada = world.account()
        _, device_code, user_code = begun(world)
        answered(world.browser(ada), user_code)
        programs = [world.program() for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda program: program.poll(device_code), programs))
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
        kinds = [one.kind for one in world.site.directory.sessions(Actor(token=ada.token), "ada")]
        assert sorted(kinds) == ["device-code", "direct"]
    finally:
        world.close()


def test_another_client_gets_nothing_for_it(world: World) -> None:
    other = world.register("other", public=True)
    device, device_code, user_code = begun(world)
    answered(world.browser(world.account()), user_code)
    assert device.poll(device_code, client_id=other.id).status_code == 400
    assert device.poll(device_code).status_code == 200


@pytest.mark.parametrize("device_code", ["", "x", "é.é", f"{'0' * 64}.x", "." * 99])
def test_nonsense_is_no_device_code(world: World, device_code: str) -> None:
    assert world.program().poll(device_code).status_code == 400


def test_a_device_that_knows_only_the_user_code_gets_nothing(world: World) -> None:
    ada = world.account()
    device, device_code, user_code = begun(world)
    answered(world.browser(ada), user_code)
    assert device.poll(f"{device_code.partition('.')[0]}.{'A' * 43}").json()["error"] == "invalid_grant"
    assert device.poll(device_code).status_code == 200


class TestApproving:
    def test_nobody_approves_without_signing_in(self, world: World) -> None:
        _, _, user_code = begun(world)
        answer = world.browser().http.get(f"/device?user_code={user_code}", headers={"Accept": "text/html"})
        assert answer.headers["location"] == f"/sign-in?next=%2Fdevice%3Fuser_code%3D{user_code}"

    def test_nobody_approves_with_a_stale_proof(self, world: World) -> None:
        """must hold 6."""
        browser = world.browser(world.account())
        world.place.clock.move(minutes=11)
        _, _, user_code = begun(world)
        answer = browser.http.get(f"/device?user_code={user_code}", headers={"Accept": "text/html"})
        assert answer.status_code == 303
        assert "fresh=600" in answer.headers["location"]

    def test_a_session_of_a_device_approves_no_other(self, world: World) -> None:
        device, device_code, user_code = begun(world)
        answered(world.browser(world.account()), user_code)
        token = device.poll(device_code).json()["access_token"]
        browser = world.browser()
        browser.http.cookies.set("__Host-passless-session", token)
        assert browser.http.get("/device", headers={"Accept": "text/html"}).headers["location"].startswith("/sign-in?")

    def test_an_address_with_the_code_approves_nothing_by_itself(self, world: World) -> None:
        device, device_code, user_code = begun(world)
        browser = world.browser(world.account())
        page = browser.http.get(f"/device?user_code={user_code}&answer=approve", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert device.poll(device_code).json()["error"] == "authorization_pending"

    def test_a_forged_form_approves_nothing(self, world: World) -> None:
        """must hold 11."""
        device, device_code, user_code = begun(world)
        browser = world.browser(world.account())
        hidden = Fields(entered(browser, user_code).text).hidden
        form = {**hidden, "answer": "approve"}
        assert browser.post("/device", form, Origin="https://evil.example").status_code == 403
        assert browser.post("/device", form | {"form-token": "x"}).status_code == 403
        assert device.poll(device_code).json()["error"] == "authorization_pending"

    def test_it_is_not_framed(self, world: World) -> None:
        page = world.browser(world.account()).http.get("/device", headers={"Accept": "text/html"})
        assert page.headers["x-frame-options"] == "DENY"

    def test_who_approved_and_signed_out_gives_nothing(self, world: World) -> None:
        """must hold 7."""
        ada: SignedIn = world.account()
        device, device_code, user_code = begun(world)
        answered(world.browser(ada), user_code)
        world.site.directory.sign_out(Actor(token=ada.token))
        assert device.poll(device_code).json()["error"] == "invalid_grant"

    def test_it_is_answered_once(self, world: World) -> None:
        ada, bob = world.account(), world.account("bob")
        _, _, user_code = begun(world)
        one, other = world.browser(ada), world.browser(bob)
        first, second = entered(one, user_code), entered(other, user_code)
        assert "let in" in one.answer(first).text
        assert other.answer(second).status_code == 404

    def test_it_is_in_the_audit_trail(self, world: World) -> None:
        """must hold 8."""
        device, device_code, user_code = begun(world)
        answered(world.browser(world.account()), user_code)
        device.poll(device_code)
        events = [(one.event, one.outcome) for one in world.place.store.events()]
        assert ("approve-device", "done") in events
        assert events[-1] == ("sign-in", "done")


class TestGuessing:
    def test_five_wrong_codes_from_one_source_make_it_wait(self, world: World) -> None:
        _, _, user_code = begun(world)
        ada = world.account()
        browser = world.browser(ada)
        for _ in range(5):
            assert entered(browser, "BBBB-BBBB").status_code == 404
        assert entered(browser, "BBBB-BBBB").status_code == 429
        assert entered(browser, user_code).status_code == 429
        assert entered(world.browser(ada, address="192.0.2.1"), user_code).status_code == 200
        world.place.clock.move(seconds=300)
        assert entered(browser, user_code).status_code == 200

    def test_a_right_code_that_is_not_answered_forgives_no_wrong_ones(self, world: World) -> None:
        _, _, user_code = begun(world)
        browser = world.browser(world.account())
        said = [entered(browser, typed).status_code for typed in ("BBBB-BBBB", user_code) * 3]
        assert said == [404, 200, 404, 200, 404, 429]

    def test_a_source_asks_for_five_codes_in_ten_minutes(self, world: World) -> None:
        device = world.program("2001:db8::1")
        assert [device.begin_device().status_code for _ in range(5)] == [200] * 5
        refused = world.program("2001:db8::2").begin_device()  # the same network is the same source
        assert (refused.status_code, refused.json()["error"]) == (429, "slow_down")
        assert world.program("2001:db8:0:1::1").begin_device().status_code == 200
        world.place.clock.move(minutes=10)
        assert device.begin_device().status_code == 200

    def test_only_hashes_of_the_codes_are_kept(self, world: World) -> None:
        _, device_code, user_code = begun(world)
        kept = world.place.everything_kept()
        for secret in (device_code.partition(".")[2], user_code, user_code.replace("-", "")):
            assert secret.encode() not in kept


def test_codes_are_read_without_what_stands_between() -> None:
    assert devices.as_typed(" bcdf–ghjk ") == "BCDFGHJK"
    assert devices.shown("BCDFGHJK") == "BCDF-GHJK"
