"""Slowing down who guesses (security.md, "failed proofs"): counted before a proof is checked, forgiven by a good one.

Before a proof that can be guessed stand counters of the account: from one source, which makes it wait; from one network, which
may take only a share of the hundred; over all sources, and of the kind of proof, which turn guessing off. The last is forgiven
by nothing but a proof of that kind or one that cannot be guessed: otherwise who knows the password could guess codes for ever,
with a good sign-in now and then (NIST SP 800-63B-4 §3.2.2: only the authenticators used in a success are forgiven).

A network that the account signed in from lately is counted apart: what strangers guess elsewhere keeps nobody out at home.

A temporary pass is a secret of 60 bits that somebody was given to come back with: guesses only make their source wait, so
that strangers never keep anybody from it.

On a server one more counter bounds what a source may get wrong in an hour over all names, those of nobody among them: who tries
one password on many accounts, or one name after the other, waits for the next hour. No success forgives it, for anybody may
have an account to be right with. Keys, passkeys and recovery codes are neither counted nor refused for it. Where whoever
guesses has shown who they are already, as on a host, one account adds a share to it at most: many people come from one address,
and none of them shuts the others out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from msgspec import Struct

from passless.actions.parts import Access, Parts
from passless.domain.errors import ProofNeeded
from passless.domain.methods import Kind
from passless.domain.names import printable
from passless.ports import BRIEF, Attempts, Record

FREE_ATTEMPTS = 10  # security.md, "failed proofs": from the 10th in a row it waits
FIRST_WAIT = timedelta(seconds=60)  # security.md, "failed proofs"
LONGEST_WAIT = timedelta(hours=1)  # security.md, "failed proofs"
SWITCHED_OFF = 100  # NIST SP 800-63B-4 §3.2.2: in a row over all sources, then what can be guessed is off
NETWORK_SHARE = 20  # of the hundred, for one network; then it tries once in `LONGEST_WAIT`
SOURCE_WRONG = 60  # in an hour from one source, over all names: one a minute (security.md, "failed proofs")
NETWORK_WRONG = 300  # in an hour from one network, over all names: as five sources
SHARE_OF_ONE = 10  # in an hour, of one account in that, where it is known whose account it is
HOUR = timedelta(hours=1)  # security.md, "failed proofs": nobody waits longer
SOURCE_BITS = {"ipv4": 32, "ipv6": 64}  # security.md, "failed proofs": one network of IPv6 counts as one source
NETWORK_BITS = {"ipv4": 24, "ipv6": 48}  # what one customer of a provider usually has at most
GUESSABLE = (Kind.PASSWORD, Kind.TOTP, Kind.PHONE, Kind.EMAIL)  # what is turned off
FAMILIAR = "familiar-network"  # the kind of the records that say where an account signed in from
FAMILIAR_FOR = timedelta(days=30)  # after the last good sign-in from there
FAMILIAR_AGAIN = timedelta(days=1)  # how exactly that is known
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
    """What is guessed for. Beside a right recovery code it is counted apart: strangers never turn the code off.

    So it is on each host: whoever guesses there has the host's password or key of that user, which strangers have not.
    """

    PROOF = "proof"
    RECOVERY = "recovery"
    APP_PASSWORD = "app-password"
    PASS = "pass"
    HOST = "host"


class Source(StrEnum):
    """What one source is counted for over all names, hour by hour."""

    PROOF = "source"
    NAMELESS = "nameless"  # passkeys that say themselves whose they are
    APP_PASSWORD = "wrong-app-password"  # of one name, only to be said in the audit trail
    HOST = "wrong-on-host"  # of those who come to a host from there
    USER_CODE = "wrong-user-code"  # of those who are signed in, and say that a device is theirs


class Wait(Struct, frozen=True):
    """A counter that makes somebody wait: so many are free, and then the first wait, doubled with each further one."""

    key: str
    free: int
    first: timedelta


OWN = Wait("", FREE_ATTEMPTS, FIRST_WAIT)


def check_source(parts: Parts, place: str, what: Source, *, now: datetime, account_id: str = "", host: str = "") -> None:
    """Let a source try on a server's store; `Throttled` where it, or its network, was wrong too often in this hour.

    `host` is the one that it tries on. Where the account signed in from that network lately, others there who were wrong keep
    nobody out.
    """
    if parts.access is not Access.NOBODY:
        return
    source, network = _sources(place, what, now, host)
    counted = parts.store.attempts_of([source[0], network[0]])
    over = [key for key, most in (source, network) if key in counted and counted[key].count >= most]
    if over and not (over == [network[0]] and is_familiar(parts, account_id, place, now=now)):
        raise Throttled(seconds=seconds_left(now))


def count_source(parts: Parts, place: str, what: Source, *, now: datetime, host: str = "", share_of: str = "") -> bool:
    """Count what a source got wrong on a server's store; tell whether it has to wait from now on.

    `share_of` is the account that was wrong, where others there are not to wait for that one alone.
    """
    if parts.access is not Access.NOBODY:
        return False
    sources = _sources(place, what, now, host)
    if share_of and not _number(parts, f"{sources[0][0]}/{share_of}", now, most=SHARE_OF_ONE):
        return False
    counted = [(parts.store.count_attempt(key, at=now).count + 1, most) for key, most in sources]
    return any(number == most for number, most in counted)


def check_key(parts: Parts, key: str, *, now: datetime) -> None:
    """Refuse without counting: `Throttled` where whoever is counted under this key has to wait."""
    _refuse_early(parts.store.attempts(key), now)


def count_key(parts: Parts, key: str, *, now: datetime) -> None:
    """Count an attempt under a key of the caller's own before it is checked; `Throttled` where its source has to wait."""
    _refuse_early(parts.store.attempts(key), now)
    _refuse_early(parts.store.count_attempt(key, at=now), now)  # others may have counted in between


