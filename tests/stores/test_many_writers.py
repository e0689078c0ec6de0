"""Several processes that write at once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec

from passless.domain.account import AccountId
from passless.domain.ceremonies import CeremonyId
from passless.domain.errors import PasslessError
from passless.ports import Store, VersionMoved
from passless.stores.sql_store import SqlStore
from tests.builders import NOW, an_account
from tests.stores.builders import a_ceremony, a_session, a_use, a_write, an_entry, create, kept, reopen, seconds
from tests.stores.children import Child

ADA = AccountId("ada")
PROCESSES = 8
CHANGES = 20


def at_once(folder: Path, work: Callable[[Store, int], str], opening: Callable[[Path], SqlStore] = reopen) -> Counter[str]:
    """Let eight processes do something at the same moment, and count what they said."""
    gate, opener = os.pipe()

    def wait_and_work(number: int) -> str:
        store = opening(folder)
        os.close(opener)
        os.read(gate, 1)  # returns when everybody let go of the other end
        return work(store, number)

    def child(number: int) -> Child:
        return Child(lambda report: report(f"{wait_and_work(number)} ".encode()))

    children = [child(number) for number in range(PROCESSES)]
    os.close(opener)
    said = Counter(" ".join(one.finish().decode() for one in children).split())
    os.close(gate)
    return said


def outcome(commit: Callable[[], object]) -> str:
    """Return `done` or the code of what went wrong."""
    try:
        commit()
    except PasslessError as error:
        return error.code
    return "done"


def change_once(store: Store, text: str) -> None:
    """Change the account; start again when somebody else was faster."""
    while True:
        stored = store.read(ADA)
        after = msgspec.structs.replace(stored.account, display_name=text)
        try:
            store.commit(a_write(after, stored.version, events=(an_entry(details={"text": text}),)))
        except VersionMoved:
            continue
        return


def test_eight_processes_change_one_account_at_once(folder: Path) -> None:
    """Must hold 10: two writers at once lose no accepted change. Each is made, or says why not."""
    with closing(create(folder)) as store:
        kept(store, an_account())

    def work(store: Store, number: int) -> str:
        changes = (partial(change_once, store, f"{number}-{change}") for change in range(CHANGES))
        return " ".join(map(outcome, changes))

    said = at_once(folder, work)
    with closing(reopen(folder)) as store:
        done = said["done"]
        assert said + Counter() == Counter({"done": done, "store-unavailable": PROCESSES * CHANGES - done}) + Counter()
        assert (store.read(ADA).version, len(list(store.events(ADA)))) == (1 + done, done)
        assert done > PROCESSES
        assert (store.verify().intact, store.restored_at) == (True, None)


def test_one_totp_step_given_to_eight_processes_is_taken_once(folder: Path) -> None:
    """Must hold 12: the same proof is accepted once, in whichever process it arrives first."""
    with closing(create(folder)) as store:
        kept(store, an_account())

    def work(store: Store, number: int) -> str:
        return outcome(lambda: store.commit(a_write(uses=(a_use(totp_step=7),), opens=a_session(str(number)))))

    assert at_once(folder, work) == Counter({"already-used": PROCESSES - 1, "done": 1})
    with closing(reopen(folder)) as store:
        assert len(store.sessions(ADA)) == 1


def test_one_ceremony_finished_by_eight_processes_is_finished_once(folder: Path) -> None:
    """Must hold 5: a ceremony is used once. Must hold 12: in whichever process it arrives first."""
    with closing(create(folder)) as store:
        store.commit(a_write(begins=a_ceremony()))

    def work(store: Store, number: int) -> str:
        return outcome(lambda: store.commit(a_write(consumes=CeremonyId("adding"), opens=a_session(str(number)))))

    assert at_once(folder, work) == Counter({"already-used": PROCESSES - 1, "done": 1})


def test_eight_processes_lose_no_failed_attempt(folder: Path) -> None:
    create(folder).close()

    def work(store: Store, number: int) -> str:
        return " ".join(str(store.count_attempt("ada", at=NOW).count) for _ in range(10))

    assert at_once(folder, work) == Counter(str(count) for count in range(PROCESSES * 10))


def test_a_store_that_another_process_holds_says_so(folder: Path) -> None:
    """Must hold 10: two writers at once; the second waits a bounded time and says why it failed."""
    with closing(create(folder)) as holder, closing(reopen(folder)) as other:
        other._database._writer.connection.execute("PRAGMA busy_timeout = 20")
        with holder._database.writing():
            assert outcome(lambda: kept(other, an_account())) == "store-unavailable"
        assert outcome(lambda: kept(other, an_account())) == "done"


def test_a_long_pause_between_two_processes_is_no_alarm(store: SqlStore, folder: Path) -> None:
    with closing(reopen(folder)) as other:
        for number in range(200):
            other.commit(a_write(opens=a_session(str(number), created=NOW + seconds(number))))
        kept(store, an_account())
        assert other.read(ADA).version == 1
    assert store.restored_at is None
