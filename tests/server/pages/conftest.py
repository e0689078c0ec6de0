"""A server with one account, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from passless.domain.views import SignedIn
from tests.directories.remembered_hashes import remembered_hashes
from tests.server.pages.world import Browser, World


@pytest.fixture(scope="package", autouse=True)
def _argon2_once() -> Iterator[None]:
    with remembered_hashes():
        yield


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(tmp_path)
    yield found
    found.close()


@pytest.fixture
def ada(world: World) -> SignedIn:
    """An account with a password, just made."""
    return world.account("ada")


@pytest.fixture
def browser(world: World) -> Browser:
    return world.browser()


@pytest.fixture
def signed_in(ada: SignedIn, browser: Browser) -> Browser:
    """A browser in which Ada signed in with her password."""
    browser.sign_in()
    return browser
