"""A block of writes on SQLite: one transaction, one wait for the disk, all of it or nothing."""

from __future__ import annotations

import resource
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from passless.domain.account import AccountId
from passless.ports import Record, StoreUnavailable, VersionMoved
from passless.stores import sql_store
from passless.stores.errors import StoreReplaced
from passless.stores.sql_store import SqlStore
from tests.builders import NOW, an_account
from tests.stores.asked import asked_of
from tests.stores.builders import a_session, a_write, an_entry, create, kept, reopen
from tests.stores.children import in_child
from tests.stores.copies import LATER, begin, check_nothing_is_revived, copy_of, go_on, put_back

ADA = AccountId("ada")
RECORD = Record(kind="kind", key="key", document=b"{}")


def commits_of(store: SqlStore) -> int:
    """Return how many commits the store has counted."""
    return store._commits_now()


def test_a_block_is_one_commit(folder: Path) -> None:
    with closing(create(folder)) as store:
        before = commits_of(store)
        with store.together():
            for number in range(10):
                kept(store, an_account(f"person{number}"))
        assert commits_of(store) == before + 1
        with store.together():
            store.read(AccountId("person1"))
        assert commits_of(store) == before + 1


def test_a_record_is_read_once_in_a_block_until_one_may_have_been_written(folder: Path) -> None:
    with closing(create(folder)) as store, store.together():
        found = [store.record("kind", "key")]
        store.commit(a_write(puts=(RECORD,)))
        found += [store.record("kind", "key"), store.record("kind", "key")]
        with asked_of(store) as asked:
            store.count_attempt("key", at=NOW)
            store.commit(a_write(events=(an_entry(),)))
            found.append(store.record("kind", "key"))
        assert not any("FROM records" in one for one in asked)
        store.commit(a_write(drops=(replace(RECORD, version=1),)))
        found.append(store.record("kind", "key"))
        store.commit(a_write(puts=(replace(RECORD, ends_at=NOW),)))
        assert store.record("kind", "key") is not None
        store.sweep(at=NOW)
        found.append(store.record("kind", "key"))
    assert [one is not None for one in found] == [False, True, True, True, False, False]


def test_an_account_that_was_read_in_a_block_is_not_asked_for_its_version(folder: Path) -> None:
    with closing(create(folder)) as store, store.together():
        kept(store, an_account())
        version = store.read(ADA).version
        with asked_of(store) as asked:
            store.commit(a_write(account_id=ADA, expected=version, opens=a_session()))
        assert not any("SELECT version" in one for one in asked)
        store.commit(a_write(replace(an_account(), two_step=True), expected=version))
        with pytest.raises(VersionMoved):
            store.commit(a_write(account_id=ADA, expected=version, opens=a_session("phone")))
        with pytest.raises(VersionMoved):
            store.commit(a_write(account_id=ADA, expected=store.read(ADA).version - 1, opens=a_session("phone")))
        store.commit(a_write(account_id=ADA, expected=version + 1, opens=a_session("phone")))


def test_nobody_else_sees_a_block_before_its_end(folder: Path) -> None:
    with closing(create(folder)) as store, closing(reopen(folder)) as other:
        with store.together():
            kept(store, an_account())
            assert list(other.accounts()) == []
            assert in_thread(lambda: list(store.accounts())) == []
        assert len(list(other.accounts())) == 1


def test_an_error_that_leaves_a_block_takes_all_of_it_back(folder: Path) -> None:
    with closing(create(folder)) as store:
        with pytest.raises(ZeroDivisionError), store.together():  # noqa: PT012 -- it is the block that raises
            kept(store, an_account())
            raise ZeroDivisionError
        assert list(store.accounts()) == []
        kept(store, an_account())


def test_another_thread_writes_when_the_block_has_ended(folder: Path) -> None:
    with closing(create(folder)) as store:
        written = threading.Thread(target=lambda: kept(store, an_account("bob")))
        with store.together():
            kept(store, an_account())
            written.start()
        written.join()
        assert len(list(store.accounts())) == 2


