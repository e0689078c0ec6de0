"""Keeping a store's vault key also where its profile will look for it from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless import wiring
from passless.domain.errors import PasslessError, Unavailable

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.settings import Profile

NO_STORE = "store-missing"


def copy_key(run: Run, before: Profile, after: Profile) -> str | None:
    """Copy the key from one keeper to the other; return what to tell the person.

    A key that cannot be read where it was is only told; a keeper that does not take it raises, and nothing is changed.
    """
    store_id = _store_id(run, before)
    if store_id is None:
        return None
    old = wiring.open_vault(run.settings, before, store_id=store_id, entropy=run.entropy)
    new = wiring.open_vault(run.settings, after, store_id=store_id, entropy=run.entropy)
    if new.describe().keeper == old.describe().keeper:
        return None
    try:
        ring = old.ring()
    except Unavailable as error:
        return f"the vault key could not be brought along: {error.message}\nBring it from a copy: passless vault import FILE"
    new.adopt(ring)
    return f"the vault key is now kept in {new.describe().where}; what was kept before stays in {old.describe().where}"


def _store_id(run: Run, profile: Profile) -> str | None:
    try:
        store = wiring.open_store(run.settings, profile, clock=run.now, entropy=run.entropy)
    except PasslessError as error:
        if error.code != NO_STORE:
            raise
        return None
    try:
        return store.id
    finally:
        store.close()
