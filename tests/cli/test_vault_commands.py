"""`vault`: where the key is, copies of it, and a rotation that loses nothing wherever it stops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from passless.directories.local import vault_care
from passless.vault import KeptVault
from tests.cli.running import PASSWORD, Passless

PASSPHRASE = "seven quiet herons fold 19 maps"


@pytest.fixture
def secret_file(tmp_path: Path) -> str:
    """A file with a passphrase."""
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    return str(path)


@pytest.fixture
def copy(tmp_path: Path) -> str:
    """Where a copy is to go."""
    return str(tmp_path / "copy.json")


def key_file(passless: Passless) -> Path:
    (path,) = (passless.home / "data" / "vault").glob("*.key")
    return path


def signs_in(passless: Passless, app: Any) -> bool:
    return passless("sign-in", "--with", "totp", "--code-file", "-", typed=passless.code(app)).status == 0


def test_status_says_where_the_key_is_and_what_depends_on_it(anna: Passless) -> None:
    anna.totp()
    status = anna.json("vault", "status")
    assert status["ok"] is True
    assert status["keeper"] == "file"
    assert status["where"] == str(key_file(anna))
    assert (status["seals"], status["app_passwords"]) == (1, 0)
    assert status["keys"] == [status["current"]]


def test_a_missing_key_is_told_and_never_made_anew(anna: Passless) -> None:
    anna.totp()
    key_file(anna).rename(anna.home / "elsewhere")
    status = anna.json("vault", "status")
    assert status["ok"] is False
    assert "vault import" in status["hint"]
    assert anna("vault", "export", "--passphrase-file", "-", typed=PASSPHRASE).status == 6
    assert anna("vault", "rotate", "--yes").status == 6
    assert not list((anna.home / "data" / "vault").glob("*.key"))


def test_a_copy_brings_the_key_back(anna: Passless, copy: str, secret_file: str) -> None:
    app = anna.totp()
    made = anna.json("vault", "export", copy, "--passphrase-file", secret_file)
    assert made["file"] == copy
    assert Path(copy).stat().st_mode & 0o077 == 0
    kept = key_file(anna).read_bytes()
    key_file(anna).unlink()
    assert anna("sign-in", "--with", "totp", "--code-file", "-", typed="123456").status == 6
    came = anna.json("vault", "import", copy, "--passphrase-file", secret_file)
    assert (len(came["added"]), came["unreadable"], came["applied"]) == (1, 0, True)
    assert key_file(anna).read_bytes() == kept
    assert signs_in(anna, app)


def test_a_copy_may_go_to_standard_output_and_come_from_input(anna: Passless, secret_file: str) -> None:
    printed = anna("vault", "export", "--passphrase-file", secret_file)
    assert printed.status == 0
    assert printed.stderr == ""
    key_file(anna).unlink()
    assert anna("vault", "import", "-", "--passphrase-file", secret_file, typed=printed.stdout).status == 0
    assert anna.json("vault", "status")["ok"] is True


def test_export_does_not_replace_a_file_without_a_yes(anna: Passless, copy: str, secret_file: str) -> None:
    Path(copy).write_text("mine")
    assert anna("vault", "export", copy, "--passphrase-file", secret_file).status == 2
    assert Path(copy).read_text() == "mine"
    assert anna("vault", "export", copy, "--passphrase-file", secret_file, "--yes").status == 0
    assert Path(copy).read_text() != "mine"


def test_dry_runs_write_nothing(anna: Passless, copy: str, secret_file: str) -> None:
    anna.totp()
    before = key_file(anna).read_bytes()
    assert anna("vault", "export", copy, "--passphrase-file", secret_file, "--dry-run").status == 0
    assert not Path(copy).exists()
    planned = anna.json("vault", "rotate", "--dry-run")
    assert (planned["applied"], planned["seals"], planned["accounts"]) == (False, 1, 1)
    anna("vault", "export", copy, "--passphrase-file", secret_file)
    assert anna.json("vault", "import", copy, "--passphrase-file", secret_file, "--dry-run")["applied"] is False
    assert key_file(anna).read_bytes() == before


def test_a_weak_passphrase_is_refused(anna: Passless, copy: str) -> None:
    result = anna("vault", "export", copy, "--passphrase-file", "-", typed="short")
    assert result.status == 2
    assert not Path(copy).exists()


def test_a_wrong_passphrase_is_status_5_and_changes_nothing(anna: Passless, copy: str, secret_file: str) -> None:
    anna("vault", "export", copy, "--passphrase-file", secret_file)
    before = key_file(anna).read_bytes()
    assert anna("vault", "import", copy, "--passphrase-file", "-", typed="not the passphrase at all").status == 5
    assert key_file(anna).read_bytes() == before


def test_a_copy_of_another_store_is_refused(anna: Passless, copy: str, secret_file: str, tmp_path: Path) -> None:
    anna("vault", "export", copy, "--passphrase-file", secret_file)
    anna("profile", "add", "other", "--store", f"sqlite:///{tmp_path / 'other.sqlite'}", "--vault", "file")
    anna.json("account", "create", "ben", "--no-password", "--profile", "other")
    assert anna("vault", "import", copy, "--passphrase-file", secret_file, "--profile", "other").status == 6


def test_rotate_moves_everything_and_forgets_the_old_key(anna: Passless) -> None:
    app = anna.totp()
    before = anna.json("vault", "status")["current"]
    done = anna.json("vault", "rotate", "--yes")
    assert (done["seals"], done["accounts"], done["forgotten"], done["kept"]) == (1, 1, [before], [])
    status = anna.json("vault", "status")
    assert status["keys"] == [done["current"]] != [before]
    assert signs_in(anna, app)
    assert "rotate-vault-key" in {one["event"] for one in anna.json("audit", "list", "--all")}
    assert anna.json("audit", "verify")["intact"] is True


def test_rotate_moves_what_a_reported_loss_keeps(anna: Passless) -> None:
    anna.totp()
    anna.json("device", "lost", "phone", "--yes")
    assert anna.json("vault", "rotate", "--yes")["seals"] == 1
    status = anna.json("vault", "status")
    assert (status["ok"], status["seals"], len(status["keys"])) == (True, 1, 1)


def test_rotate_keeps_the_key_that_app_passwords_need(anna: Passless) -> None:
    anna.totp()
    anna.json("recovery-code", "new", "--yes")
    anna.json("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)
    anna.json("two-step", "on")
    anna.json("app-password", "create", "Mail")
    before = anna.json("vault", "status")["current"]
    done = anna.json("vault", "rotate", "--yes")
    assert (done["forgotten"], done["kept"], done["app_passwords"]) == ([], [before], 1)
    assert anna.json("vault", "status")["keys"] == [done["current"], before]
    anna.json("app-password", "revoke", "--all", "--yes")
    assert before in anna.json("vault", "rotate", "--yes")["forgotten"]


@pytest.mark.parametrize("stop_at", ["rotate", "count_use", "_move"])
def test_a_rotation_that_stops_half_way_loses_nothing(anna: Passless, monkeypatch: pytest.MonkeyPatch, stop_at: str) -> None:
    """Wherever the process ends, every seal opens; the next rotation goes on and leaves one key."""
    app = anna.totp()
    anna.account("ben")
    anna.totp()

    class PowerCut(BaseException):
        pass

    def cut(*_: object, **__: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        if stop_at == "rotate":
            patch.setattr("passless.vault.KeptVault.forget", cut)
        elif stop_at == "count_use":
            patch.setattr(vault_care, "count_use", cut)
        else:
            calls = iter((True, False))
            real = vault_care._move
            patch.setattr(vault_care, "_move", lambda *args: real(*args) if next(calls) else cut())
        with pytest.raises(PowerCut):
            anna("vault", "rotate", "--yes")
    assert anna.json("vault", "status")["ok"] is True
    assert anna.json("vault", "rotate", "--yes")["kept"] == []
    assert len(anna.json("vault", "status")["keys"]) == 1
    anna.json("account", "use", "anna")
    assert signs_in(anna, app)


def test_a_change_by_somebody_else_meanwhile_is_kept(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account moves between the reading and the writing, so it is read again."""
    app = anna.totp()
    moved: list[bool] = []
    real = KeptVault.reseal

    def slow(self: KeptVault, sealed: Any, *, bound_to: str) -> Any:
        if not moved:
            moved.append(True)
            assert anna.process("method", "rename", "authenticator app", "renamed meanwhile").returncode == 0
        return real(self, sealed, bound_to=bound_to)

    monkeypatch.setattr(KeptVault, "reseal", slow)
    assert anna.json("vault", "rotate", "--yes")["seals"] == 1
    assert "renamed meanwhile" in {method["name"] for method in anna.json("status")["methods"]}
    assert signs_in(anna, app)


