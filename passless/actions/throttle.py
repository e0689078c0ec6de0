"""Slowing down who guesses (security.md, "failed proofs"): counted before a proof is checked, forgiven by a good one.

Three counters stand before a proof that can be guessed: of the account from one source, which makes it wait; of the account
over all sources, and of the kind of proof, which turn guessing off. The last is forgiven by nothing but a proof of that kind
or one that cannot be guessed: otherwise who knows the password could guess codes for ever, with a good sign-in now and then
(NIST SP 800-63B-4 §3.2.2: only the authenticators used in a success are forgiven).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, IPv6Network, ip_address

from passless.actions.parts import Parts
from passless.domain.errors import ProofNeeded
from passless.domain.methods import Kind
from passless.domain.names import printable
from passless.ports import Attempts

FREE_ATTEMPTS = 10  # security.md, "failed proofs": from the 10th in a row it waits
FIRST_WAIT = timedelta(seconds=60)  # security.md, "failed proofs"
LONGEST_WAIT = timedelta(hours=1)  # security.md, "failed proofs"
SWITCHED_OFF = 100  # NIST SP 800-63B-4 §3.2.2: in a row over all sources, then what can be guessed is off
IPV6_PREFIX = 64  # security.md, "failed proofs": one network counts as one source
GUESSABLE = (Kind.PASSWORD, Kind.TOTP, Kind.PHONE, Kind.EMAIL, Kind.TEMPORARY_PASS)


class Throttled(ProofNeeded):
    """Too many wrong proofs in a row."""

    code = "throttled"


class SwitchedOff(ProofNeeded):
    """What can be guessed is off until another method signs in."""

    code = "guessing-switched-off"
    hint = "sign in with a key, a passkey or the recovery code"


class Purpose(StrEnum):
    """What is guessed for. Beside a right recovery code it is counted apart: strangers never turn the code off."""

    PROOF = "proof"
    RECOVERY = "recovery"


def count(parts: Parts, account_id: str, place: str, kind: Kind, *, now: datetime, purpose: Purpose = Purpose.PROOF) -> None:
    """Count an attempt before it is checked; what cannot be guessed is not counted.

    Raises:
        Throttled: this source has to wait.
        SwitchedOff: over all sources it was guessed too often.
    """
    if kind not in GUESSABLE:
        return
    mine, *shared = _keys(purpose, account_id, place, [kind])
    _refuse_early(parts.store.attempts(mine), now)
    for key in shared:
        _refuse_off(parts.store.attempts(key))
    _refuse_early(parts.store.count_attempt(mine, at=now), now)  # others may have counted in between
    for before in [parts.store.count_attempt(key, at=now) for key in shared]:
        _refuse_off(before)


def forgiven(account_id: str, place: str, proven: Iterable[Kind]) -> tuple[str, ...]:
    """Return the counters that a good sign-in resets."""
    kinds = list(proven)
    if all(kind in GUESSABLE for kind in kinds):
        return _keys(Purpose.PROOF, account_id, place, kinds)
    return (*_keys(Purpose.PROOF, account_id, place, GUESSABLE), *_keys(Purpose.RECOVERY, account_id, place, GUESSABLE))


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after so many wrong proofs in a row."""
    if attempts < FREE_ATTEMPTS:
        return timedelta(0)
    doublings: int = min(attempts - FREE_ATTEMPTS, 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def source_of(place: str) -> str:
    """Return what counts as one source: a place as it is named, an IPv6 address with its whole network."""
    try:
        address = ip_address(place)
    except ValueError:
        return printable(place)
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Network((int(address), IPV6_PREFIX), strict=False))
    return str(address)


def _keys(purpose: Purpose, account_id: str, place: str, kinds: Iterable[Kind]) -> tuple[str, ...]:
    account = f"{purpose}/{account_id}"
    return f"{account}/{source_of(place)}", account, *(f"{account}#{kind}" for kind in kinds)


def _refuse_early(before: Attempts | None, now: datetime) -> None:
    if before is None or now >= (until := before.last_at + wait_after(before.count)):
        return
    seconds = int((until - now).total_seconds()) + 1
    raise Throttled("too many wrong proofs in a row", hint=f"wait {seconds} seconds, or sign in with a key or passkey")


def _refuse_off(before: Attempts | None) -> None:
    if before is not None and before.count >= SWITCHED_OFF:
        raise SwitchedOff("codes and passwords are switched off after too many wrong ones")
