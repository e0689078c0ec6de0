"""Throttle counters, notices and events, in every store."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from passless.domain.account import AccountId
from passless.domain.ceremonies import CeremonyId
from passless.ports import BRIEF, Store, VersionMoved
from tests.builders import NOW, OLD, an_account
from tests.stores.builders import a_ceremony, a_notice, a_write, an_entry, kept, seconds

ADA = AccountId("ada")


class RecordsContract:
    """Throttle counters, notices, events."""

    def test_a_counter_says_where_it_stood_before(self, store: Store) -> None:
        found = [store.count_attempt("ada", at=NOW + seconds(number)) for number in range(3)]
        assert [(one.count, one.last_at) for one in found[1:]] == [(1, NOW), (2, NOW + seconds(1))]
        assert found[0].count == 0

    def test_a_counter_can_be_looked_at(self, store: Store) -> None:
        assert store.attempts("ada") is None
        store.count_attempt("ada", at=NOW)
        found = store.attempts("ada")
        assert found is not None
        assert (found.count, found.last_at) == (1, NOW)

    def test_several_counters_are_read_at_once(self, store: Store) -> None:
        names = [f"key {number}" for number in range(6)]
        for name in (*names[:2], *names[4:], names[0]):
            store.count_attempt(name, at=NOW)
        assert {name: one.count for name, one in store.attempts_of(names).items()} == {
            "key 0": 2,
            "key 1": 1,
            "key 4": 1,
            "key 5": 1,
        }
        assert store.attempts_of(()) == {}

    def test_counters_are_looked_for_by_what_their_keys_begin_with(self, store: Store) -> None:
        for key in ("proof/ada#totp", f"{BRIEF}proof/bob/\U0010fffe"):
            store.count_attempt(key, at=NOW)
        asked = (("proof/ada",), ("proof/ad", "no"), (f"{BRIEF}proof/bob",), ("a", "b", "c", "d", "proof/ada#totp"))
        assert [store.has_attempts(one) for one in asked] == [True] * 4
        others = ((), ("proof/adb",), ("roof",), ("proof/ada#totp ",), ("proof/bob", "brief", "a", "b", "c"))
        assert [store.has_attempts(one) for one in others] == [False] * 4 + [True]
        store.commit(a_write(forgives=("proof/ada#totp",)))
        assert not store.has_attempts(("proof/ada",))

    def test_a_write_forgives(self, store: Store) -> None:
        store.count_attempt("ada", at=NOW)
        store.count_attempt("bob", at=NOW)
        store.commit(a_write(forgives=("ada",)))
        assert (store.attempts("ada"), store.attempts("bob") is None) == (None, False)

    def test_an_idle_counter_is_forgotten(self, store: Store) -> None:
        store.count_attempt("ada", at=OLD)
        store.count_attempt("bob", at=NOW)
        store.sweep(at=NOW)
        assert (store.attempts("ada"), store.attempts("bob") is None) == (None, False)

    def test_a_counter_that_turned_something_off_is_never_forgotten(self, store: Store) -> None:
        for _ in range(100):
            store.count_attempt("ada", at=OLD)
        store.sweep(at=NOW)
        assert store.attempts("ada") is not None

    def test_a_counter_that_only_makes_wait_is_forgotten_after_two_days(self, store: Store) -> None:
        """Whoever comes from many places does not fill the store."""
        for key in (f"{BRIEF}ada/192.0.2.7", f"{BRIEF}\U0001f511", "briefly", "brief"):
            for _ in range(100 if key == f"{BRIEF}ada/192.0.2.7" else 1):
                store.count_attempt(key, at=NOW)
        store.sweep(at=NOW + timedelta(days=2) - seconds(1))
        assert store.attempts(f"{BRIEF}ada/192.0.2.7") is not None
        store.sweep(at=NOW + timedelta(days=2))
        gone = [store.attempts(key) is None for key in (f"{BRIEF}ada/192.0.2.7", f"{BRIEF}\U0001f511", "briefly", "brief")]
        assert gone == [True, True, False, False]

    def test_notices_come_in_their_order_until_they_are_shown(self, store: Store) -> None:
        notices = (a_notice("second"), a_notice("first", at=OLD), a_notice("third"), a_notice("not hers", of="bob"))
        store.commit(a_write(notices=notices))
        store.commit(a_write(shown=("third", "unknown")))
        assert store.notices(ADA) == (a_notice("first", at=OLD), a_notice("second"))

    def test_an_event_comes_back_as_it_was_recorded(self, store: Store) -> None:
        """Must hold 8: who, what, when, from where."""
        entry = an_entry(place="192.0.2.7", details={"method": "blue key", "device": "blå nøkkel"})
        store.commit(a_write(events=(entry,)))
        (event,) = store.events(ADA)
        found = {name: getattr(event, name) for name in entry.__struct_fields__}
        assert (event.seq, found) == (1, msgspec.structs.asdict(entry))

    def test_every_event_has_a_hash_of_its_own(self, store: Store) -> None:
        store.commit(a_write(events=(an_entry(), an_entry(), an_entry(of="bob"), an_entry(of=""))))
        hashes = [event.hash for event in store.events()]
        assert len(set(hashes)) == 4
        assert {len(bytes.fromhex(one)) for one in hashes} == {32}

    def test_each_account_has_its_own_trail(self, store: Store) -> None:
        store.commit(a_write(events=(an_entry("one"), an_entry("two", of="bob"))))
        store.commit(a_write(events=(an_entry("three"), an_entry("failed-sign-in", of=""))))
        found = {owner: [(e.seq, e.event) for e in store.events(AccountId(owner))] for owner in ("ada", "bob", "")}
        assert found == {"ada": [(1, "one"), (2, "three")], "bob": [(1, "two")], "": [(1, "failed-sign-in")]}

    def test_the_newest_events_of_an_account_come_first(self, store: Store) -> None:
        """Who looks at the last few does not read all there are."""
        for number in range(230):
            store.commit(a_write(events=(an_entry(f"event {number}"), an_entry("other", of="bob"))))
        latest = store.latest_events(ADA)
        assert [next(latest).event for _ in range(3)] == ["event 229", "event 228", "event 227"]
        assert [one.seq for one in store.latest_events(ADA)] == list(range(230, 0, -1))
        assert [one.seq for one in store.latest_events(ADA, before=3)] == [2, 1]
        assert list(store.latest_events(ADA, before=1)) == list(store.latest_events(AccountId("nobody"))) == []

    def test_all_events_come_the_oldest_first(self, store: Store) -> None:
        store.commit(a_write(events=(an_entry("new"), an_entry("old", of="bob", at=OLD))))
        assert [event.event for event in store.events()] == ["old", "new"]

    def test_events_can_be_asked_for_since_a_moment(self, store: Store) -> None:
        store.commit(a_write(events=(an_entry("old", at=OLD), an_entry("new"), an_entry("old", of="bob", at=OLD))))
        assert [event.event for event in store.events(since=NOW)] == ["new"]
        assert [event.event for event in store.events(ADA, since=NOW)] == ["new"]

    def test_many_events_all_come(self, store: Store) -> None:
        entries = tuple(an_entry(str(number), of=f"account {number % 3}") for number in range(1700))
        store.commit(a_write(events=entries))
        assert len(list(store.events())) == 1700
        assert [event.seq for event in store.events(AccountId("account 0"))] == list(range(1, 568))

    def test_a_refused_write_records_nothing(self, store: Store) -> None:
        """Must hold 10: no half-made change."""
        with pytest.raises(VersionMoved):
            store.commit(a_write(an_account(), 1, events=(an_entry(),), notices=(a_notice("key"),), begins=a_ceremony()))
        assert (list(store.events()), store.notices(ADA), store.ceremony(CeremonyId("adding"))) == ([], (), None)

    def test_what_ended_is_known_also_when_its_account_is_gone(self, store: Store) -> None:
        kept(store, an_account())
        store.commit(a_write(an_account(), 1, ended=("code", "mail")))
        store.commit(a_write(an_account(), 2, delete=True))
        assert store.ended(["mail", "another", "code"]) == {"code", "mail"}
        assert store.ended([]) == frozenset()

    def test_a_trail_that_nobody_touched_is_intact(self, store: Store) -> None:
        store.commit(a_write(events=(an_entry(), an_entry(of="bob"))))
        found = store.verify()
        assert (found.events, found.intact, found.first_broken, found.truncated) == (2, True, None, False)

    def test_a_store_that_was_never_restored_says_so(self, store: Store) -> None:
        assert store.restored_at is None
        assert store.id.isalnum()
