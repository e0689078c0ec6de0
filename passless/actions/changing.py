"""Carrying out a change: read, plan, check, save, record in one transaction; again from the start when somebody was faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from passless.actions import asking, describing, due, kept_names, operators
from passless.actions.accounts import Found
from passless.actions.catching_up import ended_for_good
from passless.actions.parts import Parts
from passless.actions.recovery_sessions import continued, sessions_it_ends
from passless.actions.renewing import renewed
from passless.actions.who import Who, identify
from passless.domain import hosts
from passless.domain.account import Account, Pending, Version
from passless.domain.applying import postpone
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.ceremonies import Ceremony, CeremonyId
from passless.domain.changes import (
    AddAppPassword,
    AddRecoveryCode,
    Change,
    DeleteAccount,
    GrantRights,
    IssueTemporaryPass,
    StartRecovery,
    type_of,
)
from passless.domain.errors import WrongUse
from passless.domain.recovery import Asked
from passless.domain.refused import ABOUT_PROOFS, Refused
from passless.domain.safety.context import Problem, Severity
from passless.domain.safety.planning import Plan, plan
from passless.domain.safety.proofs import proof_ids
from passless.domain.secret import Secret
from passless.domain.sessions import Proof, Session, SessionId, SessionKind
from passless.domain.use_state import Use
from passless.ports import Record, VersionMoved, Write
from passless.ports.directory import Actor

TRIES = 50  # how often a change starts again when others were faster
MAXIMUM_WAITING = 20  # changes; a bound on one document, that whoever may only ask for what waits cannot pass


class TooMuchWaits(WrongUse):
    """More would wait than anybody can look through."""

    code = "too-many"
    hint = "see what waits and cancel it: passless recover status, then passless recover cancel"
    default = f"at most {MAXIMUM_WAITING} changes wait at a time"


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be done to an account as it is now. Several changes are kept together or not at all; the last names them.

    `proofs` come with the request itself; `uses`, `consumes` and `drops` are written with it, also where it waits. `proves` is
    added to the session in use, which gets a new token with it; `goes_on` takes the place of a proof whose method went, and is
    no fresher. `asked` is what another operator would have to approve, `approvals` who did, `notes` what else belongs in the
    audit trail. `problems` stand in its way besides those that the rules find. `among` are the sessions that there were when
    `ends` was made up.
    """

    changes: tuple[Change, ...]
    proofs: tuple[Proof, ...] = ()
    uses: tuple[Use, ...] = ()
    consumes: CeremonyId | Ceremony | None = None
    proves: Proof | None = None
    goes_on: Proof | None = None
    ends: tuple[SessionId, ...] = ()
    among: tuple[SessionId, ...] | None = None
    forgives: tuple[str, ...] = ()
    asked: Asked | None = None
    approvals: tuple[str, ...] = ()
    puts: tuple[Record, ...] = ()
    drops: tuple[Record, ...] = ()
    notes: dict[str, str] = {}
    problems: tuple[Problem, ...] = ()


class Kept(Struct, frozen=True, kw_only=True):
    """What came of it: the plan, the account as it is kept, what waits, and the new token of who proved more."""

    plan: Plan
    account: Account
    pending: Pending | None = None
    sessions_ended: int = 0
    token: Secret | None = None


Look = Callable[[datetime], Found]
Build = Callable[[Who, datetime], Wanted]
Identify = Callable[[Account], Who]

# Each makes a secret that is shown now, or gives rights to somebody.
CANNOT_WAIT = (AddAppPassword, AddRecoveryCode, GrantRights, IssueTemporaryPass, StartRecovery)


def carry_out(
    parts: Parts,
    actor: Actor,
    look: Look,
    build: Build,
    *,
    version: Version | None = None,
    who_acts: Identify | None = None,
) -> Kept:
    """Do what is wanted to an account, or refuse it and keep nothing but the refusal in the audit trail.

    With a version it is done only while the account is at it. `who_acts` stands in for what the session says.

    Raises:
        Refused: the rules refuse it; all problems are in it.
        SignInNeeded, NoSuchAccount: nobody is signed in, or there is no such account.
        VersionMoved: the account is at another version than the one named.
    """
    for _ in range(TRIES if version is None else 1):
        now = parts.now()
        found = look(now)
        who = identify(parts, actor, found.account) if who_acts is None else who_acts(found.account)
        if version is not None and found.version != version:
            raise VersionMoved
        wanted = build(who, now)
        planned = preview(parts, who, wanted, now)
        try:
            if not planned.is_accepted:
                asking.keep_wish(parts, found, who, planned, wanted.asked, now)
                raise refusal(parts, who, planned, now)
            return _keep(parts, found, who, wanted, planned, now)
        except VersionMoved:
            continue
    raise VersionMoved


