"""What a policy finds on an account, and which policies are refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from passless.domain.account import Account
from passless.domain.methods import RpId
from passless.domain.policy import Policy
from passless.domain.policy_check import BadPolicy, findings, rules_of
from passless.policy_file import LARGEST_POLICY, parse_policy, read_policy
from tests.builders import (
    NOW,
    a_code,
    a_password,
    a_recovery,
    a_security_key,
    a_totp,
    an_account,
    an_app_password,
    an_email,
    an_unsaved_code,
)

KEYS = [a_security_key("blue key"), a_security_key("green key")]
APP_AND_CODE = an_account(methods=[a_totp()], codes=[a_code()])


def the_policy(text: str) -> Policy:
    return parse_policy(text.encode(), name="policy.toml")


def found(account: Account, text: str) -> set[str]:
    policy = the_policy(text)
    return {one.code for one in findings(account, policy, rules_of(policy), NOW)}


@pytest.mark.parametrize(
    ("account", "asked", "code"),
    [
        (an_account(methods=[a_password(), a_totp()]), "passwordless = true", "policy-passwordless"),
        (APP_AND_CODE, "two_step = true", "policy-two-step"),
        (an_account(methods=[*KEYS, a_totp()]), "phishing_resistant = true", "policy-phishing-resistant"),
        (APP_AND_CODE, "two_factors = true", "policy-two-factors"),
        (an_account(methods=KEYS), "survives_losses = 2", "policy-survives-losses"),
        (an_account(methods=[a_password()]), "survives_losses = 1", "policy-survives-losses"),
        (an_account(methods=KEYS), "recovery_code = true", "policy-recovery-code"),
        (an_account(methods=KEYS, codes=[an_unsaved_code()]), "recovery_code = true", "policy-recovery-code"),
        (an_account(methods=KEYS, finished=False), "finished = true", "policy-finished"),
        (an_account(methods=KEYS, recovery=a_recovery()), "finished = true", "policy-finished"),
        (an_account(methods=KEYS), "methods_at_least = 3", "policy-methods-at-least"),
        (
            an_account(methods=KEYS, two_step=True, app_passwords=(an_app_password(), an_app_password("Phone"))),
            "app_passwords_at_most = 1",
            "policy-app-passwords-at-most",
        ),
        (
            an_account(methods=KEYS, two_step=True, app_passwords=(an_app_password(),)),
            "app_passwords_expire = true",
            "policy-app-passwords-expire",
        ),
    ],
)
def test_each_requirement_has_its_finding(account: Account, asked: str, code: str) -> None:
    assert found(account, f"[require]\n{asked}") == {code}
    assert found(account, "") == set()


@pytest.mark.parametrize(
    ("account", "asked"),
    [
        (an_account(methods=KEYS), "passwordless = true"),
        (an_account(methods=KEYS, two_step=True), "two_step = true"),
        (an_account(methods=KEYS), "phishing_resistant = true\ntwo_factors = true\nsurvives_losses = 1"),
        (an_account(methods=KEYS, codes=[a_code()]), "survives_losses = 2\nrecovery_code = true"),
        (an_account(methods=KEYS), "finished = true\nmethods_at_least = 2\napp_passwords_at_most = 0"),
        (
            an_account(methods=KEYS, two_step=True, app_passwords=(an_app_password(expires_at=NOW + timedelta(days=1)),)),
            "app_passwords_expire = true",
        ),
    ],
)
def test_an_account_that_holds_has_no_findings(account: Account, asked: str) -> None:
    assert found(account, f"[require]\n{asked}") == set()


def test_the_accounts_own_broken_rules_are_findings_without_being_asked() -> None:
    assert found(an_account(), "") == {"no-way-in"}
    assert found(an_account(methods=[a_totp()]), "") == {"one-device-away"}
    assert found(an_account(methods=[a_password(), a_totp()], two_step=True), "") == {"two-recovery-methods"}
    assert found(an_account(methods=[a_totp()], two_step=True), "") == {"no-way-in", "one-device-away", "two-recovery-methods"}


def test_a_method_of_another_kind_is_named() -> None:
    policy = the_policy('[sign_in]\nallowed_kinds = ["security-key"]')
    (finding,) = findings(an_account(methods=[*KEYS, a_totp("old app")]), policy, rules_of(policy), NOW)
    assert (finding.account, finding.code) == ("ada", "policy-allowed-kinds")
    assert "old app" in finding.message
    assert finding.hint


def test_email_signs_in_only_where_the_policy_says_so() -> None:
    account = an_account(methods=[an_email()], codes=[a_code()])
    assert found(account, "") == {"no-way-in", "one-device-away"}
    assert found(account, "[sign_in]\nemail = true") == set()


def test_keys_made_for_another_relying_party_do_not_count() -> None:
    account = an_account(methods=KEYS)
    elsewhere = rules_of(Policy(), rp_id=RpId("login.example.org"))
    assert {one.code for one in findings(account, Policy(), elsewhere, NOW)} == {"no-way-in", "one-device-away"}


def test_the_rules_follow_from_the_policy() -> None:
    rules = rules_of(the_policy("[numbers]\nwait_days = 7\n[sign_in]\nemail = true\n[recovery]\nsecond_operator = true"))
    assert (rules.wait, rules.email_signs_in, rules.second_operator) == (timedelta(days=7), True, True)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[numbers]\nwait_days = 6", "numbers.wait_days"),
        ("[numbers]\nwait_days = 91", "numbers.wait_days"),
        ("[numbers]\nwait_days = 30.5", "numbers.wait_days"),
        ("[numbers]\nwait_days = true", "numbers.wait_days"),
        ("[numbers]\nwait_days = 99999999999999999999999", "numbers.wait_days"),
        ('[require]\npasswordless = "yes"', "require.passwordless"),
        ("[require]\nsurvives_losses = 3", "require.survives_losses"),
        ("[require]\nmethods_at_least = -1", "require.methods_at_least"),
        ("[require]\napp_passwords_at_most = 41", "require.app_passwords_at_most"),
        ("[sign_in]\nallowed_kinds = []", "sign_in.allowed_kinds"),
        ('[sign_in]\nallowed_kinds = ["carrier-pigeon"]', "sign_in.allowed_kinds"),
        ('[sign_in]\nallowed_kinds = ["token"]', "sign_in.allowed_kinds"),
        ('[sign_in]\nallowed_kinds = ["password"]\n[require]\npasswordless = true', "require.passwordless"),
        ('[sign_in]\nallowed_kinds = ["totp"]\n[require]\nphishing_resistant = true', "require.phishing_resistant"),
        ('[sign_in]\nallowed_kinds = ["totp"]\n[require]\ntwo_factors = true', "require.two_factors"),
        ('[recovery]\nticket = "HD-["', "recovery.ticket"),
        (f'[recovery]\nticket = "{"a" * 201}"', "recovery.ticket"),
        ("[require]\npassword_less = true", "require.password_less"),
        ("[requirements]\npasswordless = true", "requirements"),
        ("require = 3", "require"),
        ("[require]\npasswordless = ", "no TOML"),
        ("x = " + "[" * 5000, "no TOML"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_by_its_key(text: str, key: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        the_policy(text)
    assert key in caught.value.message
    assert len(caught.value.message) < 300
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a" * (LARGEST_POLICY + 1), None])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "policy.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadPolicy, match=r"policy\.toml"):
        read_policy(path)


@pytest.mark.parametrize("name", ["folder", "a\0b", "\x1b[31mred", "missing/policy.toml"])
def test_a_name_that_is_no_file_is_one_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadPolicy) as caught:
        read_policy(tmp_path / name)
    assert caught.value.message.isprintable()


def test_the_example_of_the_module_is_a_policy(tmp_path: Path) -> None:
    import passless.domain.policy as module

    assert module.__doc__ is not None
    example = "\n".join(line[4:] for line in module.__doc__.splitlines() if line.startswith("    "))
    path = tmp_path / "policy.toml"
    path.write_text(example)
    assert read_policy(path).require.survives_losses == 1
