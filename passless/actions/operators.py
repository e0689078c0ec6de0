"""Operators of a server: kept beside their accounts, so that nobody looks through all accounts for them; the first one."""

from __future__ import annotations

from datetime import datetime

import msgspec

from passless.actions.parts import Access, Parts
from passless.actions.who import (
    REASON_LENGTH,
    NotAnOperator,
    SignInNeeded,
    Who,
    operating,
    place_of,
    reason_of,
    session_of,
)
from passless.domain import names
from passless.domain.account import Account, AccountId
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.errors import CannotDoThat, ProofNeeded
from passless.domain.operators import OperatorRights, may_ask
from passless.domain.recovery import Reporter
from passless.domain.refused import Refused
from passless.domain.requests import Request
from passless.domain.safety.context import Problem, Severity
from passless.domain.safety.planning import Plan
from passless.domain.views import OperatorView
from passless.ports import NoSuchAccount, Record, Write
from passless.ports.directory import Actor

KIND = "operator"  # of the record beside each operator's account
FIRST = "first-operator"  # of the record that two first operators made at once would both have to write


class NotOnAServer(CannotDoThat):
    """There are no operators, groups or invitations on an embedded store."""

    code = "needs-a-server"
    hint = "its owner helps with --as-operator --reason TEXT; for a team: passless serve"
    default = "the store belongs to whoever owns its file, so it has no operators, groups or invitations"


class OnTheHost(CannotDoThat):
    """The first operator is made where the store is."""

    code = "on-the-host"
    hint = "there, with a profile of the store itself: passless operator add ACCOUNT --first"
    default = "the first operator is made on the host of the server, by whoever can open its store"


class NotTheFirst(CannotDoThat):
    """There is an operator already."""

    code = "not-the-first"
    hint = "ask one of them: passless operator list"
    default = "there is an operator already, and only operators make others"


def check_server(parts: Parts) -> None:
    """Refuse what only a server's store has."""
    if parts.access is not Access.NOBODY:
        raise NotOnAServer


def check_may_ask(parts: Parts, who: Who, request: Request, now: datetime, *, dry: bool = False) -> None:
    """Refuse to whoever is not the person what is the person's alone (must hold 9); but for a plan it is in the audit trail."""
    if who.reporter is Reporter.SELF or may_ask(request):
        return
    problem = Problem(
        code="operator-may-not",
        message="an operator cannot do this",
        hint="the person does it, signed in",
        severity=Severity.REFUSAL,
    )
    entry = AuditEntry(
        at=now,
        actor=who.name,
        event=str(request.__struct_config__.tag),
        outcome=Outcome.REFUSED,
        account_id=who.account.id,
        account=who.account.name,
        place=who.place,
        details={"problems": problem.code} | who.said,
    )
    if not dry:
        parts.store.commit(Write(at=now, events=(entry,)))
    raise Refused((problem,))


def note_refused(parts: Parts, actor: Actor, asked: str, error: ProofNeeded) -> None:
    """Record on somebody's own account that they wanted to act as an operator and may not (must hold 8).

    Whom they named is left out: it may be nobody, or a secret in the wrong place.
    """
    session = session_of(parts, actor)
    if session is None:
        return
    now, account = parts.now(), parts.store.read(AccountId(session.account_id)).account
    why = "" if actor.operator is None else names.printable(actor.operator.reason.strip(), at_most=REASON_LENGTH)
    entry = AuditEntry(
        at=now,
        actor=account.name,
        event="act-as-operator",
        outcome=Outcome.REFUSED,
        account_id=account.id,
        account=account.name,
        place=place_of(actor),
        details={"asked": asked, "problems": error.code} | ({"reason": why} if why else {}),
    )
    parts.store.commit(Write(at=now, events=(entry,)))


def check_host(parts: Parts) -> None:
    """Refuse what is done only where the store is, and never over HTTP."""
    if not parts.on_host:
        raise OnTheHost


def listed(parts: Parts, actor: Actor) -> tuple[OperatorView, ...]:
    """List the operators, to operators: those whose rights are no more than their own."""
    check_server(parts)
    acting = operating(parts, actor)
    if acting is None:
        raise _nobody(parts, actor)
    return tuple(_views(parts, acting.rights))


def has_any(parts: Parts) -> bool:
    """Tell whether there is an operator."""
    return next(parts.store.records(KIND), None) is not None


def first(parts: Parts, actor: Actor, account: Account, now: datetime) -> tuple[Who, Record]:
    """Return who makes the first operator, and the record that only one such making can write.

    Raises:
        OnTheHost: it is asked for over HTTP, or from elsewhere.
        NotTheFirst: there is one already.
    """
    check_host(parts)
    if has_any(parts):
        raise NotTheFirst
    who = Who(
        account=account,
        session=None,
        reporter=Reporter.OWNER,
        name="owner",
        place=place_of(actor),
        reason="" if actor.operator is None else reason_of(parts, actor),
        rights=OperatorRights(since=now),
    )
    before = parts.store.record(FIRST, FIRST)
    version = 0 if before is None else before.version
    return who, Record(kind=FIRST, key=FIRST, document=msgspec.json.encode({"account": account.id}), version=version)


def kept_beside(parts: Parts, planned: Plan) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """Return the records to keep and to drop with a change of an account's rights."""
    before, after = planned.before, planned.after
    if before.operator == after.operator:
        return (), ()
    known = parts.store.record(KIND, after.id)
    if after.operator is None:
        return (), () if known is None else (known,)
    record = Record(
        kind=KIND,
        key=after.id,
        document=msgspec.json.encode(after.operator),
        account_id=after.id,
        version=0 if known is None else known.version,
    )
    return (record,), ()


def has_less(before: Account, after: Account) -> bool:
    """Tell whether an account lost rights of an operator: then its sessions end, so that no request under way uses them."""
    if before.operator is None:
        return False
    return after.operator is None or not after.operator.covers(before.operator.over)


def _nobody(parts: Parts, actor: Actor) -> Exception:
    return SignInNeeded("sign in first") if session_of(parts, actor) is None else NotAnOperator()


def _views(parts: Parts, rights: OperatorRights) -> list[OperatorView]:
    found = []
    for record in parts.store.records(KIND):
        try:
            account = parts.store.read(AccountId(record.key)).account
        except NoSuchAccount:
            continue
        if account.operator is not None and rights.covers(account.operator.over):
            held = account.operator
            found.append(OperatorView(id=account.id, account=account.name, over=held.over, since=held.since))
    return sorted(found, key=lambda one: (one.since, one.account))
