"""The audit log shows what was changed in it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passless.domain.account import AccountId
from passless.domain.audit import AuditEntry, Outcome
from passless.ports import StoreDamaged
from passless.stores.chain import Link, event_row, link, start
from passless.stores.checkpoints import Checkpoint, Signed, is_genuine, sign, write_outside
from passless.stores.errors import NotACheckpoint, StateMissing
from passless.stores.sql_store import CHECKPOINT_EVENTS, SqlStore
from tests.builders import NOW
from tests.stores.builders import a_write, an_entry, create, file_in, reopen

ADA = AccountId("ada")
ANY_TEXT = st.text(st.characters(codec=None), max_size=8)
LATER = NOW + timedelta(days=1)


def record(store: SqlStore, *events: str, of: str = "ada") -> None:
    """Record events of an account."""
    store.commit(a_write(events=tuple(an_entry(event, of=of) for event in events)))


def tamper(folder: Path, *statements: str) -> None:
    """Change the file as somebody with another program would."""
    with closing(sqlite3.connect(file_in(folder), isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def outside_checkpoint(folder: Path) -> bytes:
    """Return the checkpoint that is kept beside the database."""
    (found,) = (folder / "state").glob("*/checkpoint")
    return found.read_bytes()


@pytest.fixture
def recorded(folder: Path) -> Path:
    """Return the folder of a store with a signed trail of two accounts."""
    with closing(create(folder)) as store:
        record(store, "one", "two", "three")
        record(store, "failed-sign-in", of="")
    return folder


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE events SET actor = 'eve' WHERE account_id = 'ada' AND seq = 2", 2),
        ("UPDATE events SET made_at = made_at + 1 WHERE account_id = 'ada' AND seq = 2", 2),
        ("UPDATE events SET account_id = 'eve' WHERE account_id = 'ada' AND seq = 3", 3),
        ("UPDATE events SET seq = 9 WHERE account_id = 'ada' AND seq = 3", 3),
        ("DELETE FROM events WHERE account_id = 'ada' AND seq = 1", 1),
        ("DELETE FROM events WHERE account_id = 'ada' AND seq = 2", 2),
        ("DELETE FROM events WHERE account_id = 'ada' AND seq = 3", 3),
        ("DELETE FROM events WHERE account_id = 'ada'", 3),
        ("DELETE FROM heads WHERE account_id = 'ada'", 4),
        ("UPDATE heads SET seq = 2 WHERE account_id = 'ada'", 4),
        ("UPDATE events SET hash = x'00' WHERE account_id = 'ada' AND seq = 3", 3),
    ],
)
def test_a_changed_trail_is_noticed(recorded: Path, change: str, broken: int) -> None:
    """Must hold 8: every change is in the audit log."""
    tamper(recorded, change)
    with closing(reopen(recorded)) as store:
        found = store.verify()
        assert (found.intact, found.first_broken) == (False, broken)


def test_a_cut_trail_is_noticed_even_with_its_head_moved_back(recorded: Path) -> None:
    tamper(
        recorded,
        "DELETE FROM events WHERE account_id = 'ada' AND seq = 3",
        "UPDATE heads SET (seq, hash) = (SELECT seq, hash FROM events WHERE account_id = 'ada' AND seq = 2) "
        "WHERE account_id = 'ada'",
    )
    with closing(reopen(recorded)) as store:
        assert (store.verify().intact, store.verify().first_broken) == (False, 3)


def test_a_rewritten_trail_is_noticed_by_what_was_signed(recorded: Path) -> None:
    with closing(reopen(recorded)) as store:
        before = start(store.id, "ada")
    rewritten = []
    for event in ("one", "nothing", "three"):
        row = event_row(an_entry(event), before)
        before = Link(int(str(row["seq"])), bytes(row["hash"]))  # type: ignore[arg-type]
        rewritten.append(
            f"UPDATE events SET event = '{event}', hash = x'{before.hash.hex()}' "
            f"WHERE account_id = 'ada' AND seq = {before.seq}"
        )
    tamper(recorded, *rewritten, f"UPDATE heads SET hash = x'{before.hash.hex()}' WHERE account_id = 'ada'")
    with closing(reopen(recorded)) as store:
        found = store.verify()
        assert (found.intact, found.first_broken, found.account) == (False, 3, "ada")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE checkpoints SET signature = x'00'",
        "UPDATE checkpoints SET body = replace(body, '2026', '2025')",
        "UPDATE checkpoints SET number = 2",
        "UPDATE writers SET commits = commits - 1",
    ],
)
def test_a_changed_checkpoint_is_noticed(recorded: Path, change: str) -> None:
    with closing(reopen(recorded)) as store:
        tamper(recorded, change)
        assert not store.verify().intact


def test_removed_checkpoints_are_noticed_by_the_one_outside(recorded: Path) -> None:
    tamper(recorded, "DELETE FROM checkpoints")
    with closing(reopen(recorded)) as store:
        assert (store.verify().intact, store.verify().truncated) == (False, True)


def test_a_broken_checkpoint_outside_is_noticed(recorded: Path) -> None:
    (kept,) = (recorded / "state").glob("*/checkpoint")
    kept.write_bytes(b"{}")
    with closing(reopen(recorded)) as store:
        assert not store.verify().intact


def test_checkpoints_signed_by_somebody_else_are_noticed(recorded: Path) -> None:
    (key,) = (recorded / "state").glob("*/audit.key")
    key.write_bytes(bytes(32))
    with closing(reopen(recorded)) as store:
        assert not store.verify().intact


@pytest.mark.parametrize("content", [None, b"too short"])
def test_a_missing_audit_key_is_named(recorded: Path, content: bytes | None) -> None:
    """Must hold 2: a file it cannot read is an error that names it."""
    (key,) = (recorded / "state").glob("*/audit.key")
    key.unlink()
    if content is not None:
        key.write_bytes(content)
    with closing(reopen(recorded)) as store, pytest.raises(StateMissing, match=r"audit\.key"):
        store.verify()


def test_what_happened_since_a_kept_checkpoint_does_not_break_it(recorded: Path) -> None:
    kept = outside_checkpoint(recorded)
    with closing(reopen(recorded)) as store:
        record(store, "four")
        store.checkpoint(at=LATER)
        found = store.verify(head=kept)
        assert (found.intact, found.truncated, found.events, found.checkpoint_at) == (True, False, 5, LATER)


def test_a_trail_that_lost_a_kept_checkpoint_is_truncated(recorded: Path) -> None:
    kept = outside_checkpoint(recorded)
    tamper(recorded, "DELETE FROM checkpoints", "UPDATE heads SET signed = 0")
    with closing(reopen(recorded)) as store:
        store.checkpoint(at=LATER)
        assert store.verify(head=kept).truncated


def test_a_checkpoint_of_another_store_is_refused(recorded: Path, tmp_path: Path) -> None:
    with closing(create(tmp_path / "other", seed=2)) as other:
        record(other, "one")
    with closing(reopen(recorded)) as store, pytest.raises(NotACheckpoint, match="not one of this store"):
        store.verify(head=outside_checkpoint(tmp_path / "other"))


def test_a_forged_checkpoint_is_refused(recorded: Path) -> None:
    kept = json.loads(outside_checkpoint(recorded))
    with closing(reopen(recorded)) as store, pytest.raises(NotACheckpoint):
        store.verify(head=json.dumps(kept | {"body": kept["body"].replace("2026", "2025")}).encode())


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{}", b'{"body":"x","signature":""}'])
def test_a_file_that_is_no_checkpoint_is_refused(recorded: Path, content: bytes) -> None:
    with closing(reopen(recorded)) as store, pytest.raises(NotACheckpoint):
        store.verify(head=content)


def test_an_unreadable_checkpoint_in_the_database_is_named(recorded: Path) -> None:
    tamper(recorded, "UPDATE checkpoints SET body = '{'")
    with closing(reopen(recorded)) as store, pytest.raises(StoreDamaged, match=r"store\.db"):
        store.verify()


def test_a_key_that_is_no_key_signed_nothing() -> None:
    assert not is_genuine(Signed("{}", b""), b"short")


def test_a_checkpoint_outside_is_what_was_signed() -> None:
    checkpoint = Checkpoint(store="s", number=1, at=NOW, key=b"", previous=b"")
    assert json.loads(json.loads(write_outside(sign(checkpoint, bytes(32))))["body"])["number"] == 1


def test_a_process_that_runs_for_long_signs_now_and_then(store: SqlStore, folder: Path) -> None:
    record(store, *map(str, range(CHECKPOINT_EVENTS - 1)))
    assert store.verify().checkpoint_at is None
    record(store, "one more")
    assert store.verify().checkpoint_at == NOW
    assert json.loads(json.loads(outside_checkpoint(folder))["body"])["number"] == 1


def test_a_process_that_ends_signs_what_it_wrote(recorded: Path) -> None:
    with closing(reopen(recorded, at=LATER)) as store:
        store.commit(a_write(at=LATER, events=(an_entry("four"),)))
        assert store.verify().unsigned == 1
    with closing(reopen(recorded)) as store:
        found = store.verify()
    assert (found.checkpoint_at, found.unsigned) == (LATER, 0)


def test_a_process_that_wrote_nothing_signs_nothing(recorded: Path) -> None:
    kept = outside_checkpoint(recorded)
    with closing(reopen(recorded, at=LATER)) as store:
        store.events()
    assert outside_checkpoint(recorded) == kept


def test_a_cut_off_end_is_noticed(recorded: Path) -> None:
    """Must hold 8: also where the head, which nobody signs, was set back with it."""
    with closing(reopen(recorded)) as store:
        record(store, "four", "five")
    tamper(
        recorded,
        "DELETE FROM events WHERE account_id = 'ada' AND seq > 3",
        "UPDATE heads SET seq = 3, hash = (SELECT hash FROM events e WHERE e.seq = 3) WHERE account_id <> ''",
    )
    with closing(reopen(recorded)) as store:
        assert not store.verify().intact


def test_a_trail_that_is_gone_altogether_is_noticed(recorded: Path) -> None:
    """Must hold 8: of one account, with its head."""
    tamper(recorded, "DELETE FROM events WHERE account_id = 'ada'", "DELETE FROM heads WHERE account_id = 'ada'")
    with closing(reopen(recorded)) as store:
        assert not store.verify().intact


def test_what_a_killed_process_left_is_counted_and_signed_by_another(recorded: Path) -> None:
    """Must hold 8: nobody takes what is not signed for signed; a flag in the database says nothing."""
    killed = reopen(recorded)
    record(killed, "four", "five")
    tamper(recorded, "UPDATE heads SET signed = 1")
    with closing(reopen(recorded)) as store:
        assert (store.verify().events, store.verify().unsigned) == (6, 2)
        tamper(recorded, "UPDATE heads SET signed = 0")
        store.sign_new(at=LATER)
        assert (store.verify().unsigned, store.verify().checkpoint_at) == (0, LATER)
    killed.close()


def test_nothing_new_is_not_signed_again(recorded: Path) -> None:
    kept = outside_checkpoint(recorded)
    with closing(reopen(recorded)) as store:
        store.checkpoint(at=LATER)
    assert outside_checkpoint(recorded) == kept


def test_a_store_whose_audit_key_is_gone_still_closes(folder: Path) -> None:
    """Must hold 10: what was accepted is kept."""
    store = create(folder)
    record(store, "one")
    (key,) = (folder / "state").glob("*/audit.key")
    key.unlink()
    store.close()
    with closing(reopen(folder)) as store:
        assert [event.event for event in store.events()] == ["one"]


@given(st.lists(ANY_TEXT, min_size=5, max_size=5), st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3))
def test_text_from_outside_forges_no_line(texts: list[str], details: dict[str, str]) -> None:
    """Must hold 8: text from outside cannot forge a line."""
    actor, event, account_id, account, place = texts
    entry = AuditEntry(
        at=NOW,
        actor=actor,
        event=event,
        outcome=Outcome.DONE,
        account_id=account_id,
        account=account,
        place=place,
        details=details,
    )
    row = event_row(entry, start("store", "ada"))
    assert "\0" not in "".join(str(value) for name, value in row.items() if name != "hash")
    assert isinstance(json.loads(str(row["details"])), dict)
    assert "\n" not in str(row["details"])


@given(st.lists(ANY_TEXT, min_size=2, max_size=4), st.lists(ANY_TEXT, min_size=2, max_size=4))
def test_no_two_events_share_a_hash(one: list[str], other: list[str]) -> None:
    """Must hold 8: text cannot move from one field into the next unnoticed."""
    clean = [[text.encode("utf-8", "replace").decode() for text in fields] for fields in (one, other)]
    before = hashlib.sha256(b"").digest()
    assert (link(before, clean[0]) == link(before, clean[1])) == (clean[0] == clean[1])


def test_broken_characters_are_recorded_as_such(store: SqlStore) -> None:
    """Must hold 8: every sign-in, good or bad, is in the audit log, whatever name was tried."""
    record(store, "failed-sign-in \ud800\0", of="\udcff")
    (event,) = store.events()
    assert (event.event, event.account_id) == ("failed-sign-in ?\ufffd", "?")
    assert store.verify().intact
