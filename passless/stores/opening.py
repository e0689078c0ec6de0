"""Making a store, opening one, and taking one over whose state folder is lost."""

from __future__ import annotations

import shutil
from base64 import b32encode
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from pathlib import Path

from passless.domain.errors import PasslessError
from passless.ports import Entropy, StoreDamaged, StoreUnavailable
from passless.stores.documents import micros
from passless.stores.errors import StoreExists
from passless.stores.private_files import make_folder, sync_folder
from passless.stores.sql_store import SqlStore
from passless.stores.sqlite import SqliteDatabase, make_file
from passless.stores.state_folder import StateFolder

STORE_ID_BYTES = 15  # random; 24 characters of base 32, a label of the RP ID (design.md, "RP ID")


def create(path: Path, state: Path, at: datetime, entropy: Entropy) -> SqlStore:
    """Make a store aside and move it into place, so that nobody ever meets half of one."""
    if path.exists():
        raise StoreExists(f'"{path}" is already there')
    make_folder(path.parent)
    store_id = b32encode(entropy(STORE_ID_BYTES)).decode().lower()
    aside = path.with_name(f".{path.name}.{store_id}")
    with closing(StateFolder.create(state / store_id, entropy)) as folder:
        writer = folder.writer
    try:
        make_file(aside, store_id=store_id, writer=writer, at=micros(at))
        move_into_place(aside, path)
    except PasslessError:
        shutil.rmtree(state / store_id, ignore_errors=True)
        raise
    finally:
        with suppress(OSError):  # what stopped the making is what is told
            aside.unlink(missing_ok=True)
    return open_existing(path, state, at)


def move_into_place(aside: Path, path: Path) -> None:
    """Give a file its name, but never the name of one that is there."""
    try:
        path.hardlink_to(aside)
        sync_folder(path.parent)
    except FileExistsError as error:
        raise StoreExists(f'"{path}" is already there') from error
    except OSError as error:
        raise StoreUnavailable(f'the store "{path}" cannot be made ({error.strerror})') from error


def open_existing(path: Path, state: Path, at: datetime) -> SqlStore:
    """Open a store with the state folder that belongs to it."""
    with ExitStack() as opened:
        database = opened.enter_context(closing(SqliteDatabase(path)))
        store_id = id_of(database)
        folder = opened.enter_context(closing(StateFolder(state / store_id)))
        store = SqlStore(database, folder, store_id=store_id, at=at)
        opened.pop_all()
    return store


def take_over(path: Path, state: Path, at: datetime, entropy: Entropy) -> SqlStore:
    """Give a store a new state folder; its database does not know that one, so it is voided like an old copy."""
    with closing(SqliteDatabase(path)) as database:
        store_id = id_of(database)
    StateFolder.create(state / store_id, entropy).close()
    return open_existing(path, state, at)


def id_of(database: SqliteDatabase) -> str:
    """Return the store's id, which also names a folder and a host: letters and digits only."""
    found = database.rows("read_store")
    store_id = found[0][0] if len(found) == 1 else None
    if not isinstance(store_id, str) or not (store_id.isascii() and store_id.isalnum()):
        raise StoreDamaged(f'the store "{database.name}" is damaged (it has no id)')
    return store_id
