"""Who made this key: attestation certificates of a maker that exists only while the tests run."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from . import key_pairs
from .memory import Credential
from .model import ES256, Model

AAGUID_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")  # WebAuthn §8.2.1
VALID = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC))


class Signer(NamedTuple):
    """A certificate and its private key."""

    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey


def statement(model: Model, credential: Credential, signed: bytes, *, enterprise: bool) -> dict[str, Any]:
    """The `packed` attestation statement over authenticator data and client data hash (WebAuthn §8.2)."""
    if model.attestation == "self" and not enterprise:
        signature = key_pairs.sign(credential.algorithm, credential.private_key, signed)
        return {"alg": credential.algorithm, "sig": signature}
    signer = attester(model.aaguid, enterprise=enterprise)
    der = signer.certificate.public_bytes(serialization.Encoding.DER)
    return {"alg": ES256, "sig": signer.private_key.sign(signed, ec.ECDSA(hashes.SHA256())), "x5c": [der]}


@cache
def maker() -> Signer:
    """The maker's root certificate: trust it to accept the keys of this process."""
    private_key = ec.generate_private_key(key_pairs.P256)
    name = _name("Software Key Test Root")
    builder = _certificate(name, name, private_key, is_root=True)
    return Signer(builder.sign(private_key, hashes.SHA256()), private_key)


@cache
def attester(aaguid: bytes, *, enterprise: bool = False) -> Signer:
    """The certificate that all keys of one model carry; an enterprise one names a single key."""
    private_key = ec.generate_private_key(key_pairs.P256)
    name = _name("Software Key Attestation, number 1" if enterprise else "Software Key Attestation")
    octet_string = bytes([0x04, len(aaguid)]) + aaguid
    builder = _certificate(name, maker().certificate.subject, private_key, is_root=False).add_extension(
        x509.UnrecognizedExtension(AAGUID_EXTENSION, octet_string), critical=False
    )
    return Signer(builder.sign(maker().private_key, hashes.SHA256()), private_key)


def _certificate(
    name: x509.Name, issuer: x509.Name, private_key: ec.EllipticCurvePrivateKey, *, is_root: bool
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID[0])
        .not_valid_after(VALID[1])
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
    )


def _name(common_name: str) -> x509.Name:
    # WebAuthn §8.2.1 wants all four, and exactly this unit.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "NO"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Software Key Tests"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
