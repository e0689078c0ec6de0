"""What is said where a store's vault key had to go into a file: how it comes elsewhere, in words that work."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from passless import vault, wiring
from passless.settings import Profile, Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A machine without a keyring."""
    monkeypatch.setattr(vault, "find_keeper", lambda: SimpleNamespace(kind="file", probe=SimpleNamespace(message="no keyring")))
    return Settings({"PASSLESS_HOME": str(tmp_path)})


def told(settings: Settings, profile: Profile) -> str:
    said: list[str] = []
    wiring.found(settings, profile, clock=lambda: datetime.now(UTC), entropy=os.urandom, tell=said.append)
    (line,) = said
    return line


def test_a_profile_that_is_there_is_changed(settings: Settings) -> None:
    assert told(settings, settings.profile()).endswith("to change that: passless profile set local --vault keyring")


def test_a_store_that_was_named_alone_has_no_profile_to_change(settings: Settings, tmp_path: Path) -> None:
    """As `passless serve --store URL` names it."""
    profile = Profile(name="server", place="store", address=f"sqlite:///{tmp_path}/accounts.sqlite")
    said = told(settings, profile)
    assert "passless profile set" not in said
    assert "--vault-key-file FILE" in said
    (key,) = (tmp_path / "data" / "vault").glob("*.key")
    assert str(key) in said
