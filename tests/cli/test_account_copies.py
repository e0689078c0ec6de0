"""`account export` and `account import`: one account, one encrypted file, no plain secret in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.running import PASSWORD, TOTP_STEP, Passless

PASSPHRASE = "seven quiet herons fold 19 maps"


@pytest.fixture
def secret_file(tmp_path: Path) -> str:
    """A file with a passphrase."""
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE)
    return str(path)


@pytest.fixture
def copy(tmp_path: Path) -> str:
    """Where a copy is to go."""
    return str(tmp_path / "anna.copy")


@pytest.fixture
def other(anna: Passless, tmp_path: Path) -> str:
    """Another store."""
    anna("profile", "add", "other", "--store", f"sqlite:///{tmp_path / 'other.sqlite'}", "--vault", "file")
    return "other"


def prove(passless: Passless) -> None:
    passless.json("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)


def test_an_account_moves_to_another_store_with_its_app(anna: Passless, copy: str, secret_file: str, other: str) -> None:
    app = anna.totp()
    prove(anna)
    made = anna.json("account", "export", copy, "--passphrase-file", secret_file)
    assert (made["account"], made["methods"], made["file"]) == ("anna", 2, copy)
    assert Path(copy).stat().st_mode & 0o077 == 0
    came = anna.json("account", "import", copy, "--passphrase-file", secret_file, "--profile", other)
    assert (came["applied"], came["account"], came["methods"], came["left_out"]) == (True, "anna", 2, [])
    with_code = ("sign-in", "--with", "totp", "--code-file", "-", "--profile", other)
    assert anna.json(*with_code, typed=anna.code(app), status=5)["code"] == "code-reused"
    anna.now += TOTP_STEP
    assert anna(*with_code, typed=anna.code(app)).status == 0
    assert anna("sign-in", "--with", "password", "--password-file", "-", "--profile", other, typed=PASSWORD).status == 0
    assert "import-account" in {one["event"] for one in anna.json("audit", "list", "--profile", other)}
    assert anna.json("audit", "verify", "--profile", other)["intact"] is True


def test_the_file_holds_nothing_in_plain(anna: Passless, copy: str, secret_file: str) -> None:
    app = anna.totp()
    prove(anna)
    anna.json("account", "export", copy, "--passphrase-file", secret_file)
    content = Path(copy).read_text()
    assert app.secret not in content
    assert "argon2id$" not in content
    assert "anna" not in content


def test_what_cannot_come_along_is_said(anna: Passless, copy: str, secret_file: str, other: str) -> None:
    anna.totp()
    anna.json("recovery-code", "new", "--yes")
    prove(anna)
    anna.json("two-step", "on")
    anna.json("app-password", "create", "Mail")
    anna.json("account", "export", copy, "--passphrase-file", secret_file)
    came = anna.json("account", "import", copy, "--passphrase-file", secret_file, "--profile", other)
    assert came["left_out"] == ['the app password "Mail": make it again']
    status = anna.json("status", "--profile", other)
    assert status["app_passwords"] == 0
    assert (status["two_step"], status["recovery_code"]["saved"]) == (True, True)


def test_a_copy_beside_the_original_needs_another_name(anna: Passless, copy: str, secret_file: str) -> None:
    anna.json("account", "export", copy, "--passphrase-file", secret_file)
    error = anna.json("account", "import", copy, "--passphrase-file", secret_file, status=2)
    assert error["code"] == "name-taken"
    came = anna.json("account", "import", copy, "--name", "anna two", "--passphrase-file", secret_file)
    assert came["account"] == "anna two"
    assert {one["account"] for one in anna.json("account", "list")} == {"anna", "anna two"}


def test_a_deleted_account_comes_back(anna: Passless, copy: str, secret_file: str) -> None:
    anna.totp()
    prove(anna)
    anna.json("account", "export", copy, "--passphrase-file", secret_file)
    anna.json("account", "delete", "--yes")
    anna.json("account", "import", copy, "--passphrase-file", secret_file)
    assert anna("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD).status == 0


def test_dry_runs_change_nothing(anna: Passless, copy: str, secret_file: str) -> None:
    anna.json("account", "export", copy, "--passphrase-file", secret_file, "--dry-run")
    assert not Path(copy).exists()
    anna.json("account", "export", copy, "--passphrase-file", secret_file)
    planned = anna.json("account", "import", copy, "--name", "x", "--passphrase-file", secret_file, "--dry-run")
    assert planned["applied"] is False
    assert len(anna.json("account", "list")) == 1


def test_export_needs_the_person(anna: Passless, copy: str, secret_file: str) -> None:
    anna("sign-out")
    assert anna("account", "export", copy, "--passphrase-file", secret_file).status == 5
    operator = ("--as-operator", "--reason", "curious")
    assert anna("account", "export", copy, "--passphrase-file", secret_file, *operator).status == 2
    assert not Path(copy).exists()


def test_export_needs_proofs_as_strong_as_the_strongest_way_in(anna: Passless, copy: str, secret_file: str) -> None:
    anna.totp()
    anna.json("recovery-code", "new", "--yes")
    prove(anna)
    anna.json("two-step", "on")
    anna("sign-out")
    assert anna("account", "export", copy, "--passphrase-file", secret_file).status == 5


def test_one_factor_copies_no_second_one(anna: Passless, copy: str, secret_file: str) -> None:
    """A thief of the password alone must not read the app's secret out of a copy, and is told nothing that helps."""
    anna.totp()
    anna("sign-out")
    prove(anna)
    error = anna.json("account", "export", copy, "--passphrase-file", secret_file, status=5)
    assert error["code"] == "weak-proof"
    assert error["hint"] == "sign in with a second method first: passless sign-in --with totp"
    assert not Path(copy).exists()
    (tried,) = (one for one in anna.json("audit", "list") if one["event"] == "export-account")
    assert (tried["outcome"], tried["details"]["problems"]) == ("refused", "weak-proof")


