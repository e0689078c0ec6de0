"""Passkeys in software, made from a number: a million of them need no file."""

from __future__ import annotations

import time
from functools import lru_cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor, cose
from msgspec.json import encode

from passless.credentials.passkeys import to_base64

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (SEC 2, §2.4.2)
AAGUID = bytes(16)
DIFFERENT_KEYS = 1000  # key pairs; more accounts share them, for making a million takes long and tells nothing
UP, UV, AT = 0x01, 0x04, 0x40
ES256 = ec.ECDSA(hashes.SHA256())


class SoftPasskey:
    """One passkey; it answers as a browser would."""

    def __init__(self, number: int, rp_id: str, origin: str) -> None:
        self.number = number
        self.credential_id = sha256(b"credential %d" % number).digest()
        self.user_handle = sha256(b"handle %d" % number).digest()
        self.counter = counter_now()
        self._rp_id_hash = sha256(rp_id.encode()).digest()
        self._origin = origin

    @property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return private_key(self.number % DIFFERENT_KEYS)

    @property
    def public_key(self) -> bytes:
        """The COSE key."""
        return cbor.encode(cose.ES256.from_cryptography_key(self._key.public_key()))

    def register(self, challenge: str) -> tuple[bytes, bytes]:
        """Return client data and attestation object of a registration, attestation `none`."""
        made = AAGUID + len(self.credential_id).to_bytes(2) + self.credential_id + self.public_key
        statement = self._header(UP | UV | AT) + made
        attested = cbor.encode({"fmt": "none", "authData": statement, "attStmt": {}})
        return self._client_data("webauthn.create", challenge), attested

    def sign(self, challenge: str) -> tuple[bytes, bytes, bytes]:
        """Return client data, authenticator data and signature of a sign-in."""
        self.counter += 1
        said, statement = self._client_data("webauthn.get", challenge), self._header(UP | UV)
        return said, statement, self._key.sign(statement + sha256(said).digest(), ES256)

    def answer(self, challenge: str) -> str:
        """Return a sign-in as `AuthenticationResponseJSON`."""
        said, statement, signature = self.sign(challenge)
        name = to_base64(self.credential_id)
        response = {
            "clientDataJSON": to_base64(said),
            "authenticatorData": to_base64(statement),
            "signature": to_base64(signature),
            "userHandle": to_base64(self.user_handle),
        }
        whole: dict[str, Any] = {"id": name, "rawId": name, "type": "public-key", "response": response}
        return encode(whole | {"authenticatorAttachment": "platform", "clientExtensionResults": {}}).decode()

    def _client_data(self, ceremony: str, challenge: str) -> bytes:
        return encode({"type": ceremony, "challenge": challenge, "origin": self._origin, "crossOrigin": False})

    def _header(self, flags: int) -> bytes:
        return self._rp_id_hash + bytes([flags]) + self.counter.to_bytes(4)


def counter_now() -> int:
    """Return a signature counter that is further on than in any run before: a hundred for each second since 2026-06.

    One client with a single passkey signs in some dozens of times a second. The counter of 32 bits lasts until 2027-10.
    """
    return int((time.time() - 1_780_272_000) * 100)


@lru_cache(maxsize=DIFFERENT_KEYS)
def private_key(number: int) -> ec.EllipticCurvePrivateKey:
    """Return the key of a number."""
    return ec.derive_private_key(int.from_bytes(sha256(b"key %d" % number).digest()) % (ORDER - 1) + 1, ec.SECP256R1())
