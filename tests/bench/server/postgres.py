"""Stores on a PostgreSQL of the bench's own, which waits for the disk as a real one does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

import psycopg

from passless.domain.account import Account
from tests.bench.server.places import BATCH, Place, rows_of
from tests.stores import postgres

TABLES = {
    "add_account": "accounts",
    "add_address": "addresses",
    "add_credential": "credentials",
    "add_tag": "app_password_tags",
}


def cluster() -> AbstractContextManager[postgres.Cluster]:
    """Start a server."""
    return postgres.cluster(shared_buffers="512MB", max_connections="200", fsync="on", synchronous_commit="on")


def process_of(running: postgres.Cluster) -> int:
    """Return the process that all others of a server belong to."""
    return int((running.folder / "cluster" / "postmaster.pid").read_text().split()[0])


def fill(place: Place, accounts: Iterator[Account]) -> None:
    """Copy accounts in, table by table."""
    with psycopg.connect(place.store, autocommit=True) as connection:
        while batch := list(islice(accounts, BATCH)):
            with connection.transaction():
                for statement, rows in rows_of(batch).items():
                    _copy(connection, TABLES[statement], rows)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _copy(connection: psycopg.Connection[Any], table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    columns = ", ".join(rows[0])
    with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:  # type: ignore[call-overload]
        for row in rows:
            copy.write_row(list(row.values()))
