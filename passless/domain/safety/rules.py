"""The rules (design.md, "Rules"): what a change would break, all of it at once.

Rules that ask about the account stand here, those that ask about proofs in `proof_rules`. Each yields problems; what was broken
before and is no worse is a warning, and a reported loss is never refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from passless.domain.account import MAXIMUM_METHODS, MAXIMUM_TOTP, Account
from passless.domain.app_passwords import MAXIMUM_APP_PASSWORDS
from passless.domain.changes import (
    AddAppPassword,
    AddMethod,
    FinishRecovery,
    TurnTwoStepOn,
)
from passless.domain.legacy_apps import LEGACY_APPS
from passless.domain.methods import Password, Strength, Totp
from passless.domain.safety.case import Case
from passless.domain.safety.context import Problem
from passless.domain.safety.proof_rules import RECOVERY_SESSIONS
from passless.domain.safety.proofs import strongest_way_in
from passless.domain.safety.ways_in import can_recover, can_sign_in, fatal_devices, is_valid, opens_alone, recovery_methods

ENROL_HINT = "add a way in that stays: passless method add security-key, or passless method add totp"
CODE_HINT = "make and save a recovery code (passless recovery-code new) or add a method on another device"
NEW_CODE_HINT = "make one and type it back: passless recovery-code new, then passless recovery-code confirm"
RECOVER_HINT = "start a recovery with your recovery code: passless recover start"
DEVICE_HINT = "add a method on another device: passless method add security-key, or passless method add totp --device NAME"


def no_way_in(case: Case) -> Iterator[Problem]:
    """Rule 1: a way in remains."""
    if can_sign_in(case.after, case.rules, case.now):
        return
    before = can_sign_in(case.before, case.rules, case.now)
    if isinstance(case.change, TurnTwoStepOn) and before:
        message, hint = "what is there would not be enough to sign in in two steps", DEVICE_HINT
    else:
        message = "nothing would be left to sign in with" if before else "there is no way in yet"
        hint = RECOVER_HINT if _comes_back_by_code(case) else ENROL_HINT
    yield case.problem(
        "no-way-in",
        message,
        hint,
        refuse=(before and not case.only_adds) or case.undoes_a_recovery,
    )


def one_device_away(case: Case) -> Iterator[Problem]:
    """Rule 2: without a password, no single loss shuts the person out."""
    if not case.after.passwordless:
        return
    opens = can_sign_in(case.after, case.rules, case.now)
    fatal = fatal_devices(case.after, case.rules, case.now) if opens else case.after.devices
    if opens and not fatal:
        return
    was_broken = case.before.passwordless and not can_sign_in(case.before, case.rules, case.now)
    before = set(fatal_devices(case.before, case.rules, case.now)) if case.before.passwordless else set()
    worse = not was_broken and not (opens and set(fatal) <= before)
    refuse = worse and case.before.finished and not case.only_adds and not case.undoes_a_recovery
    if not fatal and not refuse:
        return  # rule 1 says all there is to say
    shown = ", ".join(f'"{device}"' for device in fatal)
    if fatal:
        message = f"losing {shown} alone would lock you out"
    elif can_recover(case.after, case.rules, case.now):
        message = "only the recovery code would bring you back"
    else:
        message = "nothing would be left to come back with"
    hint = RECOVER_HINT if not fatal and _comes_back_by_code(case) else _another_device(case)
    yield case.problem("one-device-away", message, hint, refuse=refuse)


def _comes_back_by_code(case: Case) -> bool:
    """Tell whether what happens at once, such as a loss, leaves the recovery code as the way back; not to who came in by it."""
    if case.context.session in RECOVERY_SESSIONS:
        return False
    return case.never_refused and can_recover(case.after, case.rules, case.now)


def code_needs_proof(case: Case) -> Iterator[Problem]:
    """Say that with two-step on the recovery code alone no longer brings anybody back (must hold 4)."""
    codes = [code for code in case.after.recovery_codes if is_valid(code, case.now)]
    if isinstance(case.change, TurnTwoStepOn) and codes and not any(opens_alone(case.after, code, case.now) for code in codes):
        yield case.problem(
            "code-needs-proof",
            "the recovery code alone will not be enough: it then needs one more proof beside it",
            "keep methods on two devices; see what each loss would leave: passless what-if",
            refuse=False,
        )


def _another_device(case: Case) -> str:
    """Return what helps: a code only where there is none yet."""
    saved = any(is_valid(code, case.now) for code in case.after.recovery_codes)
    return DEVICE_HINT if saved else CODE_HINT


def two_recovery_methods(case: Case) -> Iterator[Problem]:
    """Rule 4: with two-step on, two methods on two devices are reachable; a saved recovery code counts as one."""
    if not case.after.two_step:
        return
    count = _reachable(case.after, case)
    if count >= 2:
        return
    before = _reachable(case.before, case) if case.before.two_step else 2
    yield case.problem(
        "two-recovery-methods",
        f"two-step needs two recovery methods on different devices, and there would be {_number(count)}",
        _another_device(case),
        refuse=count < before and case.before.finished and not case.only_adds and not case.undoes_a_recovery,
    )


def _reachable(account: Account, case: Case) -> int:
    return recovery_methods(account, case.rules, case.now) if can_sign_in(account, case.rules, case.now) else 0


def _number(count: int) -> str:
    return ("none", "one")[count]


def one_factor(case: Case) -> Iterator[Problem]:
    """Rule 3, its second half: warn when only one factor is left."""
    if case.deletes_the_password and strongest_way_in(case.after, case.rules, case.now) is Strength.ONE_FACTOR:
        yield case.problem(
            "one-factor",
            "each way in would be one factor alone",
            "add a security key with a PIN or a passkey: passless method add security-key",
            refuse=False,
        )


def needs_password(case: Case) -> Iterator[Problem]:
    """Rule 5: a password that stands on its own is long enough for it."""
    password = case.after.password
    if password is None or password.stands_alone or case.after.two_step:
        return
    was_so = case.before.password == password and not case.before.two_step
    yield case.problem(
        "needs-password",
        "the password is too short to stand alone without two-step",
        "set a new one in the same step: --password-file",
        refuse=not was_so,
    )


def app_passwords_need_two_step(case: Case) -> Iterator[Problem]:
    """Rule 6: app passwords exist only while two-step is on."""
    if case.after.app_passwords and not case.after.two_step:
        yield case.problem(
            "app-passwords-need-two-step",
            "app passwords exist only while two-step is on",
            _on_the_way_to_two_step(case),
            refuse=isinstance(case.change, AddAppPassword),
        )


def _on_the_way_to_two_step(case: Case) -> str:
    """Return the next command for who wants two-step on, and what comes after it."""
    wished = replace(case.after, two_step=True)
    if not can_sign_in(wished, case.rules, case.now):
        return f"{DEVICE_HINT}; then turn it on: passless two-step on"
    if recovery_methods(wished, case.rules, case.now) < 2:  # rule 4
        return f"{CODE_HINT}; then turn it on: passless two-step on"
    return "turn it on first: passless two-step on"


def legacy_app(case: Case) -> Iterator[Problem]:
    """Rule 7: say which programs need something else once there is no password."""
    if case.deletes_the_password:
        names = ", ".join(app.name for app in LEGACY_APPS if app.wants_password)
        yield case.problem(
            "legacy-app",
            f"some older programs still need a password or an app password: {names}",
            "see: passless legacy-apps",
            refuse=False,
        )


def code_not_saved(case: Case) -> Iterator[Problem]:
    """Rule 11: a recovery is finished only when its new code was typed back."""
    recovery = case.before.recovery
    if not isinstance(case.change, FinishRecovery) or recovery is None:
        return
    fresh = [code for code in case.after.recovery_codes if is_valid(code, case.now) and code.created_at >= recovery.started_at]
    if not fresh:
        is_made = any(code.created_at >= recovery.started_at for code in case.after.recovery_codes)
        again = "type it back: passless recovery-code confirm" if is_made else NEW_CODE_HINT
        message = "the new recovery code was not typed back yet" if is_made else "there is no new recovery code yet"
        yield case.problem("code-not-saved", message, again, refuse=True)
    if not can_sign_in(case.after, case.rules, case.now):
        yield case.problem("no-way-in", "there is no way in yet", ENROL_HINT, refuse=True)


def too_many(case: Case) -> Iterator[Problem]:
    """Bounds of features.md: 5 authenticator apps, 40 app passwords."""
    match case.change:
        case AddMethod(method=Totp()) if sum(isinstance(method, Totp) for method in case.after.methods) > MAXIMUM_TOTP:
            yield case.problem(
                "too-many", f"an account has at most {MAXIMUM_TOTP} authenticator apps", "remove one first", refuse=True
            )
        case AddMethod(method=Password()) if case.before.password is not None:
            yield case.problem("too-many", "an account has at most one password", "set a new one in its place", refuse=True)
        case AddMethod() if len(case.after.methods) > MAXIMUM_METHODS:
            yield case.problem("too-many", f"an account has at most {MAXIMUM_METHODS} methods", "remove one first", refuse=True)
        case AddAppPassword() if len(case.after.app_passwords) > MAXIMUM_APP_PASSWORDS:
            yield case.problem(
                "too-many", f"an account has at most {MAXIMUM_APP_PASSWORDS} app passwords", "revoke one first", refuse=True
            )
        case _:
            return
