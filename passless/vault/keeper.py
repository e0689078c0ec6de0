"""What keeps a store's key ring between runs."""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol

KeeperKind = Literal["keyring", "file"]


class Keeper(Protocol):
    """One place that holds the key ring of one store, as text only this user can read."""

    kind: ClassVar[KeeperKind]

    def where(self) -> str:
        """Say where the key is kept, for people."""
        ...

    def read(self) -> bytes | None:
        """Return what is kept, or nothing if nothing is.

        Raises:
            VaultLocked: the keyring is locked, absent, or did not answer in time.
            VaultKeyUnreadable: something is there that cannot or must not be read.
        """
        ...

    def write(self, kept: bytes) -> None:
        """Keep this in place of what was there, whole or not at all.

        Raises:
            VaultLocked: the keyring is locked, absent, or did not answer in time.
            VaultNotWritten: the place refused it.
        """
        ...
