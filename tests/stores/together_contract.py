"""Many writes of one thread that wait for the disk once, in every store."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from passless.domain.account import AccountId
from passless.domain.changes import AccountName
from passless.ports import AlreadyUsed, NameTaken, Store
from tests.builders import NOW, an_account
from tests.stores.builders import a_ceremony, a_session, a_use, a_write, an_entry, kept

ADA = AccountId("ada")


class TogetherContract:
    """What holds for a block of writes in every store."""

    def test_what_is_kept_together_is_there_at_the_end(self, store: Store) -> None:
        with store.together():
            kept(store, an_account())
            store.commit(a_write(account_id=ADA, opens=a_session(), uses=(a_use(counter=1),), events=(an_entry("one"),)))
            store.count_attempt("key", at=NOW)
        assert store.read(ADA).account == an_account()
        assert [one.id for one in store.sessions(ADA)] == ["laptop"]
        assert [one.event for one in store.events(ADA)] == ["one"]
        attempts = store.attempts("key")
        assert attempts is not None
        assert attempts.count == 1

    def test_what_was_kept_before_is_seen_in_the_same_block(self, store: Store) -> None:
        with store.together():
            kept(store, an_account())
            assert store.read(ADA).account == an_account()
            store.count_attempt("key", at=NOW)
            assert store.count_attempt("key", at=NOW).count == 1
            store.commit(a_write(account_id=ADA, forgives=("key",)))
            assert store.attempts("key") is None

    def test_what_is_refused_in_a_block_is_refused_alone(self, store: Store) -> None:
        kept(store, an_account())
        store.commit(a_write(begins=a_ceremony()))
        with store.together():
            store.commit(a_write(account_id=ADA, consumes=a_ceremony().id, events=(an_entry("first"),)))
            with pytest.raises(AlreadyUsed):
                store.commit(a_write(account_id=ADA, opens=a_session(), consumes=a_ceremony().id, events=(an_entry("second"),)))
            with pytest.raises(NameTaken):
                store.commit(a_write(replace(an_account("bob"), name=AccountName("ada")), events=(an_entry("third"),)))
            store.commit(a_write(account_id=ADA, opens=a_session("phone"), events=(an_entry("last"),)))
        assert [one.id for one in store.sessions(ADA)] == ["phone"]
        assert [one.event for one in store.events(ADA)] == ["first", "last"]

    def test_a_block_may_stand_in_a_block(self, store: Store) -> None:
        with store.together():
            kept(store, an_account())
            with store.together():
                store.commit(a_write(opens=a_session()))
            store.commit(a_write(opens=a_session("phone")))
        assert {one.id for one in store.sessions(ADA)} == {"laptop", "phone"}

    def test_a_block_in_which_nothing_is_kept_changes_nothing(self, store: Store) -> None:
        kept(store, an_account())
        with store.together():
            assert store.read(ADA).version == 1
        assert store.read(ADA).version == 1
