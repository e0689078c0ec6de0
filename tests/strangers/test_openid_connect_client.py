"""npm's `openid-client` signs in by OpenID Connect, and `jose` judges its tokens: what is right passes, nothing else does."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.server.asking import Caller
from tests.server.oauth.world import Fields
from tests.server.serving import Served, a_server, keep_secret
from tests.strangers.needing import missing, need
from tests.strangers.registering import registered
from tests.strangers.test_openid_client import INSTALL, LIMIT, NODE, approved, posted

CALLBACK = "https://app.example/signed-in"
BYE = "https://app.example/bye"
SECRETS = ("access_token", "refresh_token", "id_token")


class Stranger(AbstractContextManager["Stranger"]):
    """The client, running; it does what it is told, and says what came of it."""

    def __init__(self, issuer: str, made: dict[str, Any], **wish: Any) -> None:
        usual = {"issuer": issuer, "id": made["id"], "secret": made["secret"], "redirect_uri": CALLBACK, "scope": "openid"}
        command = ["node", str(NODE / "openid_client.mjs"), json.dumps({**usual, **wish})]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=LIMIT)

    def __call__(self, does: str, **more: Any) -> dict[str, Any]:
        """Tell it to do something; return what came of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": does, **more}) + "\n")
        self.process.stdin.flush()
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        for name in SECRETS:
            if isinstance(said.get(name), str):
                keep_secret(said[name])
        return said


class Scene:
    """A server, its programs, and ada's browser."""

    def __init__(self, served: Served, stack: ExitStack) -> None:
        self.served = served
        self.stack = stack
        self.app = registered(served, "The app", "--redirect-uri", CALLBACK, "--after-sign-out", BYE)
        self.other = registered(served, "Other", "--redirect-uri", CALLBACK)
        with Caller(served) as ada:
            ada.create()
            self.token = ada.token

    def browser(self) -> httpx.Client:
        """Return a browser in which ada just signed in."""
        with Caller(self.served) as ada:
            ada.sign_in()
            cookies = {"passless-session": ada.token}
        return self.stack.enter_context(
            httpx.Client(base_url=self.served.url, headers={"Accept": "text/html"}, cookies=cookies, timeout=LIMIT)
        )

    def stranger(self, **wish: Any) -> Stranger:
        """Return the client."""
        return self.stack.enter_context(Stranger(self.served.url, self.app, **wish))

    def back(self, stranger: Stranger, browser: httpx.Client, **more: str) -> str:
        """Begin, and return where the browser goes once somebody agreed."""
        address = stranger("begin", more=more)["address"]
        page = browser.get(address)
        back = str(page.headers["location"]) if page.status_code == 303 else approved(browser, self.served, address)
        keep_secret(parse_qs(urlsplit(back).query)["code"][0])
        return back


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    need("node", install="apt-get install nodejs npm")
    if not (NODE / "node_modules" / "jose").is_dir():
        missing("the npm packages openid-client and jose", install=INSTALL)
    with ExitStack() as stack:
        yield Scene(stack.enter_context(a_server(tmp_path_factory.mktemp("openid"))), stack)


@pytest.fixture
def stranger(scene: Scene) -> Stranger:
    return scene.stranger()


@pytest.fixture
def browser(scene: Scene) -> httpx.Client:
    return scene.browser()


def test_it_signs_a_person_in(scene: Scene, stranger: Stranger, browser: httpx.Client) -> None:
    given = stranger("finish", back=scene.back(stranger, browser))
    claims = given["claims"]
    assert (claims["iss"], claims["aud"], claims["acr"]) == (scene.served.url, scene.app["id"], "1")
    said = stranger("userinfo", sub=claims["sub"])
    assert said["sub"] == claims["sub"]
    judged = stranger("judge", token=given["id_token"])
    assert judged["payload"] == claims
    assert judged["header"]["kid"]


@pytest.mark.parametrize(
    "instead", [{"expectedNonce": "another"}, {"expectedState": "another"}, {"pkceCodeVerifier": "x" * 43}]
)
def test_an_answer_to_something_else_is_none(
    scene: Scene, stranger: Stranger, browser: httpx.Client, instead: dict[str, str]
) -> None:
    said = stranger("finish", back=scene.back(stranger, browser), instead=instead)
    assert "error" in said
    assert "id_token" not in said


def test_an_answer_of_another_server_is_none(scene: Scene, stranger: Stranger, browser: httpx.Client) -> None:
    """RFC 9207: mix-up."""
    back = scene.back(stranger, browser).rpartition("&iss=")[0] + "&iss=https%3A%2F%2Fevil.example"
    assert "iss" in stranger("finish", back=back)["message"]


def test_tokens_for_another_program_or_of_another_kind_are_none(
    scene: Scene, stranger: Stranger, browser: httpx.Client
) -> None:
    given = stranger("finish", back=scene.back(stranger, browser))
    other = stranger("judge", token=given["id_token"], audience=scene.other["id"])
    assert other["error"] == "ERR_JWT_CLAIM_VALIDATION_FAILED"
    head, payload, _ = given["id_token"].split(".")
    assert "error" in stranger("judge", token=f"{head}.{payload}.")
    unsigned = "eyJhbGciOiJub25lIn0"  # {"alg":"none"}
    assert "error" in stranger("judge", token=f"{unsigned}.{payload}.")
    assert "error" in stranger("userinfo", token=given["id_token"])  # it opens nothing here either
    assert "error" in stranger("userinfo", token=f"{given['access_token']}x")


def test_how_long_ago_somebody_proved_who_they_are_is_said(scene: Scene, stranger: Stranger, browser: httpx.Client) -> None:
    claims = stranger("finish", back=scene.back(stranger, browser, max_age="600"))["claims"]
    assert claims["auth_time"] <= claims["iat"] <= claims["exp"]
    assert claims["amr"] == ["pwd"]


