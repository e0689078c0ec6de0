"""Slowing down who guesses (security.md, "failed proofs"): counted before a proof is checked, forgiven by a good one."""

from __future__ import annotations

from datetime import datetime, timedelta

from passless.actions.parts import Parts
from passless.domain.errors import ProofNeeded

FREE_ATTEMPTS = 10  # security.md, "failed proofs": from the 10th in a row it waits
FIRST_WAIT = timedelta(seconds=60)  # security.md, "failed proofs"
LONGEST_WAIT = timedelta(hours=1)  # security.md, "failed proofs"
SWITCHED_OFF = 100  # NIST SP 800-63B-4 §3.2.2: in a row over all sources, then what can be guessed is off


class Throttled(ProofNeeded):
    """Too many wrong proofs in a row."""

    code = "throttled"


class SwitchedOff(ProofNeeded):
    """What can be guessed is off until another method signs in."""

    code = "guessing-switched-off"
    hint = "sign in with a key, a passkey or the recovery code"


def keys(account_id: str, source: str) -> tuple[str, str]:
    """Return the counters of one account: for one source, and over all."""
    return f"proof/{account_id}/{source}", f"proof/{account_id}"


def wait_after(count: int) -> timedelta:
    """Return how long to wait after so many wrong proofs in a row."""
    if count < FREE_ATTEMPTS:
        return timedelta(0)
    doublings: int = min(count - FREE_ATTEMPTS, 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def count(parts: Parts, account_id: str, source: str, *, guessable: bool, now: datetime) -> None:
    """Count an attempt before it is checked.

    Raises:
        Throttled: this source has to wait.
        SwitchedOff: over all sources it was guessed too often.
    """
    mine, everybody = keys(account_id, source)
    if not guessable:
        return
    before = parts.store.attempts(mine)
    if before is not None:
        until = before.last_at + wait_after(before.count)
        if now < until:
            seconds = int((until - now).total_seconds()) + 1
            raise Throttled("too many wrong proofs in a row", hint=f"wait {seconds} seconds, or sign in with a key or passkey")
    overall = parts.store.attempts(everybody)
    if overall is not None and overall.count >= SWITCHED_OFF:
        raise SwitchedOff("codes and passwords are switched off after too many wrong ones")
    parts.store.count_attempt(mine, at=now)
    parts.store.count_attempt(everybody, at=now)
