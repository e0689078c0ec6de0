"""Words and times on the command line: what is no such thing is told, with those that are."""

from __future__ import annotations

import pytest

from tests.cli.running import PASSWORD, Passless


@pytest.mark.parametrize(
    ("kind", "status", "message", "hint"),
    [
        ("sms", 2, 'no kind of method "sms"', "security-key, passkey, totp, password, temporary-pass, token"),
        ("other", 2, 'no kind of method "other"', "security-key"),
        ("recovery-code", 2, "begins a recovery", "passless recover start"),
        ("phone", 7, "codes by SMS are not built yet", "security-key, passkey, totp"),
        ("email", 7, "codes by e-mail are not built yet", "security-key, passkey, totp"),
        ("authenticator", 7, "approvals on another device are not built yet", "security-key, passkey, totp"),
    ],
)
def test_a_sign_in_names_the_kinds_that_there_are(shared: Passless, kind: str, status: int, message: str, hint: str) -> None:
    error = shared.json("sign-in", "--account", "anna", "--with", kind, status=status)
    assert message in error["message"]
    assert hint in error["hint"]
    assert "webauthn" not in str(error).lower()


@pytest.mark.parametrize("kind", ["recovery-code", "token"])
def test_the_further_proof_of_a_recovery_is_another_than_the_code(shared: Passless, kind: str) -> None:
    error = shared.json("recover", "start", "--account", "anna", "--code-file", "-", "--with", kind, typed="x", status=2)
    assert error["code"] == "not-for-sign-in"
    assert "temporary-pass" in error["hint"]


@pytest.mark.parametrize("kind", ["phone", "email", "authenticator"])
def test_what_cannot_be_added_yet_says_so_of_every_place(shared: Passless, kind: str) -> None:
    error = shared.json("method", "add", kind, status=7)
    assert "not built yet" in error["message"]
    assert "security-key, passkey, totp" in error["hint"]
    assert "embedded" not in str(error)


def test_a_kind_that_is_none_names_those_that_can_be_added(shared: Passless) -> None:
    assert shared.json("method", "add", "pigeon", status=2)["hint"] == "one of: security-key, passkey, totp, password"


@pytest.mark.parametrize(
    ("time", "message"),
    [
        ("4000d", "an app password lasts from 1 minute to 3650 days"),
        ("0m", '"0m" is no time at all'),
        ("soon", '"soon" is not a duration'),
        ("999999d", '"999999d" is not a duration'),
    ],
)
def test_a_time_that_cannot_be_says_what_can(anna: Passless, time: str, message: str) -> None:
    error = anna.json("app-password", "create", "Mail", "--expires", time, "--dry-run", status=2)
    assert error["message"] == message
    assert "10m, 8h" in error["hint"]


def test_a_slip_in_a_service_makes_no_password_that_is_good_for_nothing(anna: Passless) -> None:
    error = anna.json("app-password", "create", "Mail", "--for", "imap,smpt", "--dry-run", status=2)
    assert error["message"] == 'no service "smpt" is known'
    assert error["hint"].startswith("did you mean smtp?")
    assert "imap, pop3" in error["hint"]
    assert anna.json("app-password", "list") == []


def test_a_service_of_ones_own_is_named_on_purpose(anna: Passless) -> None:
    anna.totp()
    anna.json("recovery-code", "new", "--yes")
    anna.json("two-step", "on")
    anna.json("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)
    made = anna.json("app-password", "create", "Wiki", "--for", "IMAP", "--for-other", "wiki")
    assert made["for"] == ["imap", "wiki"]


def test_the_services_of_relying_parties_are_known_and_a_slip_in_one_is_told(anna: Passless) -> None:
    anna.json("relying-party", "add", "Team wiki", "--kind", "http", "--elsewhere")
    anna.totp()
    anna.json("recovery-code", "new", "--yes")
    anna.json("two-step", "on")
    anna.json("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)
    error = anna.json("app-password", "create", "curl", "--for", "team-wikki", status=2)
    assert error["message"] == 'no service "team-wikki" is known'
    assert error["hint"].startswith("did you mean team-wiki? known are team-wiki, imap, pop3")
    assert "--for-other NAME" in error["hint"]
    assert anna.json("app-password", "create", "curl", "--for", "Team-Wiki,imap")["for"] == ["team-wiki", "imap"]
    assert anna.json("app-password", "create", "other", "--for-other", "team-wikki")["for"] == ["team-wikki"]


def test_a_link_is_no_name_for_an_account(passless: Passless) -> None:
    link = "http://localhost:8471/invitation#pli_secret"
    error = passless.json("account", "create", link, "--no-password", status=2)
    assert error["message"] == "that is a link, not the name of an account"
    assert "pli_secret" not in str(error)