def test_an_app_that_waits_for_its_code_is_begun_again(anna: Passless) -> None:
    begun = anna.json("method", "add", "totp", "--begin")
    anna.json("vault", "rotate", "--yes")
    finish = ("method", "add", "totp", "--finish", begun["ceremony"], "--code-file", "-")
    error = anna.json(*finish, typed="123456", status=5)
    assert (error["code"], "begin again" in error["hint"]) == ("no-such-ceremony", True)
    assert signs_in(anna, anna.totp())
    assert anna.json("vault", "status")["ok"] is True


def test_rotate_needs_a_yes_off_a_terminal(anna: Passless) -> None:
    before = anna.json("vault", "status")["current"]
    assert anna.json("vault", "rotate", status=2)["code"] == "confirmation-needed"
    assert anna.json("vault", "status")["current"] == before


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 2, "needs a command"),
        (("import",), 2, "FILE"),
        (("import", "/nowhere", "--passphrase-file", "-"), 2, "/nowhere"),
        (("import", "/dev/null", "--passphrase-file", "-"), 2, "empty"),
        (("import", "-", "--passphrase-file", "-"), 2, "standard input"),
        (("export",), 2, "--passphrase-file"),
        (("export", "/", "--passphrase-file", "-", "--yes"), 2, "not a file"),
        (("export", "/nowhere/at/all", "--passphrase-file", "-"), 2, "/nowhere"),
        (("status", "extra"), 2, "extra"),
    ],
)
def test_wrong_use_is_one_error_with_a_hint(shared: Passless, arguments: tuple[str, ...], status: int, said: str) -> None:
    result = shared("vault", *arguments, typed=PASSPHRASE)
    assert result.status == status, result
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.count("passless: error:") == 1
    assert result.stderr.count("passless: hint:") == 1


def test_nonsense_is_no_copy(shared: Passless, tmp_path: Path, secret_file: str) -> None:
    path = tmp_path / "nonsense"
    for content in (b"\xff\xfe\x00", b"{}", b"[" * 10_000, b'{"passless_vault_copy": 1}', b"x" * 2_000_000):
        path.write_bytes(content)
        result = shared("vault", "import", str(path), "--passphrase-file", secret_file)
        assert result.status == 2
        assert "Traceback" not in result.stderr
