"""From what is stored to what is shown; nothing secret passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from passless.domain.account import Account, Pending
from passless.domain.audit import Notice
from passless.domain.changes import type_of
from passless.domain.methods import Password, SignInMethod, Strength, kind_of, resists_phishing, strength
from passless.domain.recovery import RECOVERY_PERIOD
from passless.domain.safety.context import Problem, Rules, Severity
from passless.domain.safety.next_steps import AtHand, Step, next_steps
from passless.domain.safety.operator_rules import GRANT, one_factor_from_others, whose
from passless.domain.safety.proof_rules import RECOVERY_SESSIONS
from passless.domain.safety.proofs import covered
from passless.domain.safety.ways_in import can_sign_in, fatal_devices, recovery_methods, signs_in, survives, ways_in, without
from passless.domain.sessions import STEP_UP, Session
from passless.domain.use_state import UseState
from passless.domain.views import (
    AccountView,
    ApprovalView,
    DeviceView,
    FreshnessView,
    LossView,
    MethodView,
    NoticeView,
    PendingView,
    ProblemView,
    RecoveryCodeView,
    ReportView,
    StateView,
    StepView,
)

Uses = Mapping[str, UseState]


def method_view(account: Account, method: SignInMethod, uses: Uses, rules: Rules, now: datetime) -> MethodView:
    """Show a method; a password lives on no device."""
    used = uses.get(method.id)
    return MethodView(
        id=method.id,
        kind=kind_of(method),
        name=method.name,
        device=None if isinstance(method, Password) else method.device,
        added_at=method.added_at,
        last_used_at=used.last_used_at if used is not None else None,
        phishing_resistant=resists_phishing(method),
        two_factor=strength(method) is Strength.TWO_FACTORS,
        default=method.id == account.default_method,
        usable=signs_in(method, rules, now),
    )


def problem_view(problem: Problem) -> ProblemView:
    """Show a problem; one that makes a change wait is a warning with a date."""
    severity = "refusal" if problem.severity is Severity.REFUSAL else "warning"
    return ProblemView(code=problem.code, message=problem.message, hint=problem.hint, severity=severity)


def state_view(account: Account, rules: Rules, now: datetime) -> StateView:
    """Show what a plan compares."""
    return StateView(
        passwordless=account.passwordless,
        two_step=account.two_step,
        methods=tuple(method.id for method in account.methods),
        ways_in=ways_in(account, rules, now),
        state=account.state(now),
    )


def step_view(step: Step) -> StepView:
    """Show a next step."""
    return StepView(code=step.code, message=step.message, command=step.command, optional=step.optional)


def pending_view(pending: Pending) -> PendingView:
    """Show a waiting change."""
    return PendingView(
        id=pending.id,
        change=type_of(pending.change),
        message=f"{type_of(pending.change).replace('-', ' ')} happens on {pending.due_at:%Y-%m-%d} unless it is cancelled",
        asked_at=pending.asked_at,
        due_at=pending.due_at,
    )


def loss_views(account: Account, rules: Rules, now: datetime) -> tuple[LossView, ...]:
    """Show what losing each device would leave."""
    return tuple(
        LossView(
            device=device,
            survives=survives(after := without(account, devices=(device,)), rules, now),
            ways_in=ways_in(after, rules, now),
        )
        for device in account.devices
    )


def device_views(account: Account, uses: Uses, rules: Rules, now: datetime) -> tuple[DeviceView, ...]:
    """Show each device with what is on it."""
    return tuple(
        DeviceView(
            name=loss.device,
            methods=tuple(
                method_view(account, method, uses, rules, now)
                for method in account.methods
                if method.device == loss.device and not isinstance(method, Password)
            ),
            survives=loss.survives,
        )
        for loss in loss_views(account, rules, now)
    )


def report_views(account: Account, now: datetime) -> tuple[ReportView, ...]:
    """Show the loss reports that can still be taken back."""
    return tuple(
        ReportView(
            id=loss.id,
            what=loss.what,
            methods=tuple(method.name for method in loss.methods),
            reported_at=loss.reported_at,
            until=loss.until,
        )
        for loss in account.losses
        if now < loss.until
    )


def recovery_code_view(account: Account) -> RecoveryCodeView:
    """Show whether there is a recovery code: the newest that was saved, and a newer one that was not."""
    codes = account.recovery_codes
    newest = codes[-1] if codes else None
    shown = next((code for code in reversed(codes) if code.saved), newest)
    return RecoveryCodeView(
        exists=shown is not None,
        saved=shown is not None and shown.saved,
        created_at=None if shown is None else shown.created_at,
        unsaved_at=None if newest is None or newest is shown else newest.created_at,
    )


def session_view(account: Account, session: Session, rules: Rules, now: datetime) -> FreshnessView:
    """Show how long the session in use lasts, and what its fresh proofs cover."""
    fresh = session.fresh_proofs(now)
    return FreshnessView(
        expires_at=session.expires_at,
        fresh_until=max(proof.at for proof in fresh) + STEP_UP if fresh else None,
        strength=int(covered(account, fresh, rules, now)),
        made=bool(fresh) and all(proof.method is None for proof in fresh),
    )


def notice_view(notice: Notice) -> NoticeView:
    """Show a notice."""
    return NoticeView(id=notice.id, at=notice.at, code=notice.code, message=notice.message)


def standing_problems(account: Account, uses: Uses, rules: Rules, now: datetime) -> Iterator[Problem]:
    """Return the rules that are broken as the account stands: warnings, and reasons for next steps."""
    opens = can_sign_in(account, rules, now)
    if not opens and account.finished and account.recovery is not None and account.recovery.holds(now):
        hint = "start the recovery: passless recover start; once in it: passless method add totp"
        yield _warning("no-way-in", "there is no way in yet", hint)
    elif not opens and account.finished:
        yield _warning("no-way-in", "there is no way in", "start a recovery: passless recover start")
    elif not opens:  # nobody ever got in otherwise, so there is nothing to recover
        yield _warning(
            "no-way-in",
            "there is no way in yet, and without one the account ends a day after it was made",
            "add one: passless method add totp, or passless method add security-key",
        )
    if account.passwordless and opens and (fatal := fatal_devices(account, rules, now)):
        names = ", ".join(f'"{device}"' for device in fatal)
        yield _warning(
            "one-device-away",
            f"losing {names} alone would lock you out",
            "make a recovery code (passless recovery-code new) or add a method on another device",
        )
    if account.two_step and recovery_methods(account, rules, now) < 2:
        yield _warning(
            "two-recovery-methods",
            "two-step needs two recovery methods on different devices",
            "make a recovery code (passless recovery-code new) or add a method on another device",
        )
    if account.operator is not None and one_factor_from_others(account, rules, now):
        yield _warning(
            "operator-one-factor",
            f"you are an operator: one stolen factor, such as your password, opens {whose(account.operator.over)}",
            "turn two-step on: passless setup --goal two-step",
        )
    for method in account.methods:
        if (used := uses.get(method.id)) is not None and used.cloned:
            yield _warning(
                "possible-clone",
                f'"{method.name}" may have been copied: its counter went back once',
                f"replace it: passless method remove {method.id}",
            )


def _warning(code: str, message: str, hint: str) -> Problem:
    return Problem(code=code, message=message, hint=hint, severity=Severity.WARNING)


def due_notices(account: Account, notices: Sequence[Notice], now: datetime) -> tuple[NoticeView, ...]:
    """Return the notices whose time has come; those of a waiting change only while it waits."""
    waiting = {f"pending:{one.id}" for one in account.pending}
    return tuple(
        notice_view(notice)
        for notice in notices
        if notice.at <= now and (not notice.code.startswith("pending:") or notice.code in waiting)
    )


def _recovery_until(account: Account, now: datetime) -> datetime | None:
    recovery = account.recovery
    if recovery is None or recovery.finished_at is None or not recovery.holds(now):
        return None
    return recovery.finished_at + RECOVERY_PERIOD


def approval_view(account: Account, now: datetime) -> ApprovalView | None:
    """Show what waits for another operator, or was approved and not carried out yet."""
    asked = account.approval
    if asked is None or not asked.holds(now):
        return None
    wish, grants = asked.wish, asked.wish is not None and asked.wish.kind == GRANT
    issues = wish if not grants else None
    lost = () if wish is None else wish.lost
    return ApprovalView(
        id=asked.id,
        reason=asked.reason,
        kind="" if wish is None else wish.kind,
        minutes=None if issues is None else issues.minutes,
        length=None if issues is None else issues.length,
        once=None if issues is None else issues.once,
        lost=lost,
        lost_methods=tuple(method.name for method in account.methods if method.device in lost),
        over=wish.over if wish is not None and grants else None,
        asked=asked.asked,
        asked_by=asked.asked_name,
        asked_at=asked.asked_at,
        approved_by=asked.approved_name or None,
        approved_at=asked.approved_at,
    )


def account_view(
    account: Account,
    *,
    profile: str,
    version: int,
    uses: Uses,
    notices: Sequence[Notice],
    session: Session | None,
    rules: Rules,
    now: datetime,
) -> AccountView:
    """Show an account at a glance."""
    at_hand = AtHand(recovering=session is not None and session.kind in RECOVERY_SESSIONS)
    return AccountView(
        profile=profile,
        account=account.name,
        display_name=account.display_name,
        state=account.state(now),
        passwordless=account.passwordless,
        two_step=account.two_step,
        methods=tuple(method_view(account, method, uses, rules, now) for method in account.methods),
        app_passwords=len(account.app_passwords),
        ways_in=ways_in(account, rules, now),
        losses=loss_views(account, rules, now),
        recovery_code=recovery_code_view(account),
        problems=tuple(problem_view(problem) for problem in standing_problems(account, uses, rules, now)),
        next_steps=tuple(step_view(step) for step in next_steps(account, None, at_hand, rules, now)),
        notices=due_notices(account, notices, now),
        session=None if session is None else session_view(account, session, rules, now),
        id=account.id,
        created_at=account.created_at,
        recovery_until=_recovery_until(account, now),
        pending=tuple(pending_view(pending) for pending in account.pending),
        reports=report_views(account, now),
        addresses=account.addresses,
        address_names=account.address_names,
        version=version,
        groups=account.groups,
        operator_over=None if account.operator is None else account.operator.over,
        approval=approval_view(account, now),
    )
