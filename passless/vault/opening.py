"""Choosing where a store's key is kept, and opening its vault."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import assert_never

from msgspec import Struct

from passless.ports import Entropy
from passless.vault.keeper import Keeper, KeeperKind
from passless.vault.kept_vault import KeptVault
from passless.vault.key_file import KeyFile
from passless.vault.system_keyring import KEYRING_LIMIT, Entries, KeyringProbe, SystemKeyring, probe_keyring


class FoundKeeper(Struct, frozen=True, kw_only=True):
    """The keeper that works here, and what the system keyring said."""

    kind: KeeperKind
    probe: KeyringProbe


def find_keeper(*, entries: Callable[[], Entries] | None = None, limit: timedelta = KEYRING_LIMIT) -> FoundKeeper:
    """Choose for a new store: the keyring where a real one answers in time, else the key file.

    The choice is written down once: asked again later it may come out differently, and the key would not be found.
    """
    probe = probe_keyring(entries=entries, limit=limit)
    return FoundKeeper(kind="keyring" if probe.condition == "works" else "file", probe=probe)


def open_vault(
    kind: KeeperKind,
    *,
    store_id: str,
    key_file: Path,
    entropy: Entropy,
    entries: Callable[[], Entries] | None = None,
    limit: timedelta = KEYRING_LIMIT,
) -> KeptVault:
    """Return the vault of a store; nothing is read until it is first used, and no key is made but by `create`.

    Args:
        kind: where the key is kept.
        store_id: the store it belongs to.
        key_file: where the key file is or would be; the lock for changes lies beside it, also with the keyring.
        entropy: random bytes for keys and nonces.
        entries: the keyring to use, if not the system's.
        limit: how long one keyring call may take.
    """
    keeper: Keeper
    match kind:
        case "keyring":
            keeper = SystemKeyring(store_id, entries=entries, limit=limit)
        case "file":
            keeper = KeyFile(key_file)
        case _:
            assert_never(kind)
    return KeptVault(store_id, keeper, lock=key_file.with_name(f"{key_file.name}.lock"), entropy=entropy)
