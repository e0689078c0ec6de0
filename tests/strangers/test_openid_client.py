"""npm's `openid-client` finds the server by its metadata, signs in by code and by device, looks at its token and ends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.server.asking import Caller
from tests.server.oauth.world import Fields
from tests.server.serving import Served, a_server, keep_secret
from tests.strangers.needing import missing, need

NODE = Path(__file__).parent / "node"
INSTALL = "npm install --prefix tests/strangers/node --no-package-lock"
CALLBACK = "http://127.0.0.1:49152/callback"
WEB_CALLBACK = "https://mail.example/signed-in"
LIMIT = 60  # seconds that the client may take to end


class Stranger:
    """The client, running."""

    def __init__(self, **wish: Any) -> None:
        command = ["node", str(NODE / "oauth_client.mjs"), json.dumps(wish)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def says(self) -> dict[str, Any]:
        """Return the next thing that it says."""
        assert self.process.stdout is not None
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return said

    def hear(self, line: str) -> None:
        """Tell it something."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()


@contextmanager
def stranger(served: Served, **wish: Any) -> Iterator[Stranger]:
    usual = {"issuer": served.url, "id": "passless-cli", "secret": None, "redirect_uri": CALLBACK, "scope": "account"}
    found = Stranger(**{**usual, **wish})
    try:
        yield found
        found.process.communicate(timeout=LIMIT)
    finally:
        found.process.kill()
        found.process.wait()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    need("node", install="apt-get install nodejs npm")
    if not (NODE / "node_modules" / "openid-client").is_dir():
        missing("the npm package openid-client", install=INSTALL)
    with a_server(tmp_path) as running:
        yield running


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    """A browser in which ada is signed in."""
    with Caller(served) as ada, httpx.Client(base_url=served.url, headers={"Accept": "text/html"}, timeout=LIMIT) as http:
        ada.create()
        http.cookies.set("passless-session", ada.token)
        yield http


def posted(http: httpx.Client, served: Served, path: str, form: dict[str, str]) -> httpx.Response:
    headers = {"Origin": served.url, "Content-Type": "application/x-www-form-urlencoded"}
    return http.post(path, content=urlencode(form), headers=headers)


def approved(http: httpx.Client, served: Served, address: str) -> str:
    """Say yes on the page that a program sent the browser to; return where the browser goes then."""
    page = http.get(address)
    assert page.status_code == 200, page.text
    answer = posted(http, served, "/oauth/authorize", {**Fields(page.text).hidden, "answer": "approve"})
    return str(answer.headers["location"])


def registered(served: Served) -> dict[str, Any]:
    """Register a relying party on the server's host."""
    folder = served.home.parent
    settings = f'[profiles.srv]\nstore = "sqlite:///{folder}/accounts.sqlite"\nvault_file = "{folder}/vault.key"\n'
    with (served.home / "config" / "config.toml").open("a") as file:
        file.write(settings)
    command = ["-m", "passless", "relying-party", "add", "Webmail", "--kind", "oauth", "--redirect-uri", WEB_CALLBACK]
    run = subprocess.run(
        [sys.executable, *command, "--scope", "read", "--profile", "srv", "--json"],
        env={**os.environ, "PASSLESS_HOME": str(served.home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    made: dict[str, Any] = json.loads(run.stdout)
    keep_secret(made["secret"])
    return made


def test_it_signs_the_command_line_in_by_a_code(served: Served, browser: httpx.Client) -> None:
    with stranger(served, flow="code") as client:
        client.hear(approved(browser, served, client.says()["address"]))
        tokens = client.says()["tokens"]
        keep_secret(tokens["access_token"])
        assert tokens["account"] == "ada"
        assert client.says() == {"done": True}
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    gone = httpx.get(f"{served.url}/api/v1/accounts/me", headers=headers, timeout=LIMIT)
    assert gone.status_code == 401


def test_it_does_not_take_an_answer_of_another_server(served: Served, browser: httpx.Client) -> None:
    """RFC 9207: mix-up."""
    with stranger(served, flow="code") as client:
        back = approved(browser, served, client.says()["address"])
        forged = back.rpartition("&iss=")[0] + "&iss=https%3A%2F%2Fevil.example"
        client.hear(forged)
        assert "tokens" not in (said := client.says())
        assert "iss" in said["message"]


def test_it_signs_a_relying_party_in_and_looks_at_its_token(served: Served, browser: httpx.Client) -> None:
    made = registered(served)
    with stranger(served, flow="code", id=made["id"], secret=made["secret"], redirect_uri=WEB_CALLBACK, scope="read") as client:
        client.hear(approved(browser, served, client.says()["address"]))
        keep_secret(client.says()["tokens"]["access_token"])
        seen = client.says()["introspected"]
        assert (seen["active"], seen["username"], seen["scope"], seen["iss"]) == (True, "ada", "read", served.url)
        assert client.says() == {"afterwards": {"active": False}}
        assert client.says() == {"done": True}


def test_it_polls_a_device_until_somebody_approves_it(served: Served, browser: httpx.Client) -> None:
    with stranger(served, flow="device") as client:
        given = client.says()
        assert given["complete"] == f"{given['address']}?user_code={given['user_code']}"
        typed = Fields(browser.get(given["complete"]).text).hidden | {"user_code": given["user_code"]}
        asked = posted(browser, served, "/device", typed)
        assert "the passless command line" in asked.text
        answer = posted(browser, served, "/device", {**Fields(asked.text).hidden, "answer": "approve"})
        assert "let in" in answer.text
        tokens = client.says()["tokens"]
        keep_secret(tokens["access_token"])
        assert tokens["account"] == "ada"
        assert client.says() == {"done": True}


def test_it_is_told_of_a_refusal(served: Served, browser: httpx.Client) -> None:
    with stranger(served, flow="device") as client:
        given = client.says()
        hidden = Fields(browser.get("/device").text).hidden
        asked = posted(browser, served, "/device", hidden | {"user_code": given["user_code"]})
        posted(browser, served, "/device", {**Fields(asked.text).hidden, "answer": "refuse"})
        assert client.says()["error"] == "access_denied"
