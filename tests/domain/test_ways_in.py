"""Ways in: the smallest sets of methods that sign an account in (design.md, "way in", "two-step", "device")."""

from __future__ import annotations

from datetime import timedelta

import pytest

from passless.domain.account import Account
from passless.domain.methods import (
    Factor,
    RpId,
    SignInMethod,
    Strength,
    carries_mail,
    credential_of,
    factor,
    kind_of,
    resists_phishing,
    strength,
)
from passless.domain.safety.context import Rules
from passless.domain.safety.ways_in import (
    are_separate,
    can_recover,
    can_sign_in,
    fatal_devices,
    opens,
    recovery_methods,
    replace_methods,
    survives,
    ways_in,
    without,
)
from tests.builders import (
    LATER,
    MAIL_SIGNS_IN,
    NOW,
    RP_ID,
    RULES,
    a_passkey,
    a_password,
    a_phone,
    a_saved_code,
    a_security_key,
    a_temporary_pass,
    a_totp,
    an_account,
    an_authenticator,
    an_email,
    an_other,
    an_unsaved_code,
)

PLAIN_KEY = a_security_key("blue key", verified=False)


def ways(account: Account, rules: Rules = RULES) -> set[tuple[str, ...]]:
    return {tuple(sorted(way)) for way in ways_in(account, rules, NOW)}


@pytest.mark.parametrize(
    ("method", "factors", "worth"),
    [
        (a_password(), Factor.KNOWLEDGE, Strength.ONE_FACTOR),
        (a_totp(), Factor.POSSESSION, Strength.ONE_FACTOR),
        (a_phone(), Factor.POSSESSION, Strength.ONE_FACTOR),
        (an_email(), Factor.POSSESSION, Strength.ONE_FACTOR),
        (PLAIN_KEY, Factor.POSSESSION, Strength.ONE_FACTOR),
        (a_security_key(verified=True), Factor.BOTH, Strength.TWO_FACTORS),
        (a_passkey(), Factor.BOTH, Strength.TWO_FACTORS),
        (an_authenticator(), Factor.BOTH, Strength.TWO_FACTORS),
        (an_other(), Factor.NONE, Strength.NOTHING),
    ],
    ids=lambda value: kind_of(value) if isinstance(value, SignInMethod) else "",
)
def test_strength_is_what_one_proof_shows(method: SignInMethod, factors: Factor, worth: Strength) -> None:
    assert (factor(method), strength(method)) == (factors, worth)


def test_only_keys_and_passkeys_resist_phishing() -> None:
    every = (a_password(), a_totp(), a_phone(), an_email(), PLAIN_KEY, a_passkey(), an_authenticator())
    assert [method.name for method in every if resists_phishing(method)] == ["blue key", "Touch ID"]


def test_only_what_is_bound_to_an_address_has_a_credential() -> None:
    every = (a_password(), a_totp(), PLAIN_KEY, a_passkey(), an_authenticator(), an_other())
    assert [method.name for method in every if credential_of(method)] == ["blue key", "Touch ID", "approvals"]


def test_without_two_step_each_method_is_a_way_in() -> None:
    account = an_account(methods=[a_password(), a_totp(), PLAIN_KEY])
    assert ways(account) == {("password",), ("app",), ("blue key",)}


def test_two_step_takes_the_password_and_one_device_or_two_devices() -> None:
    account = an_account(methods=[a_password(), a_totp(), PLAIN_KEY], two_step=True)
    assert ways(account) == {("app", "password"), ("blue key", "password"), ("app", "blue key")}


def test_two_step_takes_a_method_that_is_two_factors_in_itself() -> None:
    account = an_account(methods=[a_security_key(), a_totp()], two_step=True)
    assert ways(account) == {("blue key",)}


def test_two_step_takes_no_two_proofs_from_one_device() -> None:
    account = an_account(methods=[a_totp(), a_phone()], two_step=True)
    assert not can_sign_in(account, RULES, NOW)


def test_a_password_alone_is_no_way_in_with_two_step() -> None:
    assert ways(an_account(methods=[a_password()], two_step=True)) == set()


def test_an_email_code_is_a_way_in_only_where_the_policy_says_so() -> None:
    account = an_account(methods=[an_email()])
    assert ways(account) == set()
    assert ways(account, MAIL_SIGNS_IN) == {("mail",)}


@pytest.mark.parametrize("beside", [a_totp(), a_phone(), an_authenticator()], ids=kind_of)
def test_a_mailbox_beside_the_phone_is_no_second_device(beside: SignInMethod) -> None:
    mail = an_email()
    assert carries_mail(beside)
    assert not are_separate(mail, beside, (mail, beside))
    assert not are_separate(beside, mail, (mail, beside))


def test_a_mailbox_beside_a_key_is_a_second_device() -> None:
    account = an_account(methods=[an_email(), PLAIN_KEY], two_step=True)
    assert ways(account, MAIL_SIGNS_IN) == {("blue key", "mail")}


