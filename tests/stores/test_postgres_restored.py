"""An old copy of a PostgreSQL database that is put back, and the hosts that share one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from passless.domain.account import AccountId
from passless.ports import Record, StoreUnavailable
from passless.stores.errors import StoreReplaced
from passless.stores.sql_store import SqlStore
from tests.builders import NOW, an_account
from tests.stores.builders import a_session, a_write, an_entry, kept
from tests.stores.children import Child
from tests.stores.copies import ADA, LATER, begin, check_nothing_is_revived, go_on
from tests.stores.postgres import Cluster, create_at, open_at

GRANT = Record(kind="grant", key="open", document=b"{}", ends_at=LATER + timedelta(days=1))


@pytest.fixture
def url(postgres: Cluster, tmp_path: Path) -> str:
    """Return the URL of a store whose old copy was put back while nobody had it open."""
    address = postgres.new_database()
    with closing(create_at(address, tmp_path)) as store:
        begin(store)
        store.commit(a_write(puts=(GRANT,)))
    copy = postgres.copy(address)
    with closing(open_at(address, tmp_path)) as store:
        go_on(store)
    postgres.put_back(copy, address)
    return address


def test_an_old_copy_revives_nothing_and_is_said_once(url: str, tmp_path: Path) -> None:
    """Must hold 13: restoring an old copy revives nothing, and is said at the next start."""
    with closing(open_at(url, tmp_path, at=LATER)) as store, closing(open_at(url, tmp_path, at=LATER)) as other:
        check_nothing_is_revived(store)
        assert list(store.records("grant")) == []
        assert [store.restored_at, store.tell_restored(), other.tell_restored()] == [LATER, LATER, None]
        assert (store.verify().intact, other.verify().intact) == (True, True)
    with closing(open_at(url, tmp_path, at=LATER)) as store:
        assert store.restored_at == LATER


def test_processes_that_notice_at_once_void_once(url: str, tmp_path: Path) -> None:
    """Must hold 12: what two do at once is done one after the other."""

    def notice(number: int) -> str:
        with closing(open_at(url, tmp_path, at=LATER + timedelta(seconds=number))) as store:
            return f"{store.restored_at}\n"

    children = [Child(lambda report, number=number: report(notice(number).encode())) for number in range(6)]
    assert len({child.finish() for child in children}) == 1
    with closing(open_at(url, tmp_path, at=LATER)) as store:
        assert [event.event for event in store.events(AccountId(""))] == ["store-restored"]


def test_what_another_process_of_the_host_committed_is_missed_too(postgres: Cluster, tmp_path: Path) -> None:
    """Must hold 13: noticed at the next start of any process, whichever made the commits that are gone."""
    url = postgres.new_database()
    with closing(create_at(url, tmp_path)) as first, closing(open_at(url, tmp_path)) as second:
        begin(first)
        second.count_attempt("ada", at=NOW)
        copy = postgres.copy(url)
        go_on(second)
    postgres.put_back(copy, url)
    with closing(open_at(url, tmp_path, at=LATER)) as store:
        assert store.tell_restored() == LATER
        check_nothing_is_revived(store)


@pytest.fixture
def under_an_open_store(postgres: Cluster, tmp_path: Path) -> Iterator[SqlStore]:
    """Return a store whose old copy was put back while it was open."""
    url = postgres.new_database()
    with closing(create_at(url, tmp_path)) as store:
        begin(store)
        copy = postgres.copy(url)
        go_on(store)
        postgres.put_back(copy, url)
        yield store


def test_a_copy_put_back_under_an_open_store_is_noticed_by_the_next_read(under_an_open_store: SqlStore) -> None:
    """Must hold 13: no session of the old copy is taken for open, until a write made it harmless."""
    for _ in range(2):
        with pytest.raises(StoreReplaced):
            under_an_open_store.session(b"laptop")
    with pytest.raises(StoreReplaced):
        under_an_open_store.count_attempt("ada", at=LATER)
    assert under_an_open_store.tell_restored() == LATER
    check_nothing_is_revived(under_an_open_store)


def test_a_copy_put_back_under_an_open_store_is_noticed_by_the_next_write(under_an_open_store: SqlStore) -> None:
    """Must hold 13: nor by a write."""
    with pytest.raises(StoreReplaced):
        under_an_open_store.commit(a_write(at=LATER, opens=a_session("new")))
    check_nothing_is_revived(under_an_open_store)


def test_a_host_that_noticed_tells_the_others(postgres: Cluster, tmp_path: Path) -> None:
    """Must hold 13: who has the store open on another host, and missed nothing, learns of it by its next write."""
    url = postgres.new_database()
    one, other = tmp_path / "one", tmp_path / "other"
    with closing(create_at(url, one)) as store, closing(open_at(url, other)) as bystander:
        begin(store)
        copy = postgres.copy(url)
        go_on(store)
        postgres.put_back(copy, url)
        assert bystander.session(b"laptop") is not None  # nothing that this host knows of is missing
        open_at(url, one, at=LATER).close()
        with pytest.raises(StoreReplaced):
            bystander.commit(a_write(at=LATER, opens=a_session("new")))
        assert bystander.restored_at == LATER
        check_nothing_is_revived(bystander)


def test_hosts_share_one_audit_key(postgres: Cluster, tmp_path: Path) -> None:
    """Must hold 8: whichever host signed, each can check the trail."""
    url = postgres.new_database()
    with closing(create_at(url, tmp_path / "one")) as one, closing(open_at(url, tmp_path / "other")) as other:
        for store in (one, other, one):
            store.commit(a_write(events=(an_entry(),)))
            store.checkpoint(at=NOW)
        assert (one.verify().intact, other.verify().intact, one.verify().checkpoint_at) == (True, True, NOW)


@pytest.mark.parametrize(("keys", "intact"), [(("key-2", "key-1"), True), (("key-2",), False)])
def test_a_trail_signed_before_the_vault_was_rotated_is_known_while_the_old_key_is(
    postgres: Cluster, tmp_path: Path, keys: tuple[str, ...], intact: bool
) -> None:
    url = postgres.new_database()
    with closing(create_at(url, tmp_path)) as store:
        store.commit(a_write(events=(an_entry(),)))
        store.checkpoint(at=NOW)
    with closing(open_at(url, tmp_path, keys=keys)) as store:
        assert store.verify().intact == intact
        store.commit(a_write(events=(an_entry(),)))
        store.checkpoint(at=NOW)
        assert store.verify().intact


def test_what_ended_on_any_process_of_the_host_stays_ended(postgres: Cluster, tmp_path: Path) -> None:
    """Must hold 13: codes and app passwords that were used or revoked by another process do not come back."""
    url = postgres.new_database()
    with closing(create_at(url, tmp_path)) as first:
        begin(first)
        copy = postgres.copy(url)
        with closing(open_at(url, tmp_path)) as second:
            go_on(second)
    postgres.put_back(copy, url)
    with closing(open_at(url, tmp_path, at=LATER)) as store:
        check_nothing_is_revived(store)


def test_a_folder_where_no_state_can_be_kept_is_named(postgres: Cluster, tmp_path: Path) -> None:
    """Must hold 2: it is an error that names it."""
    url = postgres.new_database()
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="state"):
        create_at(url, tmp_path)
    with closing(open_at(url, tmp_path / "elsewhere")) as store:
        assert kept(store, an_account()).id == ADA
