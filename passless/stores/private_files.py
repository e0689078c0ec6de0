"""Private files of a store, and what to say when they cannot be written."""

from __future__ import annotations

from pathlib import Path

from passless import private_files
from passless.ports import StoreUnavailable


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, private to their owner; one that is there stays as it is."""
    try:
        private_files.make_folder(folder)
    except OSError as error:
        raise StoreUnavailable(f'the folder "{folder}" cannot be made ({error.strerror})') from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file aside, on the disk, and move it into place.

    Raises:
        StoreUnavailable: it cannot be written; the old content stays.
    """
    try:
        private_files.replace_file(path, content)
    except OSError as error:
        raise StoreUnavailable(f'"{path}" cannot be written ({error.strerror})') from error
