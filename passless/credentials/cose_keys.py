"""Public keys as authenticators write them (COSE, RFC 9052 and RFC 9053), and the signatures they check."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NoReturn

from passless.credentials.proofs import WrongProof
from passless.domain.errors import WrongUse

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey, EllipticCurveSignatureAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    PublicKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

ES256 = -7  # COSE algorithm: ECDSA on P-256 with SHA-256 (RFC 9053 §2.1)
EDDSA = -8  # COSE algorithm: EdDSA, on Ed25519 only (RFC 9053 §2.2)
RS256 = -257  # COSE algorithm: RSASSA-PKCS1-v1_5 with SHA-256, what Windows Hello makes (RFC 8812 §2)
ALGORITHMS = (ES256, EDDSA, RS256)  # in the order we prefer them

KEY_TYPE, ALGORITHM = 1, 3  # COSE labels (RFC 9052 §7.1)
CURVE, X, Y = -1, -2, -3  # COSE labels of curve keys (RFC 9053 §7.1)
MODULUS, EXPONENT = -1, -2  # COSE labels of RSA keys (RFC 8230 §4)
OKP, EC2, RSA = 1, 2, 3  # COSE key types (RFC 9053 §7, RFC 8230 §4)
P256, ED25519 = 1, 6  # COSE curves (RFC 9053 §7.1)
COORDINATE = 32  # bytes of a coordinate on P-256 (RFC 9053 §7.1.1)
RSA_BITS = range(2048, 4097)  # bits of a modulus; NIST SP 800-131A asks for 2048, longer than 4096 only costs time
# How CTAP2 has a key on P-256 written, and nearly every authenticator writes it: read without the general reader.
USUAL_KEY = re.compile(rb"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20(.{32})\x22\x58\x20(.{32})", re.DOTALL)

UNREADABLE = (  # all that fido2's CBOR reader and `struct` raise on bytes that are not what they should be
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
    struct.error,
)


class BadResponse(WrongUse):
    """What should be a key's or passkey's answer cannot be read."""

    code = "bad-response"
    hint = "pass on the JSON that the browser or the key returned, unchanged, or start again"
    default = "the answer of the key or passkey cannot be read"


def read_cbor(encoded: bytes) -> tuple[Any, bytes]:
    """Decode one CBOR item and return it with what follows it; `BadResponse` for anything that is not CBOR."""
    from fido2 import cbor

    try:
        return cbor.decode_from(encoded)
    except UNREADABLE as error:
        raise BadResponse from error


def load_public_key(encoded: bytes) -> tuple[int, PublicKey]:
    """Return the algorithm and the key of a COSE key.

    Raises:
        BadResponse: it is no valid key of its own algorithm.
        WrongProof: it is for an algorithm that we do not offer.
    """
    usual = USUAL_KEY.fullmatch(encoded)
    try:
        if usual is not None:
            return ES256, _on_p256(*usual.groups())
        cose, rest = read_cbor(encoded)
        if not isinstance(cose, dict) or rest:
            raise BadResponse("a public key is not one CBOR map")
        read = _READERS.get((cose.get(ALGORITHM), cose.get(KEY_TYPE)))
        if read is None:
            raise WrongProof("unknown algorithm")
        return cose[ALGORITHM], read(cose)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise BadResponse("a public key is not a valid key of its kind") from error


def verify_signature(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature with a COSE key; `WrongProof` when it is not the key's."""
    algorithm, key = load_public_key(public_key)
    try:
        _CHECKS[algorithm](key, message, signature)
    except _invalid_signature() as error:
        raise WrongProof("signature") from error


@cache
def _invalid_signature() -> type[Exception]:
    from cryptography.exceptions import InvalidSignature

    return InvalidSignature


@cache
def _ecdsa() -> EllipticCurveSignatureAlgorithm:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.ECDSA(hashes.SHA256())


def _check_es256(key: Any, message: bytes, signature: bytes) -> None:
    key.verify(signature, message, _ecdsa())


def _check_eddsa(key: Any, message: bytes, signature: bytes) -> None:
    key.verify(signature, message)


def _check_rs256(key: Any, message: bytes, signature: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())


def _p256(cose: dict[Any, Any]) -> EllipticCurvePublicKey:
    x, y = cose[X], cose[Y]
    if cose[CURVE] != P256 or len(x) != COORDINATE or len(y) != COORDINATE:
        _invalid()
    return _on_p256(x, y)


def _on_p256(x: bytes, y: bytes) -> EllipticCurvePublicKey:
    return _read_point()(b"\x04" + x + y)


@cache
def _read_point() -> Callable[[bytes], EllipticCurvePublicKey]:
    from cryptography.hazmat.primitives.asymmetric import ec

    return partial(ec.EllipticCurvePublicKey.from_encoded_point, ec.SECP256R1())


def _ed25519(cose: dict[Any, Any]) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    if cose[CURVE] != ED25519:
        _invalid()
    return ed25519.Ed25519PublicKey.from_public_bytes(cose[X])


def _rsa(cose: dict[Any, Any]) -> RSAPublicKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    modulus, exponent = int.from_bytes(cose[MODULUS]), int.from_bytes(cose[EXPONENT])
    if modulus.bit_length() not in RSA_BITS:
        _invalid()
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _invalid() -> NoReturn:
    raise ValueError("not a valid key of its kind")


_READERS: dict[tuple[Any, Any], Callable[[dict[Any, Any]], PublicKey]] = {
    (ES256, EC2): _p256,
    (EDDSA, OKP): _ed25519,
    (RS256, RSA): _rsa,
}
_CHECKS: dict[int, Callable[[Any, bytes, bytes], None]] = {ES256: _check_es256, EDDSA: _check_eddsa, RS256: _check_rs256}
