"""A store that was opened is closed again, whatever fails after it."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import pytest

from passless import wiring
from passless.domain.errors import PasslessError
from passless.ports import StoreDamaged, StoreUnavailable
from passless.server import serving
from passless.settings import Settings
from passless.stores.errors import StateMissing
from passless.stores.sql_store import SqlStore
from passless.stores.sqlite import SqliteDatabase
from passless.stores.state_folder import StateFolder
from tests.cli.running import Passless


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Whatever is opened inside is closed there, and not by whoever collects what is left of it."""
    gc.collect()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", ResourceWarning)
        yield
        gc.collect()
    assert [str(one.message) for one in seen if issubclass(one.category, ResourceWarning)] == []


def without_policy(anna: Passless, folder: Path) -> None:
    """Give the profile a policy that is gone."""
    policy = folder / "rules.toml"
    policy.write_text("")
    anna("profile", "set", "local", "--policy", str(policy))
    policy.unlink()


def broken(*_: object, **__: object) -> object:
    raise StoreDamaged("it is damaged")


def commits(anna: Passless) -> Path:
    """Return the file of commits."""
    (found,) = (anna.home / "state" / "stores").glob("*/commits")
    return found


def test_a_policy_that_is_gone_leaves_no_store_open(anna: Passless, tmp_path: Path) -> None:
    without_policy(anna, tmp_path)
    with nothing_left_open():
        assert "rules.toml" in anna("status").stderr
        assert anna("doctor").status == 6


def test_a_store_that_cannot_say_what_it_is_is_closed(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqlStore, "record", broken)
    with nothing_left_open():
        assert "it is damaged" in anna("status").stderr


def test_a_store_whose_restoring_cannot_be_told_is_closed(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqlStore, "restored_at", anna.now)
    monkeypatch.setattr(SqlStore, "tell_restored", broken)
    with nothing_left_open():
        assert "it is damaged" in anna("status").stderr


def test_a_store_whose_accounts_cannot_be_counted_is_closed(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqlStore, "accounts", broken)
    with nothing_left_open():
        assert "it is damaged" in anna("account", "create", "bob", "--no-password").stderr


def test_a_broken_file_of_commits_is_closed(anna: Passless) -> None:
    commits(anna).write_bytes(b"nothing")
    with nothing_left_open(), pytest.raises(StateMissing):
        StateFolder(commits(anna).parent)


def test_a_file_of_commits_that_cannot_be_read_is_closed(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreadable(FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, os.strerror(5))

    monkeypatch.setattr(Path, "open", lambda path, *_, **__: Unreadable(path, "r+"))
    with nothing_left_open(), pytest.raises(StoreUnavailable):
        StateFolder(commits(anna).parent)


def test_a_database_that_cannot_be_closed_does_not_keep_the_state_open(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = SqliteDatabase.close

    def close(database: SqliteDatabase) -> None:
        closed(database)
        raise StoreUnavailable("it cannot be closed")

    monkeypatch.setattr(SqliteDatabase, "close", close)
    with nothing_left_open():
        anna("status")


def test_a_server_that_cannot_start_leaves_no_store_open(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(dict(os.environ))
    monkeypatch.setattr(wiring, "directory_over", broken)
    monkeypatch.setattr(serving.Log, "take_over", lambda _: None)
    with nothing_left_open(), pytest.raises(PasslessError, match="it is damaged"):
        serving.serve(
            settings,
            settings.profile(None),
            serving.Wish(listen="127.0.0.1:0"),
            clock=lambda: anna.now,
            entropy=os.urandom,
        )
