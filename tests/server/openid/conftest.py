"""A fresh server for every test; its RSA keys are made once for all of them, in their order."""

from __future__ import annotations

from typing import Any

import pytest

from passless.actions import signing_keys
from tests.server.oauth.conftest import _quick_hashes, world

__all__ = ["_quick_hashes", "world"]

_made: list[Any] = []


@pytest.fixture(autouse=True)
def _quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    make, number = signing_keys._new_pair, 0

    def next_pair(algorithm: str) -> Any:
        nonlocal number
        if algorithm != "RS256":
            return make(algorithm)
        if number == len(_made):
            _made.append(make(algorithm))
        number += 1
        return _made[number - 1]

    monkeypatch.setattr(signing_keys, "_new_pair", next_pair)
