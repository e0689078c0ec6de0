"""Keys that a program outside of a browser can ask itself, by USB or NFC, and which of them sign in to a host by ssh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from passless.domain.account import Account
from passless.domain.methods import Passkey, SecurityKey, SignInMethod, Strength, strength
from passless.domain.party_kinds import Requirement
from passless.domain.safety.context import Rules
from passless.domain.safety.on_hosts import count_on_hosts
from passless.domain.safety.ways_in import opens, signs_in
from passless.domain.use_state import UseState

REACHABLE = frozenset({"usb", "nfc"})  # WebAuthn's words (transports) for what is not inside of a computer or a phone

HardwareKey = SecurityKey | Passkey


def hardware_keys(account: Account) -> Iterator[HardwareKey]:
    """Return the account's security keys, and the passkeys that live on such a key: they never leave it, and are plugged in."""
    for method in account.methods:
        match method:
            case SecurityKey():
                yield method
            case Passkey() if REACHABLE.intersection(method.credential.transports) and not method.credential.backup_eligible:
                yield method
            case _:
                continue


def checks_person(method: SignInMethod) -> bool:
    """Tell whether the rules call a key two factors: it asks for a PIN or a finger, and did so when it was added."""
    return strength(method) is Strength.TWO_FACTORS


def opens_hosts(
    account: Account, uses: Mapping[str, UseState], rules: Rules, now: datetime, requires: Requirement = Requirement.ANY
) -> Iterator[HardwareKey]:
    """Return the keys that let the person in to a host without anything else.

    Each is a way in of its own: with two-step on, only one that is two factors. None that may have been copied, none that
    nothing but one factor vouches for, and none that a recovery keeps off hosts (`count_on_hosts`). Every key is safe from
    phishing; what is asked for beyond `ANY` is two factors.
    """
    counting = {method.id for method in count_on_hosts(account, rules, now)}
    for method in hardware_keys(account):
        used = uses.get(method.id)
        if method.id not in counting or (used is not None and used.cloned) or not signs_in(method, rules, now):
            continue
        if not opens((method,), two_step=account.two_step, among=account.methods):
            continue
        if checks_person(method) or requires is Requirement.ANY:
            yield method
