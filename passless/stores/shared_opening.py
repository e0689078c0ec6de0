"""Making and opening a store on PostgreSQL."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path

from passless.domain.secret import Secret
from passless.ports import Entropy, Vault
from passless.stores import restoring
from passless.stores.database import persist
from passless.stores.documents import micros
from passless.stores.making import STORE_ID_BYTES
from passless.stores.opening import id_of
from passless.stores.postgres import PostgresDatabase, make_tables
from passless.stores.postgres_address import read_address
from passless.stores.shared_state import AUDIT_PURPOSE, SharedState
from passless.stores.sql_store import SqlStore

OpenVault = Callable[[str], Vault]  # opens the vault of the store with an id


def create_shared(
    url: str, *, password: Secret | None, state: Path, at: datetime, entropy: Entropy, open_vault: OpenVault
) -> SqlStore:
    """Make a store in a database that has none, and open it."""
    store_id = b32encode(entropy(STORE_ID_BYTES)).decode().lower()
    make_tables(read_address(url), password, store_id=store_id, at=micros(at))
    return open_shared(url, password=password, state=state, at=at, entropy=entropy, open_vault=open_vault)


def open_shared(
    url: str, *, password: Secret | None, state: Path, at: datetime, entropy: Entropy, open_vault: OpenVault
) -> SqlStore:
    """Open the store in a database; a host that has no state of it yet gets one."""
    with ExitStack() as opened:
        database = opened.enter_context(closing(PostgresDatabase(read_address(url), password)))
        store_id = persist(database, lambda: id_of(database))

        def register(writer: str) -> None:
            with database.writing() as transaction:
                transaction.run("add_writer", writer=writer)

        folder = SharedState.take(
            state / store_id,
            lambda: audit_keys(open_vault(store_id)),
            entropy,
            lambda writer: persist(database, lambda: register(writer)),
        )
        opened.enter_context(closing(folder))
        if folder.is_new_here() and not persist(database, lambda: restoring.others(database.rows, folder)):
            folder.settle()
        store = SqlStore(database, folder, store_id=store_id, at=at)
        opened.pop_all()
    return store


def audit_keys(vault: Vault) -> tuple[bytes, ...]:
    """Return the keys that sign checkpoints, derived from the vault's keys, which all hosts share; the present one first.

    The keys are read again before: another process may have rotated them.
    """
    vault.reload()
    return tuple(tag.digest for tag in vault.tags(b"checkpoints", purpose=AUDIT_PURPOSE))
