"""The consent page in a real browser: its policy lets the answer through to the program's own address, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from passless.actions import consents
from passless.domain.relying_parties import NewRelyingParty
from passless.ports import Write
from passless.ports.directory import Actor
from tests.builders import NOW
from tests.directories.place import PASSWORD
from tests.server.oauth.world import VERIFIER, asked
from tests.server.pages.chromium import PATIENCE, Chromium, chromium, serving
from tests.server.pages.world import World


class Listening(BaseHTTPRequestHandler):
    """What a program on this computer does: hear one answer."""

    heard: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        if self.path.startswith("/callback"):
            self.heard.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"you can close this page")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[HTTPServer]:
    Listening.heard.clear()
    server = HTTPServer(("127.0.0.1", 0), Listening)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with serving(tmp_path) as world:
        yield world


@pytest.fixture
def person(tmp_path: Path, served: World) -> Iterator[Chromium]:
    ada = served.account("ada")
    with chromium(tmp_path / "profile") as found:
        found.driver.get(f"{served.site.url}/sign-in")
        found.driver.add_cookie({"name": "passless-session", "value": ada.token.reveal()})
        yield found


def press(person: Chromium, said: str) -> None:
    person.driver.find_element(By.CSS_SELECTOR, f"button[name=answer][value={said}]").click()


@pytest.mark.parametrize(("said", "brought"), [("approve", "code"), ("refuse", "error")])
def test_the_answer_reaches_the_program(served: World, person: Chromium, listener: HTTPServer, said: str, brought: str) -> None:
    callback = f"http://127.0.0.1:{listener.server_port}/callback"
    person.driver.get(f"{served.site.url}/oauth/authorize?{urlencode(asked(redirect_uri=callback))}")
    press(person, said)
    WebDriverWait(person.driver, PATIENCE).until(lambda driver: "close this page" in driver.page_source)
    query = parse_qs(urlsplit(Listening.heard[0]).query)
    assert brought in query
    assert query["state"] == ["opaque state"]
    assert query["iss"] == [served.site.url]
    assert VERIFIER not in Listening.heard[0]
    assert "pls_" not in person.driver.current_url


def test_who_agreed_before_goes_on_to_the_program_right_after_signing_in(
    served: World, tmp_path: Path, listener: HTTPServer
) -> None:
    """The policy of the sign-in page does not stop the way back to a program that nobody is asked about any more."""
    callback = f"http://127.0.0.1:{listener.server_port}/callback"
    ada = served.account("ada")
    mail = served.host.add_relying_party(Actor(), NewRelyingParty(name="mail", redirect_uris=(callback,)))
    served.place.store.commit(Write(at=NOW, puts=(consents.with_more(served.place.parts, ada.account_id, mail.id, ""),)))
    with chromium(tmp_path / "profile") as found:
        found.driver.get(f"{served.site.url}/oauth/authorize?{urlencode(asked(client_id=mail.id, redirect_uri=callback))}")
        address = found.driver.current_url.replace("/sign-in?", "/sign-in?account=ada&with=password&")
        found.driver.get(address)
        found.driver.find_element(By.NAME, "secret").send_keys(PASSWORD)
        found.driver.find_element(By.NAME, "secret").submit()
        WebDriverWait(found.driver, PATIENCE).until(lambda driver: "close this page" in driver.page_source)
    assert "code" in parse_qs(urlsplit(Listening.heard[0]).query)
