"""What to do next towards a goal: do the first step, then ask again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.account import Account, State
from passless.domain.applying import apply
from passless.domain.changes import TurnPasswordlessOn
from passless.domain.methods import Email, Kind, Other, Password, SignInMethod, Strength, Totp, strength
from passless.domain.safety.context import Rules
from passless.domain.safety.operator_rules import one_factor_from_others
from passless.domain.safety.ways_in import (
    can_recover,
    can_sign_in,
    fatal_devices,
    is_valid,
    opens_alone,
    recovery_methods,
    signs_in,
)

FIRST_CODE = "make a recovery code and keep it on paper: it brings you back when everything else is lost"
NEW_CODE = "make a new recovery code, on new paper: the one you have stays good until the new one is typed back"


class Goal(StrEnum):
    """Where a person wants to be."""

    PASSWORDLESS = "passwordless"
    TWO_STEP = "two-step"


class Action(StrEnum):
    """What a step asks for."""

    RECOVER = "recover"
    ENROL = "enrol"
    RECOVERY_CODE = "recovery-code"
    CONFIRM_CODE = "confirm-code"
    TWO_STEP = "two-step"
    PASSWORDLESS = "passwordless"
    FINISH_RECOVERY = "finish-recovery"


class Step(Struct, frozen=True, kw_only=True):
    """One step: what it is, a sentence why, and the command that does it. `optional` ones a person may leave out."""

    action: Action
    code: str
    message: str
    command: str
    kind: Kind | None = None
    optional: bool = False


class AtHand(Struct, frozen=True, kw_only=True):
    """What the person could use now; `recovering`: their session is one of a recovery."""

    security_key: bool = False
    recovering: bool = False
    kinds: tuple[Kind, ...] = (Kind.TOTP, Kind.SECURITY_KEY)


def next_steps(account: Account, goal: Goal | None, at_hand: AtHand, rules: Rules, now: datetime) -> tuple[Step, ...]:
    """Return what is left to do, in a fixed order; empty when the goal is reached and nothing is wrong."""
    return tuple(_steps(account, goal, at_hand, rules, now))


def _steps(account: Account, goal: Goal | None, at_hand: AtHand, rules: Rules, now: datetime) -> Iterator[Step]:
    able = [method for method in account.methods if signs_in(method, rules, now) and not isinstance(method, Password | Other)]
    recovering = account.state(now) is State.IN_RECOVERY and account.recovery is not None
    if account.finished and not at_hand.recovering and not can_sign_in(account, rules, now):
        yield _start_recovery(account, rules, now)
    if not able or not can_sign_in(account, rules, now):
        yield from _first_method(at_hand)
    yield from _recovery_code(account, now)
    unfinished = recovering and account.recovery is not None and account.recovery.finished_at is None
    if unfinished and (able or at_hand.recovering):
        yield Step(
            action=Action.FINISH_RECOVERY,
            code="finish-recovery",
            message="finish the recovery; for a day after it other changes wait",
            command="passless recover finish",
        )
        return
    if goal is Goal.TWO_STEP and not account.two_step:
        yield from _two_step(account, at_hand, rules, now, optional=False)
    if goal is Goal.PASSWORDLESS and not account.passwordless:
        if not account.two_step and _could_do_both(account, rules, now):
            yield from _two_step(account, at_hand, rules, now, optional=True)
        if account.two_step and not _works_without_password(account, rules, now):
            yield from _stronger_method(at_hand)
        yield Step(
            action=Action.PASSWORDLESS,
            code="turn-passwordless-on",
            message="delete the password: what does not exist cannot be stolen, guessed or phished",
            command="passless passwordless on",
        )
    if goal is None and able and not account.two_step and one_factor_from_others(account, rules, now):
        yield from _two_step(account, at_hand, rules, now, optional=False)
    if goal is None:
        yield from _advice(account, able, rules, now)


def _start_recovery(account: Account, rules: Rules, now: datetime) -> Step:
    issued = account.temporary_pass
    if issued is not None and now < issued.expires_at and issued.used_at is None:
        message, command = "sign in with the temporary pass that an operator issued", "passless sign-in --with temporary-pass"
    elif not can_recover(account, rules, now):
        message = "ask an operator to start a recovery"
        command = "passless recover start --as-operator --reason TEXT"
    else:
        codes = [code for code in account.recovery_codes if is_valid(code, now)]
        alone = any(opens_alone(account, code, now) for code in codes)
        message = f"start a recovery with your recovery code{'' if alone else ' and one more proof'}"
        command = "passless recover start"
    return Step(action=Action.RECOVER, code="start-recovery", message=message, command=command)


def _first_method(at_hand: AtHand) -> Iterator[Step]:
    key = at_hand.security_key and Kind.SECURITY_KEY in at_hand.kinds
    if key or Kind.TOTP not in at_hand.kinds:
        yield Step(
            action=Action.ENROL,
            kind=Kind.SECURITY_KEY,
            code="enrol-security-key",
            message="add a security key: one touch signs you in, and no fake page can use it",
            command="passless method add security-key",
        )
    else:
        yield Step(
            action=Action.ENROL,
            kind=Kind.TOTP,
            code="enrol-totp",
            message="add an authenticator app: it shows a new code every 30 seconds",
            command="passless method add totp",
        )


def _recovery_code(account: Account, now: datetime) -> Iterator[Step]:
    since = account.recovery.started_at if account.recovery is not None and account.recovery.finished_at is None else None
    saved = [code for code in account.recovery_codes if is_valid(code, now)]
    if saved and (since is None or any(code.created_at >= since for code in saved)):
        return
    unsaved = any(not code.saved and (since is None or code.created_at >= since) for code in account.recovery_codes)
    if unsaved:
        yield Step(
            action=Action.CONFIRM_CODE,
            code="confirm-recovery-code",
            message="type the recovery code back, so that it is known to be saved",
            command="passless recovery-code confirm",
        )
    else:
        yield Step(
            action=Action.RECOVERY_CODE,
            code="make-recovery-code",
            message=NEW_CODE if saved else FIRST_CODE,
            command="passless recovery-code new",
        )


def _two_step(account: Account, at_hand: AtHand, rules: Rules, now: datetime, *, optional: bool) -> Iterator[Step]:
    if not can_sign_in(replace(account, two_step=True), rules, now):
        yield from _first_method(at_hand)
    if recovery_methods(account, rules, now) < 2 and any(is_valid(code, now) for code in account.recovery_codes):
        yield from _first_method(at_hand)
    yield Step(
        action=Action.TWO_STEP,
        code="turn-two-step-on",
        message="turn two-step on: one stolen factor is then not enough, and programs can have app passwords",
        command="passless two-step on",
        optional=optional,
    )


def _could_do_both(account: Account, rules: Rules, now: datetime) -> bool:
    """Two-step and passwordless together: a way in remains without the password, and no loss shuts the person out."""
    both = replace(account, two_step=True)
    return recovery_methods(both, rules, now) >= 2 and _works_without_password(both, rules, now)


def _works_without_password(account: Account, rules: Rules, now: datetime) -> bool:
    after = apply(account, TurnPasswordlessOn(), now=now)
    return can_sign_in(after, rules, now) and not fatal_devices(after, rules, now)


def _stronger_method(at_hand: AtHand) -> Iterator[Step]:
    yield Step(
        action=Action.ENROL,
        kind=Kind.SECURITY_KEY,
        code="enrol-security-key",
        message="add a security key with a PIN: with two-step on, one app or code is not enough without a password",
        command="passless method add security-key",
    )


def _advice(account: Account, able: Sequence[SignInMethod], rules: Rules, now: datetime) -> Iterator[Step]:
    if account.passwordless and account.finished and able and fatal_devices(account, rules, now):
        yield Step(
            action=Action.ENROL,
            kind=Kind.SECURITY_KEY,
            code="add-second-device",
            message="add a method on another device: one loss alone would lock you out",
            command="passless method add security-key",
        )
    elif not account.passwordless and able and _works_without_password(account, rules, now):
        yield Step(
            action=Action.PASSWORDLESS,
            code="turn-passwordless-on",
            message="everything is there to go passwordless",
            command="passless passwordless on",
            optional=True,
        )
    elif able and all(strength(method) is not Strength.TWO_FACTORS for method in able):
        yield Step(
            action=Action.ENROL,
            kind=Kind.SECURITY_KEY,
            code="enrol-security-key",
            message="add a security key or passkey: only these cannot be phished",
            command="passless method add security-key",
            optional=True,
        )
    if not any(isinstance(method, Totp | Email) for method in able) and len(account.devices) == 1:
        yield Step(
            action=Action.ENROL,
            kind=Kind.TOTP,
            code="add-second-device",
            message="add an authenticator app or a second key, for the day the first is not with you",
            command="passless method add totp",
            optional=True,
        )
