"""The store on PostgreSQL does what a store does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from passless.stores.sql_store import SqlStore
from tests.stores.contract import StoreContract
from tests.stores.postgres import Cluster, create_at


class TestPostgresStore(StoreContract):
    """The contract, on PostgreSQL."""

    @pytest.fixture
    def store(self, postgres: Cluster, tmp_path: Path) -> Iterator[SqlStore]:
        """Return a new store in a corner of its own."""
        with closing(create_at(postgres.new_schema(), tmp_path)) as made:
            yield made
