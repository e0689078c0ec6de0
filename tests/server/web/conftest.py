"""A fresh server for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.directories.remembered_hashes import remembered_hashes
from tests.server.web.world import Sites, sites_in


@pytest.fixture(scope="package", autouse=True)
def _quick_hashes() -> Iterator[None]:
    with remembered_hashes():
        yield


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Sites]:
    made = sites_in(tmp_path)
    yield made
    made.close()