def test_an_account_with_one_factor_is_copied_without_it(anna: Passless, copy: str, secret_file: str, other: str) -> None:
    anna.json("recovery-code", "new", "--yes")
    anna.json("account", "export", copy, "--passphrase-file", secret_file)
    assert any('without "password"' in one["message"] for one in anna.json("status")["notices"])
    came = anna.json("account", "import", copy, "--passphrase-file", secret_file, "--profile", other)
    assert came["methods"] == 0
    assert any('"password": its secret is copied only with two factors' in one for one in came["left_out"])
    assert anna("sign-in", "--with", "password", "--password-file", "-", "--profile", other, typed=PASSWORD).status == 5


def test_a_wrong_passphrase_is_status_5(anna: Passless, copy: str, secret_file: str) -> None:
    anna.json("account", "export", copy, "--passphrase-file", secret_file)
    error = anna.json("account", "import", copy, "--name", "x", "--passphrase-file", "-", typed="not it at all", status=5)
    assert error["code"] == "wrong-passphrase"
    assert len(anna.json("account", "list")) == 1


@pytest.mark.parametrize("damage", ["cut", "flipped", "swapped", "nonsense", "greedy", "vault"])
def test_a_bad_copy_changes_nothing(anna: Passless, copy: str, secret_file: str, damage: str) -> None:
    anna.json("account", "export", copy, "--passphrase-file", secret_file)
    whole = Path(copy).read_bytes()
    vault = anna("vault", "export", "--passphrase-file", secret_file).stdout.encode()
    content = {
        "cut": whole[:-40],
        "flipped": whole.replace(b'"box": "', b'"box": "A', 1),
        "swapped": whole.replace(b'"passes": 3', b'"passes": 2'),
        "nonsense": b"\xff\x00[[[",
        "greedy": whole.replace(b'"memory_kib": 65536', b'"memory_kib": 99999999'),
        "vault": vault,
    }[damage]
    assert content != whole
    Path(copy).write_bytes(content)
    result = anna("account", "import", copy, "--name", "x", "--passphrase-file", secret_file)
    assert result.status == 2
    assert "Traceback" not in result.stderr
    assert result.stderr.count("passless: hint:") == 1
    assert len(anna.json("account", "list")) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import",), "FILE"),
        (("import", "/nowhere", "--passphrase-file", "-"), "/nowhere"),
        (("import", "-", "--passphrase-file", "-"), "standard input"),
        (("export",), "--passphrase-file"),
        (("export", "/nowhere/x", "--passphrase-file", "-"), "folder"),
        (("export", "--passphrase-file", "/nowhere"), "/nowhere"),
    ],
)
def test_wrong_use_is_one_error_with_a_hint(shared: Passless, arguments: tuple[str, ...], said: str) -> None:
    result = shared("account", *arguments, typed=PASSPHRASE)
    assert result.status == 2, result
    assert said in result.stderr
    assert result.stderr.count("passless: error:") == 1


