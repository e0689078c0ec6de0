"""A recovery that two operators must agree to (rule 12): the wish of one is kept, and the approval of another used once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from json import dumps

from passless.actions.accounts import Found
from passless.actions.catching_up import ended_for_good
from passless.actions.parts import Parts
from passless.actions.who import Who
from passless.domain.account import AccountId
from passless.domain.applying import apply
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.changes import AskApproval, type_of
from passless.domain.recovery import Approval
from passless.domain.requests import IssuePass, StartRecoveryOf
from passless.domain.safety.operator_rules import may_act_on
from passless.domain.safety.planning import Plan
from passless.ports import NoSuchAccount, Write

SECOND = "second-operator"  # the code of the problem that an approval takes away


def spoken(request: IssuePass | StartRecoveryOf, lost: Sequence[str] = ()) -> str:
    """Say what exactly is asked for: an approval is good for that alone, and whoever approves reads it."""
    minutes = int(request.lifetime.total_seconds() // 60)
    if isinstance(request, StartRecoveryOf):
        return f"a recovery with a temporary pass for {minutes} minutes; lost: {dumps(list(lost), ensure_ascii=False)}"
    works = "once" if request.once else "several times"
    return f"a temporary pass of {request.length} characters for {minutes} minutes, which works {works}"


def approvals(parts: Parts, who: Who, wish: str, now: datetime) -> tuple[str, ...]:
    """Return the name of the operator who approved just this for just this asker, and who still may."""
    held = who.account.approval
    if who.acting is None or held is None or not held.approved_by or not held.holds(now):
        return ()
    if held.asked != wish or held.asked_by != who.acting.account.id:
        return ()
    try:
        other = parts.store.read(AccountId(held.approved_by)).account
    except NoSuchAccount:
        return ()
    return (held.approved_name,) if may_act_on(other, who.account) else ()


def keep_wish(parts: Parts, found: Found, who: Who, planned: Plan, wish: str, now: datetime) -> None:
    """Keep what an operator asked for, where nothing but another operator's approval is missing.

    Raises:
        VersionMoved: the account moved, or the operator's session ended in between.
    """
    if who.acting is None or {problem.code for problem in planned.refusals} != {SECOND} or not wish:
        return
    asker, held = who.acting.account, who.account.approval
    if held is not None and held.holds(now) and (held.asked, held.asked_by) == (wish, asker.id) and not held.approved_by:
        return
    change = AskApproval(
        approval=Approval(id=parts.new_id(), asked=wish, asked_by=asker.id, asked_name=asker.name, asked_at=now)
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
        details={"asked": wish} | who.said,
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
