"""A store in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from passless.stores.sql_store import SqlStore
from tests.stores.builders import create


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store and its state lie."""
    return tmp_path / "place"


@pytest.fixture
def store(folder: Path) -> Iterator[SqlStore]:
    """Return a new store in a file."""
    with closing(create(folder)) as made:
        yield made
