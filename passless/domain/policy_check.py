"""Holding an account against a policy: what it lacks, each with a stable code (rule 12)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from passless.domain.account import MAXIMUM_METHODS, Account, State
from passless.domain.app_passwords import MAXIMUM_APP_PASSWORDS
from passless.domain.errors import WrongUse
from passless.domain.methods import Kind, RpId, SignInMethod, kind_of, resists_phishing
from passless.domain.policy import Finding, Policy, Requirements
from passless.domain.safety.context import LONGEST_WAIT, SHORTEST_WAIT, Rules
from passless.domain.safety.rules import CODE_HINT, ENROL_HINT
from passless.domain.safety.ways_in import can_sign_in, fatal_devices, is_valid, opens, recovery_methods, signs_in, ways_in
from passless.domain.safety.what_if import every_loss

MOST_LOSSES = 2  # at once; features.md, "what-if"
LONGEST_TICKET = 200  # characters of a pattern; ours
SHOWN = 3  # names listed in one sentence; ours

ON_ACCOUNTS = frozenset(Kind) - {Kind.RECOVERY_CODE, Kind.TEMPORARY_PASS, Kind.TOKEN, Kind.OTHER}
NOT_PHISHED = frozenset({Kind.SECURITY_KEY, Kind.PASSKEY})
TWO_FACTORS_ALONE = NOT_PHISHED | {Kind.AUTHENTICATOR}

KEY_HINT = "add a security key with a PIN or a passkey, and remove what is weaker: passless method add security-key"

Found = tuple[str, str, str]  # a code, a sentence, what to do


class BadPolicy(WrongUse):
    """The policy file asks for something that cannot be."""

    code = "bad-policy"
    hint = "correct the policy file and try again"


def rules_of(policy: Policy, *, rp_id: RpId | None = None) -> Rules:
    """Return the rules that a policy sets, for a store of this relying party."""
    return Rules(
        wait=policy.wait,
        email_signs_in=policy.sign_in.email,
        rp_id=rp_id,
        second_operator=policy.recovery.second_operator,
    )


def checked(policy: Policy) -> Policy:
    """Return the policy when its numbers are within their floors and an account could hold to it.

    Raises:
        BadPolicy: it names the key, such as `numbers.wait_days`.
    """
    require = policy.require
    _within("numbers.wait_days", policy.numbers.wait_days, SHORTEST_WAIT.days, LONGEST_WAIT.days)
    _within("require.survives_losses", require.survives_losses, 0, MOST_LOSSES)
    _within("require.methods_at_least", require.methods_at_least, 0, MAXIMUM_METHODS)
    if require.app_passwords_at_most is not None:
        _within("require.app_passwords_at_most", require.app_passwords_at_most, 0, MAXIMUM_APP_PASSWORDS)
    _check_kinds(policy)
    _check_ticket(policy.recovery.ticket)
    return policy


def findings(account: Account, policy: Policy, rules: Rules, now: datetime) -> tuple[Finding, ...]:
    """Return everything in which an account does not hold to a policy: the broken rules 1, 2 and 4 first.

    Args:
        account: whose.
        policy: what is asked of it.
        rules: those of the store the account is in; what the policy itself sets takes the place of theirs.
        now: time of the check, UTC.
    """
    held = rules_of(policy, rp_id=rules.rp_id)
    found = (*_broken_rules(account, held, now), *_lacking(account, policy, held, now))
    return tuple(Finding(account=account.name, code=code, message=message, hint=hint) for code, message, hint in found)


def _within(key: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise BadPolicy(f'"{key}" is {value}; it must be {least} to {most}')


def _check_kinds(policy: Policy) -> None:
    kinds = policy.sign_in.allowed_kinds
    if kinds is None:
        return
    if not kinds:
        raise BadPolicy('"sign_in.allowed_kinds" is empty, so nobody could sign in', hint="list the kinds, or leave it out")
    if foreign := [kind for kind in kinds if kind not in ON_ACCOUNTS]:
        raise BadPolicy(
            f'"sign_in.allowed_kinds" has "{foreign[0]}", which is no sign-in method',
            hint=f"these are: {', '.join(sorted(ON_ACCOUNTS))}",
        )
    allowed = frozenset(kinds)
    _possible("require.passwordless", policy.require.passwordless, bool(allowed - {Kind.PASSWORD}))
    _possible("require.phishing_resistant", policy.require.phishing_resistant, bool(allowed & NOT_PHISHED))
    two_factors = bool(allowed & TWO_FACTORS_ALONE) or len(allowed) > 1
    _possible("require.two_factors", policy.require.two_factors, two_factors)


def _possible(key: str, asked: bool, possible: bool) -> None:
    if asked and not possible:
        raise BadPolicy(f'no account can hold to "{key}" with the kinds in "sign_in.allowed_kinds"')


def _check_ticket(pattern: str) -> None:
    if len(pattern) > LONGEST_TICKET:
        raise BadPolicy(f'"recovery.ticket" is longer than {LONGEST_TICKET} characters')
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadPolicy('"recovery.ticket" is not a regular expression', hint="write it such as: HD-[0-9]+") from error


def _broken_rules(account: Account, rules: Rules, now: datetime) -> Iterator[Found]:
    """Rules 1, 2 and 4, in words about somebody else."""
    opens_up = can_sign_in(account, rules, now)
    if not opens_up:
        yield "no-way-in", "there is no way in", ENROL_HINT
    if account.passwordless:
        fatal = fatal_devices(account, rules, now) if opens_up else account.devices
        if fatal:
            yield "one-device-away", f"losing {_names(fatal)} alone locks the person out", CODE_HINT
    if account.two_step:
        count = recovery_methods(account, rules, now) if opens_up else 0
        if count < 2:
            shown = ("none is", "one is")[count]
            yield (
                "two-recovery-methods",
                f"two-step needs two recovery methods on different devices and {shown} there",
                CODE_HINT,
            )


def _lacking(account: Account, policy: Policy, rules: Rules, now: datetime) -> Iterator[Found]:
    require = policy.require
    if require.passwordless and not account.passwordless:
        yield "policy-passwordless", "the account has a password", "turn passwordless on: passless passwordless on"
    if require.two_step and not account.two_step:
        yield "policy-two-step", "two-step is off", "turn it on: passless two-step on"
    yield from _weak_ways(account, require, rules, now)
    yield from _losses(account, require, rules, now)
    if require.recovery_code and not any(is_valid(code, now) for code in account.recovery_codes):
        yield "policy-recovery-code", "there is no saved recovery code", "make one: passless recovery-code new"
    if require.finished and (state := account.state(now)) is not State.OK:
        word = "in recovery" if state is State.IN_RECOVERY else "unfinished"
        yield "policy-finished", f"the account is {word}", "do what is left: passless setup"
    yield from _methods(account, policy, rules, now)
    yield from _app_passwords(account, require)


def _weak_ways(account: Account, require: Requirements, rules: Rules, now: datetime) -> Iterator[Found]:
    """What must be so of every way in."""
    by_id = {method.id: method for method in account.methods}
    ways = [tuple(by_id[one] for one in way) for way in ways_in(account, rules, now)]
    phished = [way for way in ways if not any(map(resists_phishing, way))]
    if require.phishing_resistant and phished:
        yield "policy-phishing-resistant", f"a fake page can use {_ways(phished)}", KEY_HINT
    single = [way for way in ways if not opens(way, two_step=True, among=account.methods)]
    if require.two_factors and single:
        yield "policy-two-factors", f"one factor is enough with {_ways(single)}", KEY_HINT


def _losses(account: Account, require: Requirements, rules: Rules, now: datetime) -> Iterator[Found]:
    for at_once in range(1, require.survives_losses + 1):
        fatal = [loss.lost for loss in every_loss(account, rules, now, at_once=at_once) if not loss.survives]
        if fatal:
            shown = [" and ".join(f'"{one}"' for one in lost) for lost in fatal]
            yield "policy-survives-losses", f"the person is locked out after losing {_listed(shown, 'or')}", CODE_HINT
            return


def _methods(account: Account, policy: Policy, rules: Rules, now: datetime) -> Iterator[Found]:
    allowed, least = policy.sign_in.allowed_kinds, policy.require.methods_at_least
    foreign = [method.name for method in account.methods if allowed is not None and kind_of(method) not in allowed]
    if foreign:
        yield "policy-allowed-kinds", f"{_names(foreign)}: not of an allowed kind", "remove it: passless method remove NAME"
    usable = sum(signs_in(method, rules, now) for method in account.methods)
    if usable < least:
        yield (
            "policy-methods-at-least",
            f"the account can be signed in to with {usable} methods, and {least} are asked",
            "add one: passless method add KIND",
        )


def _app_passwords(account: Account, require: Requirements) -> Iterator[Found]:
    count, most = len(account.app_passwords), require.app_passwords_at_most
    if most is not None and count > most:
        yield (
            "policy-app-passwords-at-most",
            f"there are {count} app passwords, and at most {most} are allowed",
            "revoke what is not used: passless app-password list",
        )
    lasting = [one.name for one in account.app_passwords if one.expires_at is None]
    if require.app_passwords_expire and lasting:
        yield (
            "policy-app-passwords-expire",
            f"{_names(lasting)}: no end",
            "make it again with an end: passless app-password create NAME --expires 90d",
        )


def _ways(ways: list[tuple[SignInMethod, ...]]) -> str:
    return _listed([" and ".join(f'"{method.name}"' for method in way) for way in ways], "or")


def _names(names: list[str] | tuple[str, ...]) -> str:
    return _listed([f'"{name}"' for name in names], "or")


def _listed(parts: list[str], word: str) -> str:
    """Join some parts and count the rest."""
    if len(parts) > SHOWN:
        return f"{', '.join(parts[:SHOWN])} {word} {len(parts) - SHOWN} more"
    return f" {word} ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
