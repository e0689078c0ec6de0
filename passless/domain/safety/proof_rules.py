"""The rules that ask about proofs: what may happen at once, what waits, what is refused (design.md, rules 3 and 8 to 12)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import Enum

from msgspec.structs import replace

from passless.domain.account import Account
from passless.domain.changes import (
    AddAppPassword,
    AddMethod,
    AddRecoveryCode,
    CancelPending,
    CancelRecovery,
    ConfirmRecoveryCode,
    DeleteAccount,
    FinishRecovery,
    RemoveMethod,
    RenameAccount,
    RenameMethod,
    ReplacePassword,
    SetDefaultMethod,
    Settle,
    TakeBackLoss,
    TurnPasswordlessOff,
    TurnPasswordlessOn,
    TurnTwoStepOff,
    TurnTwoStepOn,
)
from passless.domain.methods import Email, MethodId, Other, Password, Phone, SignInMethod, Strength, strength
from passless.domain.recovery import Reporter
from passless.domain.safety.case import NEVER_REFUSED, Case
from passless.domain.safety.context import READS_ONLY, Context, Problem, Rules, Severity
from passless.domain.safety.proofs import (
    beyond_messages,
    counted_proofs,
    covered,
    is_old,
    is_young,
    proof_ids,
    proven,
    strongest_way_in,
)
from passless.domain.safety.ways_in import signs_in, survives
from passless.domain.sessions import SessionKind

RECOVERY_MAY = (
    *NEVER_REFUSED,
    AddMethod,
    AddRecoveryCode,
    ConfirmRecoveryCode,
    FinishRecovery,
    SetDefaultMethod,
)
RECOVERY_SESSIONS = (SessionKind.TEMPORARY_PASS, SessionKind.RECOVERY_CODE)
SIGN_IN_HINT = "prove it again: passless sign-in"


class _Need(Enum):
    """What rule 8 asks for a change, where it is not a strength."""

    NOTHING = "a session is enough, or another rule asks"
    REMOVAL = "a proof with what goes, or two factors"


def session_may_not(case: Case) -> Iterator[Problem]:
    """Decision 0016: a session that could be phished, and what is no person's, look and change nothing, reports included."""
    if not isinstance(case.change, Settle):
        yield from only_looks(case.context)


def only_looks(context: Context) -> Iterator[Problem]:
    """Say so where who asks sits in a session that changes nothing."""
    if context.actor is not Reporter.SELF or context.session not in READS_ONLY:
        return
    yield Problem(
        code="session-may-not",
        message="this session may look, and changes nothing",
        hint="do it from a session of your own: passless sign-in, with a key, a code or --browser",
        severity=Severity.REFUSAL,  # though a report is never refused to a person
    )


def is_bound(account: Account, context: Context) -> bool:
    """Tell whether rule 10 binds who asks: a session of the recovery, or proofs with nothing but what was enrolled in it.

    Neither waiting until such proofs are stale nor giving one in an older session's place frees anybody.
    """
    recovery = account.recovery
    if recovery is None or not recovery.holds(context.now) or context.actor is not Reporter.SELF:
        return False
    if context.session in RECOVERY_SESSIONS:
        return True
    enrolled, fresh = frozenset(recovery.enrolled), proof_ids(context)
    return any(ids and ids <= enrolled for ids in (fresh, fresh | context.opened_with))


def _rule_10_asks_instead(case: Case) -> bool:
    """Tell whether rule 10 asks in place of rule 8: in a session of the recovery, or with a fresh proof."""
    if not is_bound(case.before, case.context):
        return False
    return case.context.session in RECOVERY_SESSIONS or bool(proof_ids(case.context))


def removed(case: Case) -> frozenset[MethodId]:
    """Return the methods that the change takes away; a replaced password goes, whatever the new one is called."""
    kept = {method.id for method in case.after.methods}
    gone = {method.id for method in case.before.methods if method.id not in kept}
    old, new = case.before.password, case.after.password
    return frozenset(gone if old is None or old == new else gone | {old.id})


def unproven_method(case: Case) -> Iterator[Problem]:
    """Rule 3: passwordless turns on only when one of the proofs is a method that can replace the password."""
    if not case.deletes_the_password or case.context.waited:
        return
    able = [method for method in case.after.methods if signs_in(method, case.rules, case.now) and _replaces_password(method)]
    if proof_ids(case.context) & {method.id for method in able}:
        return
    names = ", ".join(f'"{method.name}"' for method in able)
    yield case.problem(
        "unproven-method",
        f"prove first that you can sign in with {names}" if able else "no method on the account can replace the password",
        f"passless sign-in --with {able[0].__struct_config__.tag}" if able else "add one: passless method add totp",
        refuse=True,
    )


