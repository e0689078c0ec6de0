"""Who acts: the session behind a token, or an operator's claim, turned into what the rules look at.

On an embedded store whoever owns the file may look, and their claim to help stands alone. On a server's store nobody may
do anything without a session: people act for themselves, operators for the accounts below them, by the rights of their own
account; to everybody else an account that exists looks like one that does not (must hold 3 and 9).
"""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from passless.actions import noting
from passless.actions.catching_up import catch_up
from passless.actions.parts import Access, Parts
from passless.domain import names
from passless.domain.account import Account, AccountId
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.errors import ProofNeeded, WrongUse
from passless.domain.methods import Strength
from passless.domain.operators import OperatorRights
from passless.domain.recovery import Reporter
from passless.domain.safety.context import GIVES_NO_PROOF, READS_ONLY, Context
from passless.domain.safety.operator_rules import may_act_on, proof_for_others, rights_rest
from passless.domain.secret import Secret
from passless.domain.sessions import OF_PROGRAMS, Proof, Session, SessionKind
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


class SessionMayNot(ProofNeeded):
    """A session that could be phished looks, and signs itself out (decision 0016)."""

    code = "session-may-not"
    default = "this session came by a device code: it may look and sign itself out, and changes nothing"
    hint = "do it from a session of your own: passless sign-in, with a key, a code or --browser"


class BadReason(WrongUse):
    """An operator says why, and under which ticket where the policy asks it."""

    code = "reason-needed"
    hint = "say why: --as-operator --reason TEXT"


class NotAnOperator(ProofNeeded):
    """Only operators do this, from a session that they signed in to with methods of their own."""

    code = "not-an-operator"
    hint = (
        "sign in as an operator, with a method and not by a device code or a pass, nor for a day after a recovery (for 31 days"
        " with what is new, where an operator helped); or ask one"
    )
    default = "only an operator may do this"


class NotBelow(ProofNeeded):
    """The account is none that this operator may act on; whether it exists is not said."""

    code = "not-below"
    hint = "see whom you are over: passless account list; nobody acts on their own account, or on an operator like themselves"


class OperatorProofNeeded(ProofNeeded):
    """An operator proves anew who they are before acting for others; `needed` is how strongly."""

    code = "weak-proof"
    hint = "prove it again with your own account: passless sign-in --account YOURS"

    def __init__(self, needed: Strength) -> None:
        factors = "two factors" if needed is Strength.TWO_FACTORS else "a factor"
        super().__init__(f"acting for others needs {factors} of the operator's own, proven in the last 10 minutes")
        self.needed = needed


class Acting(Struct, frozen=True, kw_only=True):
    """An operator at work on a server: their own account and the session they act from."""

    account: Account
    session: Session
    rights: OperatorRights


class Who(Struct, frozen=True, kw_only=True):
    """Somebody acting on an account: their session if it is the person, the reporter's word, and what to write in the log.

    `acting` is the operator on a server; `rights` are what the rules hold against what is given. `proven` are the proofs that
    count in the place of those that the session has by now.
    """

    account: Account
    session: Session | None
    reporter: Reporter
    name: str
    place: str = ""
    reason: str = ""
    acting: Acting | None = None
    rights: OperatorRights | None = None
    proven: tuple[Proof, ...] | None = None

    @property
    def said(self) -> dict[str, str]:
        """What the audit trail says of an operator beside their name: why, and which account it is, whatever its name."""
        said = {"reason": self.reason} if self.reason else {}
        return said if self.acting is None else said | {"operator": self.acting.account.id}

    def context(
        self, now: datetime, *, more: tuple[Proof, ...] = (), waited: bool = False, approvals: tuple[str, ...] = ()
    ) -> Context:
        """Return what the rules look at besides the account."""
        if self.session is None:
            return Context(now=now, actor=self.reporter, proofs=more, waited=waited, approvals=approvals, rights=self.rights)
        session = self.session if self.proven is None else replace(self.session, proofs=self.proven)
        return Context(
            now=now,
            actor=self.reporter,
            session=session.kind,
            proofs=(*session.fresh_proofs(now), *more),
            opened_with=frozenset(proof.method for proof in session.proofs if proof.method is not None),
            waited=waited,
        )


