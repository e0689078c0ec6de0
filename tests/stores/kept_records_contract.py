"""Records beside the accounts, and going on where a page ended, in every store."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from passless.domain.account import AccountId
from passless.domain.audit import AuditEvent
from passless.ports import EventPlace, Record, Store, VersionMoved
from tests.builders import NOW, OLD, an_account
from tests.stores.builders import a_session, a_write, an_entry, kept, seconds

ADA = AccountId("ada")


def a_record(key: str = "first", *, kind: str = "invitation", **more: Any) -> Record:
    """A record that is not there yet."""
    return Record(kind=kind, key=key, document=more.pop("document", b'{"a":"\\u0000"}'), **more)


def put(store: Store, *records: Record) -> None:
    """Keep records."""
    store.commit(a_write(puts=records))


def found(store: Store, key: str = "first") -> Record:
    """Return a record that is there."""
    record = store.record("invitation", key)
    assert record is not None
    return record


def place_of(event: AuditEvent) -> EventPlace:
    """Return where an event stands."""
    return EventPlace(event.at, event.account_id, event.seq)


class KeptRecordsContract:
    """Records: kept, changed over the version that was read, used once."""

    def test_a_record_comes_back_as_it_was_kept(self, store: Store) -> None:
        record = a_record(account_id="ada", ends_at=NOW + seconds(0.000001))
        put(store, record)
        assert store.record("invitation", "first") == msgspec.structs.replace(record, version=1)

    def test_a_record_is_found_by_its_kind_and_key(self, store: Store) -> None:
        put(store, a_record())
        assert (store.record("invitation", "other"), store.record("client", "first")) == (None, None)

    def test_a_record_changes_over_the_version_that_was_read(self, store: Store) -> None:
        put(store, a_record())
        put(store, msgspec.structs.replace(found(store), document=b"[]", account_id="bob", ends_at=NOW))
        assert found(store) == a_record(document=b"[]", account_id="bob", ends_at=NOW, version=2)

    def test_a_record_that_moved_is_not_changed(self, store: Store) -> None:
        """Must hold 12: two changes at once are checked one after the other."""
        put(store, a_record())
        before = found(store)
        put(store, before)
        with pytest.raises(VersionMoved):
            put(store, msgspec.structs.replace(before, document=b"late"))
        assert found(store).document == before.document

    def test_a_record_that_is_there_already_is_not_made_again(self, store: Store) -> None:
        put(store, a_record())
        with pytest.raises(VersionMoved):
            put(store, a_record(document=b"second"))
        assert found(store).version == 1

    def test_a_record_that_is_gone_is_not_changed(self, store: Store) -> None:
        with pytest.raises(VersionMoved):
            put(store, a_record(version=1))
        assert store.record("invitation", "first") is None

    def test_a_record_is_used_once(self, store: Store) -> None:
        """Must hold 12: the same proof is accepted once."""
        put(store, a_record())
        record = found(store)
        store.commit(a_write(drops=(record,), opens=a_session()))
        with pytest.raises(VersionMoved):
            store.commit(a_write(drops=(record,), opens=a_session("second")))
        assert (store.record("invitation", "first"), len(store.sessions(ADA))) == (None, 1)

    def test_a_record_that_moved_is_not_dropped(self, store: Store) -> None:
        put(store, a_record())
        before = found(store)
        put(store, before)
        with pytest.raises(VersionMoved):
            store.commit(a_write(drops=(before,)))
        assert found(store).version == 2

    def test_a_dropped_record_can_be_kept_anew_by_the_same_write(self, store: Store) -> None:
        put(store, a_record())
        store.commit(a_write(drops=(found(store),), puts=(a_record(document=b"new"),)))
        assert (found(store).document, found(store).version) == (b"new", 1)

    def test_a_refused_write_keeps_and_drops_no_record(self, store: Store) -> None:
        """Must hold 10: no half-made change."""
        put(store, a_record())
        with pytest.raises(VersionMoved):
            store.commit(a_write(drops=(found(store),), puts=(a_record("second"), a_record("third", version=7))))
        assert [record.key for record in store.records("invitation")] == ["first"]

    def test_records_of_a_kind_come_in_the_order_of_their_keys(self, store: Store) -> None:
        keys = ["b", "a", "Z", "\u00e5", "\U0001f511", "\ufffd"]
        put(store, *(a_record(key) for key in keys), a_record(kind="client"))
        assert [record.key for record in store.records("invitation")] == sorted(keys)
        assert [record.key for record in store.records("invitation", after="b")] == sorted(keys)[3:]

    def test_records_of_an_account_are_found(self, store: Store) -> None:
        put(
            store,
            a_record("1", account_id="ada"),
            a_record("2", account_id="bob"),
            a_record("3", account_id="ada"),
            a_record("4"),
        )
        assert [record.key for record in store.records("invitation", account_id="ada")] == ["1", "3"]
        assert [record.key for record in store.records("invitation", account_id="ada", after="1")] == ["3"]
        assert [record.key for record in store.records("invitation", account_id="")] == ["4"]

    def test_many_records_all_come(self, store: Store) -> None:
        put(store, *(a_record(f"{number:03}", account_id=str(number % 2)) for number in range(450)))
        assert [record.key for record in store.records("invitation")] == [f"{number:03}" for number in range(450)]
        assert len(list(store.records("invitation", account_id="1"))) == 225

    def test_a_record_is_forgotten_when_its_time_is_over(self, store: Store) -> None:
        put(store, a_record("over", ends_at=NOW), a_record("lasting"), a_record("later", ends_at=NOW + seconds(1)))
        store.sweep(at=NOW)
        assert [record.key for record in store.records("invitation")] == ["lasting", "later"]

    def test_a_record_goes_with_its_account(self, store: Store) -> None:
        """Must hold 7: what was removed is unusable from the next request on."""
        kept(store, an_account())
        put(store, a_record("hers", account_id="ada"), a_record("nobody's"))
        store.commit(a_write(an_account(), 1, delete=True))
        assert [record.key for record in store.records("invitation")] == ["nobody's"]


class PagesContract:
    """Going on behind what was shown."""

    def test_accounts_go_on_behind_a_name(self, store: Store) -> None:
        for name in ("Carl", "ada", "Bob"):
            kept(store, an_account(name))
        assert [stored.account.name for stored in store.accounts(after="ADA")] == ["Bob", "Carl"]
        assert [stored.account.name for stored in store.accounts(after="b", matching="a")] == ["Carl"]

    def test_events_of_all_go_on_behind_a_place(self, store: Store) -> None:
        entries = (an_entry("new"), an_entry("old", of="bob", at=OLD), an_entry("nobody", of=""), an_entry("newer"))
        store.commit(a_write(events=entries))
        events = list(store.events())
        assert [event.event for event in events] == ["old", "nobody", "new", "newer"]
        for number, event in enumerate(events, start=1):
            assert list(store.events(after=place_of(event))) == events[number:]

    def test_events_of_all_can_be_those_of_some_names_alone(self, store: Store) -> None:
        """A name that is part of another one is not it, and nothing in a name is a pattern."""
        entries = (an_entry("new"), an_entry("old", of="bob", at=OLD), an_entry("nobody", of=""), an_entry("newer"))
        store.commit(a_write(events=entries))
        events = list(store.events())
        names = {event.event for event in events}
        for name in names:
            assert list(store.events(named=(name,))) == [event for event in events if event.event == name]
            assert list(store.events(named=(name[:-1], name[1:]))) == []
        assert list(store.events(named=tuple(names))) == events
        assert list(store.events(named=("%", "_"))) == []
        assert list(store.events(named=tuple(names), since=events[-1].at, after=place_of(events[-1]))) == []

    def test_events_of_an_account_go_on_behind_a_place(self, store: Store) -> None:
        store.commit(a_write(events=(an_entry("one"), an_entry("earlier", at=OLD), an_entry("three"), an_entry(of="bob"))))
        events = list(store.events(ADA))
        assert list(store.events(ADA, after=place_of(events[0]))) == events[1:]
        assert list(store.events(ADA, after=place_of(events[2]))) == []
        assert list(store.events(ADA, since=NOW, after=place_of(events[0]))) == events[2:]
