"""The rules about operators: what they may do to others, what they may give, and when two must agree (must hold 9, rule 12)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from passless.domain.account import Account, State
from passless.domain.changes import (
    AskApproval,
    CancelPending,
    GiveApproval,
    GrantRights,
    IssueTemporaryPass,
    PutIntoGroups,
    RenameAccount,
    RevokeRights,
    StartRecovery,
)
from passless.domain.methods import Strength
from passless.domain.operators import OperatorRights, difference
from passless.domain.recovery import Approval, Reporter
from passless.domain.safety.case import NEVER_REFUSED, Case
from passless.domain.safety.context import Context, Problem, Rules
from passless.domain.safety.proof_rules import is_bound
from passless.domain.safety.proofs import counted_proofs, covered, proof_ids, strongest_way_in

GRANT = GrantRights.__struct_config__.tag
SEASONED = timedelta(hours=24)  # how long one is an operator before one's approval counts: who is told of it has that long

OPERATORS_ALONE = (IssueTemporaryPass, GrantRights, RevokeRights, PutIntoGroups, AskApproval, GiveApproval)
OTHERS_MAY = (*NEVER_REFUSED, StartRecovery, *OPERATORS_ALONE)  # who is not the person; nothing else (features.md)


def operators(case: Case) -> Iterator[Problem]:
    """Who is not the person may only report a loss, revoke, and start a recovery; only they issue a pass (features.md)."""
    own = case.context.actor is Reporter.SELF
    if not own and not isinstance(case.change, OTHERS_MAY) and not _cancels(case) and not _renames(case):
        yield case.problem("operator-may-not", "an operator cannot do this", "the person does it, signed in", refuse=True)
    if own and isinstance(case.change, IssueTemporaryPass):
        yield case.problem(
            "operator-only", "nobody issues a temporary pass to themselves", "ask an operator, or: --as-operator", refuse=True
        )
    elif own and isinstance(case.change, OPERATORS_ALONE):
        yield case.problem("operator-only", "only an operator does this, for somebody else", "ask an operator", refuse=True)


def _cancels(case: Case) -> bool:
    """Tell whether an operator's own account stops what waits; whoever owns a file cannot."""
    return isinstance(case.change, CancelPending) and case.context.actor is Reporter.OPERATOR


def _renames(case: Case) -> bool:
    """Tell whether an operator's own account gives another name and nothing else: the name to show is the person's."""
    if not isinstance(case.change, RenameAccount) or case.context.actor is not Reporter.OPERATOR:
        return False
    return case.renames and case.change.display_name == case.before.display_name


def rights(case: Case) -> Iterator[Problem]:
    """Nobody gives or takes away more than they have themselves."""
    own = case.context.rights
    if case.context.actor is Reporter.SELF or _is_within(case, own):
        return
    yield case.problem(
        "beyond-rights",
        "this gives or takes away more than the operator's own rights",
        "name groups that you are over yourself, or ask an operator over all",
        refuse=True,
    )


def _is_within(case: Case, own: OperatorRights | None) -> bool:
    match case.change:
        case GrantRights(over=over):
            return own is not None and own.covers(over)
        case RevokeRights():
            theirs = case.before.operator
            return own is not None and (theirs is None or own.covers(theirs.over))
        case PutIntoGroups(groups=groups):
            changed = difference(case.before.groups, groups)
            return own is not None and (not changed or own.covers(changed))
        case _:
            return True


def second_operator(case: Case) -> Iterator[Problem]:
    """Rule 12: the policy may ask a second operator where a person would be left with methods of one device only.

    It then asks one for new operators and for the recovery of one as well: else one operator would be, or make, the second.
    """
    if isinstance(case.change, GiveApproval):
        yield from _another(case, case.change)
        return
    if not case.rules.second_operator or case.context.approvals or not _asks_two(case):
        return
    yield case.problem(
        "second-operator",
        "the policy asks a second operator to agree",
        "another operator approves it within 24 hours (passless recover approve), then it is asked for again",
        refuse=False,
        pending=True,
    )


def _asks_two(case: Case) -> bool:
    match case.change:
        case StartRecovery() | IssueTemporaryPass():
            alone = case.before.operator is None and len(case.before.devices) > 1
            return case.context.actor is not Reporter.SELF and not alone
        case GrantRights(over=over):  # on the server's host they are made while there are fewer than two, so that two can agree
            less = case.before.operator is not None and case.before.operator.covers(over)
            return case.context.actor is Reporter.OPERATOR and not less
        case _:
            return False


