"""Checkpoints of the audit log: a signature over the heads that moved and the checkpoint before.

Whoever holds one can tell later whether the trail up to it was changed or cut. Against the person who owns the file and the
audit key it is evidence, not proof: they can write and sign another trail.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec
from msgspec import Struct

PURPOSE = b"passless checkpoint 1\n"

Head = tuple[str, int, bytes]  # account id, number of the last event, its hash


class Checkpoint(Struct, frozen=True, kw_only=True):
    """What is signed.

    `key` is the public key; `previous` the digest of the checkpoint before. `lost` is set where an old copy was put back: the
    digest of the last checkpoint known outside, which the old copy does not have.
    """

    store: str
    number: int
    at: datetime
    key: bytes
    previous: bytes
    lost: bytes = b""
    heads: tuple[Head, ...] = ()


class Signed(Struct, frozen=True):
    """A checkpoint as it is kept, in the database and outside."""

    body: str
    signature: bytes


class Broken(ValueError):
    """These bytes are no checkpoint."""


_decode_body = msgspec.json.Decoder(Checkpoint).decode
_decode_signed = msgspec.json.Decoder(Signed).decode


def digest(signed: Signed) -> bytes:
    """Return what the next checkpoint names this one by."""
    return hashlib.sha256(PURPOSE + signed.body.encode()).digest()


def read_body(signed: Signed) -> Checkpoint:
    """Return what was signed; `Broken` where it cannot be read. The signature is not checked here."""
    try:
        return _decode_body(signed.body)
    except msgspec.DecodeError as error:
        raise Broken("a checkpoint cannot be read") from error


def write_outside(signed: Signed) -> bytes:
    """Return a checkpoint as the file that is kept outside."""
    return msgspec.json.encode(signed)


def read_outside(content: bytes) -> Signed:
    """Return a checkpoint from a file; `Broken` where it is none."""
    try:
        return _decode_signed(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Broken("this is not a checkpoint") from error


def public_key(private_key: bytes) -> bytes:
    """Return the public half of an audit key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


def sign(checkpoint: Checkpoint, private_key: bytes) -> Signed:
    """Sign a checkpoint."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    body = msgspec.json.encode(checkpoint)
    return Signed(body.decode(), Ed25519PrivateKey.from_private_bytes(private_key).sign(PURPOSE + body))


def is_genuine(signed: Signed, key: bytes) -> bool:
    """Tell whether the owner of a public key signed it."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signed.signature, PURPOSE + signed.body.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
