"""Seals (AES-256-GCM) and tags (HMAC-SHA-256), each under a key of its own derived from the vault key.

`cryptography` is imported at the first use, for it costs a noticeable part of a short command.
"""

from __future__ import annotations

import hashlib
import hmac
import struct

from passless.domain.sealed import KeyId, Sealed, Tag
from passless.ports import Entropy
from passless.vault.errors import SealBroken
from passless.vault.key_ring import VaultKey

SUBKEY_LENGTH = 32  # bytes; AES-256, and the output of SHA-256
NONCE_LENGTH = 12  # bytes; NIST SP 800-38D §8.2.2, drawn at random: at most 2**32 seals under one key (§8.3)
GCM_TAG_LENGTH = 16  # bytes; NIST SP 800-38D §5.2.1.2, the longest


def seal(secret: bytes, key: VaultKey, *, store_id: str, bound_to: str, entropy: Entropy) -> Sealed:
    """Seal a secret to its store, its key and what it belongs to."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = entropy(NONCE_LENGTH)
    cipher = AESGCM(_subkey(key, store_id, "seal"))
    return Sealed(key=key.id(), box=nonce + cipher.encrypt(nonce, secret, _associated(store_id, key.id(), bound_to)))


def unseal(sealed: Sealed, key: VaultKey, *, store_id: str, bound_to: str) -> bytes:
    """Return a sealed secret.

    Raises:
        SealBroken: it was changed, or sealed to something else.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(sealed.box) < NONCE_LENGTH + GCM_TAG_LENGTH:
        raise SealBroken("a sealed secret is cut short")
    cipher = AESGCM(_subkey(key, store_id, "seal"))
    nonce, ciphertext = sealed.box[:NONCE_LENGTH], sealed.box[NONCE_LENGTH:]
    try:
        return cipher.decrypt(nonce, ciphertext, _associated(store_id, sealed.key, bound_to))
    except InvalidTag as error:
        raise SealBroken from error


def tag(secret: bytes, key: VaultKey, *, store_id: str, purpose: str) -> Tag:
    """Return the keyed hash of a secret; one purpose's tags say nothing about another's."""
    subkey = _subkey(key, store_id, f"tag/{purpose}")
    return Tag(key=key.id(), digest=hmac.digest(subkey, secret, hashlib.sha256))


def _subkey(key: VaultKey, store_id: str, use: str) -> bytes:
    """Derive the key for one use (HKDF-SHA-256, RFC 5869), so that no two uses share key bytes."""

    def derive(octets: bytes) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        info = f"passless/1/{use}".encode()
        return HKDF(algorithm=SHA256(), length=SUBKEY_LENGTH, salt=store_id.encode(), info=info).derive(octets)

    return key.derived(f"{store_id}/{use}", derive)


def _associated(store_id: str, key_id: KeyId, bound_to: str) -> bytes:
    """Join what a seal is bound to, each part with its length: no two lists of parts give the same bytes."""
    parts = ("passless/1/seal", store_id, key_id, bound_to)
    return b"".join(struct.pack(">I", len(octets)) + octets for octets in map(str.encode, parts))
