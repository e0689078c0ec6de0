"""The two kinds of key pairs that the key makes, as raw private keys."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from .model import EDDSA, ES256

P256 = ec.SECP256R1()


def new_private_key(algorithm: int) -> bytes:
    """Make a private key, 32 bytes."""
    if algorithm == ES256:
        return ec.generate_private_key(P256).private_numbers().private_value.to_bytes(32, "big")
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate().private_bytes_raw()
    raise ValueError(f"no such algorithm here: {algorithm}")


def public_key(algorithm: int, private_key: bytes) -> dict[int, Any]:
    """The public half in COSE form (RFC 9053 §7)."""
    if algorithm == ES256:
        return cose_point(_elliptic(private_key).public_key(), ES256)
    raw = _edwards(private_key).public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {1: 1, 3: EDDSA, -1: 6, -2: raw}


def sign(algorithm: int, private_key: bytes, message: bytes) -> bytes:
    """Sign a message as WebAuthn wants it: DER for ES256, 64 bytes for EdDSA."""
    if algorithm == ES256:
        return _elliptic(private_key).sign(message, ec.ECDSA(hashes.SHA256()))
    return _edwards(private_key).sign(message)


def cose_point(point: ec.EllipticCurvePublicKey, algorithm: int) -> dict[int, Any]:
    """A P-256 point in COSE form."""
    numbers = point.public_numbers()
    return {1: 2, 3: algorithm, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}


def _elliptic(private_key: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(private_key, "big"), P256)


def _edwards(private_key: bytes) -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.from_private_bytes(private_key)
