"""Operators of a server: kept beside their accounts, so that nobody looks through all accounts for them; the first one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

import msgspec

from passless.actions.catching_up import catch_up
from passless.actions.parts import Access, Parts
from passless.actions.who import (
    REASON_LENGTH,
    NotAnOperator,
    NotBelow,
    OperatorProofNeeded,
    SignInNeeded,
    Who,
    operating,
    place_of,
    reason_of,
    session_of,
)
from passless.domain import names
from passless.domain.account import Account, AccountId
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.changes import IssueTemporaryPass, StartRecovery
from passless.domain.errors import CannotDoThat, ProofNeeded
from passless.domain.operators import OperatorRights, may_ask
from passless.domain.recovery import Reporter
from passless.domain.refused import Refused
from passless.domain.requests import Delete, Request
from passless.domain.safety.context import Problem, Severity
from passless.domain.safety.operator_rules import can_act
from passless.domain.safety.planning import Plan
from passless.domain.views import OperatorView
from passless.ports import NoSuchAccount, Record, Write
from passless.ports.directory import Actor

KIND = "operator"  # of the record beside each operator's account
FIRST = "first-operator"  # of the record that operators made on the host at once would all have to write
FIRST_ONES = 2  # operators that are made on the host: as many as agree where the policy asks two (rule 12)


class NotOnAServer(CannotDoThat):
    """There are no operators, groups or invitations on an embedded store."""

    code = "needs-a-server"
    hint = "its owner helps with --as-operator --reason TEXT; for a team: passless serve"
    default = "the store belongs to whoever owns its file, so it has no operators, groups or invitations"


class OnTheHost(CannotDoThat):
    """The first operator is made where the store is."""

    code = "on-the-host"
    hint = "there, with a profile of the store itself: passless operator add ACCOUNT --first"
    default = "the first operators are made on the host of the server, by whoever can open its store"


class NotTheFirst(CannotDoThat):
    """There are operators enough for two to agree, or the account is one already."""

    code = "not-the-first"
    hint = "ask one of them, signed in to the server: passless operator add ACCOUNT --reason TEXT"
    default = f"there are {FIRST_ONES} operators already, and from then on only operators make others"


def check_server(parts: Parts) -> None:
    """Refuse what only a server's store has."""
    if parts.access is not Access.NOBODY:
        raise NotOnAServer


def may_not(request: Request) -> Problem:
    """Say that something is the person's alone, and where it stands what can be done once they are gone."""
    left = '; for who left: docs/server.md, "When somebody leaves"' if isinstance(request, Delete) else ""
    return Problem(
        code="operator-may-not",
        message="an operator cannot do this",
        hint=f"the person does it, signed in{left}",
        severity=Severity.REFUSAL,
    )


def check_may_ask(parts: Parts, who: Who, request: Request, now: datetime, *, dry: bool = False) -> None:
    """Refuse to whoever is not the person what is the person's alone (must hold 9); but for a plan it is in the audit trail."""
    if who.reporter is Reporter.SELF or may_ask(request):
        return
    problem = may_not(request)
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


@contextmanager
def noting_refused(parts: Parts, actor: Actor, asked: str) -> Iterator[None]:
    """Record it where whoever asks for something as an operator may not."""
    try:
        yield
    except (NotAnOperator, NotBelow, OperatorProofNeeded) as error:
        _note_refused(parts, actor, asked, error)
        raise


def _note_refused(parts: Parts, actor: Actor, asked: str, error: ProofNeeded) -> None:
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


