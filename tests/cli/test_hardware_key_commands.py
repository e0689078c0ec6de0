"""`passless method ssh-key` and `method pam-u2f`: a key of the account, for programs outside of a browser."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import PASSWORD, Passless
from tests.software_key import SoftwareKey, plugged_in


def with_key(anna: Passless) -> None:
    with plugged_in(SoftwareKey()):
        assert anna("method", "add", "security-key", "--name", "blue key").status == 0


def test_the_files_are_written_for_this_user_and_never_over_others_unasked(anna: Passless, tmp_path: Path) -> None:
    """Must hold 2."""
    with_key(anna)
    file = tmp_path / "id"
    made = anna.json("method", "ssh-key", "blue key", "--to", str(file))
    assert made["written"] == [str(file), f"{file}.pub"]
    assert [Path(one).stat().st_mode & 0o777 for one in made["written"]] == [0o600, 0o600]
    before = file.read_bytes()
    assert anna.json("method", "ssh-key", "blue key", "--to", str(file), status=2)["code"] == "confirmation-needed"
    file.write_text("something else")
    assert anna.json("method", "ssh-key", "blue key", "--to", str(file), "--yes")["written"] == made["written"]
    assert file.read_bytes() == before
    assert f"ssh -i {file} HOST" in anna("method", "ssh-key", "blue key", "--to", str(file), "--yes").stdout


def test_what_is_no_key_has_no_file(anna: Passless, tmp_path: Path) -> None:
    for named in ("password", "nothing", ""):
        assert anna.json("method", "ssh-key", named, "--to", str(tmp_path / "id"), status=3)["code"] == "no-such-key"
    assert anna.json("method", "ssh-key", "x", "--to", str(tmp_path / "none" / "id"), status=3)["code"] == "no-such-key"
    assert anna.json("method", "pam-u2f", status=3)["code"] == "no-such-key"
    assert list(tmp_path.glob("id*")) == []


def test_a_key_that_opens_no_host_is_said_to(anna: Passless, tmp_path: Path) -> None:
    with_key(anna)
    anna.totp()
    assert anna.json("two-step", "on", "--yes")["applied"] is True
    result = anna("method", "ssh-key", "blue key", "--to", str(tmp_path / "id"))
    assert result.status == 0
    assert 'hosts do not take "blue key" now' in result.stderr
    assert anna.json("method", "pam-u2f", status=3)["code"] == "no-such-key"


def test_whoever_owns_the_store_writes_the_line_for_others(anna: Passless) -> None:
    with_key(anna)
    line = anna.json("method", "pam-u2f")["line"]
    anna.json("account", "create", "bob", "--password-file", "-", typed=PASSWORD)
    said = anna.json("method", "pam-u2f", "--account", "anna", "--as-operator", "--reason", "sudo on the offline host")
    assert said["line"] == line
    assert said["user"] == "anna"
