"""Open ceremonies: finding one, and naming a new one."""

from __future__ import annotations

from passless.actions.parts import Parts
from passless.domain.ceremonies import Ceremony, CeremonyId
from passless.domain.errors import ProofNeeded

CEREMONY_ID_LENGTH = 16  # characters of 31; 79 bits, so that nobody guesses one that is open
SIGN_IN = "sign-in"  # the purpose of a ceremony that proves a method


class NoSuchCeremony(ProofNeeded):
    """The ceremony is not open: it expired, was used, or belongs to somebody else."""

    code = "no-such-ceremony"
    hint = "begin again; a ceremony is used once and expires after some minutes"
    default = "this ceremony is not open"


def new_ceremony_id(parts: Parts) -> CeremonyId:
    """Return an id that nobody guesses."""
    from passless.credentials.random_codes import new_id

    return CeremonyId(new_id(parts.entropy, length=CEREMONY_ID_LENGTH))


def find_ceremony(parts: Parts, ceremony_id: str) -> Ceremony:
    """Return an open ceremony; `NoSuchCeremony` where it expired, was used, or never was."""
    found = parts.store.ceremony(CeremonyId(ceremony_id))
    if found is None or parts.now() >= found.expires_at:
        raise NoSuchCeremony
    return found


def find_sign_in(parts: Parts, ceremony_id: str, account_id: str) -> Ceremony:
    """Return an open ceremony of this account that was begun to prove a method (must hold 5)."""
    found = find_ceremony(parts, ceremony_id)
    if found.purpose != SIGN_IN or found.account_id != account_id:
        raise NoSuchCeremony
    return found
