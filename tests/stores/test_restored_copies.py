"""An old copy of the store that is put back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from passless.domain.account import AccountId
from passless.domain.ceremonies import CeremonyId
from passless.domain.sealed import KeyId, Tag
from passless.ports import AlreadyUsed, Store, StoreDamaged, VersionMoved
from passless.stores import take_over_store
from passless.stores.documents import account_row
from passless.stores.errors import StateMissing, StoreExists, StoreMissing, StoreReplaced
from passless.stores.restoring import TOTP_STEP
from tests.builders import NOW, a_code, a_security_key, a_temporary_pass, a_totp, an_account, an_app_password
from tests.stores.builders import (
    a_ceremony,
    a_session,
    a_use,
    a_write,
    an_entry,
    create,
    file_in,
    kept,
    reopen,
    repeatable_entropy,
)
from tests.stores.children import Child
from tests.stores.copies import copy_of, put_back

ADA = AccountId("ada")
LATER = NOW + timedelta(hours=2)
STEP_NOW = int(LATER.timestamp()) // int(TOTP_STEP.total_seconds())
BEFORE = an_account(
    methods=[a_security_key(), a_totp()],
    codes=[a_code("used"), a_code("unused")],
    app_passwords=(an_app_password("revoked"), an_app_password("kept")),
    temporary_pass=a_temporary_pass(),
)
AFTER = an_account(methods=BEFORE.methods, codes=[a_code("unused")], app_passwords=(an_app_password("kept"),))


def begin(store: Store) -> None:
    """Make everything that a copy could revive."""
    kept(store, BEFORE)
    store.commit(a_write(opens=a_session(), begins=a_ceremony(), events=(an_entry("begin"),)))
    kept(store, an_account("bob", temporary_pass=a_temporary_pass("second pass")))


def go_on(store: Store) -> None:
    """Use and revoke things after the copy was made."""
    store.commit(a_write(AFTER, 1, ended=("used", "revoked"), events=(an_entry("go on"),)))
    store.commit(a_write(account_id=ADA, uses=(a_use(totp_step=STEP_NOW - 1),)))


@pytest.fixture
def restored(folder: Path) -> Path:
    """Return the folder of a store whose old copy was put back while it was closed."""
    with closing(create(folder)) as store:
        begin(store)
    copies = copy_of(folder)
    with closing(reopen(folder)) as store:
        go_on(store)
    put_back(copies, folder)
    return folder


def check_nothing_is_revived(store: Store) -> None:
    """Check all that must not come back."""
    assert store.sessions(ADA) == ()
    assert store.ceremony(CeremonyId("adding")) is None
    assert store.read(ADA).account == AFTER
    assert store.read(AccountId("bob")).account.temporary_pass is None
    assert store.owner_of_app_password([Tag(key=KeyId("key-1"), digest=b"revoked")]) is None
    with pytest.raises(AlreadyUsed):
        store.commit(a_write(at=LATER, account_id=ADA, uses=(a_use(totp_step=STEP_NOW),)))


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
        assert (event.event, event.at, event.details) == ("store-restored", LATER, {"lost-commits": "2"})
        assert (store.verify().intact, store.verify().truncated) == (True, False)


def test_what_was_not_used_still_works_in_an_old_copy(restored: Path) -> None:
    with closing(reopen(restored, at=LATER)) as store:
        assert store.owner_of_app_password([Tag(key=KeyId("key-1"), digest=b"kept")]) == (ADA, "kept")
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
        with other._database.writing():
            other._database.run("remove_credential", credential_id=b"blue key")
            other._database.run("delete_account", id=ADA, expected=1)
            other._database.run("add_account", **row)
        assert store.commit(a_write(an_account(methods=[a_security_key()]), 1)) == 2
        assert store.owner_of_credential(b"blue key") == ADA


def test_what_ended_is_written_down_again_where_it_was_lost(folder: Path) -> None:
    """Must hold 13: also after a loss of power took it."""
    with closing(create(folder)) as store:
        begin(store)
        copies = copy_of(folder)
        go_on(store)
    (ended,) = (folder / "state").glob("*/ended")
    ended.unlink()
    reopen(folder).close()
    put_back(copies, folder)
    with closing(reopen(folder, at=LATER)) as store:
        check_nothing_is_revived(store)


def test_a_copy_that_lost_what_ended_as_well_is_still_noticed(restored: Path) -> None:
    (ended,) = (restored / "state").glob("*/ended")
    ended.unlink()
    with closing(reopen(restored, at=LATER)) as store:
        assert (store.restored_at, store.sessions(ADA)) == (LATER, ())


def test_two_processes_that_notice_at_once_void_once(restored: Path) -> None:
    """Must hold 12: what two do at once is done one after the other."""

    def notice(number: int) -> str:
        with closing(reopen(restored, at=LATER + timedelta(seconds=number))) as store:
            return f"{store.restored_at}\n"

    children = [Child(lambda report, number=number: report(notice(number).encode())) for number in range(8)]
    assert len({child.finish() for child in children}) == 1
    with closing(reopen(restored, at=LATER)) as store:
        assert [event.event for event in store.events(AccountId(""))] == ["store-restored"]


def test_a_torn_note_of_a_commit_is_passed_over(folder: Path) -> None:
    """Must hold 10: what a crash leaves is no alarm."""
    with closing(create(folder)) as store:
        begin(store)
    (commits,) = (folder / "state").glob("*/commits")
    commits.write_bytes(commits.read_bytes()[:-20] + b"\xff" * 20)
    with closing(reopen(folder)) as store:
        assert (store.restored_at, store.read(ADA).version) == (None, 1)


@pytest.mark.parametrize("content", [b"{", b'{"body":"{}","signature":""}'])
def test_a_broken_checkpoint_outside_does_not_hinder(restored: Path, content: bytes) -> None:
    """Must hold 13: also when the last checkpoint cannot be read."""
    (checkpoint,) = (restored / "state").glob("*/checkpoint")
    checkpoint.write_bytes(content)
    with closing(reopen(restored, at=LATER)) as store:
        check_nothing_is_revived(store)


def test_a_checkpoint_of_another_store_is_not_taken_for_a_lost_one(restored: Path, tmp_path: Path) -> None:
    with closing(create(tmp_path / "other", seed=2)) as other:
        begin(other)
    (foreign,) = (tmp_path / "other" / "state").glob("*/checkpoint")
    (checkpoint,) = (restored / "state").glob("*/checkpoint")
    checkpoint.write_bytes(foreign.read_bytes())
    with closing(reopen(restored, at=LATER)) as store:
        assert (store.restored_at, store.verify().intact) == (LATER, True)


def test_a_kept_checkpoint_that_an_old_copy_lost_shows_the_loss(folder: Path) -> None:
    """Must hold 8: what was cut from the trail shows against a checkpoint that somebody kept."""
    with closing(create(folder)) as store:
        begin(store)
    copies = copy_of(folder)
    with closing(reopen(folder)) as store:
        go_on(store)
        store.checkpoint(at=NOW)
    (checkpoint,) = (folder / "state").glob("*/checkpoint")
    lost = checkpoint.read_bytes()
    put_back(copies, folder)
    with closing(reopen(folder, at=LATER)) as store:
        assert (store.verify().intact, store.verify(head=lost).truncated) == (True, True)


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


def test_a_state_folder_that_is_behind_is_no_alarm(folder: Path) -> None:
    """Must hold 10: a crash between the database and the state folder."""
    with closing(create(folder)) as store:
        begin(store)
    shutil.copytree(folder / "state", folder / "state before")
    with closing(reopen(folder)) as store:
        go_on(store)
    shutil.rmtree(folder / "state")
    (folder / "state before").rename(folder / "state")
    with closing(reopen(folder)) as store:
        assert (store.restored_at, store.verify().truncated) == (None, False)


def test_a_state_folder_that_was_behind_is_brought_up_to_date(folder: Path) -> None:
    """Must hold 13: also after a loss of power took the last words of the state folder."""
    with closing(create(folder)) as store:
        begin(store)
    copies = copy_of(folder)
    shutil.copytree(folder / "state", folder / "state before")
    with closing(reopen(folder)) as store:
        go_on(store)
    shutil.rmtree(folder / "state")
    (folder / "state before").rename(folder / "state")
    reopen(folder).close()
    put_back(copies, folder)
    with closing(reopen(folder, at=LATER)) as store:
        check_nothing_is_revived(store)


@pytest.mark.parametrize("leftover", [b'\n["ada","unused"]', b'\n["ada","unu'])
def test_what_a_failed_commit_left_outside_does_not_count(folder: Path, leftover: bytes) -> None:
    """Must hold 10: no half-made change."""
    with closing(create(folder)) as store:
        begin(store)
        go_on(store)
    (ended,) = (folder / "state").glob("*/ended")
    ended.write_bytes(ended.read_bytes() + leftover)
    reopen(folder).close()
    assert sorted(ended.read_bytes().split()) == [b'["ada","revoked"]', b'["ada","used"]']


def test_what_is_torn_in_the_state_folder_is_passed_over(restored: Path) -> None:
    (ended,) = (restored / "state").glob("*/ended")
    ended.write_bytes(b'\n["ada","unu' + ended.read_bytes())
    with closing(reopen(restored, at=LATER)) as store:
        check_nothing_is_revived(store)


def test_the_same_item_ends_once(folder: Path) -> None:
    with closing(create(folder)) as store:
        begin(store)
        store.commit(a_write(account_id=ADA, ended=("used", "used")))
        store.commit(a_write(account_id=ADA, ended=("used",)))
    (ended,) = (folder / "state").glob("*/ended")
    assert ended.read_bytes() == b'\n["ada","used"]'


def test_a_store_without_its_state_folder_is_not_opened(folder: Path) -> None:
    create(folder).close()
    shutil.rmtree(folder / "state")
    with pytest.raises(StateMissing, match="state"):
        reopen(folder)


def test_a_store_without_its_state_folder_is_taken_over_like_an_old_copy(folder: Path) -> None:
    """Must hold 13: what cannot be known is void."""
    with closing(create(folder)) as store:
        begin(store)
        store.checkpoint(at=NOW)
    shutil.rmtree(folder / "state")
    taken = take_over_store(file_in(folder), state=folder / "state", at=LATER, entropy=repeatable_entropy(7))
    with closing(taken) as store:
        assert (store.tell_restored(), store.sessions(ADA), store.read(ADA).account.temporary_pass) == (LATER, (), None)
        (event,) = store.events(AccountId(""))
        assert event.details == {"lost-commits": "unknown"}
        assert store.verify().intact


def test_a_store_with_its_state_folder_is_not_taken_over(folder: Path) -> None:
    create(folder).close()
    with pytest.raises(StoreExists, match="state"):
        take_over_store(file_in(folder), state=folder / "state", at=LATER, entropy=repeatable_entropy(7))


def test_a_change_that_was_lost_with_an_old_copy_is_checked_again(restored: Path) -> None:
    """Must hold 12: a version that the copy does not have is not changed."""
    with closing(reopen(restored, at=LATER)) as store, pytest.raises(VersionMoved):
        store.commit(a_write(AFTER, 9))
