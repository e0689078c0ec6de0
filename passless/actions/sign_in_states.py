"""What is known of a sign-in under way: in the store, or sealed and handed out to whoever began it.

At a server anybody may begin as many as they like, and a page that asks for a passkey begins one at each look. So what was
begun without a proof costs no row: the ceremony goes out sealed under the store's secret and comes back with the answer; no
state that anybody could read or change leaves us (must hold 5). Every process that shares the store opens it, and its challenge
follows from it. When it is used, that is kept until it would be over anyway: it is used once, wherever it arrives first.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from hashlib import sha256

import msgspec
from msgspec import Struct

from passless.actions import nobody, store_secret
from passless.actions.parts import Access, Parts
from passless.credentials import handed_out
from passless.credentials.cose_keys import BadResponse
from passless.credentials.passkey_sign_in import SignInExpected
from passless.credentials.passkeys import UserVerification, from_base64, to_base64
from passless.domain.ceremonies import CEREMONY_LIFE, Ceremony, CeremonyId
from passless.domain.methods import Kind
from passless.domain.sessions import Proof

SIGN_IN = "sign-in"  # the purpose of a ceremony that proves a method
PREFIX = "plc_"  # before what is handed out
LONGEST = 1024  # characters; what we hand out has about 250
WHO = 64  # characters that every id is filled up to, so that no length tells which is nobody's


class SignInState(Struct, frozen=True, kw_only=True):
    """What we know of a sign-in under way: the WebAuthn expectation as JSON, and the proofs that were right so far.

    `nobody` stands for a name without an account; `nameless` asks the passkey whose it is.
    """

    expected: bytes = b""
    proofs: tuple[Proof, ...] = ()
    accepts: tuple[Kind, ...] = ()
    nobody: str = ""
    nameless: bool = False


class HandedOut(Struct, frozen=True, kw_only=True):
    """A ceremony that is not kept; the answer to it is held against the challenge."""

    ceremony: Ceremony
    challenge: bytes


class _Content(Struct, frozen=True, array_like=True):
    """What is sealed: whom it asks, since when, what it is bound to, and whether the key has to verify who touches it."""

    who: str
    begun_at: datetime
    bound: str
    verified: bool


_read_content = msgspec.msgpack.Decoder(_Content).decode


def are_handed_out(parts: Parts) -> bool:
    """Tell whether what was begun without a proof is sealed: on a server, where answers carry one origin."""
    return parts.access is Access.NOBODY and bool(parts.origin)


def hand_out(parts: Parts, who: str, bound: str, *, verified: bool, now: datetime) -> HandedOut:
    """Seal a ceremony that asks for a signature.

    Args:
        parts: of a server.
        who: the id of an account or of nobody; empty where the passkey says it.
        bound: what it is bound to (`ceremonies.binding`).
        verified: whether the key has to verify who touches it.
        now: when it begins.
    """
    content = msgspec.msgpack.encode(_Content(who.ljust(WHO), now, bound, verified))
    key = store_secret.derived(store_secret.read(parts).key, SIGN_IN)
    sealed = handed_out.seal(key, content, parts.entropy)
    ceremony = Ceremony(
        id=CeremonyId(PREFIX + to_base64(sealed)),
        purpose=SIGN_IN,
        account_id=_account_id(who),
        created_at=now,
        expires_at=now + CEREMONY_LIFE,
        state=b"",
        session_id=bound,
        sealed=True,
    )
    return HandedOut(ceremony=ceremony, challenge=_challenge(key, sealed))


def is_handed_out(ceremony_id: str) -> bool:
    """Tell whether this is the id of a ceremony that would be sealed."""
    return ceremony_id.startswith(PREFIX)


def opened(parts: Parts, handed: str) -> Ceremony | None:
    """Return what was sealed, under an id that is the same however it is written; None for anything that we did not make.

    One that was begun before an old copy of the store was put back is none either (must hold 13).
    """
    key = store_secret.derived(store_secret.read(parts).key, SIGN_IN)
    try:
        sealed = from_base64(handed.removeprefix(PREFIX)) if len(handed) <= LONGEST else b""
    except BadResponse:
        return None
    content = handed_out.unseal(key, sealed)
    if content is None:
        return None
    found = _read_content(content)
    if parts.store.restored_at is not None and found.begun_at <= parts.store.restored_at:
        return None
    who = found.who.rstrip()
    state = SignInState(
        expected=_expected(parts, _challenge(key, sealed), verified=found.verified, nameless=not who),
        nobody=who if who.startswith(nobody.SIGN) else "",
        nameless=not who,
    )
    return Ceremony(
        id=CeremonyId(sealed[: handed_out.NONCE_SIZE].hex()),
        purpose=SIGN_IN,
        account_id=_account_id(who),
        created_at=found.begun_at,
        expires_at=found.begun_at + CEREMONY_LIFE,
        state=msgspec.json.encode(state),
        session_id=found.bound,
        sealed=True,
    )


def _expected(parts: Parts, challenge: bytes, *, verified: bool, nameless: bool) -> bytes:
    assert parts.rules.rp_id is not None  # a server always has one
    expected = SignInExpected(
        challenge=challenge,
        rp_id=parts.rules.rp_id,
        origin=parts.origin,
        user_verification=UserVerification.REQUIRED if verified else UserVerification.PREFERRED,
        is_named=not nameless,
    )
    return msgspec.json.encode(expected)


def _account_id(who: str) -> str:
    return "" if who.startswith(nobody.SIGN) else who


def _challenge(key: bytes, sealed: bytes) -> bytes:
    return hmac.digest(key, b"challenge/" + sealed, sha256)
