"""A key's answer as the JSON of WebAuthn L3 §5.1.8 and §5.1.9, complete: fido2 leaves half of a registration out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

from passless.devices.lines import Line
from passless.devices.options import encoded


def registration_json(response: RegistrationResponse, line: Line | None) -> str:
    """Return `RegistrationResponseJSON`; without a line (Windows' own API) the transports are unknown."""
    authenticator_data = response.response.attestation_object.auth_data
    credential = authenticator_data.credential_data
    assert credential is not None, "fido2 refuses a registration without a credential"
    document = _plain(response)
    document["response"] |= {
        "authenticatorData": encoded(authenticator_data),
        "transports": sorted(transports_of(line)) if line else [],
        "publicKeyAlgorithm": credential.public_key.get(3),
    }
    if spki := _public_key_info(credential.public_key):
        document["response"]["publicKey"] = encoded(spki)
    return _text(document)


def authentication_json(response: AuthenticationResponse) -> str:
    """Return `AuthenticationResponseJSON`."""
    return _text(_plain(response))


def transports_of(line: Line) -> set[str]:
    """Return the ways the key can be reached, the one in use included."""
    said = line.ctap2().info.transports if line.speaks_ctap2 else []
    return {line.transport, *said}


def _plain(response: RegistrationResponse | AuthenticationResponse) -> dict[str, Any]:
    document: dict[str, Any] = dict(response)
    document.setdefault("clientExtensionResults", {})
    return document


def _public_key_info(key: Mapping[int, Any]) -> bytes | None:
    """Return a COSE key (RFC 9053) as DER, for the kinds where WebAuthn L3 §5.2.1.1 demands it; else None."""
    match key:
        case {1: 2, -1: 1, -2: bytes(x), -3: bytes(y)}:
            point = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1())
            return _der(point.public_key())
        case {1: 1, -1: 6, -2: bytes(raw)}:
            return _der(ed25519.Ed25519PublicKey.from_public_bytes(raw))
        case {1: 3, -1: bytes(n), -2: bytes(e)}:
            return _der(rsa.RSAPublicNumbers(int.from_bytes(e, "big"), int.from_bytes(n, "big")).public_key())
        case _:
            return None


def _der(key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _text(document: dict[str, Any]) -> str:
    return msgspec.json.encode(document).decode()
