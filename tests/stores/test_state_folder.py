"""What is known of a store outside of its database: behind, torn, lost, or of another store."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from passless.domain.account import AccountId
from passless.ports import GRANTS
from passless.stores import take_over_store
from passless.stores.errors import StateMissing, StoreExists
from tests.builders import NOW
from tests.stores.builders import (
    a_write,
    create,
    file_in,
    reopen,
    repeatable_entropy,
)
from tests.stores.children import Child
from tests.stores.copies import ADA, LATER, begin, check_nothing_is_revived, copy_of, go_on, put_back


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
        assert event.details == {"lost-commits": "unknown", "ended": ",".join(GRANTS)}
        assert store.verify().intact


def test_a_store_with_its_state_folder_is_not_taken_over(folder: Path) -> None:
    create(folder).close()
    with pytest.raises(StoreExists, match="state"):
        take_over_store(file_in(folder), state=folder / "state", at=LATER, entropy=repeatable_entropy(7))
