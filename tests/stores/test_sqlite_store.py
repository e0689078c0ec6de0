"""The store in a SQLite file does what a store does."""

from __future__ import annotations

from tests.stores.contract import StoreContract


class TestSqliteStore(StoreContract):
    """The contract, in a file."""
