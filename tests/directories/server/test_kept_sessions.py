"""Where a server's session is kept: in the keyring, bound to its origin; in a file where there is no keyring."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any, Literal

import pytest
from keyring.errors import KeyringLocked, PasswordDeleteError

from passless.directories.server.kept_sessions import KeyringSessions
from passless.domain.errors import Unavailable
from passless.domain.secret import Secret
from passless.session_tokens import SessionTokens
from passless.vault.errors import NoKeyring

WORK = "https://work.example"
TOKEN = Secret("pls_secret")


class Entries:
    """A keyring that works, until it is locked."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._look()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._look()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._look()
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not found")

    def _look(self) -> None:
        if self.is_locked:
            raise KeyringLocked


def sessions(
    folder: Path,
    entries: Any,
    *,
    origin: str = WORK,
    choice: Literal["auto", "keyring", "file"] = "auto",
    limit: timedelta = timedelta(seconds=3),
) -> SessionTokens:
    keeper = KeyringSessions("work", origin, choice=choice, entries=lambda: entries, limit=limit)
    return SessionTokens(folder / "work.json", origin=origin, keeper=keeper)


def missing() -> Any:
    raise NoKeyring


def test_a_token_is_in_the_keyring_and_not_in_the_file(tmp_path: Path) -> None:
    entries = Entries()
    assert sessions(tmp_path, entries).keep("a1", "ada", TOKEN) == ""
    assert b"pls_secret" not in (tmp_path / "work.json").read_bytes()
    assert entries.kept == {(f"passless session work {WORK}", "a1"): "pls_secret"}
    again = sessions(tmp_path, entries)
    assert (again.token_of("a1"), again.token_of("ADA"), again.name_of("a1")) == (TOKEN, TOKEN, "ada")


def test_who_signs_out_is_in_the_keyring_no_more(tmp_path: Path) -> None:
    entries = Entries()
    kept = sessions(tmp_path, entries)
    kept.keep("a1", "ada", TOKEN)
    kept.forget(TOKEN)
    assert (entries.kept, sessions(tmp_path, entries).token_of("ada")) == ({}, None)
    kept.keep("a1", "ada", TOKEN)
    kept.drop("a1")
    assert entries.kept == {}
    for name in ("a1", "b2"):
        kept.keep(name, name, Secret(name))
    kept.drop_all()
    assert (entries.kept, kept.token_of("a1"), kept.chosen) == ({}, None, None)


def test_a_token_of_one_origin_is_unknown_at_another(tmp_path: Path) -> None:
    entries = Entries()
    sessions(tmp_path, entries).keep("a1", "ada", TOKEN)
    elsewhere = sessions(tmp_path, entries, origin="https://other.example")
    assert (elsewhere.token_of("a1"), elsewhere.token_of("ada"), elsewhere.chosen) == (None, None, None)
    embedded = SessionTokens(tmp_path / "work.json")
    assert embedded.token_of("a1") is None


def test_without_a_keyring_it_is_a_file_and_that_is_said_once(tmp_path: Path) -> None:
    keeper = KeyringSessions("work", WORK, choice="auto", entries=missing)
    kept = SessionTokens(tmp_path / "work.json", origin=WORK, keeper=keeper)
    assert "kept in a file" in kept.keep("a1", "ada", TOKEN)
    assert kept.keep("b2", "bob", TOKEN) == ""
    again = SessionTokens(tmp_path / "work.json", origin=WORK, keeper=keeper)
    assert again.token_of("ada") == TOKEN
    assert again.keep("a1", "ada", TOKEN) == ""


def test_a_file_that_was_chosen_is_not_explained(tmp_path: Path) -> None:
    entries = Entries()
    assert sessions(tmp_path, entries).keep("a1", "ada", TOKEN) == ""
    chosen = sessions(tmp_path, entries, choice="file")
    assert chosen.keep("a1", "ada", Secret("pls_new")) == ""
    assert entries.kept == {}  # the one that the file replaces
    assert chosen.token_of("a1") == Secret("pls_new")


def test_a_locked_keyring_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    entries = Entries()
    sessions(tmp_path, entries).keep("a1", "ada", TOKEN)
    entries.is_locked = True
    with pytest.raises(Unavailable, match="locked") as caught:
        sessions(tmp_path, entries).token_of("a1")
    assert "profile set work --vault file" in caught.value.hint
    with pytest.raises(Unavailable):
        sessions(tmp_path, entries, choice="keyring").keep("b2", "bob", TOKEN)


def test_a_keyring_that_stays_silent_does_not_hold_the_program_up(tmp_path: Path) -> None:
    class Silent(Entries):
        def _look(self) -> None:
            Event().wait(60)

    kept = sessions(tmp_path, Silent(), limit=timedelta(seconds=0.05))
    assert "did not answer" in kept.keep("a1", "ada", TOKEN)