def tell_of(parts: Parts, who: Who, planned: Plan, now: datetime) -> Iterator[Notice]:
    """Tell every operator of a new one, of one who may do more, and of one whom another recovers.

    Who did it, or who has the account then, may not be who they seem.
    """
    if isinstance(planned.change, StartRecovery | IssueTemporaryPass):
        yield from tell_of_recovery(parts, planned.before, f'"{who.name}"', now)
        return
    had, has = planned.before.operator, planned.after.operator
    if has is None or (had is not None and had.covers(has.over)):
        return
    name = planned.after.name
    over = ", ".join(f'"{group}"' for group in has.over) or "everybody"
    message = (
        f'"{name}" was made an operator over {over} by "{who.name}"; if that is not right: passless operator remove {name}'
    )
    yield from _to_the_others(parts, planned.after, "new-operator", message, now)


def tell_of_recovery(parts: Parts, account: Account, by: str, now: datetime) -> Iterator[Notice]:
    """Tell every other operator that one is being recovered, and by whom; nobody where the account is no operator's."""
    if account.operator is not None:
        message = f'the operator "{account.name}" is being recovered by {by}; if that is not right: passless operator remove '
        yield from _to_the_others(parts, account, "operator-recovery", message + account.name, now)


def _to_the_others(parts: Parts, about: Account, code: str, message: str, now: datetime) -> Iterator[Notice]:
    for record in parts.store.records(KIND):
        if record.key != about.id:
            yield Notice(id=parts.new_id(), account_id=AccountId(record.key), at=now, code=code, message=message)


def first(parts: Parts, actor: Actor, account: Account, now: datetime) -> tuple[Who, Record]:
    """Return who makes the first operators, and the record that only one such making can write.

    Raises:
        OnTheHost: it is asked for over HTTP, or from elsewhere.
        NotTheFirst: there are two already who can act, one of them over everybody, or the account is that of an operator.
    """
    check_host(parts)
    if account.operator is not None:
        raise NotTheFirst("the account is that of an operator already")
    able = list(_able(parts, now))
    if len(able) >= FIRST_ONES and any(map(_is_over_all, able)):
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


def last_over_all(parts: Parts, account: Account, now: datetime) -> tuple[Problem, ...]:
    """Warn where an account is the last that may help everybody, and goes or loses that."""
    if not _is_over_all(account) or any(_is_over_all(one) for one in _able(parts, now) if one.id != account.id):
        return ()
    make = "make another one first: passless operator add NAME --reason TEXT"
    host = "later only the host of the server can: passless operator add NAME --first"
    message = "nobody would be left who may help everybody"
    return (Problem(code="last-operator", message=message, hint=f"{make}; {host}", severity=Severity.WARNING),)


def _is_over_all(account: Account) -> bool:
    return account.operator is not None and not account.operator.over


def nobody_in(parts: Parts, over: tuple[str, ...]) -> tuple[Problem, ...]:
    """Warn where nobody is in a group that an operator is to be over: it may be mistyped."""
    empty = [group for group in over if next(iter(parts.store.accounts(groups=(group,))), None) is None]
    if not empty:
        return ()
    groups = ", ".join(f'"{group}"' for group in empty)
    hint = "look whether it is typed right; accounts come into it with: passless account groups NAME GROUP"
    return (Problem(code="empty-group", message=f"nobody is in {groups}", hint=hint, severity=Severity.WARNING),)


def name_of(parts: Parts, account_id: str) -> str:
    """Return what an account is called; its id, once it is gone."""
    try:
        return parts.store.read(AccountId(account_id)).account.name
    except NoSuchAccount:
        return account_id


def _able(parts: Parts, now: datetime) -> Iterator[Account]:
    """Yield the operators who can act: not those being recovered, or whom another operator recovered lately."""
    for record in parts.store.records(KIND):
        with suppress(NoSuchAccount):
            account = catch_up(parts.store.read(AccountId(record.key)).account, parts.rules, now).account
            if can_act(account, now):
                yield account


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
            by = name_of(parts, held.granted_by[0]) if held.granted_by else None
            found.append(OperatorView(id=account.id, account=account.name, over=held.over, since=held.since, granted_by=by))
    return sorted(found, key=lambda one: (one.since, one.account))
