"""Files that only a passphrase opens, as the copies of vault keys are.

The passphrase becomes a key by Argon2id with the parameters that stand in the file; the content is sealed under it with
AES-256-GCM, bound to everything else in the file. A plain checksum tells a damaged file from a wrong passphrase.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal

import msgspec
from msgspec import Struct

from passless.domain.errors import WrongUse
from passless.domain.secret import Secret
from passless.ports import Entropy
from passless.vault.copies import (
    ARGON2_LANES,
    ARGON2_MEMORY,
    ARGON2_PASSES,
    MOST_LANES,
    MOST_MEMORY,
    MOST_PASSES,
    SALT_LENGTH,
    _Argon2id,
    _passphrase_key,
)
from passless.vault.errors import WrongPassphrase
from passless.vault.sealing import NONCE_LENGTH

LARGEST = 4 * 1024 * 1024  # bytes; ours, far more than the largest account


class AccountCopyDamaged(WrongUse):
    """The file is no copy of an account, or not a whole one."""

    code = "account-copy-damaged"
    hint = "use another copy, or make one where the account is: passless account export FILE"
    default = "this is no whole copy of an account"


class _Opening(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be known to open a copy, and what the copy is bound to."""

    passless_account_copy: Literal[1]  # the version of this form
    derivation: _Argon2id
    cipher: Literal["aes-256-gcm"]
    nonce: bytes


class _Copy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    opening: _Opening
    box: bytes
    checksum: bytes  # SHA-256 over the opening and the box: against damage, not against people


def seal(content: bytes, passphrase: Secret, entropy: Entropy) -> bytes:
    """Return content that only the passphrase opens, as text."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt = entropy(SALT_LENGTH)
    derivation = _Argon2id(salt=salt, passes=ARGON2_PASSES, lanes=ARGON2_LANES, memory_kib=ARGON2_MEMORY)
    opening = _Opening(passless_account_copy=1, derivation=derivation, cipher="aes-256-gcm", nonce=entropy(NONCE_LENGTH))
    box = AESGCM(_passphrase_key(passphrase, derivation)).encrypt(opening.nonce, content, msgspec.json.encode(opening))
    copy = _Copy(opening=opening, box=box, checksum=_checksum(opening, box))
    return msgspec.json.format(msgspec.json.encode(copy), indent=2) + b"\n"


def unseal(blob: bytes, passphrase: Secret) -> bytes:
    """Return what `seal` was given."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    copy = _whole(blob)
    cipher = AESGCM(_passphrase_key(passphrase, copy.opening.derivation))
    try:
        return cipher.decrypt(copy.opening.nonce, copy.box, msgspec.json.encode(copy.opening))
    except InvalidTag as error:
        raise WrongPassphrase(
            "the passphrase does not open this copy of an account", hint="type the passphrase that was chosen when it was made"
        ) from error


def _whole(blob: bytes) -> _Copy:
    if len(blob) > LARGEST:
        raise AccountCopyDamaged("this file is too large to be a copy of an account")
    try:
        copy = msgspec.json.decode(blob, type=_Copy)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AccountCopyDamaged from error
    if not hmac.compare_digest(copy.checksum, _checksum(copy.opening, copy.box)):
        raise AccountCopyDamaged("this copy of an account is damaged")
    one = copy.opening.derivation
    is_affordable = (
        1 <= one.passes <= MOST_PASSES
        and 1 <= one.lanes <= MOST_LANES
        and 8 * one.lanes <= one.memory_kib <= MOST_MEMORY  # RFC 9106 §3.1: at least 8 KiB a lane
    )
    if not is_affordable or len(one.salt) != SALT_LENGTH or len(copy.opening.nonce) != NONCE_LENGTH:
        raise AccountCopyDamaged("this copy of an account asks for parameters that are not accepted")
    return copy


def _checksum(opening: _Opening, box: bytes) -> bytes:
    return hashlib.sha256(msgspec.json.encode(opening) + box).digest()
