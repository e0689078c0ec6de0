"""The shell finds the program, or the person is told how it will."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from passless.cli.on_path import line_to_add

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a line for POSIX shells")
README = Path(__file__).parents[2] / "README.md"


def a_program(folder: Path) -> str:
    """Put a program where a shell may find it."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "passless"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return str(program)


def test_nothing_is_said_where_the_shell_finds_it(tmp_path: Path) -> None:
    running = a_program(tmp_path / "bin")
    assert line_to_add(running, {"PATH": f"/usr/bin:{tmp_path / 'bin'}", "HOME": str(tmp_path)}) is None


def test_what_is_linked_into_the_persons_own_folder_needs_only_that(tmp_path: Path) -> None:
    running = a_program(tmp_path / "venv" / "bin")
    a_program(tmp_path / ".local" / "bin")
    assert line_to_add(running, {"PATH": "/nowhere", "HOME": str(tmp_path)}) == 'export PATH="$HOME/.local/bin:$PATH"'


def test_else_the_folder_of_the_running_program_is_named(tmp_path: Path) -> None:
    running = a_program(tmp_path / "my venv")
    assert line_to_add(running, {"PATH": "/nowhere"}) == f"""export PATH='{tmp_path}/my venv':"$PATH\""""


def test_a_module_that_was_run_has_no_folder_to_name() -> None:
    assert line_to_add("/somewhere/passless/__main__.py", {"PATH": "/nowhere"}) is None


def test_the_readme_links_the_program_before_it_starts_the_walk_through() -> None:
    (line,) = (line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("s=;"))
    assert line.index("ln -sf ~/.passless/bin/passless ~/.local/bin/passless") < line.index("passless setup")
