"""Many threads of one process on PostgreSQL: what they do on SQLite, they do here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from passless.domain.account import AccountId
from passless.stores.sql_store import SqlStore
from tests.builders import NOW, an_account
from tests.stores.builders import a_write
from tests.stores.postgres import Cluster, create_at
from tests.stores.test_many_threads import (  # noqa: F401 -- collected here once more, with the store below
    test_a_group_is_one_commit_with_one_chain,
    test_a_group_of_refused_writes_keeps_nothing,
    test_a_long_trail_is_signed_while_threads_write,
    test_a_refused_write_of_a_group_is_refused_alone,
    test_a_thread_reads_what_it_kept,
    test_no_failed_attempt_of_many_threads_is_lost,
    test_one_proof_given_to_many_threads_is_taken_once,
    test_reading_does_not_wait_for_a_writer,
    test_the_end_of_all_sessions_misses_none_that_comes_of_another,
    test_threads_that_change_one_account_are_checked_one_after_the_other,
    test_two_threads_that_change_and_read_an_account_agree,
    test_what_is_counted_and_forgiven_in_a_group_adds_up,
    together,
)


@pytest.fixture
def store(postgres: Cluster, tmp_path: Path) -> Iterator[SqlStore]:
    """Return a new store on PostgreSQL."""
    with closing(create_at(postgres.new_schema(), tmp_path)) as made:
        yield made


def test_what_spoils_a_group_spoils_only_itself(store: SqlStore) -> None:
    """Must hold 10: what the server refuses of one write does not refuse those of others."""
    too_long = "".join(map(chr, range(0x3000, 0x7000)))
    found = together(
        store,
        lambda: store.count_attempt(too_long, at=NOW),
        lambda: store.commit(a_write(an_account("bob"))),
        lambda: store.commit(a_write(an_account("nul\0"))),
    )
    assert [getattr(one, "code", one) for one in found] == ["store-unavailable", 1, "store-unavailable"]
    assert store.read(AccountId("bob")).version == 1
