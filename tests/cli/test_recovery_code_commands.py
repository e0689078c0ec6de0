"""`recovery-code`: a new code counts as saved once somebody can have seen it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.running import Passless


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_code_that_could_not_be_printed_is_not_taken_as_saved(anna: Passless, more: tuple[str, ...]) -> None:
    before = anna.json("recovery-code", "new", "--yes")["code"]
    with Path("/dev/full").open("w") as full:
        lost = anna.process("recovery-code", "new", "--yes", *more, stdout=full, capture_output=False, env=dict(os.environ))
    assert lost.returncode == 6
    assert anna("recovery-code", "kit", "--code-file", "-", typed=before).status == 0


def test_a_code_that_was_printed_is_taken_as_saved(anna: Passless) -> None:
    made = anna.json("recovery-code", "new", "--yes")
    assert made["saved"] is True
    assert anna.json("status")["recovery_code"]["saved"] is True


@pytest.mark.parametrize("name", ["kit.txt", "kit.svg"])
def test_a_kit_replaces_no_file_without_a_yes(anna: Passless, tmp_path: Path, name: str) -> None:
    code = anna.json("recovery-code", "new", "--yes")["code"]
    thesis = tmp_path / name
    thesis.write_text("my thesis")
    assert anna.json("recovery-code", "new", "--kit", str(thesis), status=2)["code"] == "confirmation-needed"
    error = anna.json("recovery-code", "kit", "--out", str(thesis), "--code-file", "-", typed=code, status=2)
    assert error["code"] == "confirmation-needed"
    assert thesis.read_text() == "my thesis"
    assert anna.json("status")["recovery_code"]["saved"] is True  # no other code was made meanwhile
    assert anna("recovery-code", "kit", "--out", str(thesis), "--code-file", "-", "--yes", typed=code).status == 0
    assert code[:5] in thesis.read_text()


def test_a_kit_is_written_into_a_folder_that_is_there(anna: Passless, tmp_path: Path) -> None:
    error = anna.json("recovery-code", "new", "--kit", str(tmp_path / "nowhere" / "kit.txt"), status=2)
    assert "no folder" in error["message"]
    assert anna.json("status")["recovery_code"]["exists"] is False
