"""Every `--help` works, and the table of commands says what the modules say."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from typer.main import get_command

from passless.cli.table import COMMANDS
from tests.cli.running import Passless


def commands(prefix: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Walk a command and everything below it."""
    yield prefix, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands((*prefix, name), below)


def every_command() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Walk the whole program."""
    for name, entry in COMMANDS.items():
        yield from commands((name,), get_command(import_module(entry.module).app))


EVERYTHING = list(every_command())


@pytest.mark.parametrize("path", [(), *(path for path, _ in EVERYTHING)], ids=lambda path: " ".join(path) or "passless")
def test_every_help_is_shown(passless: Passless, path: tuple[str, ...]) -> None:
    result = passless(*path, "--help")
    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: {' '.join(('passless', *path))} ")
    assert "--json" in result.stdout or any(found == path and hasattr(command, "commands") for found, command in EVERYTHING)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_module_says(name: str) -> None:
    command = get_command(import_module(COMMANDS[name].module).app)
    assert command.help.split("\n\n")[0] == COMMANDS[name].help


@pytest.mark.parametrize(("path", "command"), EVERYTHING, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_every_command_takes_the_shared_options(path: tuple[str, ...], command: Any) -> None:
    options = {name for param in command.params for name in param.opts}
    assert {"--json", "--profile", "--no-input", "--debug"} <= options


@pytest.mark.parametrize(("path", "command"), EVERYTHING, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_no_option_holds_a_secret(path: tuple[str, ...], command: Any) -> None:
    words = {"--password", "--code", "--pin", "--token", "--passphrase", "--secret", "--response"}
    assert not words & {name for param in command.params for name in param.opts}
