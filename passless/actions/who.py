"""Who acts: the session behind a token, or an operator's claim, turned into what the rules look at."""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256

from msgspec import Struct

from passless.actions.catching_up import catch_up
from passless.actions.parts import Parts
from passless.domain import names
from passless.domain.account import Account
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.errors import ProofNeeded, WrongUse
from passless.domain.recovery import Reporter
from passless.domain.safety.context import Context
from passless.domain.secret import Secret
from passless.domain.sessions import Proof, Session, SessionKind
from passless.ports import NoSuchAccount, Write
from passless.ports.directory import Actor

REASON_LENGTH = 500  # characters of an operator's reason


class SignInNeeded(ProofNeeded):
    """Nobody is signed in to the account, or no longer."""

    code = "sign-in-needed"
    hint = "passless sign-in"


class TokenMayNot(ProofNeeded):
    """A machine's token has named rights only."""

    code = "token-may-not"
    hint = "sign in as a person: passless sign-in"


class BadReason(WrongUse):
    """An operator says why, and under which ticket where the policy asks it."""

    code = "reason-needed"
    hint = "say why: --as-operator --reason TEXT"


class Who(Struct, frozen=True, kw_only=True):
    """Somebody acting on an account: their session if it is the person, the reporter's word, and what to write in the log."""

    account: Account
    session: Session | None
    reporter: Reporter
    name: str
    place: str = ""
    reason: str = ""

    def context(self, now: datetime, *, more: tuple[Proof, ...] = (), waited: bool = False) -> Context:
        """Return what the rules look at besides the account."""
        if self.session is None:
            return Context(now=now, actor=self.reporter, proofs=more, waited=waited)
        return Context(
            now=now,
            actor=self.reporter,
            session=self.session.kind,
            proofs=(*self.session.fresh_proofs(now), *more),
            opened_with=frozenset(proof.method for proof in self.session.proofs if proof.method is not None),
            waited=waited,
        )


def token_hash(token: Secret) -> bytes:
    """Return what is stored of a session's token; 256 random bits need no slower hash (security.md)."""
    return sha256(token.reveal().encode("utf-8", "surrogatepass")).digest()  # input from a pipe may not be text at all


def session_of(parts: Parts, actor: Actor) -> Session | None:
    """Return the session behind the actor's token, if it still holds."""
    if actor.token is None:
        return None
    session = parts.store.session(token_hash(actor.token))
    return None if session is None or session.is_expired(parts.now()) else session


def session_on(parts: Parts, actor: Actor, account: Account) -> Session | None:
    """Return the actor's session where it is one of this account, and every method that opened it is still there."""
    session = session_of(parts, actor)
    if session is None or session.account_id != account.id:
        return None
    opened = {proof.method for proof in session.proofs if proof.method is not None}
    if opened <= {method.id for method in account.methods}:
        return session
    now = _as_it_is(parts, account)  # the session may know of a method that was added since the account was read
    return session if opened <= {method.id for method in now.methods} else None


def _as_it_is(parts: Parts, account: Account) -> Account:
    try:
        return catch_up(parts.store.read(account.id).account, parts.rules, parts.now()).account
    except NoSuchAccount:
        return account


def place_of(actor: Actor) -> str:
    """Return where somebody is, in a form that no place can forge a line with."""
    return names.printable(actor.place)


def identify(parts: Parts, actor: Actor, account: Account, *, need_session: bool = True) -> Who:
    """Work out who acts on an account.

    Raises:
        SignInNeeded: a session is needed, and there is none for this account.
        TokenMayNot: it is a machine's, which is in the audit trail.
        BadReason: an operator's claim lacks its reason or ticket.
    """
    if actor.operator is not None:
        return Who(
            account=account,
            session=None,
            reporter=Reporter.OWNER,
            name="owner",
            place=place_of(actor),
            reason=_reason(parts, actor.operator.reason, actor.operator.ticket),
        )
    session = session_on(parts, actor, account)
    if session is None and need_session:
        raise SignInNeeded(f'sign in to "{account.name}" first', hint=f"passless sign-in --account {account.name}")
    if session is not None and session.kind is SessionKind.TOKEN and need_session:
        note_token(parts, actor, account, session)
        raise TokenMayNot("a machine's token cannot change how anyone signs in")
    return Who(account=account, session=session, reporter=Reporter.SELF, name=account.name, place=place_of(actor))


def note_token(parts: Parts, actor: Actor, account: Account, token: Session) -> None:
    """Record that a machine's token asked for what no token may."""
    now = parts.now()
    entry = AuditEntry(
        at=now,
        actor=account.name,
        event="use-token",
        outcome=Outcome.REFUSED,
        account_id=account.id,
        account=account.name,
        place=place_of(actor),
        details={"token": token.id, "name": token.name, "problems": TokenMayNot.code},
    )
    parts.store.commit(Write(at=now, events=(entry,)))


def _reason(parts: Parts, reason: str, ticket: str) -> str:
    if not reason.strip():
        raise BadReason("acting as an operator needs a reason")
    if len(reason) > REASON_LENGTH or len(ticket) > REASON_LENGTH:
        raise BadReason(f"the reason is too long: at most {REASON_LENGTH} characters")
    if parts.ticket_pattern and not re.fullmatch(parts.ticket_pattern, ticket):
        raise BadReason("the policy asks for a ticket of its pattern", hint="name it: --ticket ID")
    said, under = names.printable(reason.strip(), at_most=REASON_LENGTH), names.printable(ticket, at_most=REASON_LENGTH)
    return f"{said} [{under}]" if under else said
