"""The places of the contract, for tests of the actions themselves."""

from __future__ import annotations

from tests.directories.conftest import _quick_hashes, place

__all__ = ["_quick_hashes", "place"]
