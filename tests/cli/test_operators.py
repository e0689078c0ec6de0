"""What an operator does for others: nothing is turned off or replaced off a terminal without a yes."""

from __future__ import annotations

import pytest

from tests.cli.running import Passless

OPERATOR = ("--account", "anna", "--as-operator", "--reason", "she is at the desk")


def test_an_operator_turns_a_device_off_only_with_a_yes(anna: Passless) -> None:
    anna.totp()
    error = anna.json("recover", "start", "--lost", "phone", *OPERATOR, status=2)
    assert (error["code"], '"phone"' in error["message"]) == ("confirmation-needed", True)
    assert "totp" in {one["kind"] for one in anna.json("method", "list")}
    assert anna.json("recover", "start", "--lost", "phone", *OPERATOR, "--dry-run")["plan"]["accepted"] is True
    assert anna.json("recover", "start", "--lost", "phone", *OPERATOR, "--yes")["applied"] is True
    assert "totp" not in {one["kind"] for one in anna.json("method", "list")}


@pytest.mark.parametrize("arguments", [("temporary-pass", "issue"), ("recover", "start")])
def test_a_temporary_pass_is_replaced_only_with_a_yes(anna: Passless, arguments: tuple[str, ...]) -> None:
    first = anna.json("temporary-pass", "issue", *OPERATOR)["id"]
    error = anna.json(*arguments, *OPERATOR, status=2)
    assert (error["code"], "temporary pass" in error["message"]) == ("confirmation-needed", True)
    assert [one["id"] for one in anna.json("temporary-pass", "list")] == [first]
    assert anna.json(*arguments, *OPERATOR, "--yes")["applied"] is True
    assert [one["id"] for one in anna.json("temporary-pass", "list")] != [first]
