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
