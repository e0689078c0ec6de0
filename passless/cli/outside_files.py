"""Files that a person names: read whole, or written for this user only."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from passless import private_files
from passless.domain.errors import WrongUse
from passless.domain.names import printable
from passless.output import writing

if TYPE_CHECKING:
    from passless.cli.context import Run

STREAM = "-"  # standard input or output in the place of a file
LARGEST = 16 * 1024 * 1024  # bytes; ours, far more than any copy of an account


class BadFile(WrongUse):
    """A file that was named cannot be used."""

    code = "bad-file"
    hint = "check its name, and whether it is yours to read or write"


def read(path: str, *, what: str) -> bytes:
    """Return what is in a file, or on standard input for `-`; `BadFile` names it."""
    if path == STREAM:
        content = sys.stdin.buffer.read(LARGEST + 1)
        named = f"the {what} on standard input"
    else:
        content = _content(path, what)
        named = f'the {what} "{printable(path, at_most=200)}"'
    if len(content) > LARGEST:
        raise BadFile(f"{named} is too large to be one")
    if not content:
        raise BadFile(f"{named} is empty")
    return content


def may_write(run: Run, path: str | None) -> None:
    """Ask before a file is replaced; nothing where there is none."""
    if path is None or path == STREAM:
        return
    if not Path(path.replace("\0", "")).absolute().parent.is_dir():
        raise BadFile(f'there is no folder for "{printable(path, at_most=200)}"', hint="make the folder first")
    if not os.path.lexists(path.replace("\0", "")):
        return
    target = Path(path)
    if not target.is_file():
        raise BadFile(f'"{printable(path, at_most=200)}" is not a file', hint="choose another name")
    run.confirm(f'replace the file "{printable(path, at_most=200)}"?')


def write(path: str | None, content: bytes, *, what: str) -> str | None:
    """Write a file for this user only, or to standard output; return where it is, None for standard output."""
    if path is None or path == STREAM:
        writing.write(content)
        return None
    if "\0" in path:
        raise BadFile(f"the {what} cannot have that name", hint="choose another name")
    private_files.write(Path(path), content, what=what)
    return str(Path(path).absolute())


def _content(path: str, what: str) -> bytes:
    shown = printable(path, at_most=200)
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:  # a pipe without a writer must not block
            os.set_blocking(file.fileno(), True)
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise BadFile(f'the {what} "{shown}" cannot be read: {private_files.reason(error)}') from error
