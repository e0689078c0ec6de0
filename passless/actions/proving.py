"""Checking what a person shows: which of the account's methods it proves, and what that use leaves behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

import msgspec
from msgspec import Struct

from passless.actions.parts import Access, Parts
from passless.credentials.passkey_sign_in import KnownCredential, SignInExpected, finish_sign_in
from passless.credentials.proofs import WrongCode, WrongProof
from passless.domain.account import MAXIMUM_TOTP, Account
from passless.domain.errors import Unavailable
from passless.domain.methods import (
    Authenticator,
    Kind,
    Passkey,
    Password,
    SecurityKey,
    SignInMethod,
    Totp,
    credential_of,
    kind_of,
)
from passless.domain.requests import Answer
from passless.domain.safety.ways_in import is_reachable
from passless.domain.sealed import Sealed
from passless.domain.secret import Secret
from passless.domain.sessions import Proof
from passless.domain.use_state import Use, UseState

NOBODYS_SEED = "A" * 32  # base 32 of 160 bits, as long as a real one
NOBODYS_SEAL = bytes(12 + len(NOBODYS_SEED) + 16)  # nonce, seed and tag of AES-GCM, as long as a real one
SIGNED = frozenset({Kind.SECURITY_KEY, Kind.PASSKEY, Kind.AUTHENTICATOR})

_read_expected = msgspec.json.Decoder(SignInExpected).decode


class Proven(Struct, frozen=True):
    """A good proof, and the use to write with it."""

    proof: Proof
    use: Use


def bound_to(account_id: str, method_id: str) -> str:
    """Name what a method's seal belongs to."""
    return f"{account_id}/{method_id}"


def check(parts: Parts, account: Account, answer: Answer, state: bytes | None, now: datetime) -> Proven:
    """Check an answer against the account's methods of its kind.

    Args:
        account: whose methods.
        answer: a password, a TOTP code, or a WebAuthn response.
        state: of the ceremony whose challenge a WebAuthn response answers.
        now: when it arrived.
    Raises:
        WrongProof: nothing on the account is proven by it; the account may have no method of that kind.
    """
    methods = [one for one in account.methods if kind_of(one) is answer.kind and is_reachable(one, parts.rules, now)]
    if answer.kind is Kind.PASSWORD:
        return _password(methods, answer.text, now)
    if answer.kind is Kind.TOTP:
        return _totp(parts, account, methods, answer.text, now)
    if answer.kind in SIGNED:
        return _signature(parts, account, methods, answer.text, state, now)
    raise WrongProof("no method of that kind")


def _password(methods: Sequence[SignInMethod], text: Secret, now: datetime) -> Proven:
    from passless.credentials import passwords

    for method in methods:
        if isinstance(method, Password) and passwords.verify_password(method.hash, text):
            return _proven(method, now)
    if not methods:
        passwords.verify_nothing(text)  # the same work where there is no password
    raise WrongProof("password")


def _totp(parts: Parts, account: Account, methods: Sequence[SignInMethod], text: Secret, now: datetime) -> Proven:
    from passless.credentials import totp

    uses = parts.store.uses(account.id)
    found: Proven | None = None
    problem: WrongCode | totp.CodeReused = WrongCode("no method of that kind", hint=totp.SIX_DIGITS)
    apps = [method for method in methods if isinstance(method, Totp)]
    if parts.access is Access.NOBODY:
        for _ in range(MAXIMUM_TOTP - len(apps)):
            _check_nothing(parts, account, text, now)
    for method in apps:
        seed = Secret(parts.vault.open(method.seed, bound_to=bound_to(account.id, method.id)).decode())
        used = uses.get(method.id)
        try:
            step = totp.verify(seed, text, at=now, last_step=used.totp_step if used else None)
        except (WrongCode, totp.CodeReused) as error:
            problem = error if not isinstance(problem, totp.CodeReused) else problem
        else:
            found = _proven(method, now, totp_step=step)
    if found is None:
        raise problem
    return found


def _check_nothing(parts: Parts, account: Account, text: Secret, now: datetime) -> None:
    """Do the work of a check with an app that is not there, so that time does not tell how many there are."""
    from passless.credentials import totp

    vault = parts.vault
    try:
        vault.open(Sealed(key=vault.key_id(), box=NOBODYS_SEAL), bound_to=bound_to(account.id, ""))
    except Unavailable as error:
        if error.code != "seal-broken":  # it is; without its key the vault is as unavailable as for a real one
            raise
    with suppress(WrongCode):
        totp.verify(Secret(NOBODYS_SEED), text, at=now, last_step=None)


def _signature(
    parts: Parts, account: Account, methods: Sequence[SignInMethod], text: Secret, state: bytes | None, now: datetime
) -> Proven:
    if state is None:
        raise WrongProof("no challenge", hint="begin first: passless sign-in --with security-key --begin")
    expected = _read_expected(state)
    uses = parts.store.uses(account.id)
    known = list(_known_credentials(account, methods, uses))
    signed = finish_sign_in(expected, known, text.reveal())
    method = next(one for one in methods if (held := credential_of(one)) is not None and held.id == signed.credential.id)
    verified_at_enrolment = isinstance(method, Passkey | Authenticator) or (
        isinstance(method, SecurityKey) and method.user_verified
    )
    if verified_at_enrolment and not signed.user_verified:
        raise WrongProof("user not verified", hint="use the key's PIN or fingerprint")
    return _proven(method, now, counter=signed.counter, backed_up=signed.backed_up)


def _known_credentials(
    account: Account, methods: Sequence[SignInMethod], uses: Mapping[str, UseState]
) -> Iterator[KnownCredential]:
    """Return the credentials of methods with the last counters seen."""
    for method in methods:
        credential = credential_of(method)
        if credential is not None:
            counter = uses[method.id].counter if method.id in uses else 0
            yield KnownCredential(credential=credential, user_handle=account.user_handle, counter=counter)


def _proven(
    method: SignInMethod,
    now: datetime,
    *,
    totp_step: int | None = None,
    counter: int | None = None,
    backed_up: bool | None = None,
) -> Proven:
    proof = Proof(kind=kind_of(method), at=now, method=method.id)
    return Proven(proof, Use(item=method.id, at=now, totp_step=totp_step, counter=counter, backed_up=backed_up))