def token_hash(token: Secret) -> bytes:
    """Return what is stored of a session's token; 256 random bits need no slower hash (security.md)."""
    return sha256(token.reveal().encode("utf-8", "surrogatepass")).digest()  # input from a pipe may not be text at all


def session_of(parts: Parts, actor: Actor) -> Session | None:
    """Return the session behind the actor's token, if it still holds; a relying party's is nobody's to act with."""
    if actor.token is None:
        return None
    session = parts.store.session(token_hash(actor.token))
    if session is None or session.kind in OF_PROGRAMS or session.is_expired(parts.now()):
        return None
    return session


def session_on(parts: Parts, actor: Actor, account: Account) -> Session | None:
    """Return the actor's session where it is one of this account, and every method that opened it is still there."""
    session = session_of(parts, actor)
    if session is None or session.account_id != account.id:
        return None
    return session if holds_on(parts, session, account) else None


def holds_on(parts: Parts, session: Session, account: Account) -> bool:
    """Tell whether every method that opened a session is still on the account."""
    opened = {proof.method for proof in session.proofs if proof.method is not None}
    if opened <= {method.id for method in account.methods}:
        return True
    now = _as_it_is(parts, account)  # the session may know of a method that was added since the account was read
    return opened <= {method.id for method in now.methods}


def _as_it_is(parts: Parts, account: Account) -> Account:
    try:
        return catch_up(parts.store.read(account.id).account, parts.rules, parts.now()).account
    except NoSuchAccount:
        return account


def place_of(actor: Actor) -> str:
    """Return where somebody is, in a form that no place can forge a line with."""
    return names.printable(actor.place)


def identify(
    parts: Parts, actor: Actor, account: Account, *, need_session: bool = True, equals: bool = False, leaves: str | None = None
) -> Who:
    """Work out who acts on an account; `equals` lets an operator act on one who may do as much.

    `leaves` is the id of the session that is to end: any person's may end itself.

    Raises:
        SignInNeeded: a session is needed, and there is none for this account.
        TokenMayNot, SessionMayNot: it is a machine's, or one of a device code, which is in the audit trail.
        BadReason: an operator's claim lacks its reason or ticket.
        NotAnOperator, NotBelow, OperatorProofNeeded: on a server, the claim is not that of an operator over the account, or
            their proof is too old or too weak.
    """
    if actor.operator is not None and parts.access is Access.OWNER:
        return Who(
            account=account,
            session=None,
            reporter=Reporter.OWNER,
            name="owner",
            place=place_of(actor),
            reason=reason_of(parts, actor),
        )
    session = session_on(parts, actor, account)
    if parts.access is Access.NOBODY and (actor.operator is not None or session is None):
        return _as_operator(parts, actor, account, need_session=need_session, equals=equals)
    if session is None and need_session:
        raise SignInNeeded(f'sign in to "{account.name}" first', hint=f"passless sign-in --account {account.name}")
    if session is not None and need_session:
        check_may_change(parts, actor, account, session, leaves=leaves)
    return Who(account=account, session=session, reporter=Reporter.SELF, name=account.name, place=place_of(actor))


def operating(parts: Parts, actor: Actor) -> Acting | None:
    """Return the operator behind the actor's session on a server; None where it is nobody's with such rights.

    A session that gives no proof for changes gives no rights of an operator either, to read with or to act; nor does one that
    rule 10 binds, for the day after a recovery, or one of what is new where another operator recovered the account lately.
    """
    session = session_of(parts, actor)
    if parts.access is not Access.NOBODY or session is None or session.kind in GIVES_NO_PROOF:
        return None
    try:
        account = catch_up(parts.store.read(AccountId(session.account_id)).account, parts.rules, parts.now()).account
    except NoSuchAccount:
        return None
    if account.operator is None or session_on(parts, actor, account) is None:
        return None
    own = Who(account=account, session=session, reporter=Reporter.SELF, name=account.name)
    if rights_rest(account, own.context(parts.now())):
        return None
    return Acting(account=account, session=session, rights=account.operator)


