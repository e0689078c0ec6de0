"""The page of an embedded store: one ceremony, one browser, and then it is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPErrorProcessor, Request, build_opener

import pytest

from passless.domain.methods import Kind
from passless.domain.refused import Refused
from passless.domain.requests import Enrol, NewAccount, SignInWith
from passless.domain.secret import Secret
from passless.domain.views import Applied, MadeMethod, Outcome, SignedIn
from passless.ports.directory import Actor
from passless.server import loopback
from passless.server.loopback import NobodyCame, serve_enrolment, serve_sign_in
from tests.directories.place import PASSWORD, Place, in_memory
from tests.server.pages.chromium import PATIENCE, Chromium, chromium

ASKED = Enrol(kind=Kind.PASSKEY)


class Keeping(HTTPErrorProcessor):
    """Takes every answer as it is: no redirect is followed and no status raises."""

    def http_response(self, request: object, response: object) -> object:
        return response


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = in_memory(tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture
def ada(place: Place) -> Actor:
    return Actor(token=place.directory.create(Actor(), NewAccount(name="ada", password=Secret(PASSWORD))).token)


def in_background(serve: Callable[[Callable[[str], None]], Outcome]) -> tuple[Queue[str], Queue[object], threading.Thread]:
    """Serve the page in a thread; return where its address and what came of it turn up."""
    addresses: Queue[str] = Queue()
    outcomes: Queue[object] = Queue()

    def run() -> None:
        try:
            outcomes.put(serve(addresses.put))
        except Exception as error:  # noqa: BLE001 -- told to the test, which waits for an outcome
            outcomes.put(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return addresses, outcomes, thread


def ask(address: str, *, form: dict[str, str] | None = None, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Ask as a browser would that takes *.localhost for this machine."""
    parts = urlsplit(address)
    there = f"http://127.0.0.1:{parts.port}{parts.path}"
    body = None if form is None else urlencode(form).encode()
    sent = Request(there, data=body, headers={"Host": parts.netloc, **headers})
    with build_opener(Keeping).open(sent, timeout=PATIENCE) as answer:
        return answer.status, answer.read().decode(), dict(answer.headers)


def test_a_passkey_is_made_in_the_browser_of_this_machine_and_signs_in_there(
    place: Place, ada: Actor, browser: Chromium
) -> None:
    key = browser.key()
    addresses, outcomes, thread = in_background(lambda show: serve_enrolment(place.directory, ada, "ada", ASKED, show))
    browser.open(addresses.get(timeout=PATIENCE))
    browser.wait_for("Add a passkey")
    assert f"{place.store.id}.passless.localhost" in browser.driver.current_url
    browser.type("device", "laptop")
    browser.press("Make the passkey")
    browser.wait_for("Done")
    made = outcomes.get(timeout=PATIENCE)
    thread.join(timeout=PATIENCE)
    assert isinstance(made, Applied)
    assert isinstance(made.made, MadeMethod)
    assert (made.made.method.kind, made.made.method.device) == ("passkey", "laptop")
    asked = SignInWith(kind=Kind.PASSKEY)
    addresses, outcomes, _ = in_background(lambda show: serve_sign_in(place.directory, Actor(), "ada", asked, show))
    browser.open(addresses.get(timeout=PATIENCE))
    browser.press("Use a passkey")
    browser.wait_for("Done")
    assert isinstance(outcomes.get(timeout=PATIENCE), SignedIn)
    browser.unplug(key)


def test_what_is_wrong_is_said_on_the_page_and_can_be_done_again(place: Place, ada: Actor, browser: Chromium) -> None:
    key = browser.key()
    addresses, outcomes, _ = in_background(lambda show: serve_enrolment(place.directory, ada, "ada", ASKED, show))
    browser.open(addresses.get(timeout=PATIENCE))
    browser.type("name", "a\u202eb")
    browser.press("Make the passkey")
    browser.wait_words("invisible or direction-changing")
    browser.unplug(key)
    key = browser.key()
    browser.type("name", "work laptop")
    browser.press("Make the passkey")
    browser.wait_for("Done")
    made = outcomes.get(timeout=PATIENCE)
    assert isinstance(made, Applied)
    browser.unplug(key)


def test_only_the_first_browser_that_knows_the_secret_gets_in(place: Place, ada: Actor) -> None:
    addresses, outcomes, _ = in_background(lambda show: serve_enrolment(place.directory, ada, "ada", ASKED, show))
    address = addresses.get(timeout=PATIENCE)
    origin = f"http://{urlsplit(address).netloc}"
    assert ask(f"{origin}/")[0] == 404
    assert ask(f"{origin}/wrong")[0] == 404
    assert ask(address, Host="passless.example")[0] == 421
    status, _, headers = ask(address)
    assert (status, headers["Location"]) == (303, "/")
    assert "HttpOnly" in headers["Set-Cookie"]
    assert ask(address)[0] == 404, "the secret is good for once"
    cookie = headers["Set-Cookie"].partition(";")[0]
    status, page, sent = ask(f"{origin}/", Cookie=cookie)
    assert status == 200
    assert "data-options" in page
    assert "frame-ancestors 'none'" in sent["Content-Security-Policy"]
    form = {"response": "{}"}
    assert ask(f"{origin}/", form=form, Cookie=cookie)[0] == 403, "a form says where it comes from"
    assert ask(f"{origin}/", form=form, Cookie=cookie, Origin="http://evil.example")[0] == 403
    assert ask(f"{origin}/", form=form, Origin=origin)[0] == 403, "and has the cookie"
    status, page, _ = ask(f"{origin}/", form=form, Cookie=cookie, Origin=origin)
    assert status == 200
    assert 'role="alert"' in page
    assert outcomes.empty()
    assert addresses.empty()


def test_a_page_that_nobody_answers_is_gone_after_a_while(place: Place, ada: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "LONGEST_WAIT", loopback.LONGEST_WAIT * 0)
    shown: list[str] = []
    with pytest.raises(NobodyCame):
        serve_enrolment(place.directory, ada, "ada", ASKED, shown.append)
    with pytest.raises((OSError, HTTPError)):
        ask(shown[0])


def test_no_page_opens_for_what_the_rules_refuse(place: Place, ada: Actor) -> None:
    place.clock.move(minutes=11)
    shown: list[str] = []
    with pytest.raises(Refused, match="proof"):
        serve_enrolment(place.directory, ada, "ada", ASKED, shown.append)
    assert not shown
