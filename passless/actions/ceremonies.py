"""Open ceremonies: naming a new one, binding it to who began it, and finding it for who may finish it (must hold 5).

A ceremony that a browser began is finished in the same visit, signed in or not; one that was begun in a
session by that session, or by one that took its place since: of the same account, and opened or proven after the ceremony
began (docs/decisions/0010-what-a-ceremony-is-bound-to.md).
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from hashlib import sha256

from passless.actions import noting
from passless.actions.parts import Parts
from passless.actions.sign_in_states import SIGN_IN, are_handed_out, is_handed_out, opened
from passless.actions.who import SignInNeeded, place_of, session_of
from passless.credentials.passkeys import RelyingParty
from passless.credentials.random_codes import new_id
from passless.domain.account import AccountId
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.ceremonies import USED, Ceremony, CeremonyId
from passless.domain.errors import ProofNeeded, WrongUse
from passless.domain.sessions import Session
from passless.ports import NoSuchAccount, Write
from passless.ports.directory import Actor

CEREMONY_ID_LENGTH = 16  # characters of 31; 79 bits, so that nobody guesses one that is open


class NoSuchCeremony(ProofNeeded):
    """The ceremony is not open: it expired, was used, or belongs to somebody else."""

    code = "no-such-ceremony"
    hint = "begin again; a ceremony is used once and expires after some minutes"
    default = "this ceremony is not open"


class WrongOrigin(WrongUse):
    """Answers of keys and passkeys are taken from one place only."""

    code = "wrong-origin"
    hint = "leave the origin out, or open the page at the server's own address"


def new_ceremony_id(parts: Parts) -> CeremonyId:
    """Return an id that nobody guesses."""
    return CeremonyId(new_id(parts.entropy, length=CEREMONY_ID_LENGTH))


def origin_of(parts: Parts, asked: str | None) -> str:
    """Return the one origin that the answer must carry: the server's, else the one that was asked for or the terminal's.

    Raises:
        WrongOrigin: a server was asked for another one.
    """
    if parts.origin:
        if asked not in (None, parts.origin):
            raise WrongOrigin(f"keys and passkeys answer to {parts.origin} only")
        return parts.origin
    assert parts.rules.rp_id is not None  # an embedded store and a server always have one
    return asked or RelyingParty(id=parts.rules.rp_id, name=parts.issuer).terminal_origin


def binding(actor: Actor, session: Session | None) -> str:
    """Return what a ceremony is bound to: a session, the visit of a browser (hashed), or both."""
    return f"{'' if session is None else session.id}{'/' if actor.visit else ''}{_hashed(actor.visit)}"


def find_ceremony(parts: Parts, actor: Actor, ceremony_id: str) -> Ceremony:
    """Return an open ceremony that is the actor's to finish.

    Raises:
        NoSuchCeremony: there is none, or it was begun in another browser or session.
        SignInNeeded: it changes an account that the actor is not signed in to, or no longer.
    """
    found = _look(parts, ceremony_id)
    if found is None or parts.now() >= found.expires_at or not _may_finish(parts, actor, found):
        raise NoSuchCeremony
    if found.sealed and parts.store.ceremony(found.id) is not None:
        raise NoSuchCeremony  # it was used
    return found


def _look(parts: Parts, ceremony_id: str) -> Ceremony | None:
    """Return a ceremony, from the store or from the hands of whoever began it, whether it is still open or not."""
    if are_handed_out(parts) and is_handed_out(ceremony_id):
        return opened(parts, ceremony_id)
    found = parts.store.ceremony(CeremonyId(ceremony_id))
    return None if found is None or found.purpose == USED else found


def _may_finish(parts: Parts, actor: Actor, ceremony: Ceremony) -> bool:
    session_id, _, visit = ceremony.session_id.partition("/")
    if not hmac.compare_digest(visit, _hashed(actor.visit)):
        return False
    if not session_id:
        return True
    session = session_of(parts, actor)
    if ceremony.purpose != SIGN_IN and (session is None or session.account_id != ceremony.account_id):
        raise SignInNeeded("sign in to the account that began this")
    return session is not None and (session.id == session_id or _took_its_place(session, ceremony))


def _took_its_place(session: Session, ceremony: Ceremony) -> bool:
    if session.account_id != ceremony.account_id:
        return False
    return any(at >= ceremony.created_at for at in (session.created_at, *(proof.at for proof in session.proofs)))


def _hashed(visit: str) -> str:
    return sha256(b"visit/" + visit.encode("utf-8", "surrogatepass")).hexdigest() if visit else ""


def find_to_finish(parts: Parts, actor: Actor, ceremony_id: str) -> Ceremony:
    """Return an open ceremony of any purpose; that there is none is an attempt, and in the audit trail."""
    try:
        return find_ceremony(parts, actor, ceremony_id)
    except NoSuchCeremony as error:
        _note_none_open(parts, actor, ceremony_id, error)
        raise


def _note_none_open(parts: Parts, actor: Actor, ceremony_id: str, error: NoSuchCeremony) -> None:
    """Record an answer to no open ceremony, on the account it was of or else that of the session.

    What was typed as its id is left out: it may be a secret. Nobody is made to wait for it, for an id cannot be guessed; but a
    stranger's flood of them does not fill a server's trail.
    """
    now, found, session = parts.now(), _look(parts, ceremony_id), session_of(parts, actor)
    account_id = found.account_id if found is not None else session.account_id if session is not None else ""
    number = noting.told(parts, f"{account_id or noting.NO_NAME}{noting.FREE}", actor.place, now=now, of_nobody=not account_id)
    if number is None:
        return
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
        details={"reason": error.code} | number,
    )
    parts.store.commit(Write(at=now, events=(entry,)))


def find_sign_in(parts: Parts, actor: Actor, ceremony_id: str, account_id: str) -> Ceremony:
    """Return an open ceremony of this account that was begun to prove a method."""
    try:
        found = find_ceremony(parts, actor, ceremony_id)
    except SignInNeeded as error:  # it changes something, and proves nothing
        raise NoSuchCeremony from error
    if found.purpose != SIGN_IN or found.account_id != account_id:
        raise NoSuchCeremony
    return found
