"""Ways in: the smallest sets of methods that sign an account in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import combinations

from msgspec.structs import replace

from passless.domain.account import Account
from passless.domain.methods import (
    DeviceName,
    Email,
    Factor,
    MethodId,
    Other,
    Password,
    SignInMethod,
    carries_mail,
    credential_of,
    factor,
)
from passless.domain.recovery import RecoveryCode
from passless.domain.safety.context import Rules

WayIn = tuple[MethodId, ...]


def is_reachable(method: SignInMethod, rules: Rules, now: datetime) -> bool:
    """Tell whether a method can prove anything: confirmed, enabled, unexpired, known, and made for this store."""
    if not method.confirmed or not method.enabled or isinstance(method, Other):
        return False
    if method.expires_at is not None and now >= method.expires_at:
        return False
    if isinstance(method, Email) and method.opened_by_this_account:
        return False
    credential = credential_of(method)
    return credential is None or rules.rp_id is None or credential.rp_id == rules.rp_id


def signs_in(method: SignInMethod, rules: Rules, now: datetime) -> bool:
    """Tell whether a method may be part of a way in; e-mail only where the policy says so."""
    return is_reachable(method, rules, now) and (rules.email_signs_in or not isinstance(method, Email))


def are_separate(one: SignInMethod, other: SignInMethod, among: Iterable[SignInMethod]) -> bool:
    """Tell whether one loss cannot take both: two devices, where a phone and the mailbox it reads are one."""
    if one.device == other.device:
        return False
    for mail, beside in ((one, other), (other, one)):
        if isinstance(mail, Email) and any(carries_mail(method) for method in among if method.device == beside.device):
            return False
    return True


def opens(methods: Sequence[SignInMethod], *, two_step: bool, among: Iterable[SignInMethod] = ()) -> bool:
    """Tell whether these proofs together sign in (design.md, "two-step").

    `among` are all methods there are, which say what a device is; the given ones where left out.
    """
    known = False
    held: list[SignInMethod] = []
    for method in methods:
        match factor(method):
            case Factor.BOTH:
                return True
            case Factor.KNOWLEDGE:
                known = True
            case Factor.POSSESSION:
                held.append(method)
            case Factor.NONE:
                continue
    if not two_step or (known and held):
        return known or bool(held)
    if len(held) < 2:
        return False
    everything = tuple(among) or tuple(methods)
    return any(are_separate(one, other, everything) for one, other in combinations(held, 2))


def ways_in_of(methods: Sequence[SignInMethod], *, two_step: bool, among: Iterable[SignInMethod] = ()) -> tuple[WayIn, ...]:
    """Return the smallest sets of these methods that sign in, single methods first."""
    everything = tuple(among) or tuple(methods)
    singles = [method for method in methods if opens((method,), two_step=two_step)]
    found: list[WayIn] = [(method.id,) for method in singles]
    if two_step:
        rest = [method for method in methods if method not in singles]
        pairs = (pair for pair in combinations(rest, 2) if opens(pair, two_step=True, among=everything))
        found += [(one.id, other.id) for one, other in pairs]
    return tuple(found)


def ways_in(account: Account, rules: Rules, now: datetime) -> tuple[WayIn, ...]:
    """Return the account's ways in under its settings."""
    counted = [method for method in account.methods if signs_in(method, rules, now)]
    return ways_in_of(counted, two_step=account.two_step, among=account.methods)


def can_sign_in(account: Account, rules: Rules, now: datetime) -> bool:
    """Tell whether a way in exists."""
    counted = [method for method in account.methods if signs_in(method, rules, now)]
    return opens(counted, two_step=account.two_step, among=account.methods)


def is_valid(code: RecoveryCode, now: datetime) -> bool:
    """Tell whether a recovery code still opens a recovery."""
    return code.saved and (code.valid_until is None or now < code.valid_until)


def opens_alone(account: Account, code: RecoveryCode, now: datetime) -> bool:
    """Tell whether a code needs no further proof: two-step is off, or it was turned on with too little (rule 11)."""
    return not account.two_step or (code.alone_until is not None and now < code.alone_until)


def can_recover(account: Account, rules: Rules, now: datetime) -> bool:
    """Tell whether a saved recovery code, with the further proof that two-step asks for, brings the person back."""
    codes = [code for code in account.recovery_codes if is_valid(code, now)]
    if any(opens_alone(account, code, now) for code in codes):
        return True
    return bool(codes) and any(is_reachable(method, rules, now) for method in account.methods)


def survives(account: Account, rules: Rules, now: datetime) -> bool:
    """Tell whether the person can still get in: by a way in, or by a recovery they can do themselves."""
    return can_sign_in(account, rules, now) or can_recover(account, rules, now)


def fatal_devices(account: Account, rules: Rules, now: datetime) -> tuple[DeviceName, ...]:
    """Return the devices whose loss alone would shut the person out, now or once what holds for the wait only has ended."""
    lasting = replace(account, recovery_codes=tuple(_as_it_lasts(code) for code in account.recovery_codes))
    return tuple(device for device in account.devices if not survives(without(lasting, devices=(device,)), rules, now))


def _as_it_lasts(code: RecoveryCode) -> RecoveryCode:
    """Return a code as it will be when rule 11's grace has ended: a replaced one is gone, no other opens alone."""
    return replace(code, alone_until=None, saved=code.saved and code.valid_until is None)


def without(account: Account, *, devices: Iterable[DeviceName] = (), methods: Iterable[MethodId] = ()) -> Account:
    """Return the account as if these devices and methods had never been on it."""
    gone_devices, gone_methods = frozenset(devices), frozenset(methods)
    kept = tuple(
        method
        for method in account.methods
        if method.id not in gone_methods and (isinstance(method, Password) or method.device not in gone_devices)
    )
    return replace_methods(account, kept)


def replace_methods(account: Account, methods: tuple[SignInMethod, ...]) -> Account:
    """Return the account with other methods; the default method goes when it is not among them."""
    default = account.default_method if any(method.id == account.default_method for method in methods) else None
    return replace(account, methods=methods, default_method=default)


def recovery_methods(account: Account, rules: Rules, now: datetime) -> int:
    """Count what rule 4 counts: reachable methods on separate devices, the password aside, and a saved recovery code."""
    held = [method for method in account.methods if is_reachable(method, rules, now) and not isinstance(method, Password)]
    separate = any(are_separate(one, other, account.methods) for one, other in combinations(held, 2))
    saved = any(is_valid(code, now) for code in account.recovery_codes)
    return (2 if separate else min(len(held), 1)) + saved
