"""Signing in with a security key or passkey.

The answer is parsed here and not by fido2, whose parser costs ten times the signature it protects; registration is left to
fido2 (docs/decisions/0003-sign-in-checks-parsed-here.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from typing import ClassVar

from msgspec import Struct, field

from passless.credentials.cose_keys import BadResponse, verify_signature
from passless.credentials.passkeys import (
    ATTESTED,
    CEREMONY_TIME,
    CHALLENGE_SIZE,
    HEADER_SIZE,
    AuthenticatorData,
    Descriptor,
    Expected,
    RelyingParty,
    UserVerification,
    check_authenticator,
    check_client_data,
    check_extensions,
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

NOBODYS_KEY = bytes.fromhex(  # COSE key: P-256's generator, checked against where no credential is known, for equal work
    "a5010203262001"
    "2158206b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "2258204fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


class PossibleClone(WrongProof):
    """The signature is right and the counter is not: two devices may hold the same key."""

    code = "possible-clone"
    hint = "do not use this key any more: sign in another way and remove it"
    default: ClassVar[str] = "this key counts backwards: a copy of it may be in use"

    def __init__(self, *, credential_id: bytes, counter: int, last_counter: int) -> None:
        super().__init__("signature counter")
        self.credential_id = credential_id
        self.counter = counter
        self.last_counter = last_counter


class RequestOptions(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """`PublicKeyCredentialRequestOptionsJSON` of WebAuthn L3 §5.1.9; `msgspec.json.encode` gives the standard form."""

    challenge: str
    timeout: int
    rp_id: str
    user_verification: UserVerification
    allow_credentials: tuple[Descriptor, ...] = ()
    hints: tuple[str, ...] = ()


class SignInExpected(Expected, frozen=True, kw_only=True, omit_defaults=True):
    """What the answer to a sign-in is held against.

    `allowed` names the credentials that may answer. Where it is empty, all of the account may if it was named before the
    answer, and else the answer says whose it is.
    """

    allowed: tuple[bytes, ...] = ()
    is_named: bool = False


class BegunSignIn(Struct, frozen=True, kw_only=True):
    """What goes to the browser or key, and what stays with us."""

    options: RequestOptions
    expected: SignInExpected


class KnownCredential(Struct, frozen=True, kw_only=True):
    """A credential as the store has it: `counter` is the last one seen, `user_handle` its account's."""

    credential: Credential
    user_handle: bytes
    counter: int


class SignedAssertion(Struct, frozen=True, kw_only=True):
    """A good answer: which credential signed, and what to keep of it."""

    credential: Credential
    counter: int
    user_verified: bool
    backed_up: bool
    user_handle: bytes


class _AssertionResponse(Struct, frozen=True, kw_only=True, rename="camel"):
    client_data: str = field(name="clientDataJSON")
    authenticator_data: str
    signature: str
    user_handle: str | None = None


class _AuthenticationResponse(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    raw_id: str
    type: str
    response: _AssertionResponse


class SignInResponse(Struct, frozen=True, kw_only=True):
    """`AuthenticationResponseJSON` of WebAuthn L3 §5.1, decoded and not yet checked.

    `user_handle` is empty where the authenticator did not say it.
    """

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes


def begin_sign_in(
    relying_party: RelyingParty,
    *,
    origin: str,
    allowed: Sequence[Credential] = (),
    user_verification: UserVerification = UserVerification.PREFERRED,
    hints: tuple[str, ...] = (),
    entropy: Entropy,
) -> BegunSignIn:
    """Ask for a signature with one of the allowed credentials, or with any passkey where none is named.

    Naming credentials to somebody who has proven nothing tells that the account exists (WebAuthn L3 §14.6.2). `hints` say what
    the browser should offer first, where the credentials do not say how they are reached (WebAuthn L3 §5.8.7).
    """
    expected = SignInExpected(
        challenge=entropy(CHALLENGE_SIZE),
        rp_id=relying_party.id,
        origin=origin,
        user_verification=user_verification,
        allowed=tuple(one.id for one in allowed),
    )
    options = RequestOptions(
        challenge=to_base64(expected.challenge),
        timeout=milliseconds(CEREMONY_TIME),
        rp_id=relying_party.id,
        user_verification=user_verification,
        allow_credentials=describe(allowed),
        hints=hints,
    )
    return BegunSignIn(options=options, expected=expected)


@lru_cache(maxsize=16)  # it is read twice: to see whose it is, and to check it
def read_sign_in(response: bytes | str) -> SignInResponse:
    """Decode an answer, so that its credential can be looked up; `BadResponse` for anything else."""
    given = read_json(response, _AuthenticationResponse)
    if given.type != "public-key" or given.id != given.raw_id:
        raise BadResponse
    return SignInResponse(
        credential_id=from_base64(given.raw_id),
        client_data=from_base64(given.response.client_data),
        authenticator_data=from_base64(given.response.authenticator_data),
        signature=from_base64(given.response.signature),
        user_handle=from_base64(given.response.user_handle or ""),
    )


def finish_sign_in(
    expected: SignInExpected, known: Iterable[KnownCredential], response: bytes | str | SignInResponse
) -> SignedAssertion:
    """Check the answer to a sign-in (WebAuthn L3 §7.2).

    An unknown credential costs the same work as a wrong signature.

    Args:
        expected: what `begin_sign_in` returned.
        known: the account's credentials, or the one found by `SignInResponse.credential_id`; empty for an unknown account.
        response: JSON, or what `read_sign_in` made of it.
    Raises:
        BadResponse: it is not a sign-in response, or not a readable one.
        WrongProof: anything is not as it was asked; `reason` says what.
        PossibleClone: all is right but the signature counter, which did not move on.
    """
    given = response if isinstance(response, SignInResponse) else read_sign_in(response)
    check_client_data(given.client_data, expected, ceremony="webauthn.get")
    statement = read_header(given.authenticator_data)
    if statement.flags & ATTESTED:
        raise BadResponse("the authenticator data has a credential in it")
    check_extensions(given.authenticator_data[HEADER_SIZE:], statement.flags)
    check_authenticator(statement, expected)
    found = _find(expected, known, given)
    signed = given.authenticator_data + sha256(given.client_data).digest()
    if found is None:
        with suppress(WrongProof):  # equal work
            verify_signature(NOBODYS_KEY, signed, given.signature)
        raise WrongProof("unknown credential")
    verify_signature(found.credential.public_key, signed, given.signature)
    _check_credential(found, statement)
    return SignedAssertion(
        credential=found.credential,
        counter=statement.counter,
        user_verified=statement.user_verified,
        backed_up=statement.backed_up,
        user_handle=found.user_handle,
    )


def _find(expected: SignInExpected, known: Iterable[KnownCredential], given: SignInResponse) -> KnownCredential | None:
    """Return the credential that may answer here; nothing where it is unknown, another account's or for another store."""
    if expected.allowed and given.credential_id not in expected.allowed:
        return None
    if not expected.allowed and not expected.is_named and not given.user_handle:
        return None  # who it is stands only in the user handle then (WebAuthn L3 §7.2)
    for one in known:
        if one.credential.id == given.credential_id and one.credential.rp_id == expected.rp_id:
            return one if given.user_handle in (b"", one.user_handle) else None
    return None


def _check_credential(found: KnownCredential, statement: AuthenticatorData) -> None:
    if statement.backup_eligible != found.credential.backup_eligible:
        raise WrongProof("backup eligibility changed")
    if (statement.counter or found.counter) and statement.counter <= found.counter:
        raise PossibleClone(credential_id=found.credential.id, counter=statement.counter, last_counter=found.counter)
