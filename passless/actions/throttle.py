"""Slowing down who guesses (security.md, "failed proofs"): counted before a proof is checked, forgiven by a good one.

Before a proof that can be guessed stand counters of the account: from one source, which makes it wait; from one network, and
from all of one provider, which may take only a share of the hundred; over all sources, and of the kind of proof, which turn
guessing off. The last is forgiven by nothing but a proof of that kind or one that cannot be guessed: otherwise who knows the
password could guess codes for ever, with a good sign-in now and then (NIST SP 800-63B-4 §3.2.2: only the authenticators used in
a success are forgiven).

A temporary pass is a fresh secret of 60 bits that somebody was given to come back with. It is counted under its own id, and not
refused for what was guessed before; after a hundred wrong ones it ends, and nothing else does.

On a server one more counter bounds what a source may get wrong in an hour over all names, those of nobody among them: who tries
one password on many accounts, or one name after the other, waits for the next hour. No success forgives it, for anybody may
have an account to be right with. Keys, passkeys and recovery codes are neither counted nor refused for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from passless.actions.parts import Access, Parts
from passless.domain.errors import ProofNeeded
from passless.domain.methods import Kind
from passless.domain.names import printable
from passless.ports import BRIEF, Attempts

FREE_ATTEMPTS = 10  # security.md, "failed proofs": from the 10th in a row it waits
FIRST_WAIT = timedelta(seconds=60)  # security.md, "failed proofs"
LONGEST_WAIT = timedelta(hours=1)  # security.md, "failed proofs"
SWITCHED_OFF = 100  # NIST SP 800-63B-4 §3.2.2: in a row over all sources, then what can be guessed is off
NETWORK_SHARE = 20  # of the hundred, for one network; then it tries once in `LONGEST_WAIT`
PROVIDER_SHARE = 50  # of the hundred, for all networks of one provider: whoever rents one may well rent several
SOURCE_WRONG = 60  # in an hour from one source, over all names: one a minute (security.md, "failed proofs")
NETWORK_WRONG = 300  # in an hour from one network, over all names: as five sources
HOUR = timedelta(hours=1)  # security.md, "failed proofs": nobody waits longer
SOURCE_BITS = {"ipv4": 32, "ipv6": 64}  # security.md, "failed proofs": one network of IPv6 counts as one source
NETWORK_BITS = {"ipv4": 24, "ipv6": 48}  # what one customer of a provider usually has at most
PROVIDER_BITS = {"ipv4": 16, "ipv6": 32}  # what one provider usually has at least (RIPE NCC gives IPv6 in /32)
GUESSABLE = (Kind.PASSWORD, Kind.TOTP, Kind.PHONE, Kind.EMAIL)  # what is turned off; a temporary pass is counted by itself
COUNTED = (*GUESSABLE, Kind.TEMPORARY_PASS)


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
    PASS = "pass"  # by the id of the pass


class Source(StrEnum):
    """What one source is counted for over all names, hour by hour."""

    PROOF = "source"
    NAMELESS = "nameless"  # passkeys that say themselves whose they are
    APP_PASSWORD = "wrong-app-password"  # of one name, only to be said in the audit trail


def check_source(parts: Parts, place: str, what: Source, *, now: datetime) -> None:
    """Let a source try on a server's store; `Throttled` where it, or its network, was wrong too often in this hour."""
    if parts.access is not Access.NOBODY:
        return
    sources = _sources(place, what, now)
    counted = parts.store.attempts_of([key for key, _ in sources])
    if any(key in counted and counted[key].count >= most for key, most in sources):
        raise Throttled(seconds=seconds_left(now))


def count_source(parts: Parts, place: str, what: Source, *, now: datetime) -> bool:
    """Count what a source got wrong on a server's store; tell whether it has to wait from now on."""
    if parts.access is not Access.NOBODY:
        return False
    counted = [(parts.store.count_attempt(key, at=now).count + 1, most) for key, most in _sources(place, what, now)]
    return any(number == most for number, most in counted)


def count_key(parts: Parts, key: str, *, now: datetime) -> None:
    """Count an attempt under a key of the caller's own before it is checked; `Throttled` where its source has to wait."""
    _refuse_early(parts.store.attempts(key), now)
    _refuse_early(parts.store.count_attempt(key, at=now), now)  # others may have counted in between


def count_wrong(parts: Parts, name: str, place: str, *, now: datetime) -> int:
    """Count a wrong app password for a name from a source, and return which one it is in this hour; 0 beyond the tenth.

    Nobody waits for it.
    """
    key = f"{hourly(Source.APP_PASSWORD, now)}/{source_of(place)}/{name}"
    before = parts.store.attempts(key)
    if before is not None and before.count >= FREE_ATTEMPTS:
        return 0
    return parts.store.count_attempt(key, at=now).count + 1


def hourly(what: str, now: datetime) -> str:
    """Return what the keys of an hour's counters begin with; the store forgets them after some days."""
    return f"{BRIEF}{what}/{int(now.timestamp()) // int(HOUR.total_seconds())}"


def seconds_left(now: datetime) -> int:
    """Return in how many seconds the hour is over."""
    hour = int(HOUR.total_seconds())
    return hour - int(now.timestamp()) % hour


def _sources(place: str, what: Source, now: datetime) -> tuple[tuple[str, int], ...]:
    """Return the counters of a source and of its network in this hour, and how much each may get wrong."""
    begin = hourly(what, now)
    return (f"{begin}/{source_of(place)}", SOURCE_WRONG), (f"{begin}@{network_of(place)}", NETWORK_WRONG)


