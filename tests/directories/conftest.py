"""Places to test in, searched for secrets when a test is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.directories.place import Place, in_memory, on_disk, served
from tests.directories.remembered_hashes import remembered_hashes
from tests.stores.postgres import postgres  # noqa: F401 -- the fixture


@pytest.fixture(scope="package", autouse=True)
def _quick_hashes() -> Iterator[None]:
    with remembered_hashes():
        yield


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Return a place of the kind that the class of the test names; whatever the test did, no secret may lie around in it."""
    made = {"memory": in_memory, "disk": on_disk, "server": served}[getattr(request.cls, "kept_in", "memory")](tmp_path)
    yield made
    made.close()
    assert_no_secret_in(made)


def assert_no_secret_in(place: Place) -> None:
    """Must hold 1 and 8: search every event, every notice and every byte that is kept for every secret."""
    kept = place.everything_kept()
    found = [form for form in place.forms_of_secrets() if form in kept]
    assert not found, f"{len(found)} secrets lie in what is kept"
