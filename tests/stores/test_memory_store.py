"""The fake that other tests stand on does what a store does."""

from __future__ import annotations

import pytest

from tests.fakes.memory_store import MemoryStore
from tests.stores.contract import StoreContract


class TestMemoryStore(StoreContract):
    """The contract, in memory."""

    @pytest.fixture
    def store(self) -> MemoryStore:
        """Return a new store."""
        return MemoryStore()
