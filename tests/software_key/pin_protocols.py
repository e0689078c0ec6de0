"""The two PIN/UV auth protocols, seen from the key (CTAP 2.1 §6.5.6 and §6.5.7)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .key_pairs import P256, cose_point

ECDH_ES_HKDF_256 = -25  # the algorithm that the specification wants named, though another one is used


class PinProtocol:
    """Version one: an AES key without more, a zero vector, a short code."""

    version = 1

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Forget the key agreement key and make a new one."""
        self._private = ec.generate_private_key(P256)

    @property
    def agreement_key(self) -> dict[int, Any]:
        """The public half of the key agreement key, in COSE form."""
        return cose_point(self._private.public_key(), ECDH_ES_HKDF_256)

    def shared_secret(self, peer: Mapping[int, Any]) -> bytes:
        """Agree with the other side.

        Raises:
            ValueError, KeyError, TypeError: this is no point on the curve.
        """
        x, y = (int.from_bytes(peer[coordinate], "big") for coordinate in (-2, -3))
        point = ec.EllipticCurvePublicNumbers(x, y, P256).public_key()
        return self._derive(self._private.exchange(ec.ECDH(), point))

    def encrypt(self, secret: bytes, text: bytes) -> bytes:
        """Encrypt whole blocks."""
        return _aes_cbc(secret, bytes(16), text, encrypt=True)

    def decrypt(self, secret: bytes, text: bytes) -> bytes:
        """Decrypt whole blocks."""
        return _aes_cbc(secret, bytes(16), text, encrypt=False)

    def code(self, secret: bytes, message: bytes) -> bytes:
        """The authentication code of a message."""
        return hmac.digest(secret, message, "sha256")[:16]

    def verifies(self, secret: bytes, message: bytes, code: bytes) -> bool:
        """Tell whether a message comes from the holder of the secret."""
        return hmac.compare_digest(self.code(secret, message), code)

    def _derive(self, point: bytes) -> bytes:
        return hashlib.sha256(point).digest()


class PinProtocolTwo(PinProtocol):
    """Version two: two keys, a random vector, the whole code."""

    version = 2

    def encrypt(self, secret: bytes, text: bytes) -> bytes:
        """Encrypt whole blocks."""
        vector = secrets.token_bytes(16)
        return vector + _aes_cbc(secret[32:], vector, text, encrypt=True)

    def decrypt(self, secret: bytes, text: bytes) -> bytes:
        """Decrypt whole blocks."""
        return _aes_cbc(secret[32:], text[:16], text[16:], encrypt=False)

    def code(self, secret: bytes, message: bytes) -> bytes:
        """The authentication code of a message."""
        return hmac.digest(secret[:32], message, "sha256")

    def _derive(self, point: bytes) -> bytes:
        return b"".join(
            HKDF(hashes.SHA256(), 32, salt=bytes(32), info=info).derive(point) for info in (b"CTAP2 HMAC key", b"CTAP2 AES key")
        )


def _aes_cbc(key: bytes, vector: bytes, text: bytes, *, encrypt: bool) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.CBC(vector))
    turn = cipher.encryptor() if encrypt else cipher.decryptor()
    return turn.update(text) + turn.finalize()
