"""What a store asks of SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from passless.ports import Store


@contextmanager
def asked_of(store: Store) -> Iterator[list[str]]:
    """Note the statements that the connection which writes is given in the block."""
    inner: Any = store
    asked: list[str] = []
    connection = inner._database._writer.connection
    connection.set_trace_callback(lambda statement: asked.append(" ".join(statement.split())))
    try:
        yield asked
    finally:
        connection.set_trace_callback(None)