def test_what_else_lives_on_a_device_says_that_it_is_a_phone() -> None:
    key_in_the_phone = a_security_key("nfc", verified=False, device="phone")
    assert not are_separate(an_email(), key_in_the_phone, (an_email(), key_in_the_phone, a_totp()))
    assert are_separate(an_email(), key_in_the_phone, (an_email(), key_in_the_phone))


def test_one_device_is_never_separate_from_itself() -> None:
    assert not are_separate(a_totp(), a_phone(), (a_totp(), a_phone()))


@pytest.mark.parametrize(
    "method",
    [
        a_totp(confirmed=False),
        a_totp(enabled=False),
        a_totp(expires_at=NOW),
        an_other(),
        an_email(opened_by_this_account=True),
        a_security_key(rp_id="elsewhere.example"),
    ],
    ids=["unconfirmed", "disabled", "expired", "unknown", "its own mailbox", "another store's"],
)
def test_what_cannot_prove_anything_is_no_way_in(method: SignInMethod) -> None:
    rules = Rules(email_signs_in=True, rp_id=RP_ID)
    assert ways(an_account(methods=[method]), rules) == set()


def test_a_method_that_expires_later_still_counts() -> None:
    assert ways(an_account(methods=[a_totp(expires_at=LATER)])) == {("app",)}


def test_credentials_count_where_they_were_made() -> None:
    account = an_account(methods=[a_security_key(rp_id="elsewhere.example")])
    assert ways(account, Rules(rp_id=RpId("elsewhere.example"))) == {("blue key",)}


def test_a_temporary_pass_and_a_recovery_code_are_no_way_in() -> None:
    account = an_account(methods=[], codes=[a_saved_code()], temporary_pass=a_temporary_pass())
    assert not can_sign_in(account, RULES, NOW)


def test_a_saved_code_brings_back_who_lost_everything() -> None:
    account = an_account(codes=[a_saved_code()])
    assert can_recover(account, RULES, NOW)
    assert survives(account, RULES, NOW)


def test_a_code_that_was_not_typed_back_brings_nobody_back() -> None:
    assert not can_recover(an_account(codes=[an_unsaved_code()]), RULES, NOW)


def test_with_two_step_a_code_needs_one_more_proof() -> None:
    assert not can_recover(an_account(codes=[a_saved_code()], two_step=True), RULES, NOW)
    assert can_recover(an_account(methods=[an_email()], codes=[a_saved_code()], two_step=True), RULES, NOW)


def test_a_code_opens_alone_until_the_wait_after_a_weak_two_step_is_over() -> None:
    account = an_account(codes=[a_saved_code(alone_until=LATER)], two_step=True)
    assert can_recover(account, RULES, NOW)
    assert not can_recover(account, RULES, LATER)


def test_a_replaced_code_opens_until_its_time_is_over() -> None:
    account = an_account(codes=[a_saved_code(valid_until=LATER)])
    assert can_recover(account, RULES, LATER - timedelta(seconds=1))
    assert not can_recover(account, RULES, LATER)


def test_a_lost_device_is_fatal_where_nothing_else_is_left() -> None:
    assert fatal_devices(an_account(methods=[a_totp(), a_phone()]), RULES, NOW) == ("phone",)
    assert fatal_devices(an_account(methods=[a_totp(), PLAIN_KEY]), RULES, NOW) == ()
    assert fatal_devices(an_account(methods=[a_totp()], codes=[a_saved_code()]), RULES, NOW) == ()


def test_no_loss_of_a_thing_takes_the_password() -> None:
    account = an_account(methods=[a_password(device="phone"), a_totp()])
    assert without(account, devices=("phone",)).methods == (account.methods[0],)
    assert account.devices == ("phone",)


def test_without_takes_methods_and_a_default_that_goes() -> None:
    account = an_account(methods=[a_totp(), PLAIN_KEY], default_method="app")
    left = without(account, methods=("app",))
    assert (left.methods, left.default_method) == ((PLAIN_KEY,), None)
    assert replace_methods(account, (a_totp(),)).default_method == "app"


@pytest.mark.parametrize(
    ("methods", "codes", "count"),
    [
        ([], [], 0),
        ([a_password()], [], 0),
        ([a_password()], [a_saved_code()], 1),
        ([a_totp(), a_phone()], [], 1),
        ([a_totp(), an_email()], [], 1),
        ([a_totp(), PLAIN_KEY], [], 2),
        ([PLAIN_KEY, an_email()], [], 2),
        ([a_totp()], [a_saved_code()], 2),
        ([a_totp()], [an_unsaved_code()], 1),
        ([a_totp(), PLAIN_KEY], [a_saved_code()], 3),
    ],
)
def test_recovery_methods_are_on_separate_devices_and_a_code_counts_as_one(
    methods: list[SignInMethod], codes: list, count: int
) -> None:
    assert recovery_methods(an_account(methods=methods, codes=codes), RULES, NOW) == count


def test_nothing_opens_nothing() -> None:
    assert not opens((), two_step=False)
    assert not opens((an_other(),), two_step=False)
    assert not opens((a_totp(), an_other()), two_step=True)
    assert opens((a_totp(), PLAIN_KEY), two_step=True)
