"""Files for this user only, written aside and moved into place (security.md, "Must hold" 2).

`replace_file`, `make_folder`, `sync_folder` and `turn` let the system's own errors through, for whoever has better words for
them; `read`, `write` and `alone` tell them as passless does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

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
        with os.fdopen(open_quickly(path), "rb") as file:
            return file.read(LARGEST_FILE)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UnreadableFile(f'the {what} "{path}" cannot be read: {reason(error)}') from error


def write(path: Path, content: bytes, *, what: str) -> None:
    """Write a file aside and move it into place; a link keeps pointing at what it points at."""
    try:
        target = Path(os.path.realpath(path))
        make_folder(target.parent)
        replace_file(target, content)
    except (OSError, ValueError) as error:
        raise UnwritableFile(f'the {what} "{path}" cannot be written: {reason(error)}') from error


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other processes from changing the same file meanwhile; the empty lock file stays behind."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        descriptor = open_lock(lock)
    except (OSError, ValueError) as error:
        raise UnwritableFile(f'the lock file "{lock}" cannot be made: {reason(error)}') from error
    with turn(descriptor):
        yield


def open_quickly(path: Path) -> int:
    """Open a file for reading, where a pipe in its place does not block."""
    return os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))


def replace_file(path: Path, content: bytes) -> None:
    """Put a file on the disk in place of what was there: after a crash it is the old one or the new one."""
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file aside, however long, and put it in place at the end; what fails inside leaves the old one."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)  # of a process of this number that was killed
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user only; one that is there stays as it is."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the disk, where the system can do that."""
    if os.name != "posix":  # pragma: no cover - folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_lock(lock: Path) -> int:
    """Open a lock file for `turn`, made where it is missing."""
    make_folder(lock.parent)
    return os.open(lock, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)


@contextmanager
def turn(descriptor: int) -> Iterator[None]:
    """Wait for a lock file and hold it; the end of the process lets go of it too."""
    try:
        if sys.platform == "win32":  # pragma: no cover
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def reason(error: OSError | ValueError) -> str:
    """Return why, without the path that the message names already."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()