def _replaces_password(method: SignInMethod) -> bool:
    return not isinstance(method, Password | Other)


def weak_proof(case: Case) -> Iterator[Problem]:
    """Rule 8: a fresh proof, as strong as the change asks."""
    if case.context.waited or case.context.actor is not Reporter.SELF or _rule_10_asks_instead(case):
        return
    need = _needed(case)
    have = covered(case.before, counted_proofs(case.context), case.rules, case.now)
    if need is _Need.NOTHING:
        return
    least = need if isinstance(need, Strength) else Strength.ONE_FACTOR
    if have < least:
        hint = _which_proof(case.before, least, case.rules, case.now)
        yield case.problem("weak-proof", _too_weak(have, least), hint, refuse=True, factors=int(least))
    elif have < Strength.TWO_FACTORS and _may_wait(case, need) and not is_young(case.before, case.rules, case.now):
        yield case.problem(
            "weak-proof",
            "one factor proves too little to do this at once, so it waits",
            "prove it with two factors, or with what it removes, to do it now: passless sign-in",
            refuse=False,
            pending=True,
        )


def _may_wait(case: Case, need: Strength | _Need) -> bool:
    """Tell whether one factor is enough to ask, and not enough to have it at once.

    Turning two-step on takes every way in away that is one factor, the owner's too.
    """
    return isinstance(case.change, TurnTwoStepOn) or (need is _Need.REMOVAL and not removed(case) <= proof_ids(case.context))


def _needed(case: Case) -> Strength | _Need:
    strongest = max(strongest_way_in(case.before, case.rules, case.now), Strength.ONE_FACTOR)
    match case.change:
        case TurnTwoStepOn() | TurnTwoStepOff() | AddAppPassword() | DeleteAccount():
            return strongest
        case RenameAccount() if case.renames:
            return strongest
        case AddMethod(method=method):
            return max(min(strongest, strength(method)), Strength.ONE_FACTOR)
        case TurnPasswordlessOff() if case.before.password is not None:
            return _Need.REMOVAL
        case TurnPasswordlessOff() | AddRecoveryCode() | ConfirmRecoveryCode():
            return Strength.ONE_FACTOR
        case RemoveMethod() | TurnPasswordlessOn() | ReplacePassword():
            return _Need.REMOVAL
        case _:
            return _Need.NOTHING


def _too_weak(have: Strength, need: Strength) -> str:
    if have is Strength.NOTHING:
        return "this needs a proof from the last 10 minutes"
    return f"this needs {'two factors' if need is Strength.TWO_FACTORS else 'one factor'} proven in the last 10 minutes"


def _which_proof(account: Account, need: Strength, rules: Rules, now: datetime) -> str:
    usable = [method for method in account.methods if signs_in(method, rules, now)]
    strong = [method for method in usable if strength(method) >= need]
    kinds = dict.fromkeys(str(method.__struct_config__.tag) for method in strong or usable)
    if not kinds:
        return SIGN_IN_HINT
    return f"{SIGN_IN_HINT} --with {' or '.join(kinds) if strong else ', and again --with '.join(kinds)}"


def token_problems(account: Account, context: Context, rules: Rules) -> Iterator[Problem]:
    """Rule 8 for a machine's token, which is no change of the account: as strong as an app password; and rule 10."""
    need = max(strongest_way_in(account, rules, context.now), Strength.ONE_FACTOR)
    have = covered(account, counted_proofs(context), rules, context.now)
    if have < need:
        yield Problem(
            code="weak-proof",
            message=_too_weak(have, need),
            hint=_which_proof(account, need, rules, context.now),
            severity=Severity.REFUSAL,
            factors=int(need),
        )
    if is_bound(account, context):
        yield Problem(
            code="in-recovery",
            message="for a day after a recovery no token is made",
            hint="sign in with a method from before the recovery",
            severity=Severity.REFUSAL,
        )


def renaming(case: Case) -> Iterator[Problem]:
    """A name does not change later than it was asked for: by then it may be somebody else's."""
    if case.renames and case.context.waited:
        yield case.problem("name-cannot-wait", "an account is renamed at once or not at all", "ask for it again", refuse=True)


def old_only(account: Account, case: Case) -> Account:
    """Return the account with nothing but old methods and codes, those by SMS and e-mail aside."""
    methods = tuple(
        method
        for method in account.methods
        if is_old(method.added_at, case.rules, case.now) and not isinstance(method, Phone | Email)
    )
    codes = tuple(code for code in account.recovery_codes if is_old(code.created_at, case.rules, case.now))
    return replace(account, methods=methods, recovery_codes=codes)


