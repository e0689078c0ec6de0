"""What is said where a store's vault key had to go into a file: how it comes elsewhere, in words that work."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from passless import vault, wiring
from passless.settings import Profile, Settings
from tests.stores.postgres import Cluster, postgres

__all__ = ["postgres"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of somebody new."""
    return Settings({"PASSLESS_HOME": str(tmp_path)})


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let the system keyring be in a condition in which it takes no key."""

    def is_now(condition: str) -> None:
        probe = SimpleNamespace(condition=condition, message=f"the keyring is {condition}")
        monkeypatch.setattr(vault, "find_keeper", lambda: SimpleNamespace(kind="file", probe=probe))

    is_now("absent")
    return is_now


pytestmark = pytest.mark.usefixtures("keyring")


def told(settings: Settings, profile: Profile) -> str:
    said: list[str] = []
    wiring.found(settings, profile, clock=lambda: datetime.now(UTC), entropy=os.urandom, tell=said.append)
    (line,) = said
    return line


def key_of(folder: Path) -> str:
    (key,) = (folder / "data" / "vault").glob("*.key")
    return str(key)


def test_where_there_is_no_keyring_none_is_advised(settings: Settings) -> None:
    assert told(settings, settings.profile()).endswith("holds both lock and key")


def test_a_profile_that_is_there_is_changed_once_the_keyring_opens(settings: Settings, keyring: Callable[[str], None]) -> None:
    keyring("locked")
    assert told(settings, settings.profile()).endswith("to change that: passless profile set local --vault keyring")


def test_a_store_that_was_named_alone_has_no_profile_to_change(settings: Settings, tmp_path: Path) -> None:
    """As `passless serve --store URL` names it."""
    profile = Profile(name="server", place="store", address=f"sqlite:///{tmp_path}/data/stores/accounts.sqlite")
    said = told(settings, profile)
    assert "passless profile set" not in said
    assert "--vault-key-file FILE" in said
    assert key_of(tmp_path) in said


def test_a_store_outside_of_the_data_folder_has_its_key_apart(settings: Settings, tmp_path: Path) -> None:
    profile = Profile(name="server", place="store", address=f"sqlite:///{tmp_path}/accounts.sqlite")
    said = told(settings, profile)
    assert "lock and key" not in said
    assert "apart from the store" in said
    assert key_of(tmp_path) in said


def test_so_has_a_database(settings: Settings, postgres: Cluster, tmp_path: Path) -> None:
    said = told(settings, Profile(name="server", place="store", address=postgres.new_database()))
    assert "lock and key" not in said
    assert "apart from the store" in said
    assert key_of(tmp_path) in said
