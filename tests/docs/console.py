"""Running what the documentation shows: every `$ ` line in a ```console block is a command, what follows is what it prints.

The commands of one page run in order, in a folder of their own. Conventions:

- `> ` continues a command; `[exit status 4]` ends its output where the status is not 0;
- a line `…` stands for any number of lines, `…` inside a line for any text;
- ids, codes, secrets, dates and times differ from run to run and are not compared;
- `<!-- run: COMMAND -->` runs something that the page does not show.

`python -m tests.docs` writes what commands print now into the pages.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from tests.docs.running import REPOSITORY, environment

WIDTH = 92  # columns
LIMIT = 120  # seconds for one command
SHOWN_HOME = "/home/ada"
ANY = "…"

BLOCK = re.compile(r"^```console\n(?P<block>.*?)^```$|^<!-- run: (?P<hidden>.*?) -->$", flags=re.MULTILINE | re.DOTALL)
STATUS = re.compile(r"^\[exit status (\d+)\]$")
VOLATILE = (
    (r"[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){4}", "‹recovery code›"),
    (r"\b[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2,11}\b", "‹pass›"),
    (r"\b[a-z]{4}( [a-z]{4}){3,5}\b", "‹app password›"),
    (r"\bpl[a-z]_[\w-]{43}\b", "‹token›"),
    (r"\b[A-Z2-7]{32}\b|[A-Z2-7]{4}( [A-Z2-7]{4}){7}", "‹seed›"),
    (r"\b[0-9a-f]{64}\b", "‹hash›"),
    (r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?Z?", "‹time›"),
    (r"\b(\d+ (second|minute|hour|day)s? ago|just now|in \d+ (second|minute|hour|day)s?)\b", "‹moment›"),
    (r"\b[a-z0-9]{24}\b|\b[a-z0-9]{16}\b|\b[a-z0-9]{8}\b", "‹id›"),
)


class Command(Struct, frozen=True, kw_only=True):
    """One command of a page, and what the page says it prints; `expected` is None for one that is not shown."""

    text: str
    expected: tuple[str, ...] | None
    status: int = 0
    span: tuple[int, int] = (0, 0)  # of its output, in the page


class Ran(Struct, frozen=True, kw_only=True):
    """What came of a command."""

    command: Command
    status: int
    printed: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """The page says what happened."""
        expected = self.command.expected
        return self.status == self.command.status and (expected is None or matches(expected, self.printed))


def commands(page: str) -> Iterator[Command]:
    """Find the commands of a page, in order."""
    for found in BLOCK.finditer(page):
        if (hidden := found["hidden"]) is not None:
            yield Command(text=hidden, expected=None)
        else:
            yield from _shown(found["block"], found.start("block"))


def _shown(block: str, start: int) -> Iterator[Command]:
    text, output, begin, at = "", list[str](), start, start
    for line in block.splitlines(keepends=True):
        if line.startswith("$ ") or (line.startswith("> ") and text and not output):
            if line.startswith("$ "):
                if text:
                    yield _command(text, output, (begin, at))
                text, output = line[2:], []
            else:
                text += line[2:]
            begin = at + len(line)
        else:
            output.append(line.rstrip("\n"))
        at += len(line)
    if text:
        yield _command(text, output, (begin, at))


def _command(text: str, output: Sequence[str], span: tuple[int, int]) -> Command:
    status = STATUS.match(output[-1]) if output else None
    lines = output[:-1] if status else output
    return Command(text=text, expected=tuple(lines), status=int(status[1]) if status else 0, span=span)


def run(page: str, folder: Path) -> Iterator[Ran]:
    """Run the commands of a page in a folder."""
    home, bin_folder = folder / "home", folder / "bin"
    for one in (home, bin_folder):
        one.mkdir(parents=True)
    program = bin_folder / "passless"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m passless "$@"\n')
    program.chmod(0o755)
    around = environment(home, path=f"{bin_folder}{os.pathsep}{os.environ['PATH']}") | {"COLUMNS": str(WIDTH)}
    for command in commands(page):
        yield _ran(command, home, around, folder / "exported")


def _ran(command: Command, home: Path, around: dict[str, str], exported: Path) -> Ran:
    kept = shlex.quote(str(exported))
    keep = f"{{ export -p; declare -f; echo umask $(umask); }} > {kept}"
    done = subprocess.run(
        ["bash", "-c", f"[ ! -f {kept} ] || . {kept}\nset -a\n{command.text}\nstatus=$?\n{keep}\nexit $status"],
        cwd=home,
        env=around,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=LIMIT,
    )
    printed = (done.stdout + done.stderr).decode().replace(str(home), SHOWN_HOME).rstrip("\n")
    lines = tuple(line.rstrip() for line in printed.split("\n")) if printed else ()
    return Ran(command=command, status=done.returncode, printed=lines)


def settled(line: str) -> str:
    """Return a line without what differs from run to run."""
    for pattern, word in VOLATILE:
        line = re.sub(pattern, word, line)
    return " ".join(line.split())


def matches(expected: Sequence[str], printed: Sequence[str]) -> bool:
    """Tell whether a page's lines are those that were printed."""
    pattern = "".join(".*" if line.strip() == ANY else f"{_pattern(line)}\n" for line in expected)
    return re.fullmatch(pattern, "".join(f"{settled(line)}\n" for line in printed), flags=re.DOTALL) is not None


def _pattern(line: str) -> str:
    return "[^\n]*".join(re.escape(settled(part)) if part.strip() else r"\s*" for part in line.split(ANY))


def rewritten(page: str, folder: Path) -> str:
    """Return the page with what its commands print now, where it says something else."""
    for ran in reversed(list(run(page, folder))):
        if ran.command.expected is not None and not ran.agrees:
            lines = [*ran.printed, *([f"[exit status {ran.status}]"] if ran.status else [])]
            begin, end = ran.command.span
            page = page[:begin] + "".join(f"{line}\n" for line in lines) + page[end:]
    return page


def pages() -> list[Path]:
    """Return the pages that have commands."""
    written = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
    return [page for page in written if page.exists() and "```console" in page.read_text(encoding="utf-8")]