def not_below(typed: str) -> NotBelow:
    """Return the refusal of an account that is not below an operator, or is none at all."""
    return NotBelow(f'"{names.printable(typed)}" is no account that you are over')


def sign_in_needed(typed: str) -> SignInNeeded:
    """Return the answer to who is not signed in, the same for every name; it repeats what was typed and nothing else."""
    shown = names.printable(typed)
    return SignInNeeded(f'sign in to "{shown}" first', hint=f"passless sign-in --account {shown}")


def check_fresh(parts: Parts, acting: Acting) -> None:
    """Let an operator go on whose proof is fresh, and as strong as a change to two-step on their own account would ask."""
    now = parts.now()
    own = Who(account=acting.account, session=acting.session, reporter=Reporter.SELF, name=acting.account.name)
    needed, have = proof_for_others(acting.account, own.context(now), parts.rules)
    if have < needed:
        raise OperatorProofNeeded(needed)


def _as_operator(parts: Parts, actor: Actor, account: Account, *, need_session: bool, equals: bool) -> Who:
    acting = operating(parts, actor)
    if acting is None:
        raise NotAnOperator if actor.operator is not None else SignInNeeded("sign in first")
    reason = reason_of(parts, actor) if need_session or actor.operator is not None else ""
    if not may_act_on(acting.account, account, equals=equals):
        raise not_below(account.name)
    if need_session:
        check_fresh(parts, acting)
    return Who(
        account=account,
        session=None,
        reporter=Reporter.OPERATOR,
        name=acting.account.name,
        place=place_of(actor),
        reason=reason,
        acting=acting,
        rights=acting.rights,
    )


def check_may_change(parts: Parts, actor: Actor, account: Account, session: Session, *, leaves: str | None = None) -> None:
    """Refuse a session that only looks; that it asked is in the audit trail. `leaves`: the session that is to end."""
    if session.kind is SessionKind.TOKEN:
        _note_refused(parts, actor, account, session, TokenMayNot.code)
        raise TokenMayNot("a machine's token cannot change how anyone signs in")
    if session.kind in READS_ONLY and session.id != leaves:
        _note_refused(parts, actor, account, session, SessionMayNot.code)
        raise SessionMayNot


def _note_refused(parts: Parts, actor: Actor, account: Account, session: Session, problem: str) -> None:
    """Record that a session asked for what it may not, as often as helps: whoever has it is not to hide other lines."""
    now = parts.now()
    number = noting.told(parts, session.id, place_of(actor), now=now, of_nobody=False)
    if number is None:
        return
    is_token = session.kind is SessionKind.TOKEN
    named = {"token": session.id, "name": session.name} if is_token else {"session": session.id}
    entry = AuditEntry(
        at=now,
        actor=account.name,
        event="use-token" if is_token else "use-device-code",
        outcome=Outcome.REFUSED,
        account_id=account.id,
        account=account.name,
        place=place_of(actor),
        details=named | {"problems": problem} | number,
    )
    parts.store.commit(Write(at=now, events=(entry,)))


def reason_of(parts: Parts, actor: Actor) -> str:
    """Return why somebody acts as an operator, with the ticket; `BadReason` where it is missing or cannot be."""
    if actor.operator is None:
        raise BadReason("acting as an operator needs a reason")
    if not actor.operator.reason.strip():
        raise BadReason("acting as an operator needs a reason", hint="say why: --reason TEXT")
    reason, ticket = actor.operator.reason, actor.operator.ticket
    if len(reason) > REASON_LENGTH or len(ticket) > REASON_LENGTH:
        raise BadReason(f"the reason is too long: at most {REASON_LENGTH} characters")
    if parts.ticket_pattern and not re.fullmatch(parts.ticket_pattern, ticket):
        raise BadReason("the policy asks for a ticket of its pattern", hint="name it: --ticket ID")
    said, under = names.printable(reason.strip(), at_most=REASON_LENGTH), names.printable(ticket, at_most=REASON_LENGTH)
    return f"{said} [{under}]" if under else said
