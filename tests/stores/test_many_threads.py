"""Many threads of one process that write and read at once, as in a server."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from passless.domain.account import AccountId
from passless.domain.ceremonies import CeremonyId
from passless.domain.errors import PasslessError
from passless.domain.sessions import Session
from passless.ports import AlreadyUsed, Store, StoreUnavailable, VersionMoved
from passless.stores.errors import StoreReplaced
from passless.stores.groups import Groups, Piece
from passless.stores.sql_store import SqlStore
from tests.builders import NOW, a_security_key, an_account
from tests.stores.builders import a_ceremony, a_session, a_use, a_write, an_entry, create, kept, reopen
from tests.stores.copies import LATER, begin, check_nothing_is_revived, copy_of, go_on, put_back

ADA = AccountId("ada")
THREADS = 16


def at_once(work: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """Let threads do something at the same moment, and return what came of it."""
    gate = threading.Barrier(threads)

    def wait_and_work(number: int) -> Any:
        gate.wait()
        try:
            return work(number)
        except PasslessError as error:
            return error.code

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(wait_and_work, range(threads)))


def together(store: SqlStore, *works: Callable[[], Any]) -> list[Any]:
    """Let threads do something that is kept in one group: the database is held until all of them wait."""
    with store._database._turn, ThreadPoolExecutor(len(works) + 1) as pool:  # type: ignore[attr-defined]
        leader = pool.submit(lambda: store.count_attempt("leader", at=NOW))
        while not store._groups._is_led:
            pass
        found = []
        for number, work in enumerate(works):
            found.append(pool.submit(work))
            while len(store._groups._waiting) <= number and not leader.done():
                pass
        store._database._turn.release()  # type: ignore[attr-defined]
        results = [one.exception() or one.result() for one in found]
        leader.result()
        store._database._turn.acquire()  # type: ignore[attr-defined]
    return results


def test_every_thread_gets_its_own_account_kept(store: SqlStore, folder: Path) -> None:
    """Must hold 10: writers at once lose no accepted change."""
    at_once(lambda number: [kept(store, an_account(f"{number}-{change}")) for change in range(10)])
    store.close()
    with closing(reopen(folder)) as again:
        assert len(list(again.accounts())) == THREADS * 10
        assert again.restored_at is None


def test_threads_that_change_one_account_are_checked_one_after_the_other(store: SqlStore) -> None:
    """Must hold 12: two changes at once are checked one after the other."""
    kept(store, an_account())

    def change(number: int) -> Any:
        return store.commit(a_write(an_account(display_name=str(number)), 1, events=(an_entry(),)))

    assert Counter(at_once(change)) == Counter({2: 1, "busy": THREADS - 1})
    assert (store.read(ADA).version, len(list(store.events(ADA))), store.verify().intact) == (2, 1, True)


def test_one_proof_given_to_many_threads_is_taken_once(store: SqlStore) -> None:
    """Must hold 12: the same proof is accepted once."""
    kept(store, an_account())
    found = at_once(lambda number: store.commit(a_write(uses=(a_use(totp_step=7),), opens=a_session(str(number)))))
    assert Counter(found) == Counter({None: 1, "already-used": THREADS - 1})
    assert len(store.sessions(ADA)) == 1


def test_no_failed_attempt_of_many_threads_is_lost(store: SqlStore) -> None:
    found = at_once(lambda number: [store.count_attempt("ada", at=NOW).count for _ in range(10)])
    assert sorted(count for counts in found for count in counts) == list(range(THREADS * 10))


def test_a_refused_write_of_a_group_is_refused_alone(store: SqlStore) -> None:
    """Must hold 10: no half-made change; the others of the group are kept."""
    kept(store, an_account(methods=[a_security_key()]))
    found = together(
        store,
        lambda: store.commit(a_write(an_account("bob"))),
        lambda: store.commit(a_write(an_account("carl", methods=[a_security_key()]), events=(an_entry(of="carl"),))),
        lambda: store.commit(a_write(account_id=ADA, consumes=CeremonyId("unknown"), opens=a_session())),
        lambda: store.commit(a_write(ended=("nobody's",))),
        lambda: store.count_attempt("ada", at=NOW).count,
    )
    assert [str(one) for one in found[1:4]] == [
        "this key is already enrolled",
        "that was used before",
        "a write with uses or ended items names its account",
    ]
    assert (found[0], found[4], store.read(AccountId("bob")).version) == (1, 0, 1)
    assert (store.sessions(ADA), list(store.events()), store.verify().intact) == ((), [], True)


def test_a_group_of_refused_writes_keeps_nothing(store: SqlStore) -> None:
    found = together(store, *[lambda: store.commit(a_write(consumes=CeremonyId("unknown")))] * 2)
    assert [type(one) for one in found] == [AlreadyUsed, AlreadyUsed]


def test_a_group_is_one_commit_with_one_chain(store: SqlStore) -> None:
    """Must hold 8: the trail is whole."""
    kept(store, an_account())
    commits = store._state.last_commit()
    entries = [an_entry(str(number), of=of) for number, of in enumerate(["ada", "", "bob", "ada", ""])]
    found = together(store, *[lambda entry=entry: store.commit(a_write(events=(entry,))) for entry in entries])
    assert (found, store._state.last_commit()) == ([None] * 5, commits + 2)
    assert [len(list(store.events(AccountId(of)))) for of in ("ada", "", "bob")] == [2, 2, 1]
    assert store.verify().intact


def test_what_is_counted_and_forgiven_in_a_group_adds_up(store: SqlStore) -> None:
    found = together(
        store,
        lambda: store.count_attempt("ada", at=NOW).count,
        lambda: store.count_attempt("ada", at=NOW).count,
        lambda: store.commit(a_write(forgives=("ada", "bob"))),
        lambda: store.count_attempt("bob", at=NOW).count,
    )
    assert (sorted(found[:2]), found[3]) == ([0, 1], 0)
    assert (store.attempts("ada"), store.attempts("bob")) == (None, None)


def test_what_spoils_a_group_spoils_only_itself(store: SqlStore) -> None:
    """Must hold 10: what is found broken in the trail of one account does not refuse the writes of others."""
    store.commit(a_write(events=(an_entry(),)))
    with store._database.writing() as transaction:
        transaction.run("move_head", account_id="ada", seq="one", hash=b"")
    found = together(
        store,
        lambda: store.commit(a_write(events=(an_entry(),))),
        lambda: store.commit(a_write(an_account("bob"), events=(an_entry(of="bob"),))),
    )
    assert ([getattr(found[0], "code", None), found[1]], store.read(AccountId("bob")).version) == (["store-damaged", 1], 1)


def test_an_old_copy_is_told_to_every_write_of_a_group(folder: Path) -> None:
    """Must hold 13: nothing of before is revived by writes that were on their way."""
    with closing(create(folder)) as store:
        begin(store)
        copies = copy_of(folder)
        go_on(store)
        with store._database._turn:
            put_back(copies, folder)
        found = at_once(lambda number: store.commit(a_write(at=LATER, opens=a_session(str(number)))), 2)
        assert "store-replaced" in found
        assert store.tell_restored() == LATER
        for session in store.sessions(ADA):
            store.commit(a_write(at=LATER, ends=(session.id,)))
        check_nothing_is_revived(store)


def test_a_thread_reads_what_it_kept(store: SqlStore) -> None:
    def keep_and_read(number: int) -> list[int]:
        name, seen = f"person {number}", []
        kept(store, an_account(name))
        for version in range(1, 10):
            store.commit(a_write(an_account(name, display_name=str(version)), version))
            seen.append(store.read(AccountId(name)).version)
        return seen

    assert at_once(keep_and_read) == [list(range(2, 11))] * THREADS


def test_the_end_of_all_sessions_misses_none_that_comes_of_another(store: SqlStore) -> None:
    """Must hold 7: what is opened with a session that has ended is refused, and what was opened before it ends with it."""
    kept(store, an_account())
    for turn in range(8):
        source = a_session(f"source {turn}")
        store.commit(a_write(opens=source))

        def work(number: int, turn: int = turn, source: Session = source) -> str:
            if number:
                given = a_session(f"given {turn} {number}")
                store.commit(a_write(expected=1, account_id=ADA, opens=given, updates=source))
                return "given"
            while True:
                known = tuple(one.id for one in store.sessions(ADA))
                try:
                    store.commit(a_write(account_id=ADA, among=known, ends=known))
                except VersionMoved:
                    continue
                return "ended"

        found = at_once(work, 8)
        assert set(found) <= {"ended", "given", "busy"}
        assert found[0] == "ended"
        assert store.sessions(ADA) == ()


def test_reading_does_not_wait_for_a_writer(store: SqlStore) -> None:
    kept(store, an_account())
    with store._database.writing(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(store.read, ADA).result(timeout=30).version == 1
        assert pool.submit(lambda: [one.version for one in store.accounts()]).result(timeout=30) == [1]


def test_readers_of_a_file_that_was_replaced_are_let_go(folder: Path) -> None:
    with closing(create(folder)) as store:
        begin(store)
        with store._database.writing(), ThreadPoolExecutor(1) as pool:
            pool.submit(store.read, ADA).result(timeout=30)
        assert len(store._database._readers) == 1
        copies = copy_of(folder)
        go_on(store)
        put_back(copies, folder)
        with pytest.raises(StoreReplaced):
            store.count_attempt("ada", at=LATER)
        assert {place for _, place in store._database._readers} <= {store._database._place}
        check_nothing_is_revived(store)


def test_a_reader_that_was_lent_when_the_store_closed_is_closed(store: SqlStore) -> None:
    with store._database._reader() as reader:  # type: ignore[attr-defined]
        store._database.close()
    with pytest.raises(StoreUnavailable, match="is closed"):
        reader.rows("read_store")
    with pytest.raises(StoreUnavailable, match="is closed"), store._database.reading():
        pass


def test_a_sleeper_is_told_when_its_leader_is_interrupted() -> None:
    """Must hold 10: a change whose end nobody knows is not reported as kept."""
    started, go = threading.Event(), threading.Event()
    tries: list[int] = []

    def keep(group: list[Piece]) -> None:
        tries.append(len(group))
        if len(tries) == 1:
            started.set()
            go.wait()
            return
        raise KeyboardInterrupt

    groups = Groups(keep)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(groups.keep, Piece(a_write()))
        started.wait()
        others = [pool.submit(groups.keep, Piece(a_write())) for _ in range(2)]
        while len(groups._waiting) < 2:
            pass
        go.set()
        assert first.result() is None
        assert sorted(type(one.exception()).__name__ for one in others) == ["KeyboardInterrupt", "StoreUnavailable"]
    assert not groups._is_led


def test_two_threads_that_change_and_read_an_account_agree(store: SqlStore) -> None:
    """Must hold 12: whoever was too late reads again and is checked again; nobody's change is lost."""
    kept(store, an_account())

    def change(number: int) -> int:
        return change_until_kept(store, str(number))

    assert sorted(at_once(change)) == list(range(2, THREADS + 2))


def change_until_kept(store: Store, text: str) -> int:
    """Change the account; start again when somebody else was faster."""
    while True:
        version = store.read(ADA).version
        try:
            return int(store.commit(a_write(an_account(display_name=text), version)) or 0)
        except VersionMoved:
            continue


def test_a_long_trail_is_signed_while_threads_write(store: SqlStore) -> None:
    """Must hold 8: what was signed is still there, whoever signed it."""
    store.commit(a_write(begins=a_ceremony()))
    at_once(lambda number: [store.commit(a_write(events=(an_entry(),) * 20)) for _ in range(10)])
    found = store.verify()
    assert (found.events, found.intact, found.checkpoint_at) == (3200, True, NOW)
