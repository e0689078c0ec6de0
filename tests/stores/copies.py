"""Copies of a store that are put back later, as people do with backups."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.stores.builders import file_in

PARTS = ("store.db", "store.db-wal", "store.db-shm")


def copy_of(folder: Path) -> Path:
    """Copy the files of a store, open or not, and return where they lie."""
    copies = folder / "copies"
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir()
    for part in PARTS:
        if (file_in(folder).parent / part).exists():
            shutil.copy2(file_in(folder).parent / part, copies / part)
    return copies


def put_back(copies: Path, folder: Path) -> None:
    """Move the copied files into the place of those of the store."""
    for part in PARTS:
        place = file_in(folder).parent / part
        place.unlink(missing_ok=True)
        if (copies / part).exists():
            aside = place.with_name(f"{part}.aside")
            shutil.copy2(copies / part, aside)
            aside.replace(place)
