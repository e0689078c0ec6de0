"""How much proofs are worth (design.md, "Rules": old, vouched for, covering two factors)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from passless.domain.account import Account
from passless.domain.methods import Email, MethodId, Phone, SignInMethod, Strength
from passless.domain.recovery import Reporter
from passless.domain.safety.context import GIVES_NO_PROOF, Context, Rules
from passless.domain.safety.ways_in import is_reachable, opens, ways_in
from passless.domain.sessions import Proof


def is_old(added_at: datetime, rules: Rules, now: datetime) -> bool:
    """Tell whether something has been there longer than the wait."""
    return now - added_at > rules.wait


def is_young(account: Account, rules: Rules, now: datetime) -> bool:
    """Tell whether the account itself is younger than the wait."""
    return account.age(now) < rules.wait


def is_vouched_for(method: SignInMethod, account: Account, rules: Rules, now: datetime) -> bool:
    """Tell whether a method may be one of two factors: otherwise one stolen factor adds its own second."""
    return is_old(method.added_at, rules, now) or method.added_with is Strength.TWO_FACTORS or is_young(account, rules, now)


def counted_proofs(context: Context) -> tuple[Proof, ...]:
    """Return the proofs that count for a change; some sessions give none (rule 8)."""
    return () if context.session in GIVES_NO_PROOF else context.proofs


def proven(account: Account, proofs: Iterable[Proof], rules: Rules, now: datetime) -> list[SignInMethod]:
    """Return the methods that the proofs were given with and that the account still has."""
    ids = {proof.method for proof in proofs if proof.method is not None}
    return [method for method in account.methods if method.id in ids and is_reachable(method, rules, now)]


def covered(account: Account, proofs: Sequence[Proof], rules: Rules, now: datetime) -> Strength:
    """Say what proofs cover together. The making of an account counts as one factor."""
    methods = proven(account, proofs, rules, now)
    trusted = [method for method in methods if is_vouched_for(method, account, rules, now)]
    if opens(trusted, two_step=True, among=account.methods):
        return Strength.TWO_FACTORS
    made = any(proof.method is None for proof in proofs)
    return Strength.ONE_FACTOR if methods or made else Strength.NOTHING


def strongest_way_in(account: Account, rules: Rules, now: datetime) -> Strength:
    """Say what the strongest way in covers."""
    best = Strength.NOTHING
    for way in ways_in(account, rules, now):
        methods = [method for method in account.methods if method.id in way]
        if opens(methods, two_step=True, among=account.methods):
            return Strength.TWO_FACTORS
        best = Strength.ONE_FACTOR
    return best


def report_strength(account: Account, context: Context, rules: Rules) -> Strength:
    """Say how strong a loss report is: an operator's counts as one factor, SMS and e-mail alone as nothing."""
    if context.actor is not Reporter.SELF:
        return Strength.ONE_FACTOR
    return beyond_messages(account, counted_proofs(context), rules, context.now)


def beyond_messages(account: Account, proofs: Sequence[Proof], rules: Rules, now: datetime) -> Strength:
    """Say what proofs are worth for a report and for taking one back.

    Codes by SMS and e-mail alone are worth nothing, and so is what is not vouched for: who added a method with one stolen
    factor, or replaced a stolen password, would outrank the owner with it.
    """
    made = any(proof.method is None for proof in proofs)
    trusted = (one for one in proven(account, proofs, rules, now) if is_vouched_for(one, account, rules, now))
    if not made and all(isinstance(method, Phone | Email) for method in trusted):
        return Strength.NOTHING
    return covered(account, proofs, rules, now)


def proof_ids(context: Context) -> frozenset[MethodId]:
    """Return the methods that counted proofs were given with."""
    return frozenset(proof.method for proof in counted_proofs(context) if proof.method is not None)
