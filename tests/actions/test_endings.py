"""Endings: what is one, that none is missed, and that none is told twice."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from passless.actions.endings import FAR, MOST_KNOWN, NEAR, Tail
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.changes import ChangeFields
from passless.domain.endings import ENDINGS, ENDS_NOTHING, What
from passless.domain.requests import RequestFields
from passless.ports import Write
from tests.actions.events_in_code import CODE, events_in, tags
from tests.builders import NOW
from tests.fakes.memory_store import MemoryStore


def entry(event: str, *, at: float = 0, account: str = "ada", outcome: Outcome = Outcome.DONE, **details: str) -> AuditEntry:
    return AuditEntry(
        at=NOW + timedelta(seconds=at),
        actor=account,
        event=event,
        outcome=outcome,
        account_id=f"id-of-{account}" if account else "",
        account=account,
        details={name.replace("_", "-"): value for name, value in details.items()},
    )


def test_every_event_of_the_code_ends_something_or_is_known_to_end_nothing() -> None:
    """A new event belongs into one of the two lists of `domain/endings.py`."""
    named = events_in(CODE) | {str(tag) for tag in tags(ChangeFields)}
    assert {"sign-in", "end-session", "store-restored", "take-back-consent", "rotate-vault-key", "use-token"} <= named
    known = set(ENDINGS) | ENDS_NOTHING
    assert named <= known, f"say in domain/endings.py what these end: {sorted(named - known)}"
    asked = {str(tag) for tag in tags(RequestFields)}  # what operators may not ask for is refused under the request's name
    assert known <= named | asked, f"there are no such events: {sorted(known - named - asked)}"
    assert not set(ENDINGS) & ENDS_NOTHING


def test_an_ending_says_whose_it_is_and_what_ended() -> None:
    store = MemoryStore()
    tail = Tail(store, since=NOW)
    store.commit(Write(at=NOW, events=(entry("end-session", sessions="one,two"), entry("sign-in"))))
    (found,) = tail.read(NOW, far=False)
    assert (found.account, found.account_id, found.event) == ("ada", "id-of-ada", "end-session")
    assert (found.what, found.sessions) == ((What.SESSIONS,), ("one", "two"))
    assert not found.is_everybodys


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.PENDING, Outcome.FAILED])
def test_what_was_not_done_ended_nothing(outcome: Outcome) -> None:
    store = MemoryStore()
    store.commit(Write(at=NOW, events=(entry("remove-method", outcome=outcome),)))
    assert Tail(store, since=NOW).read(NOW, far=True) == ()


def test_another_name_is_an_ending_and_another_display_name_is_none() -> None:
    store = MemoryStore()
    store.commit(Write(at=NOW, events=(_renamed("ada", "grace"), _renamed("ada", "ADA"))))
    found = Tail(store, since=NOW).read(NOW, far=True)
    assert [one.account for one in found] == ["ada"]
    assert all(one.what == (What.NAME,) for one in found)


def _renamed(before: str, after: str) -> AuditEntry:
    return msgspec.structs.replace(entry("rename-account", account=before), details={"new_name": after})


def test_each_ending_is_found_once_however_often_one_looks() -> None:
    store = MemoryStore()
    tail = Tail(store, since=NOW)
    store.commit(Write(at=NOW, events=(entry("sign-out"),)))
    assert len(tail.read(NOW, far=True)) == 1
    assert [tail.read(NOW + timedelta(seconds=one), far=one % 2 == 0) for one in range(4)] == [()] * 4


def test_an_ending_that_another_host_kept_late_or_with_a_slow_clock_is_found() -> None:
    """Two clocks a second or two apart are met at the next look, a minute apart at one of those that go far back."""
    store = MemoryStore()
    tail = Tail(store, since=NOW)
    store.commit(Write(at=NOW, events=(entry("sign-out", at=0),)))
    assert len(tail.read(NOW + timedelta(seconds=1), far=False)) == 1
    store.commit(Write(at=NOW, events=(entry("delete-account", at=-2, account="bob"),)))
    assert [one.account for one in tail.read(NOW + timedelta(seconds=1.25), far=False)] == ["bob"]
    late = NOW + timedelta(seconds=1.5)
    store.commit(Write(at=NOW, events=(entry("delete-account", at=-40, account="eve"),)))
    assert tail.read(late, far=False) == ()
    assert [one.account for one in tail.read(late, far=True)] == ["eve"]
    assert NEAR < timedelta(seconds=40) < FAR


def test_an_ending_of_a_clock_that_is_ahead_is_found_at_once_and_hides_none_behind_it() -> None:
    store = MemoryStore()
    tail = Tail(store, since=NOW)
    store.commit(Write(at=NOW, events=(entry("sign-out", at=3600, account="ahead"),)))
    assert [one.account for one in tail.read(NOW, far=False)] == ["ahead"]
    store.commit(Write(at=NOW, events=(entry("sign-out", at=0.1),)))
    assert [one.account for one in tail.read(NOW + timedelta(seconds=0.25), far=False)] == ["ada"]
    for minute in range(65):
        assert tail.read(NOW + timedelta(minutes=minute), far=True) == ()


def test_what_is_known_to_have_been_read_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    tail = Tail(store, since=NOW)
    monkeypatch.setattr("passless.actions.endings.MOST_KNOWN", 10)
    store.commit(Write(at=NOW, events=tuple(entry("sign-out", at=one / 100) for one in range(50))))
    assert len(tail.read(NOW + timedelta(seconds=1), far=True)) == 50
    assert len(tail._known) == 10 < MOST_KNOWN
    tail.read(NOW + 4 * FAR, far=True)
    assert not tail._known


def test_an_ending_of_a_store_that_was_put_back_is_not_taken_for_an_older_one() -> None:
    """A chain that was cut counts again from where it was, so its numbers name nothing."""
    store, again = MemoryStore(), MemoryStore()
    tail = Tail(store, since=NOW)
    store.commit(Write(at=NOW, events=(entry("sign-out"),)))
    (before,) = tail.read(NOW, far=True)
    again.commit(Write(at=NOW, events=(entry("create-account"), entry("store-restored", account=""))))
    tail._store = again
    (after,) = tail.read(NOW, far=True)
    assert after.is_everybodys
    assert after.id != before.id
