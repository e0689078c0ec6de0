"""A Python library with the rules of every message written down signs in: idpyoidc, of the OpenID world's own test tools.

It refuses a message that lacks what its specification asks for, or has what that forbids; so each step here is a verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from idpyoidc.client.defaults import DEFAULT_CLIENT_CONFIGS, DEFAULT_KEY_DEFS, DEFAULT_OIDC_SERVICES
from idpyoidc.client.oauth2.stand_alone_client import backchannel_logout
from idpyoidc.client.rp_handler import RPHandler
from idpyoidc.exception import VerificationError

from tests.server.asking import Caller
from tests.server.openid.listener import Listener
from tests.server.serving import Served, a_server, keep_secret
from tests.strangers.registering import registered
from tests.strangers.test_openid_client import approved

CALLBACK = "https://app.example/signed-in"
BYE = "https://app.example/bye"
SCOPES = ["openid", "profile", "email", "offline_access"]
SERVICES = {**DEFAULT_OIDC_SERVICES, "end_session": {"class": "idpyoidc.client.oidc.end_session.EndSession"}}
BASIC = "client_secret_basic"


class Scene:
    """A server, a program that is told what ended, and ada's browser."""

    def __init__(self, served: Served, stack: ExitStack) -> None:
        self.served = served
        self.listener = Listener()
        stack.callback(self.listener.close)
        callbacks = ("--redirect-uri", CALLBACK, "--after-sign-out", BYE, "--told-at", self.listener.uri)
        self.made = registered(served, "The app", *callbacks)
        with Caller(served) as ada:
            ada.create()
            cookies = {"passless-session": ada.token}
        self.browser = stack.enter_context(
            httpx.Client(base_url=served.url, headers={"Accept": "text/html"}, cookies=cookies, timeout=60)
        )

    def program(self, folder: Path) -> RPHandler:
        """Return the program, as its own library would have it set up."""
        settings = {
            "issuer": self.served.url,
            "client_id": self.made["id"],
            "client_secret": self.made["secret"],
            "client_type": "oidc",
            "redirect_uris": [CALLBACK],
            "post_logout_redirect_uris": [BYE],
            "response_types": ["code"],
            "token_endpoint_auth_method": BASIC,
            "client_authn_methods": {BASIC: "idpyoidc.client.client_auth.ClientSecretBasic"},
            "add_ons": DEFAULT_CLIENT_CONFIGS[""]["add_ons"],  # PKCE
        }
        keys = {"private_path": str(folder / "keys.json"), "key_defs": DEFAULT_KEY_DEFS, "read_only": False}
        return RPHandler("https://app.example", {self.served.url: settings}, services=SERVICES, key_conf=keys)

    def back(self, program: RPHandler, **wish: Any) -> dict[str, str]:
        """Begin, let ada sign in and agree, and return what the browser brings back."""
        with Caller(self.served) as ada:
            ada.sign_in()
            self.browser.cookies.set("passless-session", ada.token)
        address = program.begin(self.served.url, req_args={"scope": SCOPES, "prompt": "consent", **wish})
        back = dict(parse_qsl(urlsplit(approved(self.browser, self.served, address)).query))
        keep_secret(back["code"])
        return back


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(stack.enter_context(a_server(tmp_path_factory.mktemp("idpyoidc"))), stack)


@pytest.fixture
def program(scene: Scene, tmp_path: Path) -> RPHandler:
    return scene.program(tmp_path)


def test_it_signs_in_refreshes_signs_out_and_is_told(scene: Scene, program: RPHandler) -> None:
    back = scene.back(program)
    came = program.finalize(scene.served.url, back)
    claims, person = came["id_token"], came["userinfo"]
    assert (claims["iss"], claims["aud"], person["sub"]) == (scene.served.url, [scene.made["id"]], claims["sub"])
    keep_secret(came["token"])
    again = program.refresh_access_token(back["state"])
    assert (again["token_type"], again["access_token"] != came["token"]) == ("Bearer", True)
    keep_secret(again["access_token"])
    keep_secret(again["refresh_token"])
    assert program.get_user_info(back["state"])["sub"] == claims["sub"]

    address = program.logout(back["state"], post_logout_redirect_uri=BYE)["url"]
    page = scene.browser.get(address)
    assert page.status_code in (200, 303), page.text
    if page.status_code == 303:
        assert page.headers["location"].startswith(BYE)
    _, _, form = scene.listener.next()
    client = program.issuer2rp[scene.served.url]
    assert backchannel_logout(client, request_args=form) == back["state"]


@pytest.mark.parametrize("wrong", [{"iss": "https://evil.example"}, {"state": "another"}])
def test_it_takes_no_answer_that_is_not_the_servers(scene: Scene, program: RPHandler, wrong: dict[str, str]) -> None:
    back = {**scene.back(program), **wrong}
    with pytest.raises((VerificationError, KeyError, ValueError)):
        program.finalize(scene.served.url, back)