def count(parts: Parts, account_id: str, place: str, kind: Kind, *, now: datetime, purpose: Purpose = Purpose.PROOF) -> None:
    """Count an attempt before it is checked; what cannot be guessed is not counted.

    Raises:
        Throttled: this source has to wait.
        SwitchedOff: over all sources it was guessed too often.
    """
    if kind not in GUESSABLE:
        return
    of = f"{purpose}/{account_id}"
    shared = (of, f"{of}#{kind}")
    _check_waits(parts, of, place, now)
    for key in shared:
        _refuse_off(parts.store.attempts(key))
    _count_waits(parts, of, place, now)
    for before in [parts.store.count_attempt(key, at=now) for key in shared]:
        _refuse_off(before)


def count_pass(parts: Parts, of: str, place: str, *, now: datetime) -> int:
    """Count an attempt with a temporary pass; return how many were made with it in a row before.

    Args:
        parts: what actions hold.
        of: the id of the pass, or of the account where there is none.
        place: where from.
        now: when it came.
    Raises:
        Throttled: this source, or its network, has to wait.
    """
    _check_waits(parts, f"{Purpose.PASS}/{of}", place, now)
    _count_waits(parts, f"{Purpose.PASS}/{of}", place, now)
    return parts.store.count_attempt(f"{Purpose.PASS}/{of}", at=now).count


def _check_waits(parts: Parts, of: str, place: str, now: datetime) -> None:
    _refuse_early(parts.store.attempts(_of_source(of, place)), now)
    for key, share in _shares(of, place):
        _refuse_share(parts.store.attempts(key), share, now)


def _count_waits(parts: Parts, of: str, place: str, now: datetime) -> None:
    """Count for a source, its network and its provider, and look again: others may have counted in between."""
    _refuse_early(parts.store.count_attempt(_of_source(of, place), at=now), now)
    for key, share in _shares(of, place):
        _refuse_share(parts.store.count_attempt(key, at=now), share, now)


def _of_source(of: str, place: str) -> str:
    return f"{BRIEF}{of}/{source_of(place)}"


def _shares(of: str, place: str) -> tuple[tuple[str, int], ...]:
    """Return the counters of a network and of its provider, and how many of the hundred each may take."""
    provider = _within(place, **PROVIDER_BITS)
    return (f"{BRIEF}{of}@{network_of(place)}", NETWORK_SHARE), (f"{BRIEF}{of}@@{provider}", PROVIDER_SHARE)


def forgiven(account_id: str, place: str, proven: Iterable[Kind]) -> tuple[str, ...]:
    """Return the counters that a good sign-in resets."""
    kinds = list(proven)
    if all(kind in GUESSABLE for kind in kinds):
        return _keys(Purpose.PROOF, account_id, place, kinds)
    return (*_keys(Purpose.PROOF, account_id, place, GUESSABLE), *_keys(Purpose.RECOVERY, account_id, place, GUESSABLE))


def forgiven_pass(pass_id: str, place: str) -> tuple[str, ...]:
    """Return the counters of a temporary pass that its good use resets."""
    return _keys(Purpose.PASS, pass_id, place, ())


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after so many wrong proofs in a row."""
    if attempts < FREE_ATTEMPTS:
        return timedelta(0)
    doublings: int = min(attempts - FREE_ATTEMPTS, 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def source_of(place: str) -> str:
    """Return what counts as one source: a place as it is named, an IPv6 address with its whole network."""
    return _within(place, **SOURCE_BITS)


def network_of(place: str) -> str:
    """Return the network that a place is in: what one customer usually has. A place that is no address is one by itself."""
    return _within(place, **NETWORK_BITS)


@lru_cache(maxsize=8192)  # asked several times for each sign-in
def _within(place: str, *, ipv4: int, ipv6: int) -> str:
    try:
        address = ip_address(place)
    except ValueError:
        return printable(place)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    bits = ipv6 if isinstance(address, IPv6Address) else ipv4
    return str(address) if bits == address.max_prefixlen else str(ip_network((int(address), bits), strict=False))


def _keys(purpose: Purpose, of_whom: str, place: str, kinds: Iterable[Kind]) -> tuple[str, ...]:
    of = f"{purpose}/{of_whom}"
    shares = (key for key, _ in _shares(of, place))
    return (_of_source(of, place), *shares, of, *(f"{of}#{kind}" for kind in kinds))


def _refuse_early(before: Attempts | None, now: datetime) -> None:
    if before is None or before.count < FREE_ATTEMPTS or now >= (until := before.last_at + wait_after(before.count)):
        return  # of two at once the one may have been counted after the other had looked at the clock
    seconds = int((until - now).total_seconds()) + 1
    raise Throttled(seconds=seconds)


def _refuse_share(before: Attempts | None, share: int, now: datetime) -> None:
    """Let who took their share of the hundred try once an hour, so that they alone turn nothing off in days."""
    if before is None or before.count < share or now >= (until := before.last_at + LONGEST_WAIT):
        return
    raise Throttled(seconds=int((until - now).total_seconds()) + 1)


def _refuse_off(before: Attempts | None) -> None:
    if before is not None and before.count >= SWITCHED_OFF:
        raise SwitchedOff("codes and passwords are switched off after too many wrong ones")
