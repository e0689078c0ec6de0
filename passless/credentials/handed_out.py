"""Sealing what is handed out to whoever asks, and comes back from them: nobody can read it, change it, or make one."""

from __future__ import annotations

import hmac
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from passless.ports import Entropy

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_SIZE = 16  # bytes; random, so that no two of 2**48 share a key (NIST SP 800-38D §8.2.1 asks for a nonce once under a key)
TAG_SIZE = 16  # bytes; NIST SP 800-38D §5.2.1.2, the longest
ONCE = bytes(12)  # the nonce of AES-GCM under a key that seals one thing only


def seal(key: bytes, content: bytes, entropy: Entropy) -> bytes:
    """Seal with AES-256-GCM, under a key of its own for each thing that is sealed."""
    nonce = entropy(NONCE_SIZE)
    return nonce + _cipher()(_own_key(key, nonce)).encrypt(ONCE, content, None)


def unseal(key: bytes, sealed: bytes) -> bytes | None:
    """Return what was sealed; None for anything that was not sealed under this key."""
    if len(sealed) < NONCE_SIZE + TAG_SIZE:
        return None
    nonce = sealed[:NONCE_SIZE]
    try:
        return _cipher()(_own_key(key, nonce)).decrypt(ONCE, sealed[NONCE_SIZE:], None)
    except _invalid_tag():
        return None


@cache
def _cipher() -> type[AESGCM]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM


@cache
def _invalid_tag() -> type[Exception]:
    from cryptography.exceptions import InvalidTag

    return InvalidTag


def _own_key(key: bytes, nonce: bytes) -> bytes:
    return hmac.digest(key, b"seal/" + nonce, sha256)
