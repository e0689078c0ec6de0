"""What kind of key this is: the part of a key that never changes."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

# A fixed test identity: no maker has it, so a key list never gives it a name.
AAGUID = b"passless\0\0softky"

ES256 = -7  # COSE, RFC 9053 §2.1
EDDSA = -8  # COSE, RFC 9053 §2.2

EXTENSIONS = (
    "credBlob",
    "credProtect",
    "hmac-secret",
    "hmac-secret-mc",
    "largeBlobKey",
    "minPinLength",
    "thirdPartyPayment",
)


class Model(Struct, frozen=True, kw_only=True):
    """The make of a key: what it can do and how much fits into it.

    The defaults describe a current key without a fingerprint reader; take features away to get an older one.
    """

    product_name: str = "Software Key"
    aaguid: bytes = AAGUID
    versions: tuple[str, ...] = ("FIDO_2_0", "FIDO_2_1")
    algorithms: tuple[int, ...] = (ES256, EDDSA)
    extensions: tuple[str, ...] = EXTENSIONS
    pin_protocols: tuple[int, ...] = (2, 1)
    fingerprint_reader: bool = False
    credential_management: bool = True
    authenticator_config: bool = True
    attestation: Literal["basic", "self"] = "basic"
    enterprise_rp_ids: tuple[str, ...] = ("ep.example.com",)
    capacity: int = 25  # discoverable credentials
    max_fingerprints: int = 5
    samples_per_fingerprint: int = 3
    min_pin_length: int = 4  # code points, CTAP 2.1 §6.5.1
    touch_timeout: float = 30.0  # seconds; CTAP 2.1 §6.1.2 allows 10 to 30 and more
    firmware: int = 0x00050000


FINGERPRINT_MODEL = Model(product_name="Software Fingerprint Key", fingerprint_reader=True)
