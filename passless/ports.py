"""What the core asks of the outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from passless.domain.sealed import KeyId, Sealed, Tag

Clock = Callable[[], datetime]  # now, aware, UTC
Entropy = Callable[[int], bytes]  # that many random bytes


class Vault(Protocol):
    """Secrets that must be read back, sealed under the store's key, and keyed tags of those that need not be.

    Every operation raises `VaultLocked`, `VaultKeyMissing` or `VaultKeyForeign` (kind `Unavailable`) where the key cannot be
    had; none ever makes a new key.
    """

    def key_id(self) -> KeyId:
        """Name the key that new seals are made under."""
        ...

    def seal(self, secret: bytes, *, bound_to: str) -> Sealed:
        """Seal a secret to what it belongs to, such as `account/method`."""
        ...

    def open(self, sealed: Sealed, *, bound_to: str) -> bytes:
        """Return a sealed secret; `SealBroken` when it was made for something else or changed."""
        ...

    def tag(self, secret: bytes, *, purpose: str) -> Tag:
        """Return the keyed hash of a machine-made secret under the current key."""
        ...

    def tags(self, secret: bytes, *, purpose: str) -> tuple[Tag, ...]:
        """Return the keyed hashes under every key still known, the current one first: what to look up."""
        ...
