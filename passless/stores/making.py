"""Making a store, and taking one over whose state folder is lost."""

from __future__ import annotations

import shutil
from base64 import b32encode
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from passless.domain.errors import PasslessError
from passless.ports import Entropy, StoreUnavailable
from passless.private_files import sync_folder
from passless.stores.documents import micros
from passless.stores.errors import StoreExists
from passless.stores.opening import id_of, open_existing
from passless.stores.private_files import make_folder
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
        try:
            path.hardlink_to(aside)
        except OSError:
            if path.exists():
                raise
            aside.rename(path)  # a file system without links
        sync_folder(path.parent)
    except FileExistsError as error:
        raise StoreExists(f'"{path}" is already there') from error
    except OSError as error:
        raise StoreUnavailable(f'the store "{path}" cannot be made ({error.strerror})') from error


def take_over(path: Path, state: Path, at: datetime, entropy: Entropy) -> SqlStore:
    """Give a store a new state folder; its database does not know that one, so it is voided like an old copy."""
    with closing(SqliteDatabase(path)) as database:
        store_id = id_of(database)
    StateFolder.create(state / store_id, entropy).close()
    return open_existing(path, state, at)
