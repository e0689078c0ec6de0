"""A plan: what a change would do, judged by every rule, before anything is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.account import Account
from passless.domain.applying import apply
from passless.domain.changes import (
    AddMethod,
    AddRecoveryCode,
    AskApproval,
    Change,
    ConfirmRecoveryCode,
    DeleteAccount,
    GiveApproval,
    GrantRights,
    LoseDevice,
    LoseMethods,
    PutIntoGroups,
    ReplacePassword,
    RevokeRights,
    StartRecovery,
    TurnPasswordlessOff,
    TurnTwoStepOff,
    TurnTwoStepOn,
)
from passless.domain.methods import MethodId, Strength
from passless.domain.recovery import Recovery
from passless.domain.safety import operator_rules, proof_rules
from passless.domain.safety import rules as account_rules
from passless.domain.safety.case import Case
from passless.domain.safety.context import Context, Problem, Rules, Severity
from passless.domain.safety.proofs import counted_proofs, covered, is_old, is_young, report_strength
from passless.domain.safety.ways_in import can_sign_in, fatal_devices

Check = Callable[[Case], Iterator[Problem]]
CHECKS: tuple[Check, ...] = (
    proof_rules.session_may_not,
    account_rules.no_way_in,
    account_rules.one_device_away,
    proof_rules.unproven_method,
    account_rules.one_factor,
    account_rules.two_recovery_methods,
    account_rules.code_needs_proof,
    account_rules.needs_password,
    account_rules.app_passwords_need_two_step,
    account_rules.legacy_app,
    proof_rules.weak_proof,
    proof_rules.all_at_once,
    proof_rules.in_recovery,
    proof_rules.renaming,
    operator_rules.operators,
    operator_rules.second_operator,
    proof_rules.take_back,
    proof_rules.cancelling,
    account_rules.code_not_saved,
    account_rules.too_many,
)

WHEN_DELETING: tuple[Check, ...] = (
    proof_rules.session_may_not,
    proof_rules.weak_proof,
    proof_rules.all_at_once,
    proof_rules.in_recovery,
    operator_rules.operators,
)
AMONG_OPERATORS: tuple[Check, ...] = (
    proof_rules.session_may_not,
    operator_rules.operators,
    operator_rules.rights,
    operator_rules.one_factor,
    operator_rules.second_operator,
)  # how one signs in stays


class Plan(Struct, frozen=True, kw_only=True):
    """What a change would do. `due_at` is set where it would wait."""

    change: Change
    before: Account
    after: Account
    problems: tuple[Problem, ...]
    due_at: datetime | None = None

    @property
    def refusals(self) -> tuple[Problem, ...]:
        """The problems that refuse the change."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.REFUSAL)

    @property
    def is_accepted(self) -> bool:
        """Nothing refuses it, though it may wait."""
        return not self.refusals


def problems(before: Account, change: Change, after: Account, context: Context, rules: Rules) -> tuple[Problem, ...]:
    """Return every rule a change would break, and what that does to it."""
    case = Case(before=before, change=change, after=after, context=context, rules=rules)
    checks = CHECKS
    if isinstance(change, DeleteAccount):
        checks = WHEN_DELETING
    elif isinstance(change, GrantRights | RevokeRights | PutIntoGroups | AskApproval | GiveApproval):
        checks = AMONG_OPERATORS
    return tuple(problem for check in checks for problem in check(case))


def plan(account: Account, change: Change, context: Context, rules: Rules) -> Plan:
    """Work out what a change would do now; nothing is kept."""
    decided = stamp(account, change, context, rules)
    after = conclude(apply(account, decided, now=context.now), decided, rules, context.now)
    found = problems(account, decided, after, context, rules)
    waits = any(problem.severity is Severity.PENDING for problem in found)
    return Plan(
        change=decided,
        before=account,
        after=after,
        problems=found,
        due_at=context.now + rules.wait if waits else None,
    )


def stamp(account: Account, change: Change, context: Context, rules: Rules) -> Change:
    """Write into a change what follows from who asks for it, so that the change alone says what it does."""
    have = covered(account, counted_proofs(context), rules, context.now)
    later = context.now + rules.wait
    match change:
        case AddMethod(method=method):
            bound = proof_rules.is_bound(account, context)
            strength = Strength.NOTHING if bound else have
            return replace(change, method=replace(method, added_with=strength), in_recovery=bound)
        case ReplacePassword(password=password) | TurnPasswordlessOff(password=password):
            return replace(change, password=replace(password, added_with=have))
        case TurnTwoStepOff(password=password) if password is not None:
            return replace(change, password=replace(password, added_with=have))
        case AddRecoveryCode(code=code):
            return replace(change, code=replace(code, created_with=have))
        case ConfirmRecoveryCode(id=code_id):
            weak = any(code.id == code_id and code.created_with < Strength.TWO_FACTORS for code in account.recovery_codes)
            keeps = weak and not is_young(account, rules, context.now)
            return replace(change, old_codes_until=later if keeps else None)
        case TurnTwoStepOn():
            keeps = have < Strength.TWO_FACTORS and not is_young(account, rules, context.now)
            return replace(change, old_code_alone_until=later if keeps else None)
        case LoseMethods(ids=ids):
            said = report_strength(account, context, rules)
            kept = () if said is Strength.TWO_FACTORS else _old_password(account, rules, context)
            named = tuple(one for one in ids if one not in kept)
            return replace(change, ids=named, reported_with=said, by=context.actor, until=later)
        case LoseDevice():
            return replace(change, reported_with=report_strength(account, context, rules), by=context.actor, until=later)
        case StartRecovery():
            return replace(change, by=context.actor)
        case _:
            return change


def _old_password(account: Account, rules: Rules, context: Context) -> tuple[MethodId, ...]:
    """An old password is not lost with a thing, and nobody else has set it lately: less than two factors keep it."""
    password = account.password
    return (password.id,) if password is not None and is_old(password.added_at, rules, context.now) else ()


def conclude(after: Account, change: Change, rules: Rules, now: datetime) -> Account:
    """Settle what follows from a change: an account becomes finished, or a reported loss puts it in recovery."""
    if isinstance(change, DeleteAccount):
        return after
    opens = can_sign_in(after, rules, now)
    if not after.finished and opens and not (after.passwordless and fatal_devices(after, rules, now)):
        after = replace(after, finished=True)
    return _after_a_loss(after, change, now, opens=opens) if isinstance(change, LoseDevice | LoseMethods) else after


def _after_a_loss(after: Account, change: LoseDevice | LoseMethods, now: datetime, *, opens: bool) -> Account:
    """Without a way in a recovery begins, or begins again; a lost device is named in it."""
    named = (change.device,) if isinstance(change, LoseDevice) else ()
    recovery = after.recovery if after.recovery is not None and after.recovery.holds(now) else None
    if recovery is None:
        return after if opens else replace(after, recovery=Recovery(started_at=now, by=change.by, lost=named))
    lost = tuple(dict.fromkeys((*recovery.lost, *named)))
    if opens:
        return replace(after, recovery=replace(recovery, lost=lost))
    return replace(after, recovery=replace(recovery, lost=lost, finished_at=None))
