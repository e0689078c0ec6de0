"""Files for this user only, written aside and moved into place (security.md, "Must hold" 2)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from passless.domain.errors import Unavailable, WrongUse

PRIVATE_FILE = 0o600  # mode; security.md, "Must hold" 2
PRIVATE_FOLDER = 0o700  # mode; security.md, "Must hold" 2
LARGEST_FILE = 1024 * 1024  # bytes; ours, thousands of profiles


class UnreadableFile(WrongUse):
    """A file of ours is there and cannot be read, or is not what it should be."""

    code = "unreadable-file"
    hint = "correct the file or put it aside, and try again"


class UnwritableFile(Unavailable):
    """A file of ours cannot be written; what was there before still is."""

    code = "unwritable-file"
    hint = "make room or give yourself the right to write there, and try again; see: passless doctor"


def read(path: Path, *, what: str) -> bytes | None:
    """Return a file's content, or nothing where there is no file; `UnreadableFile` names one that cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:  # a pipe must not block
            return file.read(LARGEST_FILE)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UnreadableFile(f'the {what} "{path}" cannot be read: {reason(error)}') from error


def write(path: Path, content: bytes, *, what: str) -> None:
    """Write a file aside and move it into place; a link keeps pointing at what it points at."""
    target = Path(os.path.realpath(path))
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        make_folder(target.parent)
        aside.unlink(missing_ok=True)
        try:
            _write_through(aside, content)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise UnwritableFile(f'the {what} "{path}" cannot be written: {reason(error)}') from error


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user only."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other processes from changing the same file meanwhile; the empty lock file stays behind."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        make_folder(lock.parent)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except (OSError, ValueError) as error:
        raise UnwritableFile(f'the lock file "{lock}" cannot be made: {reason(error)}') from error
    try:
        _wait_for_turn(descriptor)
        yield
    finally:
        os.close(descriptor)  # which ends the lock, as does the end of the process


def reason(error: OSError | ValueError) -> str:
    """Return why, without the path that the message names already."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()


def _wait_for_turn(descriptor: int) -> None:
    if sys.platform == "win32":  # pragma: no cover
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _write_through(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
