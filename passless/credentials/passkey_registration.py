"""Registering a security key or passkey.

Attestation statements are asked for so that a key tells its model, and are **not verified**: the model is good for a name and
for nothing else. That the credential works is proven by the first sign-in with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct, field

from passless.credentials.cose_keys import ALGORITHMS, UNREADABLE, BadResponse, load_public_key, read_cbor
from passless.credentials.passkeys import (
    CEREMONY_TIME,
    CHALLENGE_SIZE,
    CREDENTIAL_ID_SIZE,
    HIDDEN_MODEL,
    Descriptor,
    Expected,
    RelyingParty,
    Transports,
    UserVerification,
    check_authenticator,
    check_client_data,
    describe,
    from_base64,
    milliseconds,
    read_header,
    read_json,
    to_base64,
)
from passless.credentials.proofs import WrongProof
from passless.domain.methods import Credential
from passless.ports import Entropy

PUBLIC_KEY_SIZE = 1024  # bytes of COSE; an RSA key of 4096 bits has 530
USER_HANDLE_SIZE = 32  # bytes, random, without a name in it; WebAuthn L3 §14.6.1 recommends 64, 1 to 64 are allowed


class ResidentKey(StrEnum):
    """Whether the credential is found without its id, so that no name need be typed; the words of the standard."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    DISCOURAGED = "discouraged"


class Attachment(StrEnum):
    """A key that is plugged in or held to the machine, or one that is part of it; the words of the standard."""

    PLATFORM = "platform"
    CROSS_PLATFORM = "cross-platform"


