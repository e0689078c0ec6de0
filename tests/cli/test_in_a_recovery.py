"""What is said in the middle of a recovery fits who stands there."""

from __future__ import annotations

import pytest

from tests.cli.running import Passless


@pytest.fixture
def recovering(anna: Passless) -> Passless:
    """passless where anna lost her phone and came back with the recovery code."""
    anna.totp()
    code = anna.json("recovery-code", "new", "--yes")["code"]
    anna.json("passwordless", "on", "--yes")
    anna.json("device", "lost", "phone", "--yes")
    anna.json("recover", "start", "--code-file", "-", typed=code)
    return anna


def test_status_leads_on_and_not_back_to_the_beginning(recovering: Passless) -> None:
    (problem,) = [one for one in recovering.json("status")["problems"] if one["code"] == "no-way-in"]
    assert problem["message"] == "there is no way in yet"
    assert problem["hint"].endswith("once in it: passless method add totp")


def test_finishing_says_whether_there_is_a_new_code(anna: Passless) -> None:
    anna.json("sign-out")
    made = anna.json("temporary-pass", "issue", "--as-operator", "--reason", "lost everything")
    anna.json("sign-in", "--with", "temporary-pass", "--code-file", "-", typed=made["secret"])
    assert missing_code(anna)[0] == "there is no new recovery code yet"
    anna.totp()
    anna.json("recovery-code", "new")
    told = ("the new recovery code was not typed back yet", "type it back: passless recovery-code confirm")
    assert missing_code(anna) == told


def missing_code(anna: Passless) -> tuple[str, str]:
    """Return what finishing the recovery says of the code."""
    problems = anna.json("recover", "finish", status=4)["problems"]
    (found,) = [one for one in problems if one["code"] == "code-not-saved"]
    return found["message"], found["hint"]


def test_a_code_that_was_not_typed_back_is_not_said_to_be_saved(anna: Passless) -> None:
    anna.json("recovery-code", "new", "--yes")
    assert "saved, made just now" in anna("status").stdout
    anna.json("recovery-code", "new")
    code = anna.json("status")["recovery_code"]
    assert code["saved"] is True
    assert code["unsaved_at"] >= code["created_at"]
    shown = " ".join(anna("status").stdout.split())
    assert "a new one, made just now, is not typed back yet; the one made just now is still good" in shown
