"""Slowing down who guesses (security.md, "failed proofs"): counted before a proof is checked, forgiven by a good one.

Three counters stand before a proof that can be guessed: of the account from one source, which makes it wait; of the account
over all sources, and of the kind of proof, which turn guessing off. The last is forgiven by nothing but a proof of that kind
or one that cannot be guessed: otherwise who knows the password could guess codes for ever, with a good sign-in now and then
(NIST SP 800-63B-4 §3.2.2: only the authenticators used in a success are forgiven).

On a server a fourth one bounds what a source may get wrong in an hour over all names, those of nobody among them: who tries one
password on many accounts, or one name after the other, waits for the next hour. No success forgives it, for anybody may have
an account to be right with. Keys, passkeys and recovery codes are neither counted nor refused for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from passless.actions.parts import Access, Parts
from passless.domain.errors import ProofNeeded
from passless.domain.methods import Kind
from passless.domain.names import printable
from passless.ports import Attempts

FREE_ATTEMPTS = 10  # security.md, "failed proofs": from the 10th in a row it waits
FIRST_WAIT = timedelta(seconds=60)  # security.md, "failed proofs"
LONGEST_WAIT = timedelta(hours=1)  # security.md, "failed proofs"
SWITCHED_OFF = 100  # NIST SP 800-63B-4 §3.2.2: in a row over all sources, then what can be guessed is off
SOURCE_WRONG = 60  # in an hour from one source, over all names: one a minute (security.md, "failed proofs")
SOURCE_HOUR = timedelta(hours=1)  # security.md, "failed proofs": nobody waits longer
IPV6_PREFIX = 64  # security.md, "failed proofs": one network counts as one source
GUESSABLE = (Kind.PASSWORD, Kind.TOTP, Kind.PHONE, Kind.EMAIL, Kind.TEMPORARY_PASS)


class Throttled(ProofNeeded):
    """Too many wrong proofs in a row; `seconds` says how long to wait."""

    code = "throttled"
    default = "too many wrong proofs in a row"

    def __init__(self, message: str | None = None, *, hint: str | None = None, seconds: int = 60) -> None:
        super().__init__(message, hint=hint or f"wait {seconds} seconds, or sign in with a key or passkey")
        self.seconds = seconds


class SwitchedOff(ProofNeeded):
    """What can be guessed is off until another method signs in."""

    code = "guessing-switched-off"
    hint = "sign in with a key, a passkey or the recovery code"


class Purpose(StrEnum):
    """What is guessed for. Beside a right recovery code it is counted apart: strangers never turn the code off."""

    PROOF = "proof"
    RECOVERY = "recovery"
    APP_PASSWORD = "app-password"


class Source(StrEnum):
    """What one source is counted for over all names, hour by hour."""

    PROOF = "source"
    NAMELESS = "nameless"  # passkeys that say themselves whose they are
    NOTHING = "flood"  # answers to ceremonies that are not open
    APP_PASSWORD = "wrong-app-password"  # of one name, only to be said in the audit trail


def check_source(parts: Parts, place: str, what: Source, *, now: datetime) -> None:
    """Let a source try on a server's store; `Throttled` where it was wrong too often in this hour."""
    if parts.access is not Access.NOBODY:
        return
    key, over_at = _hour(place, what, now)
    before = parts.store.attempts(key)
    if before is not None and before.count >= SOURCE_WRONG:
        seconds = int((over_at - now).total_seconds()) + 1
        raise Throttled(seconds=seconds)


def count_source(parts: Parts, place: str, what: Source, *, now: datetime) -> bool:
    """Count what a source got wrong on a server's store; tell whether it has to wait from now on."""
    if parts.access is not Access.NOBODY:
        return False
    key, _ = _hour(place, what, now)
    return parts.store.count_attempt(key, at=now).count == SOURCE_WRONG - 1


def is_flooded(parts: Parts, place: str, *, now: datetime) -> bool:
    """Count an answer to nothing, and tell whether there were so many that they are written down no more."""
    key, _ = _hour(place, Source.NOTHING, now)
    before = parts.store.attempts(key)
    return (before is not None and before.count >= SOURCE_WRONG) or parts.store.count_attempt(key, at=now).count >= SOURCE_WRONG


def count_key(parts: Parts, key: str, *, now: datetime) -> None:
    """Count an attempt under a key of the caller's own before it is checked; `Throttled` where its source has to wait."""
    _refuse_early(parts.store.attempts(key), now)
    _refuse_early(parts.store.count_attempt(key, at=now), now)  # others may have counted in between


def count_wrong(parts: Parts, name: str, place: str, *, now: datetime) -> int:
    """Count a wrong app password for a name from a source, and return which one it is in this hour; 0 beyond the tenth.

    Nobody waits for it.
    """
    key = f"{_hour(place, Source.APP_PASSWORD, now)[0]}/{name}"
    before = parts.store.attempts(key)
    if before is not None and before.count >= FREE_ATTEMPTS:
        return 0
    return parts.store.count_attempt(key, at=now).count + 1


def _hour(place: str, what: Source, now: datetime) -> tuple[str, datetime]:
    """Return the counter of a source in this hour, and when the hour is over."""
    number = int(now.timestamp()) // int(SOURCE_HOUR.total_seconds())
    over_at = datetime.fromtimestamp((number + 1) * SOURCE_HOUR.total_seconds(), tz=now.tzinfo)
    return f"{what}/{source_of(place)}/{number}", over_at


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


@lru_cache(maxsize=4096)  # asked several times for each sign-in
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
    raise Throttled(seconds=seconds)


def _refuse_off(before: Attempts | None) -> None:
    if before is not None and before.count >= SWITCHED_OFF:
        raise SwitchedOff("codes and passwords are switched off after too many wrong ones")
