"""What is begun at one server process is finished at the other, on both kinds of stores; killing one breaks nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.server.asking import PASSWORD
from tests.server.oauth.world import CALLBACK, DEVICE_GRANT, HTML, VERIFIER, WEB_CALLBACK, Fields, asked
from tests.server.serving import Served, keep_secret
from tests.server.test_several_processes import HOST, Pair, a_pair, on_the_host
from tests.server.watching import register
from tests.stores.postgres import Cluster, postgres

__all__ = ["postgres"]

URL = f"http://{HOST}"
GRANTS = 24  # codes that are exchanged while one process is killed
ENOUGH = 6  # of them answered before


class Team:
    """Two processes, a person signed in with a browser, and a relying party; each team's are its own."""

    numbers = count(1)

    def __init__(self, pair: Pair, folder: Path, store: str | None, *, kind: str = "oauth", **more: Any) -> None:
        self.pair, self.folder, self.store, number = pair, folder, store, next(self.numbers)
        self.name = f"mail {number}"
        made = register(folder, self.name, kind, store, redirect_uris=(WEB_CALLBACK,), **more)
        assert made.secret is not None
        self.mail = {"id": made.id, "secret": made.secret.reveal()}
        ada = pair.caller(pair.one, f"ada-{number}")
        ada.create()
        self.cookies = {"passless-session": ada.token}

    def at(self, served: Served) -> httpx.Client:
        """Return a way to one of the processes."""
        return httpx.Client(base_url=f"http://127.0.0.1:{served.address[1]}", headers={"Host": HOST}, timeout=60)

    def browse(self, served: Served, path: str, form: dict[str, str] | None = None) -> httpx.Response:
        """Look at a page in the person's browser, or send a form of it."""
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        with self.at(served) as http:
            if form is None:
                answer = http.get(path, headers={**HTML, **cookie})
            else:
                sent = {"Origin": URL, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
                answer = http.post(path, content=urlencode(form), headers={**HTML, **cookie, **sent})
        for set_cookie in answer.headers.get_list("set-cookie"):
            self.cookies |= {name: found.value for name, found in SimpleCookie(set_cookie).items()}
        return answer

    def agree(self, shown_by: Served, answered_at: Served, **more: str) -> str:
        """Let a program in; return the code."""
        page = self.browse(shown_by, f"/oauth/authorize?{urlencode(asked(**more))}")
        if page.status_code == 200:
            page = self.browse(answered_at, "/oauth/authorize", {**Fields(page.text).hidden, "answer": "approve"})
        assert page.status_code == 303, page.text
        return keep_secret(parse_qs(urlsplit(page.headers["location"]).query)["code"][0])

    def post(self, served: Served, path: str, basic: bool = False, **form: Any) -> httpx.Response:
        """Post a form as a program does."""
        with self.at(served) as http:
            if basic:
                http.auth = httpx.BasicAuth(self.mail["id"], self.mail["secret"])
            answer = http.post(path, data=form)
        if answer.status_code == 200 and "access_token" in answer.text:
            keep_secret(answer.json()["access_token"])
        return answer

    def exchange(self, served: Served, code: str) -> httpx.Response:
        """Exchange a code of the command line."""
        form: dict[str, Any] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return self.post(served, "/oauth/token", client_id="passless-cli", **form)

    def exchange_for_mail(self, served: Served, code: str) -> httpx.Response:
        """Exchange a code of the relying party."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": WEB_CALLBACK, "code_verifier": VERIFIER}
        return self.post(served, "/oauth/token", basic=True, **form)

    def agree_to_mail(self, shown_by: Served, answered_at: Served) -> str:
        return self.agree(shown_by, answered_at, client_id=self.mail["id"], redirect_uri=WEB_CALLBACK)

    def poll(self, served: Served, device_code: str) -> httpx.Response:
        """Look whether a device was approved."""
        form: dict[str, Any] = {"grant_type": DEVICE_GRANT, "device_code": device_code, "client_id": "passless-cli"}
        return self.post(served, "/oauth/token", **form)

    def is_active(self, served: Served, token: str) -> bool:
        """Ask what a token of the relying party is good for."""
        return bool(self.post(served, "/oauth/introspect", basic=True, token=token).json()["active"])

    def acts(self, served: Served, token: str) -> bool:
        """Tell whether a command line acts as the person with its token."""
        with self.at(served) as http:
            answer = http.get("/api/v1/accounts/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code in (200, 401)
        return answer.status_code == 200


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    running: Cluster = request.getfixturevalue("postgres")
    return running.new_database()


@pytest.fixture(scope="module")
def both(store: str | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pair, Path]]:
    folder = tmp_path_factory.mktemp("pair")
    with a_pair(folder, store) as pair:
        yield pair, folder


@pytest.fixture
def team(both: tuple[Pair, Path], store: str | None) -> Team:
    return Team(*both, store)


def test_a_code_that_one_gave_is_taken_once_by_both(team: Team) -> None:
    """Must hold 12: in whichever process it arrives first; used twice, it ends what it gave."""
    one, other = team.pair.one, team.pair.other
    code = team.agree(one, other)
    with ThreadPoolExecutor(2) as two:
        answers = [tried.result() for tried in [two.submit(team.exchange, served, code) for served in (one, other)]]
    assert sorted(answer.status_code for answer in answers) == [200, 400]
    code = team.agree(other, one)
    token = team.exchange(other, code).json()["access_token"]
    assert team.acts(one, token)
    assert team.exchange(one, code).json()["error"] == "invalid_grant"
    assert [team.acts(served, token) for served in (one, other)] == [False, False]


def test_a_device_that_asked_one_is_let_in_at_the_other(team: Team) -> None:
    """Must hold 12."""
    one, other = team.pair.one, team.pair.other
    begun = team.post(one, "/oauth/device_authorization", client_id="passless-cli").json()
    device_code, user_code = keep_secret(begun["device_code"]), begun["user_code"]
    assert team.poll(other, device_code).json()["error"] == "authorization_pending"
    assert team.poll(one, device_code).json()["error"] == "slow_down"
    page = team.browse(other, "/device")
    page = team.browse(one, "/device", {**Fields(page.text).hidden, "user_code": user_code})
    page = team.browse(other, "/device", {**Fields(page.text).hidden, "answer": "approve"})
    assert "let in" in page.text
    with ThreadPoolExecutor(2) as two:
        answers = [tried.result() for tried in [two.submit(team.poll, served, device_code) for served in (one, other)]]
    assert sorted(answer.status_code for answer in answers) == [200, 400]
    (token,) = (answer.json()["access_token"] for answer in answers if answer.status_code == 200)
    assert [team.acts(served, token) for served in (one, other)] == [True, True]


def test_what_one_ends_is_over_at_the_other_at_once(team: Team) -> None:
    """Must hold 7: a token that is revoked, a consent that is taken back, a session that ends, a relying party that goes."""
    one, other = team.pair.one, team.pair.other
    first = team.exchange_for_mail(one, team.agree_to_mail(one, other)).json()["access_token"]
    assert team.is_active(other, first)
    team.post(one, "/oauth/revoke", basic=True, token=first)
    assert not team.is_active(other, first)
    second = team.exchange_for_mail(other, team.agree_to_mail(other, other)).json()["access_token"]
    waiting = team.agree_to_mail(one, one)
    page = team.browse(one, "/oauth/agreed")
    assert team.browse(one, "/oauth/agreed", Fields(page.text).hidden).status_code == 303
    assert not team.is_active(other, second)
    assert team.exchange_for_mail(other, waiting).json()["error"] == "invalid_grant"
    third = team.exchange_for_mail(one, team.agree_to_mail(one, other)).json()["access_token"]
    waiting = team.agree(one, one)
    on_the_host(team.folder, team.store, "relying-party", "remove", team.name, "--yes")
    assert team.post(other, "/oauth/introspect", basic=True, token=third).status_code == 401
    page = team.browse(one, "/")
    team.browse(one, "/sign-out", Fields(page.text).hidden)
    assert team.exchange(other, waiting).json()["error"] == "invalid_grant"


def test_a_step_up_at_one_leaves_what_waits_at_the_other(team: Team) -> None:
    one, other = team.pair.one, team.pair.other
    code = team.agree(one, one)
    before = team.cookies["passless-session"]
    page = team.browse(one, "/sign-in?fresh=600&with=password")
    form = Fields(page.text).hidden | {"kind": "password", "secret": PASSWORD}
    assert team.browse(one, "/sign-in", form).status_code == 303
    assert keep_secret(team.cookies["passless-session"]) != before
    assert team.exchange(other, code).status_code == 200


def test_killing_one_in_the_middle_gives_nothing_twice(team: Team) -> None:
    """Must hold 10 and 12: a code that the killed process took gives nothing more, one that it did not gives once.

    It comes last: one of the two is gone afterwards.
    """
    one, other = team.pair.one, team.pair.other
    codes = [team.agree(one, other) for _ in range(GRANTS)]
    enough, given = Event(), dict[str, str]()

    def exchange(code: str) -> None:
        try:
            answer = team.exchange(one, code)
        except httpx.HTTPError:
            return  # its server is gone
        given[code] = answer.json()["access_token"]
        if len(given) >= ENOUGH:
            enough.set()

    with ThreadPoolExecutor(4) as all_of_them:
        tried = [all_of_them.submit(exchange, code) for code in codes]
        assert enough.wait(60)
        one.kill()
        for each in tried:
            each.result()
    for code in codes:
        assert code not in given or team.acts(other, given[code])
        again = team.exchange(other, code)
        if code in given:
            assert again.json()["error"] == "invalid_grant"
            assert not team.acts(other, given[code])
        elif again.status_code == 200:
            assert team.acts(other, again.json()["access_token"])
        assert team.exchange(other, code).json()["error"] == "invalid_grant"
    report: dict[str, Any] = json.loads(on_the_host(team.folder, team.store, "audit", "verify"))
    assert report["intact"]
