"""A store in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from passless.stores.sql_store import SqlStore
from tests.stores.builders import create, reopen
from tests.stores.copies import begin, copy_of, go_on, put_back
from tests.stores.postgres import postgres  # noqa: F401 -- the fixture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store and its state lie."""
    return tmp_path / "place"


@pytest.fixture
def store(folder: Path) -> Iterator[SqlStore]:
    """Return a new store in a file."""
    with closing(create(folder)) as made:
        yield made


@pytest.fixture
def restored(folder: Path) -> Path:
    """Return the folder of a store whose old copy was put back while it was closed."""
    with closing(create(folder)) as store:
        begin(store)
    copies = copy_of(folder)
    with closing(reopen(folder)) as store:
        go_on(store)
    put_back(copies, folder)
    return folder
