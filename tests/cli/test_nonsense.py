"""Nonsense for every command: one error with a hint, the right status, and never a traceback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from passless.cli.main import CANNOT, DONE, NOT_FOUND, PROOF_NEEDED, REFUSED, UNAVAILABLE, WRONG_USE
from tests.cli.running import Passless
from tests.cli.test_help import EVERYTHING

NONSENSE = {
    "empty": "",
    "unknown": "no such thing",
    "long": "x" * 10_000,
    "control": "a\x1b[31mb\x07",
    "bidi": "a\u202eb",
    "emoji": "🦊🦊",
    "lines": "[bold red]a\nb[/]",
    "dash": "--",
}
EXPECTED = {DONE, WRONG_USE, NOT_FOUND, REFUSED, PROOF_NEEDED, UNAVAILABLE, CANNOT}
ON_PURPOSE = {"completion"}  # writes into the shell's own files
ENDLESS = {"serve": ("--listen", "nowhere")}  # what keeps a command from going on for ever where it is given nothing wrong

LEAVES = [(path, command) for path, command in EVERYTHING if not getattr(command, "commands", {}) and path[0] not in ON_PURPOSE]


def filled(command: Any, nonsense: str) -> list[str]:
    """Give every argument and every option with a value the same nonsense."""
    words: list[str] = []
    for param in command.params:
        if param.param_type_name == "argument":
            words.append(nonsense)
        elif not param.is_flag and param.name not in ("profile", "out", "kit", "file", "output", "to", "head"):
            words += [param.opts[0], nonsense]
    return words


@pytest.mark.parametrize("nonsense", [NONSENSE["empty"], NONSENSE["control"]], ids=["empty", "control"])
@pytest.mark.parametrize(("path", "command"), LEAVES, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_arguments(shared: Passless, path: tuple[str, ...], command: Any, nonsense: str) -> None:
    arguments = [nonsense for param in command.params if param.param_type_name == "argument"]
    check(shared, *path, "--account", "anna", *arguments) if takes_account(command) else check(shared, *path, *arguments)


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize(("path", "command"), LEAVES, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_everything_at_once(shared: Passless, path: tuple[str, ...], command: Any, nonsense: str) -> None:
    check_for_people(shared, *path, *filled(command, nonsense))


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_an_unknown_account(shared: Passless, path: tuple[str, ...], command: Any) -> None:
    if takes_account(command):
        check(shared, *path, "--account", "nobody at all")


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_where_nothing_was_made_yet(passless: Passless, path: tuple[str, ...], command: Any) -> None:
    check(passless, *path)


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_a_dry_run_of_everything_changes_nothing(shared: Passless, path: tuple[str, ...], command: Any) -> None:
    if not any("--dry-run" in param.opts for param in command.params):
        return
    before = shared("status", "--account", "anna", "--json").json
    check(shared, *path, "--dry-run", *("password" for param in command.params if param.param_type_name == "argument"))
    after = shared("status", "--account", "anna", "--json").json
    assert (after["version"], after["methods"]) == (before["version"], before["methods"])


def takes_account(command: Any) -> bool:
    """Tell whether a command acts on an account."""
    return any("--account" in param.opts for param in command.params)


def check(passless: Passless, *arguments: str) -> None:
    """Run a command for people and for programs, and look at what it says."""
    arguments = (*arguments, *ENDLESS.get(arguments[0], ()))
    status = check_for_people(passless, *arguments)
    for_programs = passless("--json", *arguments)
    assert for_programs.status == status
    if status != DONE:
        last = for_programs.stderr.splitlines()[-1]
        assert set(json.loads(last)["error"]) >= {"code", "message", "hint", "problems"}


def check_for_people(passless: Passless, *arguments: str) -> int:
    """Run a command for people, look at what it says, and return its status."""
    result = passless(*arguments)
    assert result.status in EXPECTED, result
    assert "Traceback" not in result.stderr
    assert "\x1b" not in result.stdout + result.stderr
    assert "\u202e" not in result.stdout + result.stderr
    lines = result.stderr.splitlines()
    if result.status == DONE:
        assert not any(line.startswith("passless: error:") for line in lines)
        return result.status
    assert [line[:16] for line in lines if line.startswith("passless: error:")] == ["passless: error:"], result
    assert lines[-1].startswith("passless: hint: ")
    assert len(lines[-1]) > len("passless: hint: ")
    assert all(len(line) < 600 for line in lines[-2:])
    return result.status