class Second(Struct, frozen=True, kw_only=True):
    """An operator who agrees, or asked: their id, since when they may, and who stands behind them."""

    id: str
    made_by: tuple[str, ...]
    since: datetime | None = None


def why_not_second(asker: Second, other: Second, now: datetime) -> str:
    """Say why one operator cannot agree to what another asked for, as two people; empty where they can (rule 12)."""
    if other.id == asker.id:
        return "who asked for it does not approve it too"
    if asker.id in other.made_by or other.id in asker.made_by:
        return "one of these two operators lately recovered or invited the other, or made them an operator, so they are not two"
    if other.since is None or now < other.since + SEASONED:
        return "who approves has been an operator, over these groups, for at least 24 hours"
    return ""


def _another(case: Case, given: GiveApproval) -> Iterator[Problem]:
    asked, own = case.before.approval, case.context.rights
    if asked is None or not asked.holds(case.now):
        yield case.problem("nothing-asked", "nothing waits for an approval", "another operator asks for it first", refuse=True)
        return
    if asked.id != given.id:
        yield case.problem(
            "another-wish", "something else is asked for now", "look at it: passless recover status", refuse=True
        )
        return
    other = Second(id=given.by, made_by=given.made_by, since=given.since)
    why = why_not_second(Second(id=asked.asked_by, made_by=asked.made_by), other, case.now)
    if why or given.by == case.before.id:
        message = why or "nobody approves what is asked for their own account"
        yield case.problem("second-operator", message, "another operator approves it", refuse=True)
    elif not may_agree(own, asked):
        yield case.problem(
            "beyond-rights",
            "this would give more than the operator's own rights",
            "an operator over all approves it",
            refuse=True,
        )


def one_factor_from_others(account: Account, rules: Rules, now: datetime) -> bool:
    """Tell whether one stolen factor of an operator's opens the accounts of all they may help."""
    return account.operator is not None and strongest_way_in(account, rules, now) is Strength.ONE_FACTOR


def whose(over: tuple[str, ...]) -> str:
    """Say whose accounts an operator may help with."""
    return f"the account of anybody in {', '.join(over)}" if over else "everybody's account"


def one_factor(case: Case) -> Iterator[Problem]:
    """Warn where the new operator proves one factor alone: who steals it can do all that they may."""
    if isinstance(case.change, GrantRights) and one_factor_from_others(case.after, case.rules, case.now):
        yield case.problem(
            "operator-one-factor",
            f"one stolen factor of theirs, such as the password, would open {whose(case.change.over)}",
            "they turn two-step on first, signed in: passless setup --goal two-step",
            refuse=False,
        )


def may_agree(own: OperatorRights | None, asked: Approval) -> bool:
    """Tell whether what is asked for gives no more than these rights."""
    if asked.wish is None or asked.wish.kind != GRANT:
        return True
    return own is not None and own.covers(asked.wish.over)


def may_act_on(operator: Account, target: Account, *, equals: bool = False) -> bool:
    """Tell whether an operator may act on an account: never on their own, nor on one that may do as much (must hold 9).

    `equals` is for taking rights away, which over all who may do just as much may: else rights over all could be taken from
    nobody. Of operators over groups it is only who is above them that may.
    """
    own, theirs = operator.operator, target.operator
    if own is None or operator.id == target.id:
        return False
    if equals and theirs is not None and not own.over:
        return True
    return own.is_above(target.groups, theirs)


def proof_for_others(account: Account, context: Context, rules: Rules) -> tuple[Strength, Strength]:
    """Return what an operator has to prove before acting for others, and what they have proven.

    It is what rule 8 asks for a change to two-step on their own account. Whose rights rest has proven nothing.
    """
    need = max(strongest_way_in(account, rules, context.now), Strength.ONE_FACTOR)
    if rights_rest(account, context):
        return need, Strength.NOTHING
    return need, covered(account, counted_proofs(context), rules, context.now)


def rights_rest(account: Account, context: Context) -> bool:
    """Tell whether an operator's rights are suspended: rule 10 binds who asks, or another one recovered the account lately.

    Then only what was on the account before that recovery gives them, for what was added since may be that operator's.
    """
    if is_bound(account, context):
        return True
    by = account.helped
    if by is None or not by.holds(context.now):
        return False
    older, fresh = {method.id for method in account.methods if method.added_at < by.since}, proof_ids(context)
    return any(ids and not ids & older for ids in (fresh, fresh | context.opened_with))


def can_act(account: Account, now: datetime) -> bool:
    """Tell whether an account is that of an operator who is not being recovered, nor was by another lately."""
    if account.operator is None or account.state(now) is State.IN_RECOVERY:
        return False
    return account.helped is None or not account.helped.holds(now)
