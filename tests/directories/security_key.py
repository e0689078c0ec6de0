"""A security key in a few lines: answers WebAuthn options with the standard's JSON, and keeps its credentials apart."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor, cose

from passless.credentials.passkeys import from_base64, to_base64
from passless.domain.secret import Secret

PRESENT, VERIFIED, CREDENTIAL = 0x01, 0x04, 0x40  # flags (WebAuthn L3 §6.1)
NO_MODEL = bytes(16)


class SecurityKey:
    """One authenticator. `verifies`: it checks a PIN itself. Its counter is shared by its credentials."""

    def __init__(self, serial: int = 1, *, verifies: bool = True, counter: int = 1) -> None:
        self.serial = serial
        self.verifies = verifies
        self.counter = counter
        self.made = 0
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}

    def register(self, options: bytes, origin: str) -> Secret:
        """Answer creation options."""
        asked = json.loads(options)
        self.made += 1
        credential_id = sha256(f"{self.serial}/{self.made}".encode()).digest()
        private = ec.derive_private_key(int.from_bytes(credential_id) >> 8, ec.SECP256R1())
        self._keys[to_base64(credential_id)] = private
        public = cbor.encode(cose.ES256.from_cryptography_key(private.public_key()))
        made = NO_MODEL + len(credential_id).to_bytes(2) + credential_id + public
        attestation = {"fmt": "none", "authData": self._header(asked["rp"]["id"], CREDENTIAL) + made, "attStmt": {}}
        response = {
            "clientDataJSON": to_base64(_client_data("webauthn.create", asked, origin)),
            "attestationObject": to_base64(cbor.encode(attestation)),
            "transports": ["usb"],
        }
        return _answer(to_base64(credential_id), response)

    def answer(self, options: bytes, origin: str) -> Secret:
        """Answer request options with the first credential that is known here."""
        asked = json.loads(options)
        known = next(one["id"] for one in asked["allowCredentials"] if one["id"] in self._keys)
        return self.sign(known, asked, origin)

    def sign(self, credential_id: str, asked: dict[str, Any], origin: str) -> Secret:
        """Sign a challenge with one credential."""
        self.counter += 1
        statement = self._header(asked["rpId"], 0)
        said = _client_data("webauthn.get", asked, origin)
        signature = self._keys[credential_id].sign(statement + sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": to_base64(said),
            "authenticatorData": to_base64(statement),
            "signature": to_base64(signature),
        }
        return _answer(credential_id, response)

    def credentials(self) -> list[bytes]:
        """Return the ids of its credentials."""
        return [from_base64(one) for one in self._keys]

    def _header(self, rp_id: str, more: int) -> bytes:
        flags = PRESENT | (VERIFIED if self.verifies else 0) | more
        return sha256(rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4)


def _client_data(ceremony: str, asked: dict[str, Any], origin: str) -> bytes:
    said = {"type": ceremony, "challenge": asked["challenge"], "origin": origin, "crossOrigin": False}
    return json.dumps(said).encode()


def _answer(credential_id: str, response: dict[str, Any]) -> Secret:
    answer = {"id": credential_id, "rawId": credential_id, "type": "public-key", "response": response}
    return Secret(json.dumps({**answer, "clientExtensionResults": {}}))