def count_wrong(parts: Parts, name: str, place: str, *, now: datetime) -> int:
    """Count a wrong app password for a name from a source, and return which one it is in this hour; 0 beyond the tenth.

    Nobody waits for it.
    """
    return _number(parts, f"{hourly(Source.APP_PASSWORD, now)}/{source_of(place)}/{name}", now, most=FREE_ATTEMPTS)


def _number(parts: Parts, key: str, now: datetime, *, most: int) -> int:
    """Count under a key, and return which one it is; 0 beyond the last that is counted."""
    before = parts.store.attempts(key)
    if before is not None and before.count >= most:
        return 0
    return parts.store.count_attempt(key, at=now).count + 1


def hourly(what: str, now: datetime) -> str:
    """Return what the keys of an hour's counters begin with; the store forgets them after some days."""
    return f"{BRIEF}{what}/{int(now.timestamp()) // int(HOUR.total_seconds())}"


def seconds_left(now: datetime) -> int:
    """Return in how many seconds the hour is over."""
    hour = int(HOUR.total_seconds())
    return hour - int(now.timestamp()) % hour


def _sources(place: str, what: Source, now: datetime, host: str) -> tuple[tuple[str, int], ...]:
    """Return the counters of a source and of its network in this hour, and how much each may get wrong."""
    begin = hourly(f"{what}/{host}" if host else what, now)
    return (f"{begin}/{source_of(place)}", SOURCE_WRONG), (f"{begin}@{network_of(place)}", NETWORK_WRONG)


def count(
    parts: Parts,
    account_id: str,
    place: str,
    kind: Kind,
    *,
    now: datetime,
    purpose: Purpose = Purpose.PROOF,
    host: str = "",
) -> None:
    """Count an attempt before it is checked; what cannot be guessed is not counted. `host` is the one that it is made on.

    Raises:
        Throttled: this source has to wait.
        SwitchedOff: over all sources it was guessed too often.
    """
    if kind not in GUESSABLE:
        return
    of = _on_host(account_id, host) if host else f"{purpose}/{account_id}"
    waits, apart = _waits(of, place), _apart(of, place, kind)
    shared: tuple[str, ...] = (of, f"{of}#{kind}")
    if is_familiar(parts, account_id, place, now=now):
        waits, shared = waits[:1], (apart,)
    _check_waits(parts, waits, now)
    for key in shared:
        _refuse_off(parts.store.attempts(key))
    _count_waits(parts, waits, now)
    before = {key: parts.store.count_attempt(key, at=now) for key in dict.fromkeys((*shared, apart))}
    for key in shared:
        _refuse_off(before[key])


def count_pass(parts: Parts, account_id: str, place: str, *, now: datetime) -> None:
    """Count an attempt with a temporary pass; the same whether the account has one or not.

    Raises:
        Throttled: this source has to wait.
    """
    waits = _waits(f"{Purpose.PASS}/{account_id}", place)[:1]
    _check_waits(parts, waits, now)
    _count_waits(parts, waits, now)


def _check_waits(parts: Parts, waits: Iterable[Wait], now: datetime) -> None:
    for wait in waits:
        _refuse_early(parts.store.attempts(wait.key), now, wait)


def _count_waits(parts: Parts, waits: Iterable[Wait], now: datetime) -> None:
    """Count, and look again: others may have counted in between."""
    for wait in waits:
        _refuse_early(parts.store.count_attempt(wait.key, at=now), now, wait)


