"""Files of other programs: whole, or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from passless.programs.writing import CannotWriteThere, FileInTheWay, NewFile, written


def two(folder: Path) -> tuple[NewFile, NewFile]:
    return NewFile(folder / "first", "a\n"), NewFile(folder / "second", "b\n", 0o600)


def test_they_stay_where_all_went_well(tmp_path: Path) -> None:
    with written(two(tmp_path)):
        pass
    assert {one.name: (one.read_text(), one.stat().st_mode & 0o777) for one in tmp_path.iterdir()} == {
        "first": ("a\n", 0o644),
        "second": ("b\n", 0o600),
    }


def test_none_stays_where_the_program_does_not_take_them(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), written(two(tmp_path)):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_none_stays_half_written_where_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync, synced = os.fsync, []

    def full(descriptor: int) -> Any:
        synced.append(descriptor)
        if len(synced) > 2:  # the first file and its folder
            raise OSError(errno.ENOSPC, "No space left on device")
        return sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWriteThere, match="no space left on device"), written(two(tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_one_that_was_there_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "second").write_text("somebody's")
    with pytest.raises(FileInTheWay), written(two(tmp_path)):
        pass
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"second": "somebody's"}