class _Options(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Names as the standard's JSON has them."""


class Party(_Options, frozen=True, kw_only=True):
    """The relying party in options."""

    id: str
    name: str


class User(_Options, frozen=True, kw_only=True):
    """The account in options; `id` is the user handle."""

    id: str
    name: str
    display_name: str


class Parameters(_Options, frozen=True, kw_only=True):
    """An algorithm that we accept."""

    type: str
    alg: int


class Selection(_Options, frozen=True, kw_only=True):
    """Which authenticators may answer."""

    resident_key: ResidentKey
    require_resident_key: bool
    user_verification: UserVerification
    authenticator_attachment: Attachment | None = None


class CreationExtensions(_Options, frozen=True, kw_only=True):
    """What we ask beside: whether the credential is discoverable."""

    cred_props: bool


class CreationOptions(_Options, frozen=True, kw_only=True):
    """`PublicKeyCredentialCreationOptionsJSON` of WebAuthn L3 §5.1.8; `msgspec.json.encode` gives the standard form."""

    rp: Party
    user: User
    challenge: str
    pub_key_cred_params: tuple[Parameters, ...]
    timeout: int
    authenticator_selection: Selection
    attestation: str
    extensions: CreationExtensions
    exclude_credentials: tuple[Descriptor, ...] = ()


class RegistrationExpected(Expected, frozen=True, kw_only=True, omit_defaults=True):
    """What the answer to a registration is held against."""

    user_handle: bytes
    resident_key: ResidentKey


class BegunRegistration(Struct, frozen=True, kw_only=True):
    """What goes to the browser or key, and what stays with us."""

    options: CreationOptions
    expected: RegistrationExpected


class CredentialProperties(Struct, frozen=True, kw_only=True):
    """The answer to `credProps`."""

    rk: bool | None = None


class RegistrationExtensions(Struct, frozen=True, kw_only=True, rename="camel"):
    """The extension answers that we read."""

    cred_props: CredentialProperties | None = None


class AttestationResponse(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the authenticator made; base64url."""

    client_data: str = field(name="clientDataJSON")
    attestation_object: str
    transports: Transports = ()


class RegistrationResponse(Struct, frozen=True, kw_only=True, rename="camel"):
    """`RegistrationResponseJSON` of WebAuthn L3 §5.1, as far as we read it."""

    id: str
    raw_id: str
    type: str
    response: AttestationResponse
    authenticator_attachment: str | None = None
    client_extension_results: RegistrationExtensions = RegistrationExtensions()


class NewCredential(Struct, frozen=True, kw_only=True):
    """A credential to keep, and what its authenticator said of it.

    `attestation_format` and the credential's `aaguid` are claims that nobody verified.
    """

    credential: Credential
    counter: int
    user_verified: bool
    backed_up: bool
    attestation_format: str
    attachment: Attachment | None


def begin_registration(
    relying_party: RelyingParty,
    *,
    origin: str,
    user_handle: bytes,
    account: str,
    known: Sequence[Credential] = (),
    user_verification: UserVerification = UserVerification.PREFERRED,
    resident_key: ResidentKey = ResidentKey.PREFERRED,
    attachment: Attachment | None = None,
    entropy: Entropy,
) -> BegunRegistration:
    """Ask for a new credential.

    Args:
        relying_party: whom it is made for.
        origin: the one exact origin of this ceremony.
        user_handle: random bytes that stand for the account (`USER_HANDLE_SIZE`).
        account: the name that the browser or the key shows.
        known: the account's credentials; an authenticator that has one of them refuses.
        user_verification: required makes the credential two factors in itself.
        resident_key: required makes a passkey.
        attachment: only keys, or only what is built in.
        entropy: for the challenge.
    """
    expected = RegistrationExpected(
        challenge=entropy(CHALLENGE_SIZE),
        rp_id=relying_party.id,
        origin=origin,
        user_verification=user_verification,
        user_handle=user_handle,
        resident_key=resident_key,
    )
    options = CreationOptions(
        rp=Party(id=relying_party.id, name=relying_party.name),
        user=User(id=to_base64(user_handle), name=account, display_name=account),
        challenge=to_base64(expected.challenge),
        pub_key_cred_params=tuple(Parameters(type="public-key", alg=algorithm) for algorithm in ALGORITHMS),
        timeout=milliseconds(CEREMONY_TIME),
        authenticator_selection=Selection(
            resident_key=resident_key,
            require_resident_key=resident_key is ResidentKey.REQUIRED,
            user_verification=user_verification,
            authenticator_attachment=attachment,
        ),
        attestation="direct",  # Chromium hides the model under "none"
        extensions=CreationExtensions(cred_props=True),
        exclude_credentials=describe(known),
    )
    return BegunRegistration(options=options, expected=expected)


def finish_registration(expected: RegistrationExpected, response: bytes | str) -> NewCredential:
    """Check the answer to a registration (WebAuthn L3 §7.1) and return the credential to keep.

    That no other account has the credential id is for the caller to check.

    Raises:
        BadResponse: it is not a registration response, or not a readable one.
        WrongProof: it answers another challenge, origin or relying party, nobody was there, or the user was not verified
            where that was asked; or the key is for an algorithm that was not offered.
    """
    given = read_json(response, RegistrationResponse)
    if given.type != "public-key" or given.id != given.raw_id:
        raise BadResponse
    check_client_data(from_base64(given.response.client_data), expected, ceremony="webauthn.create")
    attestation_format, encoded = _read_attestation(from_base64(given.response.attestation_object))
    statement = read_header(encoded)
    check_authenticator(statement, expected)
    aaguid, credential_id, public_key = _read_credential(encoded)
    if from_base64(given.raw_id) != credential_id:
        raise WrongProof("credential id")
    load_public_key(public_key)
    return NewCredential(
        credential=Credential(
            id=credential_id,
            public_key=public_key,
            rp_id=expected.rp_id,
            aaguid=aaguid,
            transports=given.response.transports,
            backup_eligible=statement.backup_eligible,
            discoverable=_is_discoverable(expected, given),
        ),
        counter=statement.counter,
        user_verified=statement.user_verified,
        backed_up=statement.backed_up,
        attestation_format=attestation_format,
        attachment=next((one for one in Attachment if one == given.authenticator_attachment), None),
    )


def _read_attestation(encoded: bytes) -> tuple[str, bytes]:
    """Return the format and the authenticator data; the statement beside them is left unread."""
    attestation, rest = read_cbor(encoded)
    if rest or not isinstance(attestation, dict):
        raise BadResponse("the attestation is not one CBOR map")
    attestation_format, authenticator_data = attestation.get("fmt"), attestation.get("authData")
    if not isinstance(attestation_format, str) or not isinstance(authenticator_data, bytes) or "attStmt" not in attestation:
        raise BadResponse("the attestation lacks a part")
    return attestation_format, authenticator_data


def _read_credential(encoded: bytes) -> tuple[str, bytes, bytes]:
    """Return AAGUID (empty where the key hides it), credential id and public key from authenticator data, through fido2."""
    from fido2 import cbor, webauthn

    try:
        parsed = webauthn.AuthenticatorData(encoded)
        new = parsed.credential_data
        public_key = cbor.encode(new.public_key) if new is not None else b""
    except UNREADABLE as error:
        raise BadResponse from error
    if new is None or not 0 < len(new.credential_id) <= CREDENTIAL_ID_SIZE or len(public_key) > PUBLIC_KEY_SIZE:
        raise BadResponse("the authenticator data has no credential of usual size in it")
    aaguid = str(new.aaguid)
    return "" if aaguid == HIDDEN_MODEL else aaguid, new.credential_id, public_key


def _is_discoverable(expected: RegistrationExpected, given: RegistrationResponse) -> bool:
    properties = given.client_extension_results.cred_props
    if properties is not None and properties.rk is not None:
        return properties.rk
    return expected.resident_key is ResidentKey.REQUIRED
