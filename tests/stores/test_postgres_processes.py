"""Several processes on one PostgreSQL, killed processes, killed connections and a killed server."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from passless.domain.account import AccountId
from passless.domain.ceremonies import CeremonyId
from passless.ports import Store
from passless.stores import postgres as stores_of_postgres
from passless.stores.sql_store import SqlStore
from tests.builders import NOW, an_account
from tests.stores.builders import a_ceremony, a_session, a_use, a_write, an_entry, kept
from tests.stores.children import Child
from tests.stores.postgres import Cluster, cluster, create_at, open_at
from tests.stores.test_killed_writers import VERSION, change_for_ever, check, first_write
from tests.stores.test_many_writers import at_once, change_once, outcome

ADA = AccountId("ada")
PROCESSES = 8  # as many as `at_once` starts
CHANGES = 8
KILLS = 12
BLOWS = 5


@pytest.fixture
def url(postgres: Cluster, tmp_path: Path) -> str:
    """Return the URL of a store that is empty."""
    address = postgres.new_database()
    create_at(address, tmp_path).close()
    return address


def test_eight_processes_change_one_account_at_once(url: str, tmp_path: Path) -> None:
    """Must hold 10: two writers at once lose no accepted change. Must hold 12: they are checked one after the other."""
    with closing(open_at(url, tmp_path)) as store:
        kept(store, an_account())

    def work(store: Store, number: int) -> str:
        return " ".join(outcome(partial(change_once, store, f"{number}-{change}")) for change in range(CHANGES))

    assert at_once(tmp_path, work, partial(open_at, url)) == Counter({"done": PROCESSES * CHANGES})
    with closing(open_at(url, tmp_path)) as store:
        assert (store.read(ADA).version, len(list(store.events(ADA)))) == (1 + PROCESSES * CHANGES, PROCESSES * CHANGES)
        assert (store.verify().intact, store.restored_at) == (True, None)


def test_one_proof_given_to_eight_processes_is_taken_once(url: str, tmp_path: Path) -> None:
    """Must hold 12: the same proof is accepted once, in whichever process it arrives first. Must hold 5: so is a ceremony."""
    with closing(open_at(url, tmp_path)) as store:
        kept(store, an_account())
        store.commit(a_write(begins=a_ceremony()))

    def work(store: Store, number: int) -> str:
        step = outcome(lambda: store.commit(a_write(uses=(a_use(totp_step=7),), opens=a_session(str(number)))))
        ceremony = outcome(lambda: store.commit(a_write(consumes=CeremonyId("adding"), opens=a_session(f"{number}b"))))
        return f"{step} {ceremony}-ceremony"

    said = at_once(tmp_path, work, partial(open_at, url))
    assert said == Counter({"already-used": 7, "done": 1, "already-used-ceremony": 7, "done-ceremony": 1})
    with closing(open_at(url, tmp_path)) as store:
        assert len(store.sessions(ADA)) == 2


def test_eight_processes_count_every_attempt_and_never_fork_a_chain(url: str, tmp_path: Path) -> None:
    """Must hold 8: the chain of nobody, which all processes append to, is one chain."""

    def work(store: Store, number: int) -> str:
        said = []
        for attempt in range(10):
            said.append(str(store.count_attempt("ada", at=NOW).count))
            store.commit(a_write(events=(an_entry(f"{number}-{attempt}", of=""), an_entry(of=f"one {attempt}"))))
        return " ".join(said)

    assert at_once(tmp_path, work, partial(open_at, url)) == Counter(str(count) for count in range(PROCESSES * 10))
    with closing(open_at(url, tmp_path)) as store:
        assert [event.seq for event in store.events(AccountId(""))] == list(range(1, PROCESSES * 10 + 1))
        assert store.verify().intact


def test_processes_that_sign_and_write_at_once_leave_one_line_of_checkpoints(url: str, tmp_path: Path) -> None:
    """Must hold 8: what was signed is still there, whichever process signed it."""

    def work(store: SqlStore, number: int) -> str:
        for _ in range(5):
            store.commit(a_write(events=(an_entry(of=""), an_entry(of=str(number)))))
            store.checkpoint(at=NOW)
        return "done"

    assert at_once(tmp_path, work, partial(open_at, url)) == Counter({"done": PROCESSES})  # type: ignore[arg-type]
    with closing(open_at(url, tmp_path)) as store:
        assert (store.verify().intact, store.verify().events) == (True, PROCESSES * 10)


def test_a_process_that_comes_after_another_takes_its_place(url: str, tmp_path: Path) -> None:
    for _ in range(3):
        with closing(open_at(url, tmp_path)), closing(open_at(url, tmp_path)):
            pass
    assert sorted(path.parent.name for path in (tmp_path / "state").glob("*/*/commits")) == ["1", "2"]


def test_a_killed_process_loses_no_accepted_change_and_leaves_no_half_made_one(url: str, tmp_path: Path) -> None:
    """Must hold 10: a killed process loses no accepted change and leaves no half-made one, nor an alarm."""
    chance = random.Random(10)
    with closing(open_at(url, tmp_path)) as store:
        store.commit(first_write())
    for _ in range(KILLS):
        child = Child(lambda report: change_for_ever(open_at(url, tmp_path), report))
        reported = b"".join(child.next_report(VERSION.size) for _ in range(chance.randrange(1, 6)))
        spin(chance.uniform(0, 0.005))
        reported += child.kill()
        (accepted,) = VERSION.unpack(reported[-VERSION.size :])
        with closing(open_at(url, tmp_path)) as store:
            check(store, accepted)
            assert store.restored_at is None
    assert accepted > KILLS


def test_a_killed_connection_is_not_noticed_by_who_writes(postgres: Cluster, url: str, tmp_path: Path) -> None:
    """Must hold 10: what a connection took with it is done again, or found to be kept; nothing is done twice."""
    chance = random.Random(11)
    with closing(open_at(url, tmp_path)) as store:
        store.commit(first_write())
    child = Child(lambda report: change_for_ever(open_at(url, tmp_path), report))
    accepted, killed = child.next_report(VERSION.size), 0
    for _ in range(BLOWS * 4):
        accepted = child.next_report(VERSION.size) or accepted
        spin(chance.uniform(0, 0.005))
        killed += postgres.kill_connections(url)
    accepted = (b"".join(child.next_report(VERSION.size) for _ in range(20)) + child.kill() or accepted)[-VERSION.size :]
    with closing(open_at(url, tmp_path)) as store:
        check(store, *VERSION.unpack(accepted))
        assert store.restored_at is None
    assert killed > BLOWS


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stores wait longer for a server that comes back: on a machine that is busy that takes its time."""
    monkeypatch.setattr(stores_of_postgres, "POOL_LIMIT", timedelta(seconds=120))