def _waits(of: str, place: str) -> Sequence[Wait]:
    """Return what makes a source wait: its own counter, and that of its network, which then tries once an hour."""
    mine = Wait(f"{BRIEF}{of}/{source_of(place)}", FREE_ATTEMPTS, FIRST_WAIT)
    return mine, Wait(f"{BRIEF}{of}@{network_of(place)}", NETWORK_SHARE, LONGEST_WAIT)


def _apart(of: str, place: str, kind: Kind) -> str:
    """Return the counter of what is guessed from one network, which alone counts where the account signed in from it lately."""
    return f"{of}#{kind}@{network_of(place)}"


def is_familiar(parts: Parts, account_id: str, place: str, *, now: datetime) -> bool:
    """Tell whether somebody signed in to the account from this network lately, with more than a pass or a recovery code."""
    record = parts.store.record(FAMILIAR, _familiar_key(account_id, place))
    return record is not None and record.ends_at is not None and now < record.ends_at


def made_familiar(parts: Parts, account_id: str, place: str, *, now: datetime) -> tuple[Record, ...]:
    """Return what is written with a good sign-in, about once a day, so that its network stays familiar."""
    key = _familiar_key(account_id, place)
    before = parts.store.record(FAMILIAR, key)
    if before is not None and before.ends_at is not None and before.ends_at - now > FAMILIAR_FOR - FAMILIAR_AGAIN:
        return ()
    version = 0 if before is None else before.version
    until = now + FAMILIAR_FOR
    return (Record(kind=FAMILIAR, key=key, document=b"{}", account_id=account_id, ends_at=until, version=version),)


def _familiar_key(account_id: str, place: str) -> str:
    return f"{account_id}/{network_of(place)}"


def forgiven(parts: Parts, account_id: str, place: str, proven: Iterable[Kind]) -> tuple[str, ...]:
    """Return the counters that a good sign-in resets; none where the account has none at all, as nearly every time."""
    if not parts.store.has_attempts(_beginnings(account_id)):
        return ()
    kinds = list(proven)
    if all(kind in GUESSABLE for kind in kinds):
        return _keys(Purpose.PROOF, account_id, place, kinds)
    return (*_keys(Purpose.PROOF, account_id, place, GUESSABLE), *_keys(Purpose.RECOVERY, account_id, place, GUESSABLE))


def _beginnings(account_id: str) -> tuple[str, ...]:
    """Return what the keys of all counters that a sign-in may reset begin with."""
    proof, recovery = f"{Purpose.PROOF}/{account_id}", f"{Purpose.RECOVERY}/{account_id}"
    return proof, recovery, BRIEF + proof, BRIEF + recovery


def forgiven_on_host(account_id: str, host: str, place: str) -> tuple[str, ...]:
    """Return the counters that whoever is let in on a host resets there."""
    return _counters(_on_host(account_id, host), place, [Kind.TOTP])


def forgiven_pass(account_id: str, place: str) -> tuple[str, ...]:
    """Return the counters that the good use of a temporary pass resets."""
    return (_waits(f"{Purpose.PASS}/{account_id}", place)[0].key,)


def wait_after(attempts: int, wait: Wait = OWN) -> timedelta:
    """Return how long to wait after so many wrong proofs in a row."""
    if attempts < wait.free:
        return timedelta(0)
    doublings: int = min(attempts - wait.free, 10)
    return min(wait.first * (1 << doublings), LONGEST_WAIT)


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


def _on_host(account_id: str, host: str) -> str:
    return f"{Purpose.HOST}/{account_id}/{host}"


def _keys(purpose: Purpose, of_whom: str, place: str, kinds: Sequence[Kind]) -> tuple[str, ...]:
    return _counters(f"{purpose}/{of_whom}", place, kinds)


def _counters(of: str, place: str, kinds: Sequence[Kind]) -> tuple[str, ...]:
    apart = (_apart(of, place, kind) for kind in kinds)
    return (*(wait.key for wait in _waits(of, place)), of, *(f"{of}#{kind}" for kind in kinds), *apart)


def _refuse_early(before: Attempts | None, now: datetime, wait: Wait = OWN) -> None:
    if before is None or before.count < wait.free or now >= (until := before.last_at + wait_after(before.count, wait)):
        return  # of two at once the one may have been counted after the other had looked at the clock
    raise Throttled(seconds=int((until - now).total_seconds()) + 1)


def _refuse_off(before: Attempts | None) -> None:
    if before is not None and before.count >= SWITCHED_OFF:
        raise SwitchedOff("codes and passwords are switched off after too many wrong ones")