def test_more_than_somebody_has_is_not_asked_of_them(scene: Scene, stranger: Stranger, browser: httpx.Client) -> None:
    address = stranger("begin", more={"acr_values": "2"})["address"]
    assert "error=unmet_authentication_requirements" in browser.get(address).headers["location"]


def test_nobody_signs_in_without_a_page_where_nobody_is(scene: Scene, stranger: Stranger) -> None:
    address = stranger("begin", more={"prompt": "none"})["address"]
    back = httpx.get(address, headers={"Accept": "text/html"}, timeout=LIMIT).headers["location"]
    assert stranger("finish", back=back)["error"] == "login_required"


class TestRefreshing:
    @pytest.fixture
    def stranger(self, scene: Scene) -> Stranger:
        return scene.stranger(scope="openid offline_access")

    def test_a_token_is_made_new_each_time(self, scene: Scene, stranger: Stranger, browser: httpx.Client) -> None:
        first = stranger("finish", back=scene.back(stranger, browser))
        second = stranger("refresh")
        third = stranger("refresh")
        assert len({one["refresh_token"] for one in (first, second, third)}) == 3
        assert {one["claims"]["sub"] for one in (second, third)} == {first["claims"]["sub"]}
        assert third["claims"]["auth_time"] == first["claims"]["auth_time"]
        assert stranger("userinfo")["sub"] == first["claims"]["sub"]

    def test_one_that_was_used_before_ends_everything(self, scene: Scene, stranger: Stranger, browser: httpx.Client) -> None:
        """must hold 12; RFC 9700 §4.14: somebody has a copy."""
        first = stranger("finish", back=scene.back(stranger, browser))
        second = stranger("refresh")
        assert stranger("introspect")["active"] is True
        assert stranger("refresh", token=first["refresh_token"])["error"] == "invalid_grant"
        assert stranger("introspect", token=second["access_token"]) == {"active": False}
        assert stranger("refresh", token=second["refresh_token"])["error"] == "invalid_grant"

    def test_one_that_was_ended_is_of_no_use(self, scene: Scene, stranger: Stranger, browser: httpx.Client) -> None:
        """RFC 7009 §2.1."""
        given = stranger("finish", back=scene.back(stranger, browser))
        assert stranger("revoke", token=given["refresh_token"]) == {}
        assert stranger("refresh")["error"] == "invalid_grant"
        assert stranger("introspect") == {"active": False}
        assert "error" in stranger("userinfo")


def test_it_looks_at_its_token_and_ends_it(scene: Scene, stranger: Stranger, browser: httpx.Client) -> None:
    given = stranger("finish", back=scene.back(stranger, browser))
    seen = stranger("introspect")
    assert (seen["active"], seen["sub"], seen["client_id"]) == (True, given["claims"]["sub"], scene.app["id"])
    assert "username" not in seen  # it did not ask for the scope profile
    assert stranger("revoke") == {}
    assert stranger("introspect") == {"active": False}
    assert "error" in stranger("userinfo", token=given["access_token"])


def test_it_signs_a_person_out(scene: Scene, stranger: Stranger, browser: httpx.Client) -> None:
    stranger("finish", back=scene.back(stranger, browser))
    leaving = stranger("leave", more={"post_logout_redirect_uri": BYE, "state": "so long"})["address"]
    answer = browser.get(leaving)
    if answer.status_code == 200:  # it asks
        answer = posted(browser, scene.served, urlsplit(leaving).path, {**Fields(answer.text).hidden, "answer": "approve"})
    assert answer.headers["location"] == f"{BYE}?state=so+long"
    assert browser.get("/").status_code == 303


def test_two_who_use_one_refresh_token_at_once_do_not_both_go_on(scene: Scene, browser: httpx.Client) -> None:
    """must hold 12: whichever comes second ends all of it, for one of them may have a copy."""
    stranger = scene.stranger(scope="openid offline_access")
    token = stranger("finish", back=scene.back(stranger, browser))["refresh_token"]
    basic = (scene.app["id"], scene.app["secret"])

    def refreshed(_: int) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return httpx.post(f"{scene.served.url}/oauth/token", data=form, auth=basic, timeout=LIMIT)

    with ThreadPoolExecutor(6) as pool:
        answers = [answer.json() for answer in pool.map(refreshed, range(6))]
    given = [one for one in answers if "refresh_token" in one]
    assert len(given) <= 1
    for one in given:
        assert stranger("refresh", token=keep_secret(one["refresh_token"]))["error"] == "invalid_grant"
        assert stranger("introspect", token=keep_secret(one["access_token"])) == {"active": False}


def test_an_access_token_belongs_to_its_id_token(scene: Scene, stranger: Stranger, browser: httpx.Client) -> None:
    """OpenID Connect Core §3.1.3.6."""
    given = stranger("finish", back=scene.back(stranger, browser))
    half = sha256(given["access_token"].encode()).digest()[:16]
    assert given["claims"]["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_it_signs_a_device_in(scene: Scene, browser: httpx.Client) -> None:
    """A device that asks for `openid` hears who it is too; a code for it can be phished, and no session is named."""
    stranger = scene.stranger()
    begun = stranger("begin_device")
    typed = {**Fields(browser.get("/device").text).hidden, "user_code": begun["user_code"]}
    asked = posted(browser, scene.served, "/device", typed)
    posted(browser, scene.served, "/device", {**Fields(asked.text).hidden, "answer": "approve"})
    given = stranger("poll")
    assert stranger("judge", token=given["id_token"])["payload"] == given["claims"]
    assert "sid" not in given["claims"]
    assert stranger("userinfo", sub=given["claims"]["sub"])["sub"] == given["claims"]["sub"]
