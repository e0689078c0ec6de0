"""Copies of a store's keys under a passphrase: a text file that says how to open it.

The passphrase becomes a key by Argon2id with the parameters that stand in the file; the keys are sealed under it with
AES-256-GCM, bound to everything else in the file. A plain checksum tells a damaged file from a wrong passphrase.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from typing import Literal

import msgspec
from msgspec import Struct

from passless.domain.errors import Unavailable, WrongUse
from passless.domain.secret import Secret
from passless.ports import Entropy
from passless.vault.errors import CopyDamaged, VaultKeyForeign, WrongPassphrase
from passless.vault.key_ring import KeyRing, decode_ring, encode_ring
from passless.vault.sealing import NONCE_LENGTH, SUBKEY_LENGTH

SALT_LENGTH = 16  # bytes; RFC 9106 §4
ARGON2_PASSES = 3  # RFC 9106 §4, the second recommended choice (low memory)
ARGON2_LANES = 4  # the same
ARGON2_MEMORY = 64 * 1024  # KiB; the same
MOST_PASSES = 16  # ours: a file from outside must not keep the machine busy for minutes
MOST_LANES = 16  # ours
MOST_MEMORY = 1024 * 1024  # KiB; ours, 1 GiB
LARGEST_COPY = 1024 * 1024  # bytes; ours, some ten thousand keys


class _Argon2id(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="argon2id", tag_field="name"):
    salt: bytes
    passes: int
    lanes: int
    memory_kib: int


class _Opening(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be known to open a copy, and what the copy is bound to."""

    passless_vault_copy: Literal[1]  # the version of this form
    store_id: str
    derivation: _Argon2id
    cipher: Literal["aes-256-gcm"]
    nonce: bytes


class _Copy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    opening: _Opening
    box: bytes
    checksum: bytes  # SHA-256 over the opening and the box: against damage, not against people


_decoder = msgspec.json.Decoder(_Copy)


def export_keys(ring: KeyRing, passphrase: Secret, entropy: Entropy) -> bytes:
    """Return a copy of the keys that only the passphrase opens, as text.

    Raises:
        WrongUse: the passphrase is empty. How strong it must be is for the caller to say.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if not passphrase:
        raise WrongUse("the passphrase is empty", hint="choose several words that nobody can guess")
    derivation = _Argon2id(salt=entropy(SALT_LENGTH), passes=ARGON2_PASSES, lanes=ARGON2_LANES, memory_kib=ARGON2_MEMORY)
    opening = _Opening(
        passless_vault_copy=1,
        store_id=ring.store_id,
        derivation=derivation,
        cipher="aes-256-gcm",
        nonce=entropy(NONCE_LENGTH),
    )
    cipher = AESGCM(_passphrase_key(passphrase, derivation))
    box = cipher.encrypt(opening.nonce, encode_ring(ring), msgspec.json.encode(opening))
    copy = _Copy(opening=opening, box=box, checksum=_checksum(opening, box))
    return msgspec.json.format(msgspec.json.encode(copy), indent=2) + b"\n"


def import_keys(blob: bytes, passphrase: Secret, *, store_id: str) -> KeyRing:
    """Return the keys of a copy.

    Raises:
        CopyDamaged: this is no copy, or not a whole one (kind `WrongUse`).
        VaultKeyForeign: it holds the keys of another store.
        WrongPassphrase: the passphrase does not open it, or somebody changed it on purpose (kind `ProofNeeded`).
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    copy = _whole_copy(blob)
    _refuse_foreign(copy.opening.store_id, store_id)
    cipher = AESGCM(_passphrase_key(passphrase, copy.opening.derivation))
    try:
        kept = cipher.decrypt(copy.opening.nonce, copy.box, msgspec.json.encode(copy.opening))
    except InvalidTag as error:
        raise WrongPassphrase from error
    try:
        ring = decode_ring(kept)
    except ValueError as error:
        raise CopyDamaged from error
    _refuse_foreign(ring.store_id, store_id)
    return ring


def _whole_copy(blob: bytes) -> _Copy:
    if len(blob) > LARGEST_COPY:
        raise CopyDamaged("this file is too large to be a copy of vault keys")
    try:
        copy = _decoder.decode(blob)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CopyDamaged from error
    if not hmac.compare_digest(copy.checksum, _checksum(copy.opening, copy.box)):
        raise CopyDamaged("this copy of vault keys is damaged")
    derivation = copy.opening.derivation
    is_affordable = (
        1 <= derivation.passes <= MOST_PASSES
        and 1 <= derivation.lanes <= MOST_LANES
        and 8 * derivation.lanes <= derivation.memory_kib <= MOST_MEMORY  # RFC 9106 §3.1: at least 8 KiB a lane
    )
    if not is_affordable or len(derivation.salt) != SALT_LENGTH or len(copy.opening.nonce) != NONCE_LENGTH:
        raise CopyDamaged("this copy of vault keys asks for parameters that are not accepted")
    return copy


def _refuse_foreign(found: str, store_id: str) -> None:
    if found != store_id:
        raise VaultKeyForeign(
            f'this copy holds the keys of the store "{found}", not of "{store_id}"',
            hint="choose the profile of that store, or the copy made for this one",
        )


def _passphrase_key(passphrase: Secret, derivation: _Argon2id) -> bytes:
    from argon2.exceptions import HashingError
    from argon2.low_level import Type, hash_secret_raw

    try:
        return hash_secret_raw(
            secret=unicodedata.normalize("NFKC", passphrase.reveal()).encode(errors="surrogatepass"),  # NIST 63B-4 §3.1.1.2
            salt=derivation.salt,
            time_cost=derivation.passes,
            memory_cost=derivation.memory_kib,
            parallelism=derivation.lanes,
            hash_len=SUBKEY_LENGTH,
            type=Type.ID,
        )
    except HashingError as error:
        raise Unavailable(
            f"there is not enough memory to try the passphrase ({derivation.memory_kib // 1024} MiB)",
            hint="close other programs, or use a larger machine",
        ) from error


def _checksum(opening: _Opening, box: bytes) -> bytes:
    return hashlib.sha256(msgspec.json.encode(opening) + box).digest()