def test_a_full_disk_takes_a_whole_block_back(folder: Path) -> None:
    """Must hold 10: a full disk leaves no half-made change, and nobody is told that one was kept."""
    with closing(create(folder)) as store:
        kept(store, an_account())

    def limited() -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with closing(reopen(folder)) as store:
            resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
            with pytest.raises(StoreUnavailable), store.together():  # noqa: PT012 -- it is the block's end that raises
                store.commit(a_write(opens=a_session()))
                for number in range(2000):
                    entry = an_entry(details={"text": "x" * 2000, "number": str(number)})
                    store.commit(a_write(account_id=ADA, events=(entry,)))
            assert store.sessions(ADA) == ()
        return "done"

    assert in_child(limited) == "done"
    with closing(reopen(folder)) as store:
        assert (store.sessions(ADA), list(store.events(ADA)), store.verify().intact) == ((), [], True)


def test_what_was_lost_with_the_transaction_is_not_made_good_by_what_follows(folder: Path) -> None:
    """Must hold 10: once the disk is full in a block, every write after it fails, and the block with them."""
    with closing(create(folder)) as store:
        kept(store, an_account())
        with pytest.raises(StoreUnavailable, match="lost"), store.together():  # noqa: PT012 -- it is the block's end that raises
            store.commit(a_write(opens=a_session()))
            store._database._writer.connection.execute("ROLLBACK")  # type: ignore[attr-defined]
            for name in ("phone", "tablet"):
                with pytest.raises(StoreUnavailable, match="lost"):
                    store.commit(a_write(opens=a_session(name)))
        assert store.sessions(ADA) == ()


def test_a_store_that_somebody_else_holds_keeps_a_block_waiting_once(folder: Path) -> None:
    with closing(create(folder)) as store, closing(reopen(folder)) as other:
        kept(store, an_account())
        store._database._writer.connection.execute("PRAGMA busy_timeout = 10")  # type: ignore[attr-defined]
        with other._database.writing(), pytest.raises(StoreUnavailable, match="busy"), store.together():  # noqa: PT012
            for name in ("phone", "tablet"):
                with pytest.raises(StoreUnavailable, match="busy"):
                    store.commit(a_write(opens=a_session(name)))
        with other._database.writing(), store.together():
            assert store.read(ADA).version == 1
        store.commit(a_write(opens=a_session()))


def test_a_copy_put_back_under_an_open_store_is_noticed_by_a_block(folder: Path) -> None:
    with closing(create(folder)) as store:
        begin(store)
        copies = copy_of(folder)
        go_on(store)
        put_back(copies, folder)
        with pytest.raises(StoreReplaced), store.together():
            store.commit(a_write(at=LATER, account_id=ADA, events=(an_entry("late"),)))
        check_nothing_is_revived(store)


def test_a_number_of_commits_that_goes_back_takes_a_block_back(folder: Path) -> None:
    with closing(create(folder)) as store:
        begin(store)
        go_on(store)
        store._database._writer.connection.execute("UPDATE writers SET commits = 2")  # type: ignore[attr-defined]
        with pytest.raises(StoreReplaced), store.together():
            store.commit(a_write(at=LATER, opens=a_session("new")))
        check_nothing_is_revived(store)


def test_a_block_is_signed_after_its_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_store, "CHECKPOINT_EVENTS", 3)
    with closing(create(folder)) as store:
        kept(store, an_account())
        with store.together():
            for number in range(5):
                store.commit(a_write(account_id=ADA, events=(an_entry(str(number)),)))
            assert list(checkpoints_of(store)) == []
        assert len(checkpoints_of(store)) == 1
        assert store.verify().intact


def checkpoints_of(store: SqlStore) -> list[Any]:
    """Return the rows of checkpoints."""
    return store._database.rows("page_checkpoints", after=0, page=10)


def in_thread(work: Callable[[], Any]) -> Any:
    """Do something in another thread."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]
