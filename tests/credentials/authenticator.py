"""A security key in a few lines: makes registrations and sign-ins, right ones and wrong ones."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from fido2 import cbor, cose
from msgspec.json import encode

from passless.credentials.passkey_registration import RegistrationExpected
from passless.credentials.passkey_sign_in import KnownCredential, SignInExpected
from passless.credentials.passkeys import Expected, to_base64
from passless.domain.methods import Credential

AAGUID = bytes.fromhex("2fc0579f811347eab116bb5a8db9202a")  # YubiKey 5
USER_HANDLE = b"h" * 32
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80


def entropy(size: int) -> bytes:
    return bytes(range(size))


def client_data(expected: Expected, ceremony: str, **changed: Any) -> bytes:
    said = {"type": ceremony, "challenge": to_base64(expected.challenge), "origin": expected.origin, "crossOrigin": False}
    return json.dumps({name: value for name, value in (said | changed).items() if value is not None}).encode()


@dataclass
class Authenticator:
    key: Any = field(default_factory=lambda: ec.derive_private_key(7, ec.SECP256R1()))
    credential_id: bytes = b"credential-1"
    counter: int = 5
    flags: int = UP | UV

    @property
    def public_key(self) -> bytes:
        match self.key:
            case ec.EllipticCurvePrivateKey():
                kind: Any = cose.ES256
            case rsa.RSAPrivateKey():
                kind = cose.RS256
            case _:
                kind = cose.EdDSA
        return cbor.encode(kind.from_cryptography_key(self.key.public_key()))

    def sign(self, message: bytes) -> bytes:
        match self.key:
            case ec.EllipticCurvePrivateKey():
                return bytes(self.key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
            case rsa.RSAPrivateKey():
                return bytes(self.key.sign(message, padding.PKCS1v15(), hashes.SHA256()))
            case _:
                return bytes(self.key.sign(message))

    def header(self, rp_id: str, *, flags: int | None = None) -> bytes:
        given = self.flags if flags is None else flags
        return sha256(rp_id.encode()).digest() + bytes([given]) + self.counter.to_bytes(4)

    def new_credential(self, *, public_key: bytes | None = None) -> bytes:
        size = len(self.credential_id).to_bytes(2)
        return AAGUID + size + self.credential_id + (self.public_key if public_key is None else public_key)

    def register(
        self,
        expected: RegistrationExpected,
        *,
        authenticator_data: bytes | None = None,
        attestation: Any = None,
        said: bytes | None = None,
        response: dict[str, Any] | None = None,
        **changed: Any,
    ) -> bytes:
        made = self.header(expected.rp_id, flags=self.flags | AT) + self.new_credential()
        made = made if authenticator_data is None else authenticator_data
        attested = {"fmt": "none", "authData": made, "attStmt": {}} if attestation is None else attestation
        answer = {
            "clientDataJSON": to_base64(client_data(expected, "webauthn.create") if said is None else said),
            "attestationObject": to_base64(attested if isinstance(attested, bytes) else cbor.encode(attested)),
            "transports": ["usb", "nfc"],
        }
        return self._answer(answer | (response or {}), changed)

    def sign_in(
        self,
        expected: SignInExpected,
        *,
        authenticator_data: bytes | None = None,
        said: bytes | None = None,
        signature: bytes | None = None,
        user_handle: bytes | None = USER_HANDLE,
        response: dict[str, Any] | None = None,
        **changed: Any,
    ) -> bytes:
        made = self.header(expected.rp_id) if authenticator_data is None else authenticator_data
        hashed = client_data(expected, "webauthn.get") if said is None else said
        signed = self.sign(made + sha256(hashed).digest()) if signature is None else signature
        answer = {
            "clientDataJSON": to_base64(hashed),
            "authenticatorData": to_base64(made),
            "signature": to_base64(signed),
            "userHandle": None if user_handle is None else to_base64(user_handle),
        }
        return self._answer(answer | (response or {}), changed)

    def _answer(self, response: dict[str, Any], changed: dict[str, Any]) -> bytes:
        name = to_base64(self.credential_id)
        answer = {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": response,
            "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": {},
        }
        return encode({name: value for name, value in (answer | changed).items() if value is not ...})

    def known(self, rp_id: str, *, counter: int = 0, user_handle: bytes = USER_HANDLE) -> KnownCredential:
        made = Credential(
            id=self.credential_id,
            public_key=self.public_key,
            rp_id=rp_id,  # type: ignore[arg-type]
            backup_eligible=bool(self.flags & BE),
        )
        return KnownCredential(credential=made, user_handle=user_handle, counter=counter)
