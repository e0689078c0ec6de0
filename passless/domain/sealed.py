"""What a vault makes: text only it can read back, and tags only it can make again."""

from __future__ import annotations

from typing import NewType

from msgspec import Struct

KeyId = NewType("KeyId", str)


class Sealed(Struct, frozen=True):
    """A secret under a vault key; `box` is nonce, ciphertext and tag of AES-GCM."""

    key: KeyId
    box: bytes


class Tag(Struct, frozen=True):
    """A keyed hash (HMAC-SHA-256) of a machine-made secret, by which it is found and checked."""

    key: KeyId
    digest: bytes
