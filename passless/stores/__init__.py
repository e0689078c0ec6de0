"""The Store port over SQL."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from passless.ports import Entropy

if TYPE_CHECKING:
    from passless.stores.sql_store import SqlStore

__all__ = ["create_store", "open_store", "take_over_store"]


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
