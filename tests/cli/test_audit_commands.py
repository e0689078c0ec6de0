"""`audit`: the trail is listed, exported and checked."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.running import Passless

KEYS = {"seq", "at", "actor", "account", "event", "outcome", "details", "hash"}


def store_of(passless: Passless) -> Path:
    return passless.home / "data" / "stores" / "local.sqlite"


def test_list_shows_what_happened(anna: Passless) -> None:
    anna.totp()
    events = anna.json("audit", "list")
    assert events[0]["event"] == "create-account"
    assert "add-method" in {one["event"] for one in events}
    assert set(events[0]) >= KEYS
    assert "create-account" in anna("audit", "list").stdout


def test_list_is_of_the_account_unless_all_are_asked(anna: Passless) -> None:
    anna.account("ben")
    assert {one["account"] for one in anna.json("audit", "list", "--account", "anna")} == {"anna"}
    assert {one["account"] for one in anna.json("audit", "list", "--all")} == {"anna", "ben"}
    assert anna.json("audit", "list", "--since", "1h")


def test_export_is_one_document_a_line(anna: Passless) -> None:
    anna.account("ben")
    lines = anna("audit", "export").stdout.splitlines()
    assert {json.loads(line)["account"] for line in lines} == {"anna", "ben"}
    only = anna("audit", "export", "--account", "ben").stdout.splitlines()
    assert {json.loads(line)["account"] for line in only} == {"ben"}


def test_export_as_json_is_one_document(anna: Passless) -> None:
    exported = anna.json("audit", "export")
    assert [one["seq"] for one in exported] == [json.loads(line)["seq"] for line in anna("audit", "export").stdout.splitlines()]


@pytest.mark.parametrize("arguments", [("audit", "export"), ("audit", "export", "--json")])
def test_a_trail_that_cannot_be_written_is_said(anna: Passless, arguments: tuple[str, ...]) -> None:
    with anna.full_disk():
        result = anna(*arguments)
    assert result.status == 6
    assert "the output cannot be written" in result.stderr


def test_verify_finds_the_trail_whole(anna: Passless) -> None:
    report = anna.json("audit", "verify")
    assert report["intact"] is True
    assert report["truncated"] is False
    assert report["first_broken"] is None
    assert report["events"] == len(anna("audit", "export").stdout.splitlines())
    assert set(report) >= {"events", "intact", "first_broken", "head", "checkpoint_at", "truncated"}


def test_a_changed_event_is_found(anna: Passless) -> None:
    anna.totp()
    with closing(sqlite3.connect(store_of(anna))) as database:
        (table,) = {row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type='table'")} & {
            "event",
            "events",
            "audit_events",
            "audit",
        }
        database.execute(f"UPDATE {table} SET actor = 'mallory' WHERE seq = 2")
        database.commit()
    result = anna("audit", "verify", "--json")
    assert result.status == 8
    assert result.json["intact"] is False
    assert result.json["first_broken"] == 2


def test_a_kept_head_checks_the_trail_later(anna: Passless, tmp_path: Path) -> None:
    head = tmp_path / "head.json"
    assert anna("audit", "export", "--head", str(head)).status == 0
    assert head.stat().st_mode & 0o077 == 0
    anna.account("ben")
    assert anna.json("audit", "verify", "--head", str(head))["intact"] is True
    assert anna("audit", "export", "--head", str(head)).status == 2  # it would replace the file
    assert anna("audit", "verify", "--head", "-", typed=head.read_text()).status == 0


def test_a_head_of_another_store_is_refused(anna: Passless, tmp_path: Path) -> None:
    head = tmp_path / "head.json"
    anna("audit", "export", "--head", str(head))
    anna("profile", "add", "other", "--store", f"sqlite:///{tmp_path / 'other.sqlite'}", "--vault", "file")
    anna.json("account", "create", "ben", "--no-password", "--profile", "other")
    result = anna("audit", "verify", "--profile", "other", "--head", str(head))
    assert result.status == 2
    assert "of this store" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("list", "--since", "soon"), 2, "soon"),
        (("list", "--all", "--account", "anna"), 2, "--all"),
        (("list", "--account", "nobody"), 3, "nobody"),
        (("verify", "--head", "/nowhere"), 2, "/nowhere"),
        (("verify", "--head", "/"), 2, "directory"),
        (("verify", "--head", "/dev/null"), 2, "empty"),
        (("verify", "extra"), 2, "extra"),
        (("export", "--since", "-1d"), 2, "-1d"),
    ],
)
def test_wrong_use_is_one_error_with_a_hint(shared: Passless, arguments: tuple[str, ...], status: int, said: str) -> None:
    result = shared("audit", *arguments)
    assert result.status == status
    assert said in result.stderr
    assert result.stderr.count("passless: error:") == 1
    assert result.stderr.count("passless: hint:") == 1


def test_without_a_store_there_is_no_trail(passless: Passless) -> None:
    result = passless("audit", "verify")
    assert result.status in (3, 6)
    assert "passless: hint:" in result.stderr
    assert not (passless.home / "data").exists()
