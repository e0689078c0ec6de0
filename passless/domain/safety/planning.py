"""A plan: what a change would do, judged by every rule, before anything is kept."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.account import Account
from passless.domain.applying import apply
from passless.domain.changes import (
    AddMethod,
    AddRecoveryCode,
    Change,
    ConfirmRecoveryCode,
    DeleteAccount,
    LoseDevice,
    LoseMethods,
    ReplacePassword,
    StartRecovery,
    TurnPasswordlessOff,
    TurnTwoStepOff,
    TurnTwoStepOn,
)
from passless.domain.methods import Strength
from passless.domain.recovery import Recovery
from passless.domain.safety import proof_rules
from passless.domain.safety import rules as account_rules
from passless.domain.safety.case import Case
from passless.domain.safety.context import Context, Problem, Rules, Severity
from passless.domain.safety.proofs import counted_proofs, covered, is_young, report_strength
from passless.domain.safety.ways_in import can_sign_in, fatal_devices

CHECKS = (
    account_rules.no_way_in,
    account_rules.one_device_away,
    proof_rules.unproven_method,
    account_rules.one_factor,
    account_rules.two_recovery_methods,
    account_rules.needs_password,
    account_rules.app_passwords_need_two_step,
    account_rules.legacy_app,
    proof_rules.weak_proof,
    proof_rules.all_at_once,
    proof_rules.in_recovery,
    proof_rules.operators,
    proof_rules.second_operator,
    proof_rules.take_back,
    proof_rules.cancelling,
    account_rules.code_not_saved,
    account_rules.too_many,
)


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
    if isinstance(change, DeleteAccount):
        return tuple(proof_rules.weak_proof(case)) + tuple(proof_rules.operators(case)) + tuple(proof_rules.in_recovery(case))
    return tuple(problem for check in CHECKS for problem in check(case))


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
        case LoseDevice() | LoseMethods():
            return replace(change, reported_with=report_strength(account, context, rules), by=context.actor, until=later)
        case StartRecovery():
            return replace(change, by=context.actor)
        case _:
            return change


def conclude(after: Account, change: Change, rules: Rules, now: datetime) -> Account:
    """Settle what follows from a change: an account becomes finished, or a reported loss puts it in recovery."""
    if isinstance(change, DeleteAccount):
        return after
    opens = can_sign_in(after, rules, now)
    if not after.finished and opens and not (after.passwordless and fatal_devices(after, rules, now)):
        after = replace(after, finished=True)
    if isinstance(change, LoseDevice | LoseMethods) and not opens and after.recovery is None:
        what = change.device if isinstance(change, LoseDevice) else "methods"
        after = replace(after, recovery=Recovery(started_at=now, by=change.by, lost=(what,)))
    elif isinstance(change, LoseDevice) and after.recovery is not None and change.device not in after.recovery.lost:
        after = replace(after, recovery=replace(after.recovery, lost=(*after.recovery.lost, change.device)))
    return after
