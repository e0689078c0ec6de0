"""A fresh home for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Passless


@pytest.fixture
def passless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Passless:
    """passless where nothing was done yet."""
    return Passless(tmp_path / "home", monkeypatch)


@pytest.fixture
def anna(passless: Passless) -> Passless:
    """passless with one account that has a password."""
    passless.account("anna")
    return passless


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passless]:
    """passless with one account, for tests that change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        made = Passless(tmp_path_factory.mktemp("shared"), patch)
        made.account("anna")
        yield made
