"""How surely a relying party knows who signed in: what proofs cover, in the words that programs ask and are told in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum

from passless.domain.account import Account
from passless.domain.methods import Kind, SignInMethod, Strength, credential_of, resists_phishing
from passless.domain.party_kinds import Requirement
from passless.domain.safety.context import Rules
from passless.domain.safety.proofs import covered, is_vouched_for, proven
from passless.domain.safety.ways_in import opens, ways_in
from passless.domain.sessions import Proof


class Assurance(IntEnum):
    """How sure it is; each holds what is below it."""

    NOTHING = 0
    ONE_FACTOR = 1
    TWO_FACTORS = 2
    PHISHING_RESISTANT = 3  # two factors, and a key or a passkey was one of them


ACR_VALUES = {
    "1": Assurance.ONE_FACTOR,
    "2": Assurance.TWO_FACTORS,
    "phr": Assurance.PHISHING_RESISTANT,  # OpenID Connect EAP ACR Values 1.0 §2
}

REQUIRED = {
    Requirement.ANY: Assurance.NOTHING,
    Requirement.TWO_FACTORS: Assurance.TWO_FACTORS,
    Requirement.PHISHING_RESISTANT: Assurance.PHISHING_RESISTANT,
}


def assurance(account: Account, proofs: Sequence[Proof], rules: Rules, now: datetime) -> Assurance:
    """Say how sure proofs make it that it is the person."""
    strength = covered(account, proofs, rules, now)
    if strength is Strength.TWO_FACTORS and _resist(_trusted(account, proofs, rules, now)):
        return Assurance.PHISHING_RESISTANT
    return Assurance(int(strength))


def best_assurance(account: Account, rules: Rules, now: datetime) -> Assurance:
    """Say how sure the person can make it, with every method of a way in that counts by now."""
    ids = {one for way in ways_in(account, rules, now) for one in way}
    if not ids:
        return Assurance.NOTHING
    methods = [one for one in account.methods if one.id in ids and is_vouched_for(one, account, rules, now)]
    if not opens(methods, two_step=True, among=account.methods):
        return Assurance.ONE_FACTOR
    return Assurance.PHISHING_RESISTANT if _resist(methods) else Assurance.TWO_FACTORS


def acr_of(assured: Assurance) -> str:
    """Return the word for it (OpenID Connect Core §2, `acr`); "0" is no proof at all."""
    return next((word for word, value in ACR_VALUES.items() if value is assured), "0")


def amr_of(account: Account, proofs: Iterable[Proof], assured: Assurance) -> list[str]:
    """Return with what the person proved it, in the words of RFC 8176 §2."""
    given = {proof.method for proof in proofs if proof.method is not None}
    words = [word for method in account.methods if method.id in given for word in _words(method)]
    if assured >= Assurance.TWO_FACTORS:
        words.append("mfa")
    return list(dict.fromkeys(words))


def _words(method: SignInMethod) -> tuple[str, ...]:
    credential = credential_of(method)
    if credential is not None:
        held = "swk" if credential.backup_eligible else "hwk"  # what can be copied elsewhere is no hardware's alone
        return (held, "mca") if method.__struct_config__.tag == Kind.AUTHENTICATOR else (held, "user")
    match method.__struct_config__.tag:
        case Kind.PASSWORD:
            return ("pwd",)
        case Kind.TOTP | Kind.EMAIL:
            return ("otp",)
        case Kind.PHONE:
            return ("sms", "otp")
        case _:
            return ()


def _trusted(account: Account, proofs: Sequence[Proof], rules: Rules, now: datetime) -> list[SignInMethod]:
    return [one for one in proven(account, proofs, rules, now) if is_vouched_for(one, account, rules, now)]


def _resist(methods: Iterable[SignInMethod]) -> bool:
    return any(resists_phishing(method) for method in methods)
