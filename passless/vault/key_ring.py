"""The keys of one store: the current one, and earlier ones for as long as something is sealed under them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Literal

import msgspec
from msgspec import Struct

from passless.domain.errors import NotFound, WrongUse
from passless.domain.sealed import KeyId
from passless.ports import Entropy

KEY_LENGTH = 32  # bytes; AES-256, NIST SP 800-57 part 1 §5.6
KEY_ID_LENGTH = 6  # bytes, shown as 12 hexadecimal digits; tells a handful of keys apart


class VaultKey:
    """Key bytes nobody should see by accident: hidden in `repr`, compared in constant time, refused by encoders."""

    __slots__ = ("_derived", "_id", "_octets")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._id = KeyId(hashlib.sha256(b"passless/1/key-id/" + octets).digest()[:KEY_ID_LENGTH].hex())
        self._derived: dict[str, bytes] = {}

    def reveal(self) -> bytes:
        """Return the key itself, for deriving from it and for keeping it."""
        return self._octets

    def id(self) -> KeyId:
        """Name the key by a hash of it, so that a damaged key no longer answers to its name."""
        return self._id

    def derived(self, use: str, derive: Callable[[bytes], bytes]) -> bytes:
        """Return the key for one use; it is derived once and forgotten with this key."""
        found = self._derived.get(use)
        if found is None:
            found = self._derived[use] = derive(self._octets)
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VaultKey):
            return NotImplemented
        return hmac.compare_digest(self._octets, other._octets)

    def __hash__(self) -> int:
        raise TypeError("a vault key is not hashable")

    def __repr__(self) -> str:
        return "VaultKey(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a vault key is not pickled")


class KeyRing(Struct, frozen=True, kw_only=True):
    """Every key a store knows; new seals and tags are made under the current one."""

    store_id: str
    current: KeyId
    keys: dict[KeyId, VaultKey]

    def key_ids(self) -> tuple[KeyId, ...]:
        """Name the keys, the current one first."""
        return (self.current, *(key_id for key_id in self.keys if key_id != self.current))


class _KeptRing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key ring as it is kept: JSON, the keys in base64."""

    passless_vault_key: Literal[1]  # the version of this form
    store_id: str
    current: str
    keys: dict[str, bytes]


_decoder = msgspec.json.Decoder(_KeptRing)


def new_key_ring(store_id: str, entropy: Entropy) -> KeyRing:
    """Make the first key of a new store."""
    key = VaultKey(entropy(KEY_LENGTH))
    return KeyRing(store_id=store_id, current=key.id(), keys={key.id(): key})


def rotate(ring: KeyRing, entropy: Entropy) -> KeyRing:
    """Put a new current key in front; the others stay until nothing is sealed under them."""
    key = VaultKey(entropy(KEY_LENGTH))
    return KeyRing(store_id=ring.store_id, current=key.id(), keys={key.id(): key, **ring.keys})


def forget(ring: KeyRing, key_id: KeyId) -> KeyRing:
    """Drop an earlier key, once everything sealed and tagged under it has moved.

    Raises:
        WrongUse: it is the current key.
        NotFound: the ring has no such key.
    """
    if key_id == ring.current:
        raise WrongUse(f'"{key_id}" is the current vault key', hint="make a new one first: passless vault rotate")
    if key_id not in ring.keys:
        raise NotFound(f'there is no vault key "{key_id}"', hint="see: passless vault status")
    kept = {other: key for other, key in ring.keys.items() if other != key_id}
    return KeyRing(store_id=ring.store_id, current=ring.current, keys=kept)


def joined(ring: KeyRing, copy: KeyRing) -> KeyRing:
    """Add the keys of a copy of the same store's ring; the current key stays, and no key is lost."""
    return KeyRing(store_id=ring.store_id, current=ring.current, keys={**ring.keys, **copy.keys})


def encode_ring(ring: KeyRing) -> bytes:
    """Return the ring in the form it is kept in; the keys are readable in it."""
    keys = {str(key_id): key.reveal() for key_id, key in ring.keys.items()}
    return msgspec.json.encode(_KeptRing(passless_vault_key=1, store_id=ring.store_id, current=ring.current, keys=keys))


def decode_ring(kept: bytes) -> KeyRing:
    """Return the ring that was kept.

    Raises:
        ValueError: it is not a whole key ring; the message carries nothing of it.
    """
    try:
        found = _decoder.decode(kept)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ValueError("not a key ring") from None  # the cause quotes what it read
    keys = {KeyId(key_id): VaultKey(octets) for key_id, octets in found.keys.items()}
    whole = all(len(key.reveal()) == KEY_LENGTH and key.id() == key_id for key_id, key in keys.items())
    if not whole or found.current not in keys:
        raise ValueError("a damaged key ring")
    return KeyRing(store_id=found.store_id, current=KeyId(found.current), keys=keys)