def test_a_weak_passphrase_is_refused(shared: Passless, copy: str) -> None:
    assert shared("account", "export", copy, "--passphrase-file", "-", typed="short").status == 2
    assert not Path(copy).exists()


# age (a library that may not be there)


@pytest.fixture
def age_identity(tmp_path: Path) -> tuple[str, str]:
    """An age recipient, and the file with its identity as age-keygen writes it."""
    pyrage = pytest.importorskip("pyrage")
    made = pyrage.x25519.Identity.generate()
    path = tmp_path / "identity.txt"
    path.write_text(f"# created: 2026-01-01T00:00:00Z\n# public key: {made.to_public()}\n{made}\n")
    return str(made.to_public()), str(path)


def test_an_account_moves_for_an_age_recipient(anna: Passless, copy: str, age_identity: tuple[str, str], other: str) -> None:
    app = anna.totp()
    prove(anna)
    recipient, identity = age_identity
    anna.json("account", "export", copy, "--recipient", recipient)
    assert Path(copy).read_text().startswith("-----BEGIN AGE ENCRYPTED FILE-----")
    came = anna.json("account", "import", copy, "--identity-file", identity, "--profile", other)
    assert came["methods"] == 2
    with_code = ("sign-in", "--with", "totp", "--code-file", "-", "--profile", other)
    assert anna.json(*with_code, typed=anna.code(app), status=5)["code"] == "code-reused"
    anna.now += TOTP_STEP
    assert anna(*with_code, typed=anna.code(app)).status == 0


def test_what_is_wrong_with_age_is_said(anna: Passless, copy: str, age_identity: tuple[str, str], secret_file: str) -> None:
    pyrage = pytest.importorskip("pyrage")

    recipient, identity = age_identity
    assert anna.json("account", "export", copy, "--recipient", "age1nonsense", status=2)["code"] == "bad-recipient"
    both = ("--recipient", recipient, "--passphrase-file", secret_file)
    assert anna.json("account", "export", copy, *both, status=2)["code"] == "contradiction"
    assert not Path(copy).exists()
    anna.json("account", "export", copy, "--recipient", recipient)
    opening = ("account", "import", copy, "--name", "x")
    assert "--identity-file" in anna.json(*opening, status=2)["hint"]
    assert anna.json(*opening, "--identity-file", secret_file, status=2)["code"] == "bad-identity"
    stranger = str(pyrage.x25519.Identity.generate())
    assert anna.json(*opening, "--identity-file", "-", typed=stranger, status=5)["code"] == "wrong-identity"
    Path(copy).write_text(Path(copy).read_text()[:200])
    assert anna("account", "import", copy, "--name", "x", "--identity-file", identity).status in (2, 5)
    assert len(anna.json("account", "list")) == 1


def test_without_the_library_age_is_status_7(anna: Passless, copy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyrage", None)
    assert anna.json("account", "export", copy, "--recipient", "age1x", status=7)["code"] == "age-missing"
