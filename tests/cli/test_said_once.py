"""What is said once: where the vault key went, and that an old copy of the store was put back."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.running import Passless


def test_where_the_vault_key_went_is_said_when_a_store_is_made(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first account makes the store; the second makes nothing new."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={anna.home}/no-bus")
    for folder in ("config", "data", "state"):
        shutil.rmtree(anna.home / folder)
    first = anna("account", "create", "one", "--no-password", "--json")
    second = anna("account", "create", "two", "--no-password", "--json")
    assert "both lock and key" in first.stderr
    assert "--vault keyring" not in first.stderr  # there is none here
    assert second.stderr == ""


def test_an_old_copy_put_back_is_said_at_the_next_start_and_once(anna: Passless) -> None:
    """Must hold 13: it is said at the next start, and nobody is signed in any more."""
    old = anna.home / "old"
    shutil.copytree(anna.home / "data", old)
    anna("recovery-code", "new", "--yes", "--json")
    shutil.rmtree(anna.home / "data")
    shutil.copytree(old, anna.home / "data")
    first, second = anna("status", "--json"), anna("status", "--json")
    assert "an old copy of the store was put back" in first.stderr
    assert first.json["session"] is None
    assert second.stderr == ""


def test_a_making_that_was_cut_short_is_completed(anna: Passless) -> None:
    """A store without any account gets the vault key that it lacks; one with accounts never does (must hold 14)."""
    anna("account", "delete", "--yes", "--json")
    shutil.rmtree(anna.home / "data" / "vault")
    anna("account", "create", "one", "--no-password", "--json")
    assert anna.json("method", "add", "totp", "--begin")["secret"]
    shutil.rmtree(anna.home / "data" / "vault")
    anna("account", "create", "two", "--no-password", "--json")
    assert anna.json("method", "add", "totp", "--begin", status=6)["code"] == "vault-key-missing"
