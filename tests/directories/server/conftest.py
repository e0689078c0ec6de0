"""Servers to test against, searched for secrets when a test is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.directories.conftest import assert_no_secret_in
from tests.directories.place import Place
from tests.directories.server.remote_place import remote


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return a server's place that is reached over HTTP; whatever the test did, no secret may lie around in it."""
    made = remote(tmp_path)
    yield made
    made.close()
    assert_no_secret_in(made)
