"""Two server processes on one store behave as one, and killing one of them loses nothing that was answered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.directories.security_key import SecurityKey
from tests.server.asking import PASSWORD, Caller, code_before
from tests.server.serving import Served, a_server, home_in
from tests.stores.postgres import Cluster, postgres

__all__ = ["postgres"]

HOST = "accounts.localhost:8080"
WRITERS = 8
CHANGES = 40  # acknowledged before one process is killed


class Pair:
    """Two processes behind one address."""

    def __init__(self, one: Served, other: Served) -> None:
        self.one, self.other = one, other
        self._callers: list[Caller] = []

    def caller(self, served: Served, name: str = "ada", token: str = "") -> Caller:
        """Somebody who reaches one of them."""
        caller = Caller(url=f"http://127.0.0.1:{served.address[1]}", name=name, headers={"Host": HOST})
        caller.token = token
        self._callers.append(caller)
        return caller

    def close(self) -> None:
        """Let go of every connection."""
        for caller in self._callers:
            caller.http.close()

    def each(self, name: str = "ada") -> tuple[Caller, Caller]:
        """The same person at both."""
        return self.caller(self.one, name), self.caller(self.other, name)


@contextmanager
def a_pair(folder: Path, store: str | None) -> Iterator[Pair]:
    arguments = ("--url", f"http://{HOST}")
    with a_server(folder, *arguments, store=store) as one, a_server(folder, *arguments, store=store) as other:
        pair = Pair(one, other)
        yield pair
        pair.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    running: Cluster = request.getfixturevalue("postgres")
    return running.new_database()


@pytest.fixture
def pair(tmp_path: Path, store: str | None) -> Iterator[Pair]:
    with a_pair(tmp_path, store) as running:
        yield running


def test_what_is_proven_once_is_proven_in_whichever_process_it_arrives_first(pair: Pair) -> None:
    """Must hold 12: a code, a ceremony and a second proof are accepted once by both together."""
    here, there = pair.each()
    here.create()
    app, key = here.add_app(), SecurityKey()
    here.add_key(key)
    code = app.now()
    with ThreadPoolExecutor(2) as both:
        asked = [both.submit(one.ask, "POST", "/accounts/ada/sign-in", {"kind": "totp", "text": code}) for one in (here, there)]
    assert sorted(one.result().status_code for one in asked) == [200, 401]
    begun = there.begin_key()
    here.finish_key(key, begun)
    assert there.finish_key(key, begun, 401)["code"] == "no-such-ceremony"


def test_a_strangers_ceremony_is_opened_by_any_process_and_used_once(pair: Pair) -> None:
    """Must hold 5 and 12: neither process keeps anything of it before it is used, and of two answers at once one is taken."""
    here, there = pair.each()
    here.create()
    key = SecurityKey()
    here.add_key(key)
    here.token = there.token = ""
    for begins, finishes in ((here, there), (there, here)):
        finishes.finish_key(key, begins.begin_key())
        finishes.token = ""
    begun = here.begin_key()
    text = key.answer(json.dumps(begun["publicKey"]).encode(), begun["origin"]).reveal()
    with ThreadPoolExecutor(2) as both:
        path, answer = f"/ceremonies/{begun['ceremony']}", {"kind": "security-key", "text": text}
        asked = [both.submit(one.ask, "POST", path, answer) for one in (here, there)]
    assert sorted(one.result().status_code for one in asked) == [200, 401]


def test_what_ends_in_one_is_over_in_the_other(pair: Pair) -> None:
    """Must hold 7: a session that ended and a method that was removed are unusable from the next request on."""
    here, there = pair.each()
    here.create()
    app = here.add_app()
    there.token = here.token
    assert there.get("/accounts/me")["account"] == "ada"
    here.post("/sign-out", {"everywhere": False})
    assert there.get("/accounts/me", 401)["code"] == "sign-in-needed"
    here.sign_in()
    totp = next(one for one in here.get("/accounts/me")["methods"] if one["kind"] == "totp")
    here.apply("remove-method", method=totp["id"])
    there.token = ""
    assert there.post("/accounts/ada/sign-in", {"kind": "totp", "text": app.now()}, 401)["code"] == "wrong-code"


def test_who_guesses_waits_at_both(pair: Pair) -> None:
    """The throttle counts over all processes."""
    here, there = pair.each()
    here.create()
    here.token = ""
    for number in range(10):
        (here if number % 2 else there).sign_in(f"wrong {number} wrong", 401)
    for one in (here, there):
        refused = one.ask("POST", "/accounts/ada/sign-in", {"kind": "password", "text": PASSWORD})
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 60


def test_of_two_changes_to_what_was_looked_at_one_is_carried_out(pair: Pair) -> None:
    """Must hold 12: two changes at once are checked one after the other; the later one was for an account that is no more."""
    here, there = pair.each()
    here.create()
    there.token = here.token
    seen = there.ask("GET", "/accounts/me").headers["etag"]
    with ThreadPoolExecutor(2) as both:
        asked = [
            both.submit(one.ask, "POST", "/accounts/me/apply", {"type": "new-recovery-code"}, headers={"If-Match": seen})
            for one in (here, there)
        ]
    assert sorted(one.result().status_code for one in asked) == [200, 412]


def test_killing_one_of_two_loses_nothing(pair: Pair, tmp_path: Path, store: str | None) -> None:
    """Must hold 10: what was answered is there, the other one serves on, and the trail is whole."""
    people = [pair.caller((pair.one, pair.other)[number % 2], f"person-{number}") for number in range(WRITERS)]
    for one in people:
        one.create()
    enough, answered = Event(), {one.name: 0 for one in people}

    def change(one: Caller) -> None:
        for number in range(1, 100_000):
            try:
                done = one.ask("POST", "/accounts/me/apply", {"type": "rename-account", "display_name": f"{number}"})
            except httpx.HTTPError:
                return  # its server is gone
            if done.status_code != 200:
                return
            answered[one.name] = number
            if sum(answered.values()) >= CHANGES:
                enough.set()
            if pair.one.process.poll() is not None:
                return

    with ThreadPoolExecutor(WRITERS) as all_of_them:
        for one in people:
            all_of_them.submit(change, one)
        assert enough.wait(60)
        pair.one.kill()
    for one in people:
        there = pair.caller(pair.other, one.name, one.token)
        kept = int(there.get("/accounts/me")["display_name"] or 0)
        assert kept in {answered[one.name], answered[one.name] + 1}
        there.apply("rename-account", display_name="still here")
    report = on_the_host(tmp_path, store, "audit", "verify")
    assert '"intact":true' in report


def on_the_host(folder: Path, store: str | None, *arguments: str) -> str:
    """Run a command on the host of the servers, over their store."""
    home = home_in(folder)
    address = store or f"sqlite:///{folder}/accounts.sqlite"
    settings = f'[profiles.local]\nvault = "file"\n[profiles.srv]\nstore = "{address}"\nvault_file = "{folder}/vault.key"\n'
    (home / "config" / "config.toml").write_text(settings)
    command = [sys.executable, "-m", "passless", *arguments, "--profile", "srv", "--json"]
    done = subprocess.run(
        command, env={"PASSLESS_HOME": str(home), "PATH": "/usr/bin"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done
    return str(done.stdout)


def test_a_restart_of_the_database_is_told_and_got_over(tmp_path: Path) -> None:
    """While the database is away the answer is 503 with Retry-After; afterwards everything goes on."""
    from tests.stores.postgres import cluster

    with cluster() as running, a_pair(tmp_path, running.new_database()) as pair:
        here, there = pair.each()
        here.create()
        running.stop()
        refused = there.ask("POST", "/accounts/ada/sign-in", {"kind": "password", "text": PASSWORD})
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        running.start()
        there.sign_in()
        assert code_before(here.add_app())
