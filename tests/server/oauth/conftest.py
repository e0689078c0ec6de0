"""A fresh server for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.directories.remembered_hashes import remembered_hashes
from tests.server.oauth.web import BYE, OTHER_CALLBACK, Web
from tests.server.oauth.world import Browser, World, world_in


@pytest.fixture(scope="package", autouse=True)
def _quick_hashes() -> Iterator[None]:
    with remembered_hashes():
        yield


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = world_in(tmp_path)
    yield made
    made.close()


@pytest.fixture
def web(world: World) -> Web:
    return Web(world, after_sign_out=(BYE,))


@pytest.fixture
def other(world: World) -> Web:
    return Web(world, "other", OTHER_CALLBACK)


@pytest.fixture
def ada(world: World) -> Browser:
    return world.browser(world.account())
