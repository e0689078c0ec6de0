"""Open ceremonies: finding one, and naming a new one."""

from __future__ import annotations

from contextlib import suppress

from passless.actions.parts import Parts
from passless.actions.who import place_of, session_of
from passless.domain.account import AccountId
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.ceremonies import Ceremony, CeremonyId
from passless.domain.errors import ProofNeeded
from passless.ports import NoSuchAccount, Write
from passless.ports.directory import Actor

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


def find_to_finish(parts: Parts, actor: Actor, ceremony_id: str) -> Ceremony:
    """Return an open ceremony of any purpose; that there is none is an attempt, and in the audit trail."""
    try:
        return find_ceremony(parts, ceremony_id)
    except NoSuchCeremony as error:
        _note_none_open(parts, actor, ceremony_id, error)
        raise


def _note_none_open(parts: Parts, actor: Actor, ceremony_id: str, error: NoSuchCeremony) -> None:
    """Record an answer to no open ceremony, on the account it was of or else that of the session.

    What was typed as its id is left out: it may be a secret.
    """
    now, found, session = parts.now(), parts.store.ceremony(CeremonyId(ceremony_id)), session_of(parts, actor)
    account_id = found.account_id if found is not None else session.account_id if session is not None else ""
    name = ""
    with suppress(NoSuchAccount):
        name = parts.store.read(AccountId(account_id)).account.name
    entry = AuditEntry(
        at=now,
        actor=name or "nobody",
        event="finish-ceremony",
        outcome=Outcome.FAILED,
        account_id=account_id if name else "",
        account=name,
        place=place_of(actor),
        details={"reason": error.code},
    )
    parts.store.commit(Write(at=now, events=(entry,)))


def find_sign_in(parts: Parts, ceremony_id: str, account_id: str) -> Ceremony:
    """Return an open ceremony of this account that was begun to prove a method (must hold 5)."""
    found = find_ceremony(parts, ceremony_id)
    if found.purpose != SIGN_IN or found.account_id != account_id:
        raise NoSuchCeremony
    return found