def preview(parts: Parts, who: Who, wanted: Wanted, now: datetime) -> Plan:
    """Plan what is wanted, as one change from the account before to the account after all of it."""
    context = who.context(now, more=wanted.proofs, approvals=wanted.approvals)
    current, problems, due, decided = who.account, list(wanted.problems), None, None
    for change in wanted.changes:
        step = at_once(plan(current, change, context, parts.rules))
        problems += [problem for problem in step.problems if problem not in problems]
        current, decided, due = continued(current, step.after, now), step.change, step.due_at or due
    assert decided is not None  # every request makes a change
    return Plan(change=decided, before=who.account, after=current, problems=tuple(problems), due_at=due)


def at_once(step: Plan) -> Plan:
    """Return a plan in which what cannot wait is refused where it would have to."""
    if step.due_at is None or not isinstance(step.change, CANNOT_WAIT):
        return step
    problems = tuple(
        replace(problem, severity=Severity.REFUSAL) if problem.severity is Severity.PENDING else problem
        for problem in step.problems
    )
    return replace(step, problems=problems, due_at=None)


def _keep(parts: Parts, found: Found, who: Who, wanted: Wanted, planned: Plan, now: datetime) -> Kept:
    if planned.due_at is not None:
        return _keep_waiting(parts, found, who, wanted, planned, now)
    ended = tuple(_sessions_to_end(parts, found, who, planned, wanted, now))
    delete = isinstance(planned.change, DeleteAccount)
    puts, drops = operators.kept_beside(parts, planned)
    notes = wanted.notes | ({"approved_by": ",".join(wanted.approvals)} if wanted.approvals else {})
    session, token = _session_after(parts, who, planned, wanted, now)
    write = Write(
        at=now,
        account=planned.after,
        expected=found.version,
        delete=delete,
        consumes=wanted.consumes,
        uses=wanted.uses,
        updates=None if delete and who.acting is None else session,
        ends=ended,
        among=wanted.among,
        ended=tuple(ended_for_good(found.stored, planned.after, deleted=delete)),
        notices=(
            *found.caught_up.notices,
            *_notices(parts, found.account, wanted, now),
            *operators.tell_of(parts, who, planned, now),
        ),
        events=(*found.caught_up.events, *(_entry(who, change, Outcome.DONE, now, notes) for change in wanted.changes)),
        forgives=wanted.forgives,
        puts=(
            *wanted.puts,
            *puts,
            *(kept_names.of_the_gone(parts, found.stored, now) if delete else due.records(found.stored, planned.after)),
        ),
        drops=(*wanted.drops, *drops),
    )
    parts.store.commit(write)
    return Kept(plan=planned, account=planned.after, sessions_ended=len(ended), token=token)


def _keep_waiting(parts: Parts, found: Found, who: Who, wanted: Wanted, planned: Plan, now: datetime) -> Kept:
    assert planned.due_at is not None  # the caller saw to it
    waiting = Pending(
        id=parts.new_id(),
        change=planned.change,
        asked_at=now,
        due_at=planned.due_at,
        asked_by=who.reporter,
        proven_by=tuple(sorted(proof_ids(who.context(now, more=wanted.proofs)))),
    )
    after = postpone(who.account, waiting)
    session, _ = _session_after(parts, who, replace(planned, after=after), replace(wanted, proves=None, goes_on=None), now)
    if len(after.pending) > MAXIMUM_WAITING:
        raise TooMuchWaits
    write = Write(
        at=now,
        account=after,
        expected=found.version,
        consumes=wanted.consumes,
        uses=wanted.uses,
        updates=session,
        ended=tuple(ended_for_good(found.stored, after)),
        notices=(*found.caught_up.notices, *_waiting_notices(parts, found.account, waiting)),
        events=(*found.caught_up.events, _entry(who, planned.change, Outcome.PENDING, now, {"pending": waiting.id})),
        puts=due.records(found.stored, after),
        drops=wanted.drops,
    )
    parts.store.commit(write)
    return Kept(plan=planned, account=after, pending=waiting)


def _entry(who: Who, change: Change, outcome: Outcome, now: datetime, more: dict[str, str] | None = None) -> AuditEntry:
    details = describing.details(who.account, change) | (more or {}) | who.said
    if outcome is Outcome.DONE:
        details |= hosts.said_of(who.account, type_of(change))
    return AuditEntry(
        at=now,
        actor=who.name,
        event=type_of(change),
        outcome=outcome,
        account_id=who.account.id,
        account=who.account.name,
        place=who.place,
        details=details,
    )


