"""Files and folders that only their owner can read, written aside and moved into place."""

from __future__ import annotations

import os
from pathlib import Path

from passless.ports import StoreUnavailable

PRIVATE_FILE = 0o600  # security.md, "Must hold" 2
PRIVATE_FOLDER = 0o700  # security.md, "Must hold" 2


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, private to their owner; one that is there stays as it is."""
    try:
        for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
            missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f'the folder "{folder}" cannot be made ({error.strerror})') from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file aside, on the disk, and move it into place.

    Raises:
        StoreUnavailable: it cannot be written; the old content stays.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.unlink(missing_ok=True)
        descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise StoreUnavailable(f'"{path}" cannot be written ({error.strerror})') from error


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the disk, where the system can do that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
