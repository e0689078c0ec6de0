"""Long files that only a passphrase opens, written and read piece by piece: what holds every account of a store.

The first line says how to open the file; behind it the content stands in chunks, each sealed with AES-256-GCM under a key that
the passphrase gives by Argon2id. It is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-
Encryption and its Nonce-Reuse Misuse-Resistance", 2015), as age and Tink use it: a chunk's nonce is a random prefix, its
number, and whether it is the last. So nothing can be cut off, left out, put elsewhere or brought in from another file without
that being noticed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Literal

import msgspec
from msgspec import Struct

from passless.directories.local.passphrase_files import AccountCopyDamaged
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
from passless.vault.sealing import GCM_TAG_LENGTH

CHUNK = 64 * 1024  # bytes of content in a chunk; as age has them
PREFIX_LENGTH = 7  # bytes of a nonce drawn at random for each file; the key is the file's own, too, by its salt
NUMBER_LENGTH = 4  # bytes of a nonce that count the chunks; with 64 KiB each, 256 TiB
LONGEST_OPENING = 4096  # bytes; ours, ten times what one takes
FIRST, LAST = b"\0", b"\1"  # the end of a nonce: whether the chunk is the last
BEGINNING = b'{"passless_accounts_copy":'


class _Opening(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be known to open a file, and what every chunk is bound to."""

    passless_accounts_copy: Literal[1]  # the version of this form
    derivation: _Argon2id
    cipher: Literal["aes-256-gcm-stream"]
    prefix: bytes
    checksum: bytes = b""  # SHA-256 over the rest: against damage, not against people


def is_stream(beginning: bytes) -> bool:
    """Tell whether a file is one of these."""
    return beginning.startswith(BEGINNING)


def seal_stream(content: Iterable[bytes], out: BinaryIO, passphrase: Secret, entropy: Entropy) -> None:
    """Write content, however long, so that only the passphrase opens it."""
    salt = entropy(SALT_LENGTH)
    derivation = _Argon2id(salt=salt, passes=ARGON2_PASSES, lanes=ARGON2_LANES, memory_kib=ARGON2_MEMORY)
    opening = _Opening(
        passless_accounts_copy=1, derivation=derivation, cipher="aes-256-gcm-stream", prefix=entropy(PREFIX_LENGTH)
    )
    opening = msgspec.structs.replace(opening, checksum=_checksum(opening))
    cipher, line = _cipher(opening, passphrase), msgspec.json.encode(opening)
    out.write(line + b"\n")
    out.write(cipher.encrypt(_nonce(opening, 0, FIRST), b"", line))  # tells a wrong passphrase from a damaged chunk
    waiting, number = b"", 1
    for chunk in _chunks(content):
        if waiting:
            out.write(cipher.encrypt(_nonce(opening, number, FIRST), waiting, line))
            number += 1
        waiting = chunk
    out.write(cipher.encrypt(_nonce(opening, number, LAST), waiting, line))


def open_stream(file: BinaryIO, passphrase: Secret) -> Iterator[bytes]:
    """Return what `seal_stream` was given, chunk by chunk: each one is checked before it is returned.

    Raises:
        WrongPassphrase: the passphrase does not open it.
        AccountCopyDamaged: it is no such file, or a chunk is missing, changed or not in its place; perhaps after good ones.
    """
    line = file.readline(LONGEST_OPENING)
    opening = _read_opening(line)
    line, cipher = line.removesuffix(b"\n"), _cipher(opening, passphrase)
    _check_passphrase(cipher, opening, line, file.read(GCM_TAG_LENGTH))
    number, box = 1, file.read(CHUNK + GCM_TAG_LENGTH)
    while True:
        following = file.read(CHUNK + GCM_TAG_LENGTH)
        yield _opened(cipher, _nonce(opening, number, FIRST if following else LAST), box, line)
        if not following:
            return
        number, box = number + 1, following


def _chunks(content: Iterable[bytes]) -> Iterator[bytes]:
    """Cut content into chunks that are full but for the last."""
    gathered = bytearray()
    for piece in content:
        gathered += piece
        while len(gathered) >= CHUNK:
            yield bytes(gathered[:CHUNK])
            del gathered[:CHUNK]
    if gathered:
        yield bytes(gathered)


def _cipher(opening: _Opening, passphrase: Secret) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(_passphrase_key(passphrase, opening.derivation))


def _nonce(opening: _Opening, number: int, end: bytes) -> bytes:
    return opening.prefix + number.to_bytes(NUMBER_LENGTH) + end


def _read_opening(line: bytes) -> _Opening:
    if not line.endswith(b"\n"):
        raise AccountCopyDamaged("this is no copy of a store's accounts")
    try:
        opening = msgspec.json.decode(line, type=_Opening)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AccountCopyDamaged("this is no copy of a store's accounts") from error
    if not hmac.compare_digest(opening.checksum, _checksum(opening)):
        raise AccountCopyDamaged("this copy of a store's accounts is damaged")
    one = opening.derivation
    is_affordable = (
        1 <= one.passes <= MOST_PASSES
        and 1 <= one.lanes <= MOST_LANES
        and 8 * one.lanes <= one.memory_kib <= MOST_MEMORY  # RFC 9106 §3.1: at least 8 KiB a lane
    )
    if not is_affordable or len(one.salt) != SALT_LENGTH or len(opening.prefix) != PREFIX_LENGTH:
        raise AccountCopyDamaged("this copy of a store's accounts asks for parameters that are not accepted")
    return opening


def _check_passphrase(cipher: Any, opening: _Opening, line: bytes, box: bytes) -> None:
    from cryptography.exceptions import InvalidTag

    if len(box) < GCM_TAG_LENGTH:
        raise AccountCopyDamaged("this copy of a store's accounts is cut short")
    try:
        cipher.decrypt(_nonce(opening, 0, FIRST), box, line)
    except InvalidTag as error:
        raise WrongPassphrase(
            "the passphrase does not open this copy", hint="type the passphrase that was chosen when it was made"
        ) from error


def _opened(cipher: Any, nonce: bytes, box: bytes, line: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag

    if len(box) < GCM_TAG_LENGTH:
        raise AccountCopyDamaged("this copy of a store's accounts is cut short")
    try:
        return bytes(cipher.decrypt(nonce, box, line))
    except InvalidTag as error:
        raise AccountCopyDamaged("this copy of a store's accounts is damaged, or cut short") from error


def _checksum(opening: _Opening) -> bytes:
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(opening, checksum=b""))).digest()
