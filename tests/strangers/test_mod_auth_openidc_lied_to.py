"""A token endpoint that lies: mod_auth_openidc takes no id_token but its own, of this very sign-in; ours say enough."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.free_ports import free_port
from tests.server.asking import Caller
from tests.server.oauth.world import VERIFIER, Fields, challenge_of
from tests.server.serving import Served, a_server, keep_secret
from tests.strangers.apache import Apache, apache_folder
from tests.strangers.registering import registered

LATEST = 60  # seconds for an answer on a busy machine
OTHER_CALLBACK = "https://other.example/signed-in"
Swap = Callable[[str], str]


class Liar(ThreadingHTTPServer):
    """Says that its token endpoint is the server's, asks the server there, and hands on another id_token."""

    def __init__(self, served: Served) -> None:
        super().__init__(("127.0.0.1", 0), Lying)
        self.served = served
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.swap: Swap = str


class Lying(BaseHTTPRequestHandler):
    server: Liar

    def do_GET(self) -> None:
        said = httpx.get(f"{self.server.served.url}/.well-known/openid-configuration", timeout=LATEST).json()
        self._answer(200, said | {"token_endpoint": f"{self.server.url}/token"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        passed = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
        answer = httpx.post(f"{self.server.served.url}/oauth/token", content=body, headers=passed, timeout=LATEST)
        said = answer.json()
        if "id_token" in said:
            said["id_token"] = self.server.swap(keep_secret(said["id_token"]))
        self._answer(answer.status_code, said)

    def _answer(self, status: int, said: Any) -> None:
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Scene:
    """A server, a liar before its token endpoint, the app that believes the liar, and another program."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.served = stack.enter_context(a_server(folder))
        self.liar = stack.enter_context(Liar(self.served))
        thread = Thread(target=self.liar.serve_forever, daemon=True)
        thread.start()
        stack.callback(thread.join)
        stack.callback(self.liar.shutdown)
        self.apache = Apache(stack.enter_context(apache_folder()), port=free_port())
        made = registered(self.served, "The app", "--redirect-uri", self.apache.callback)
        self.apache.write(issuer=self.liar.url, client_id=made["id"], secret=made["secret"])
        stack.enter_context(self.apache.running())
        self.other = registered(self.served, "Other", "--redirect-uri", OTHER_CALLBACK)
        with Caller(self.served) as ada:
            ada.create()
            self.browser = stack.enter_context(
                httpx.Client(
                    base_url=self.served.url,
                    headers={"Accept": "text/html"},
                    cookies={"passless-session": ada.token},
                    timeout=LATEST,
                )
            )

    def agreed(self, address: str) -> str:
        """Open an address of the server and say yes where it asks; return where the browser is sent back to."""
        page = self.browser.get(address)
        if page.status_code == 200:
            headers = {"Origin": self.served.url, "Content-Type": "application/x-www-form-urlencoded"}
            form = {**Fields(page.text).hidden, "answer": "approve"}
            page = self.browser.post("/oauth/authorize", content=urlencode(form), headers=headers)
        return str(page.headers["location"])

    def gets_in(self, swap: Swap) -> bool:
        """Tell whether somebody gets into the app when the liar hands on something else."""
        self.liar.swap = swap
        with httpx.Client(base_url=self.apache.url, timeout=LATEST) as app:
            sent = app.get("/app/")
            app.get(self.agreed(sent.headers["location"]))
            return app.get("/app/").status_code == 200

    def for_another(self) -> str:
        """Return an id_token that the same person's sign-in at another program gave."""
        asked = {
            "response_type": "code",
            "client_id": self.other["id"],
            "redirect_uri": OTHER_CALLBACK,
            "scope": "openid",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }
        back = parse_qs(urlsplit(self.agreed(f"/oauth/authorize?{urlencode(asked)}")).query)
        form = {"grant_type": "authorization_code", "code": back["code"][0], "redirect_uri": OTHER_CALLBACK}
        answer = httpx.post(
            f"{self.served.url}/oauth/token",
            data={**form, "code_verifier": VERIFIER},
            auth=(self.other["id"], self.other["secret"]),
            timeout=LATEST,
        )
        return keep_secret(str(answer.json()["id_token"]))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path_factory.mktemp("lied"), stack)


def encoded(said: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def payload_of(token: str) -> dict[str, Any]:
    middle = token.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return said


def changed(token: str, **more: Any) -> str:
    """Return a token that says something else, under its old signature."""
    head, _, signature = token.split(".")
    return f"{head}.{encoded(payload_of(token) | more)}.{signature}"


def unsigned(token: str) -> str:
    return f"{encoded({'alg': 'none'})}.{token.split('.')[1]}."


def test_the_truth_is_taken_and_lies_are_not(scene: Scene) -> None:
    assert scene.gets_in(str)
    earlier: list[str] = []
    assert scene.gets_in(lambda token: earlier.append(token) or token)
    for_another = scene.for_another()
    assert payload_of(for_another)["sub"] == payload_of(earlier[0])["sub"]
    assert not scene.gets_in(lambda _: for_another), "it took what was for another program"
    assert not scene.gets_in(lambda _: earlier[0]), "it took what was of another sign-in"
    assert not scene.gets_in(unsigned), "it took what nobody signed"
    assert not scene.gets_in(lambda token: changed(token, sub="somebody")), "it took what was changed"
    assert not scene.gets_in(lambda _: ""), "it took nothing"
    assert scene.gets_in(str)
