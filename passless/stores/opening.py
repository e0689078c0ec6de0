"""Opening a store with the state folder that belongs to it."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path

from passless.ports import StoreDamaged
from passless.stores.database import Database
from passless.stores.sql_store import SqlStore
from passless.stores.sqlite import SqliteDatabase
from passless.stores.state_folder import StateFolder


def open_existing(path: Path, state: Path, at: datetime) -> SqlStore:
    """Open a store with the state folder that belongs to it."""
    with ExitStack() as opened:
        database = opened.enter_context(closing(SqliteDatabase(path)))
        store_id = id_of(database)
        folder = opened.enter_context(closing(StateFolder(state / store_id)))
        store = SqlStore(database, folder, store_id=store_id, at=at)
        opened.pop_all()
    return store


def id_of(database: Database) -> str:
    """Return the store's id, which also names a folder and a host: letters and digits only."""
    found = database.rows("read_store")
    store_id = found[0][0] if len(found) == 1 else None
    if not isinstance(store_id, str) or not (store_id.isascii() and store_id.isalnum()):
        raise StoreDamaged(f'the store "{database.name}" is damaged (it has no id)')
    return store_id
