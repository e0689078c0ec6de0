"""What two operators must agree to (rule 12): the wish of one is kept, and the approval of another used once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from json import dumps

from passless.actions.accounts import Found
from passless.actions.catching_up import ended_for_good
from passless.actions.parts import Parts
from passless.actions.who import Who
from passless.domain.account import Account, AccountId
from passless.domain.applying import apply
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.changes import AskApproval, type_of
from passless.domain.recovery import Approval, Asked
from passless.domain.requests import PASS_LENGTH, GrantOperator, IssuePass, StartRecoveryOf
from passless.domain.safety.operator_rules import GRANT, Second, may_act_on, may_agree, why_not_second
from passless.domain.safety.planning import Plan
from passless.ports import NoSuchAccount, Write

SECOND = "second-operator"  # the code of the problem that an approval takes away
Wish = IssuePass | StartRecoveryOf | GrantOperator


def asked_in(request: Wish, *, lost: Sequence[str] = (), over: Sequence[str] = ()) -> Asked:
    """Return what exactly is asked for: an approval is good for that alone."""
    kind = str(request.__struct_config__.tag)
    match request:
        case IssuePass(lifetime=lifetime, once=once, length=length):
            return Asked(kind=kind, minutes=_minutes(lifetime), length=length, once=once)
        case StartRecoveryOf(lifetime=lifetime):
            return Asked(kind=kind, minutes=_minutes(lifetime), length=PASS_LENGTH, lost=tuple(lost))
        case GrantOperator():
            return Asked(kind=kind, over=tuple(over))


def spoken(asked: Asked) -> str:
    """Say what exactly is asked for, so that no two wishes sound the same."""
    if asked.kind == GRANT:
        return f"the rights of an operator over {dumps(list(asked.over), ensure_ascii=False) if asked.over else 'everybody'}"
    works = "once" if asked.once else "several times"
    issued = f"a temporary pass of {asked.length} characters for {asked.minutes} minutes, which works {works}"
    if asked.kind == IssuePass.__struct_config__.tag:
        return issued
    return f"a recovery with {issued}; lost: {dumps(list(asked.lost), ensure_ascii=False)}"


def _minutes(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds() // 60)


def approvals(parts: Parts, who: Who, asked: Asked, now: datetime) -> tuple[str, ...]:
    """Return the name of the operator who approved just this for just this asker, and who still may."""
    held = who.account.approval
    if who.acting is None or held is None or not held.approved_by or not held.holds(now):
        return ()
    if held.asked != spoken(asked) or held.asked_by != who.acting.account.id:
        return ()
    try:
        other = parts.store.read(AccountId(held.approved_by)).account
    except NoSuchAccount:
        return ()
    agrees = may_act_on(other, who.account) and may_agree(other.operator, held)
    agrees = agrees and not why_not_second(second(who.acting.account, now), second(other, now), now)
    return (held.approved_name,) if agrees else ()


def second(account: Account, now: datetime) -> Second:
    """Return an operator as one of two who agree."""
    since = None if account.operator is None else account.operator.since
    return Second(id=account.id, made_by=account.made_by(now), since=since)


def keep_wish(parts: Parts, found: Found, who: Who, planned: Plan, asked: Asked | None, now: datetime) -> None:
    """Keep what an operator asked for, where nothing but another operator's approval is missing.

    Raises:
        VersionMoved: the account moved, or the operator's session ended in between.
    """
    if who.acting is None or {problem.code for problem in planned.refusals} != {SECOND} or asked is None:
        return
    asker, held, wish = who.acting.account, who.account.approval, spoken(asked)
    if held is not None and held.holds(now) and (held.asked, held.asked_by) == (wish, asker.id) and not held.approved_by:
        return
    change = AskApproval(
        approval=Approval(
            id=parts.new_id(),
            asked=wish,
            asked_by=asker.id,
            asked_name=asker.name,
            asked_at=now,
            wish=asked,
            reason=who.reason,
            made_by=asker.made_by(now),
        )
    )
    after = apply(who.account, change, now=now)
    entry = AuditEntry(
        at=now,
        actor=who.name,
        event=type_of(change),
        outcome=Outcome.PENDING,
        account_id=after.id,
        account=after.name,
        place=who.place,
        details={"asked": wish, "wish": change.approval.id} | who.said,
    )
    message = f"an operator asked for {wish}; another one has to approve it"
    notice = Notice(id=parts.new_id(), account_id=after.id, at=now, code=type_of(change), message=message)
    parts.store.commit(
        Write(
            at=now,
            account=after,
            expected=found.version,
            updates=who.acting.session,
            ended=tuple(ended_for_good(found.stored, after)),
            notices=(*found.caught_up.notices, notice),
            events=(*found.caught_up.events, entry),
        )
    )
