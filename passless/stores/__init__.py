"""The Store port over SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from passless.ports import Entropy, Vault

if TYPE_CHECKING:
    from passless.domain.secret import Secret
    from passless.stores.sql_store import SqlStore

__all__ = ["create_store", "create_store_at", "open_store", "open_store_at", "reach_store_at", "take_over_store"]

SQLITE = "sqlite:///"  # followed by the absolute path


def create_store(path: Path, *, state: Path, at: datetime, entropy: Entropy) -> SqlStore:
    """Make a new store in a file, and its folder of state below `state`, and open it.

    Raises:
        StoreExists: the file is there already.
        StoreUnavailable: it cannot be written.
    """
    from passless.stores.making import create

    return create(path, state, at, entropy)


def open_store(path: Path, *, state: Path, at: datetime) -> SqlStore:
    """Open the store in a file; `state` is the folder that was given when it was made.

    Raises:
        StoreMissing, StateMissing, StoreUnavailable, StoreDamaged, StoreNewer: it cannot be used; never a new store.
    """
    from passless.stores.opening import open_existing

    return open_existing(path, state, at)


def take_over_store(path: Path, *, state: Path, at: datetime, entropy: Entropy) -> SqlStore:
    """Open a store whose folder of state is lost, as a copy of unknown age: with a new audit key, sessions and passes void.

    Raises:
        StoreExists: the folder of state is there, so nothing is to be taken over.
    """
    from passless.stores.making import take_over

    return take_over(path, state, at, entropy)


def create_store_at(
    url: str,
    *,
    password: Secret | None = None,
    state: Path,
    at: datetime,
    entropy: Entropy,
    open_vault: Callable[[str], Vault],
) -> SqlStore:
    """Make a new store at an address, `sqlite:////absolute/path` or `postgresql://user@host/name`, and open it.

    On PostgreSQL the database is there and empty; `open_vault` opens the vault of the store with an id, when its audit log is
    signed or checked first: the key for that is derived from the vault's, so that all hosts sign alike.

    Raises:
        WrongStoreUrl: the address cannot be read, or holds a password.
        StoreExists: there is one already.
        StoreUnavailable: it cannot be reached or written.
    """
    if url.startswith(SQLITE):
        return create_store(Path(url.removeprefix(SQLITE)), state=state, at=at, entropy=entropy)
    from passless.stores.shared_opening import create_shared

    return create_shared(url, password=password, state=state, at=at, entropy=entropy, open_vault=open_vault)


def open_store_at(
    url: str,
    *,
    password: Secret | None = None,
    state: Path,
    at: datetime,
    entropy: Entropy,
    open_vault: Callable[[str], Vault],
) -> SqlStore:
    """Open the store at an address; see `create_store_at`. On PostgreSQL a host without state of the store gets one.

    Raises:
        WrongStoreUrl: the address cannot be read, or holds a password.
        StoreMissing, StateMissing, StoreUnavailable, StoreDamaged, StoreNewer: it cannot be used; never a new store.
    """
    if url.startswith(SQLITE):
        return open_store(Path(url.removeprefix(SQLITE)), state=state, at=at)
    from passless.stores.shared_opening import open_shared

    return open_shared(url, password=password, state=state, at=at, entropy=entropy, open_vault=open_vault)


def reach_store_at(url: str, *, password: Secret | None = None) -> None:
    """See that what an address names is reached, and holds a store that can be used or none yet; a file is always reached.

    Nothing is made, neither there nor on this host.

    Raises:
        WrongStoreUrl: the address cannot be read, or holds a password.
        StoreUnavailable, StoreDamaged, StoreNewer: it cannot be used.
    """
    if url.startswith("postgresql://"):
        from passless.stores.postgres import reach
        from passless.stores.postgres_address import read_address

        reach(read_address(url), password)