def all_at_once(case: Case) -> Iterator[Problem]:
    """Rule 9: nothing takes the last old way back away at once, unless who asks has proven to hold it."""
    if case.context.waited or case.never_refused or is_young(case.before, case.rules, case.now):
        return
    if isinstance(case.change, TakeBackLoss | CancelRecovery):
        return
    if survives(old_only(case.after, case), case.rules, case.now):
        return
    if not survives(old_only(case.before, case), case.rules, case.now):
        return
    old = {method.id for method in old_only(case.before, case).methods}
    ids = proof_ids(case.context)
    two = covered(case.before, counted_proofs(case.context), case.rules, case.now) is Strength.TWO_FACTORS
    if ids & old and (two or removed(case) | _could_come_back(case) <= ids):
        return
    days = case.rules.wait.days
    yield case.problem(
        "all-at-once",
        f"no method or code older than {days} days would be left, so it waits {days} days",
        "prove it with two factors, one of them an older method, to do it now: passless sign-in",
        refuse=False,
        pending=True,
    )


def _could_come_back(case: Case) -> frozenset[MethodId]:
    """Return the old methods whose reported loss can still be taken back: without what is removed now, perhaps never."""
    open_losses = (loss for loss in case.before.losses if case.now < loss.until)
    lost = replace(case.before, methods=tuple(method for loss in open_losses for method in loss.methods))
    return frozenset(method.id for method in old_only(lost, case).methods)


def in_recovery(case: Case) -> Iterator[Problem]:
    """Rule 10: for a day after a recovery, who came in through it may enrol, and remove only what was named lost."""
    if case.context.waited or not is_bound(case.before, case.context):
        return
    if isinstance(case.change, RECOVERY_MAY):
        if isinstance(case.change, AddMethod) and isinstance(case.change.method, Password):
            yield case.problem("in-recovery", "a recovery enrols no password", "add a key, a passkey or an app", refuse=True)
        return
    if isinstance(case.change, CancelPending | CancelRecovery | TakeBackLoss) or _names_lost(case) or _renames_its_own(case):
        return
    if case.renames:
        yield case.problem(
            "in-recovery",
            "for a day after a recovery the account keeps its name",
            "sign in with a method from before the recovery to do it now",
            refuse=True,
        )
        return
    yield case.problem(
        "in-recovery",
        "after a recovery other changes wait",
        "sign in with a method from before the recovery to do it now",
        refuse=False,
        pending=True,
    )


def _names_lost(case: Case) -> bool:
    recovery = case.before.recovery
    if recovery is None or not isinstance(case.change, RemoveMethod):
        return False
    method = case.before.method(case.change.id)
    return method is not None and method.device in recovery.lost


def _renames_its_own(case: Case) -> bool:
    """A method from before the recovery keeps its name: under another its owner would not know it."""
    recovery = case.before.recovery
    return recovery is not None and isinstance(case.change, RenameMethod) and case.change.id in recovery.enrolled


def take_back(case: Case) -> Iterator[Problem]:
    """A report is taken back by a stronger proof that includes what it named."""
    if not isinstance(case.change, TakeBackLoss):
        return
    loss = next((loss for loss in case.before.losses if loss.id == case.change.id), None)
    if loss is None or case.now >= loss.until:
        yield case.problem("too-late", "this report can no longer be taken back", "add the method again", refuse=True)
        return
    proofs = counted_proofs(case.context)
    have = beyond_messages(case.after, proofs, case.rules, case.now)
    named = {method.id for method in proven(case.after, proofs, case.rules, case.now)} & {one.id for one in loss.methods}
    if not named or have <= loss.reported_with:
        yield case.problem(
            "weak-proof",
            "taking a report back needs a proof stronger than the report, with a method it named",
            "prove it with what was reported lost, and one more method",
            refuse=True,
        )


def cancelling(case: Case) -> Iterator[Problem]:
    """Rules 9 and 10: old methods that are not reported lost cancel what waits and a recovery; who asked may cancel too."""
    if not isinstance(case.change, CancelPending | CancelRecovery) or case.context.actor is not Reporter.SELF:
        return  # whether somebody else may is `operator_rules.operators`
    ids = proof_ids(case.context)
    account, rules, now = case.before, case.rules, case.now
    enrolled = frozenset(account.recovery.enrolled) if account.recovery is not None else frozenset()
    able = {
        method.id
        for method in account.methods
        if method.id not in enrolled and (is_old(method.added_at, rules, now) or is_young(account, rules, now))
    }
    if isinstance(case.change, CancelPending):
        asked = {one for pending in account.pending if pending.id == case.change.id for one in pending.proven_by}
        able |= {method.id for method in account.methods if method.id in asked}
    if not ids & able:
        yield case.problem("weak-proof", "cancelling needs a proof with an older method", SIGN_IN_HINT, refuse=True)
