"""`profile`: places where accounts live."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Passless


def config(passless: Passless) -> str:
    return (passless.home / "config" / "config.toml").read_text()


def test_local_is_always_there(passless: Passless) -> None:
    (only,) = passless.json("profile", "list")
    assert (only["name"], only["place"], only["chosen"]) == ("local", "store", True)
    assert only["address"].startswith("sqlite:////")


def test_a_profile_is_added_chosen_and_removed(passless: Passless, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'work.sqlite'}"
    made = passless.json("profile", "add", "work", "--store", url, "--vault", "file")
    assert (made["applied"], made["address"], made["vault"]) == (True, url, "file")
    assert passless.json("profile", "use", "work")["chosen"] is True
    assert passless.json("account", "create", "ben", "--no-password")["account"] == "ben"
    assert (tmp_path / "work.sqlite").exists()
    assert passless.json("profile", "show")["name"] == "work"
    assert passless.json("profile", "remove", "work", status=2)["code"] == "confirmation-needed"
    assert passless.json("profile", "remove", "work", "--yes")["applied"] is True
    assert [one["name"] for one in passless.json("profile", "list")] == ["local"]
    assert (tmp_path / "work.sqlite").exists()


def test_accounts_of_two_profiles_are_apart(anna: Passless, tmp_path: Path) -> None:
    anna("profile", "add", "work", "--store", f"sqlite:///{tmp_path / 'work.sqlite'}", "--vault", "file")
    anna.json("account", "create", "ben", "--no-password", "--profile", "work")
    assert [one["account"] for one in anna.json("account", "list")] == ["anna"]
    assert [one["account"] for one in anna.json("account", "list", "--profile", "work")] == ["ben"]


def test_dry_runs_write_nothing(passless: Passless, tmp_path: Path) -> None:
    before = config(passless)
    url = f"sqlite:///{tmp_path / 'work.sqlite'}"
    assert passless.json("profile", "add", "work", "--store", url, "--dry-run")["applied"] is False
    assert passless.json("profile", "set", "local", "--vault", "keyring", "--dry-run")["vault"] == "keyring"
    assert config(passless) == before


def test_what_is_not_built_yet_is_status_7_with_the_reason(passless: Passless) -> None:
    before = config(passless)
    error = passless.json("profile", "add", "work", "--provider", "entra", status=7)
    assert error["code"] == "not-built-yet"
    assert "not built yet" in error["message"]
    assert config(passless) == before


def test_a_policy_is_read_before_it_is_written_down(anna: Passless, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text("[numbers]\nwait_days = 7\n")
    bad.write_text("[numbers]\nwait_days = 1\n")
    assert anna.json("profile", "set", "local", "--policy", str(bad), status=2)["code"] == "bad-policy"
    assert anna.json("profile", "set", "local", "--policy", str(good))["policy"] == str(good)
    assert anna("status").status == 0
    assert anna.json("profile", "set", "local", "--policy", "")["policy"] is None


def test_the_vault_key_moves_along(anna: Passless) -> None:
    """There is no keyring here, so the key stays where it is and the profile as it was."""
    anna.totp()
    before = config(anna)
    result = anna("profile", "set", "local", "--vault", "keyring")
    if result.status == 0:
        pytest.skip("this machine has a keyring")
    assert result.status == 6
    assert config(anna) == before
    assert anna.json("vault", "status")["ok"] is True


class Keyring:
    """A system keyring that keeps what it is given."""

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[username] = password


def test_the_vault_key_moves_to_the_keyring_and_back(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    app, keyring = anna.totp(), Keyring()
    monkeypatch.setattr("passless.vault.system_keyring.real_keyring", lambda: keyring)
    assert anna("profile", "set", "local", "--vault", "keyring").status == 0
    assert keyring.entries
    assert anna.json("vault", "status")["keeper"] == "keyring"
    assert anna.json("vault", "rotate", "--yes")["seals"] == 1
    assert anna("profile", "set", "local", "--vault", "file").status == 0
    status = anna.json("vault", "status")
    assert (status["keeper"], status["ok"]) == ("file", True)
    assert anna("sign-in", "--with", "totp", "--code-file", "-", typed=app.now()).status == 0


def test_choosing_another_keeper_without_a_key_says_what_is_missing(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    anna.totp()
    monkeypatch.setattr("passless.vault.system_keyring.real_keyring", Keyring)
    for path in (anna.home / "data" / "vault").glob("*.key"):
        path.unlink()
    result = anna("profile", "set", "local", "--vault", "keyring")
    assert result.status == 0
    assert "passless vault import FILE" in result.stderr


def test_choosing_the_file_while_the_key_is_there_changes_nothing_else(anna: Passless) -> None:
    anna.totp()
    assert anna.json("profile", "set", "local", "--vault", "auto")["vault"] == "auto"
    assert anna.json("vault", "status")["ok"] is True


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("add",), 2, "NAME"),
        (("add", "work"), 2, "--store"),
        (("add", "local", "--store", "sqlite:////tmp/x"), 2, "local"),
        (("add", "LOCAL", "--store", "sqlite:////tmp/x"), 2, "already"),
        (("add", "", "--store", "sqlite:////tmp/x"), 2, "empty"),
        (("add", "a\x1b[31m", "--store", "sqlite:////tmp/x"), 2, "control"),
        (("add", "x" * 65, "--store", "sqlite:////tmp/x"), 2, "long"),
        (("add", "work", "--store", "sqlite://relative"), 2, "sqlite:////"),
        (("add", "work", "--store", "nonsense"), 2, "nonsense"),
        (("add", "work", "--store", "sqlite:////tmp/x", "--server", "https://a"), 2, "--server"),
        (("add", "work", "--store", "sqlite:////tmp/x", "--vault", "cloud"), 2, "cloud"),
        (("add", "work", "--store", "sqlite:////tmp/x", "--policy", "/nowhere"), 2, "/nowhere"),
        (("add", "work", "--store", "sqlite:////tmp/x", "--password-file", "/tmp/x"), 2, "--password-file"),
        (("add", "work", "--server", "https://localhost:1", "--password-file", "/tmp/x"), 2, "--password-file"),
        (("set", "nobody", "--vault", "file"), 3, "nobody"),
        (("set", "local"), 2, "--vault"),
        (("use", "nobody"), 3, "nobody"),
        (("show", "nobody"), 3, "nobody"),
        (("remove", "nobody", "--yes"), 3, "nobody"),
    ],
)
def test_wrong_use_is_one_error_with_a_hint(passless: Passless, arguments: tuple[str, ...], status: int, said: str) -> None:
    before = config(passless)
    result = passless("profile", *arguments)
    assert result.status == status, result
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.count("passless: error:") == 1
    assert result.stderr.count("passless: hint:") == 1
    assert config(passless) == before
