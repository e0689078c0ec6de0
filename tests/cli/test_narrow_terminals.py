"""What is said on a terminal that is too narrow for it: no word or command is torn; off a terminal nothing is folded."""

from __future__ import annotations

import sys
from io import StringIO

import pytest

from passless.cli import asking
from tests.cli.running import Passless
from tests.cli.walking import Person

HINT = "passless: hint: add a way in that stays: passless method add security-key, or passless method add totp --device NAME"


class Narrow(StringIO):
    """A terminal of 60 columns."""

    def isatty(self) -> bool:
        return True


def narrow(patch: pytest.MonkeyPatch) -> Narrow:
    """Let what is said go to such a terminal."""
    made = Narrow()
    patch.setattr(sys, "stderr", made)
    patch.setenv("COLUMNS", "60")
    return made


def test_a_line_goes_on_below_its_beginning_and_commands_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow(monkeypatch)
    folded = asking.folded(HINT, indent=10).split("\n")
    assert all(len(line) <= 60 for line in folded)
    assert all(line.startswith(" " * 10) for line in folded[1:])
    assert any("passless method add security-key" in line for line in folded)
    assert any("passless method add totp --device NAME" in line for line in folded)


def test_an_address_is_never_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = narrow(monkeypatch)
    address = "  https://accounts.example.org/enrol/here#" + "x" * 60
    asking.say(f"open this:\n{address}")
    assert terminal.getvalue() == f"open this:\n{address}\n"


def test_off_a_terminal_a_line_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", StringIO())
    monkeypatch.setenv("COLUMNS", "60")
    assert asking.folded(HINT) == HINT


def test_the_shells_prompt_begins_on_a_line_of_its_own_after_ctrl_c(anna: Passless) -> None:
    ada = Person(anna.home, "account", "delete")
    ada.reads("[y/N]: ")
    ada.presses("c")
    assert ada.is_done() == 130
    assert ada.rest.endswith("\r\n")


def test_a_list_of_accounts_fits_eighty_columns(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = anna("account", "list", terminal=True).stdout
    assert "passwordless" in shown
    assert "two-step" in shown