@pytest.fixture(scope="module")
def own_server() -> Iterator[Cluster]:
    """Return a server that waits for the disk and may be killed."""
    with cluster() as running:
        yield running


@pytest.mark.usefixtures("patient")
def test_a_killed_server_loses_no_accepted_change(own_server: Cluster, tmp_path: Path) -> None:
    """Must hold 10: writers wait for the server to come back, and go on from what was kept."""
    url = own_server.new_database()
    with closing(create_at(url, tmp_path)) as store:
        store.commit(first_write())
    child = Child(lambda report: change_for_ever(open_at(url, tmp_path), report))
    for _ in range(BLOWS):
        reported = b"".join(child.next_report(VERSION.size) for _ in range(5))
        own_server.restart()
    reported = (reported + b"".join(child.next_report(VERSION.size) for _ in range(20)) + child.kill())[-VERSION.size :]
    with closing(open_at(url, tmp_path)) as store:
        check(store, *VERSION.unpack(reported))
        assert store.restored_at is None


@pytest.mark.usefixtures("patient")
def test_a_store_goes_on_after_its_server_came_back(own_server: Cluster, tmp_path: Path) -> None:
    url = own_server.new_database()
    with closing(create_at(url, tmp_path)) as store:
        kept(store, an_account())
        own_server.restart("fast")
        assert store.read(ADA).version == 1
        own_server.restart("fast")
        assert store.commit(a_write(an_account(two_step=True), 1)) == 2
        assert (store.count_attempt("ada", at=NOW).count, store.restored_at) == (0, None)


def spin(seconds: float) -> None:
    """Let a moment pass whose length a chance decides: the test is right whatever it is."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass
