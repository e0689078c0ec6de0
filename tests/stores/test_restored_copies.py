"""An old copy of the store that is put back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from passless.domain.account import AccountId
from passless.domain.sealed import KeyId, Tag
from passless.ports import StoreDamaged, VersionMoved
from passless.stores.documents import account_row
from passless.stores.errors import StoreMissing, StoreReplaced
from tests.builders import NOW, a_security_key, an_account
from tests.stores.builders import (
    a_session,
    a_use,
    a_write,
    create,
    file_in,
    kept,
    owner_of,
    reopen,
)
from tests.stores.copies import ADA, AFTER, BEFORE, LATER, STEP_NOW, begin, check_nothing_is_revived, copy_of, go_on, put_back


def test_an_old_copy_revives_nothing(restored: Path) -> None:
    """Must hold 13: restoring an old copy of a store revives no session, pass, used code or open ceremony."""
    with closing(reopen(restored, at=LATER)) as store:
        check_nothing_is_revived(store)


def test_an_old_copy_is_said_once(restored: Path) -> None:
    """Must hold 13: it is said at the next start."""
    with closing(reopen(restored, at=LATER)) as store, closing(reopen(restored, at=LATER)) as other:
        assert store.restored_at == LATER
        assert [store.tell_restored(), store.tell_restored(), other.tell_restored()] == [LATER, None, None]
    with closing(reopen(restored, at=LATER)) as store:
        assert (store.restored_at, store.tell_restored()) == (LATER, None)


def test_an_old_copy_is_in_the_audit_log(restored: Path) -> None:
    """Must hold 8: what happened is in the audit log."""
    with closing(reopen(restored, at=LATER)) as store:
        (event,) = store.events(AccountId(""))
        assert (event.event, event.at, event.details) == (
            "store-restored",
            LATER,
            {"lost-commits": "3"},
        )  # the last signed the trail
        assert (store.verify().intact, store.verify().truncated) == (True, False)


def test_what_was_not_used_still_works_in_an_old_copy(restored: Path) -> None:
    with closing(reopen(restored, at=LATER)) as store:
        assert owner_of(store, Tag(key=KeyId("key-1"), digest=b"kept")) == (ADA, "kept")
        assert store.owner_of_credential(b"blue key") == ADA
        store.commit(a_write(at=LATER, account_id=ADA, uses=(a_use(totp_step=STEP_NOW + 1),)))
        assert store.uses(ADA)["app"].totp_step == STEP_NOW + 1


def test_the_use_states_of_an_old_copy_show_no_older_step(folder: Path) -> None:
    with closing(create(folder)) as store:
        kept(store, BEFORE)
        store.commit(a_write(account_id=ADA, uses=(a_use(totp_step=1), a_use("blue key", counter=1))))
    copies = copy_of(folder)
    with closing(reopen(folder)) as store:
        store.sweep(at=NOW)
    put_back(copies, folder)
    with closing(reopen(folder, at=LATER)) as store:
        assert [use.totp_step for use in store.uses(ADA).values()] == [STEP_NOW, None]


def test_an_old_copy_can_be_put_back_again(restored: Path) -> None:
    """Must hold 13: every time."""
    reopen(restored, at=NOW).close()
    put_back(restored / "copies", restored)
    with closing(reopen(restored, at=LATER)) as store:
        assert store.tell_restored() == LATER
        check_nothing_is_revived(store)


def test_a_store_goes_on_after_an_old_copy(restored: Path) -> None:
    with closing(reopen(restored, at=LATER)) as store:
        kept(store, an_account("carl"))
    with closing(reopen(restored, at=LATER + timedelta(hours=1))) as store:
        assert (store.restored_at, store.read(AccountId("carl")).version) == (LATER, 1)


def test_a_copy_of_an_open_store_is_noticed(folder: Path) -> None:
    """Must hold 13: a copy that was made while the store was open."""
    with closing(create(folder)) as store:
        begin(store)
        copies = copy_of(folder)
        go_on(store)
    put_back(copies, folder)
    with closing(reopen(folder, at=LATER)) as store:
        assert store.tell_restored() == LATER
        check_nothing_is_revived(store)


def test_a_copy_put_back_under_an_open_store_is_noticed_by_the_next_write(folder: Path) -> None:
    """Must hold 13: a copy that is put back while the store is open."""
    with closing(create(folder)) as store:
        begin(store)
        copies = copy_of(folder)
        go_on(store)
        put_back(copies, folder)
        with pytest.raises(StoreReplaced):
            store.session(b"laptop")
        with pytest.raises(StoreReplaced):
            store.commit(a_write(at=LATER, opens=a_session("new")))
        assert store.tell_restored() == LATER
        check_nothing_is_revived(store)


def test_a_copy_put_back_under_an_open_store_is_noticed_by_the_next_attempt(folder: Path) -> None:
    with closing(create(folder)) as store:
        begin(store)
        copies = copy_of(folder)
        go_on(store)
        put_back(copies, folder)
        with pytest.raises(StoreReplaced):
            store.count_attempt("ada", at=LATER)
        assert store.count_attempt("ada", at=LATER).count == 0
        check_nothing_is_revived(store)


def test_a_copy_that_another_process_noticed_is_noticed_here(folder: Path) -> None:
    with closing(create(folder)) as store:
        begin(store)
        copies = copy_of(folder)
        go_on(store)
        put_back(copies, folder)
        reopen(folder, at=LATER).close()
        with pytest.raises(StoreReplaced):
            store.commit(a_write(AFTER, 2))
        check_nothing_is_revived(store)


def test_a_number_of_commits_that_goes_back_under_an_open_store_is_noticed(folder: Path) -> None:
    """Must hold 13: also where the file stays the same one."""
    with closing(create(folder)) as store:
        begin(store)
        go_on(store)
        with closing(sqlite3.connect(file_in(folder), isolation_level=None)) as other:
            other.execute("UPDATE writers SET commits = 2")
        with pytest.raises(StoreReplaced):
            store.commit(a_write(at=LATER, opens=a_session("new")))
        check_nothing_is_revived(store)


def test_a_change_never_builds_on_what_another_process_changed(folder: Path) -> None:
    """Must hold 10: a row of the same version that is another one, as after an old copy, is read again."""
    with closing(create(folder)) as store, closing(reopen(folder)) as other:
        kept(store, an_account(methods=[a_security_key()]))
        account, version = an_account(), 1
        row = account_row(account, version)
        with other._database.writing() as transaction:
            transaction.run("remove_credential", credential_id=b"blue key")
            transaction.run("delete_account", id=ADA, expected=1)
            transaction.run("add_account", **row)
        assert store.commit(a_write(an_account(methods=[a_security_key()]), 1)) == 2
        assert store.owner_of_credential(b"blue key") == ADA


def test_the_same_store_moved_into_its_own_place_goes_on(folder: Path) -> None:
    with closing(create(folder)) as store:
        begin(store)
    with closing(reopen(folder)) as store:
        put_back(copy_of(folder), folder)
        assert store.commit(a_write(AFTER, 1)) == 2
        assert store.restored_at is None


def test_a_store_that_vanishes_while_open_is_missed(folder: Path) -> None:
    with closing(create(folder)) as store:
        file_in(folder).unlink()
        with pytest.raises(StoreMissing, match=r"store\.db"):
            kept(store, an_account())


def test_another_store_in_the_place_of_an_open_one_is_refused(folder: Path, tmp_path: Path) -> None:
    create(tmp_path / "other", seed=2).close()
    with closing(create(folder)) as store:
        put_back(copy_of(tmp_path / "other"), folder)
        with pytest.raises(StoreDamaged, match=r"store\.db"):
            kept(store, an_account())


def test_a_lost_write_ahead_log_is_noticed(folder: Path) -> None:
    """Must hold 13: a truncated store is noticed as well."""
    create(folder).close()
    with closing(reopen(folder)) as store:
        begin(store)
        copies = copy_of(folder)
    (copies / "store.db-wal").unlink()
    (copies / "store.db-shm").unlink()
    put_back(copies, folder)
    with closing(reopen(folder, at=LATER)) as store:
        assert store.restored_at == LATER


def test_a_change_that_was_lost_with_an_old_copy_is_checked_again(restored: Path) -> None:
    """Must hold 12: a version that the copy does not have is not changed."""
    with closing(reopen(restored, at=LATER)) as store, pytest.raises(VersionMoved):
        store.commit(a_write(AFTER, 9))