def refusal(parts: Parts, who: Who, planned: Plan, now: datetime) -> Refused:
    """Record that the rules refuse what was planned, and return the error that says so."""
    codes = ",".join(dict.fromkeys(problem.code for problem in planned.refusals))
    parts.store.commit(Write(at=now, events=(_entry(who, planned.change, Outcome.REFUSED, now, {"problems": codes}),)))
    return Refused(planned.problems)


def _removed(before: Account, after: Account) -> frozenset[str]:
    kept = {method.id for method in after.methods}
    return frozenset(method.id for method in before.methods if method.id not in kept)


def _sessions_to_end(parts: Parts, found: Found, who: Who, planned: Plan, wanted: Wanted, now: datetime) -> Iterator[SessionId]:
    """Return what ends: sessions that a method opened which is gone, all of a deleted account, and those asked for."""
    removed, deleted = _removed(found.stored, planned.after), isinstance(planned.change, DeleteAccount)
    deposed = operators.has_less(planned.before, planned.after)
    kinds = sessions_it_ends(planned.before, planned.after, wanted.changes)
    own = who.session.id if who.session is not None else None
    yield from wanted.ends
    for session in parts.store.sessions(who.account.id):
        if session.id in wanted.ends or session.is_expired(now):
            continue
        if session.id == own:
            over = deleted or session.kind in kinds or _is_gone(who, planned, wanted)
        else:
            over = deleted or session.kind in kinds or bool({proof.method for proof in session.proofs} & removed)
            over = over or (deposed and session.kind is not SessionKind.TOKEN)
        if over:
            yield session.id


def _is_gone(who: Who, planned: Plan, wanted: Wanted) -> bool:
    """Tell whether nothing that opened the session in use is left."""
    if who.session is None or not who.session.proofs:
        return False
    if who.session.id in wanted.ends or isinstance(planned.change, DeleteAccount):
        return True
    return not (_proofs_left(who.session, planned) or wanted.proves or wanted.goes_on)


def _proofs_left(session: Session, planned: Plan) -> tuple[Proof, ...]:
    removed = _removed(planned.before, planned.after)
    return tuple(proof for proof in session.proofs if proof.method not in removed)


def _session_after(
    parts: Parts, who: Who, planned: Plan, wanted: Wanted, now: datetime
) -> tuple[Session | None, Secret | None]:
    """Return the session that acts as it is afterwards, and its new token where more was proven in it."""
    if who.acting is not None:  # whose session ended, or who has less rights, no longer acts
        return replace(who.acting.session, seen_at=now), None
    if who.session is None:
        return None, None
    proofs = _proofs_left(who.session, planned)
    if wanted.goes_on is not None:
        proofs = (*proofs, wanted.goes_on)
    if wanted.proves is None:
        return replace(who.session, proofs=proofs, seen_at=now), None
    return renewed(parts, who.session, (*proofs, wanted.proves), now)


def _notices(parts: Parts, before: Account, wanted: Wanted, now: datetime) -> Iterator[Notice]:
    for change in wanted.changes:
        if type_of(change) in describing.QUIET:
            continue
        facts = describing.details(before, change)
        what = facts.get("name") or facts.get("device") or facts.get("new_name") or ""
        message = describing.title(change) + (f': "{what}"' if what else "") + f"; {describing.remedy(change)}"
        yield Notice(id=parts.new_id(), account_id=before.id, at=now, code=type_of(change), message=message)


def _waiting_notices(parts: Parts, account: Account, waiting: Pending) -> Iterator[Notice]:
    """Tell at the start, half-way and a day before the end (features.md, "replacing all methods")."""
    half = waiting.asked_at + (waiting.due_at - waiting.asked_at) / 2
    for at in (waiting.asked_at, half, waiting.due_at - timedelta(days=1)):
        yield Notice(
            id=parts.new_id(),
            account_id=account.id,
            at=at,
            code=f"pending:{waiting.id}",
            message=f"a change waits until {waiting.due_at:%Y-%m-%d}: {type_of(waiting.change)}; to stop it: "
            f"passless recover cancel --waiting {waiting.id}",
        )


def problems_without_proofs(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return a plan's problems for `--dry-run`, which needs no fresh proof: what only asks for one is a warning."""
    return tuple(
        replace(problem, severity=Severity.WARNING)
        if problem.code in ABOUT_PROOFS and problem.severity is Severity.REFUSAL
        else problem
        for problem in problems
    )
