"""Sign-in methods, proofs and sessions, through scripts."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.cli.running import PASSWORD, Passless
from tests.directories.security_key import SecurityKey
from tests.software_key import SoftwareKey, plugged_in


def test_an_app_is_enrolled_in_two_commands(anna: Passless) -> None:
    anna.totp("--name", "Aegis")
    method = next(one for one in anna.json("method", "list") if one["kind"] == "totp")
    assert (method["name"], method["device"]) == ("Aegis", "phone")


def test_begin_shows_the_secret_once_and_for_people_as_qr(anna: Passless) -> None:
    begun = anna.json("method", "add", "totp", "--begin")
    assert set(begun) == {"ceremony", "expires_at", "otpauth_uri", "secret"}
    assert begun["secret"] in begun["otpauth_uri"]
    assert "█" in anna("method", "add", "totp", "--begin").stdout


def test_a_wrong_code_is_status_5(anna: Passless) -> None:
    begun = anna.json("method", "add", "totp", "--begin")
    error = anna.json("method", "add", "totp", "--finish", begun["ceremony"], "--code-file", "-", typed="000000", status=5)
    assert error["hint"]


def test_a_ceremony_is_used_once(anna: Passless) -> None:
    begun = anna.json("method", "add", "totp", "--finish", "nosuchceremony", "--code-file", "-", typed="000000", status=5)
    assert begun["code"] == "no-such-ceremony"


def test_a_security_key_begins_with_the_standard_options(anna: Passless) -> None:
    begun = anna.json("method", "add", "security-key", "--begin")
    assert set(begun) == {"ceremony", "expires_at", "origin", "publicKey"}
    assert isinstance(begun["publicKey"]["challenge"], str)
    assert begun["origin"].startswith("https://")


@pytest.mark.parametrize("answer", ["", "{}", "not json", "[1]", '{"id": 1}'])
def test_a_broken_answer_of_a_key_is_refused(anna: Passless, answer: str) -> None:
    begun = anna.json("method", "add", "security-key", "--begin")
    result = anna("method", "add", "security-key", "--finish", begun["ceremony"], "--response-file", "-", typed=answer)
    assert result.status in {2, 5}
    assert "Traceback" not in result.stderr


def test_a_plugged_in_key_is_enrolled_and_signs_in(anna: Passless) -> None:
    pin = anna.home / "pin"
    pin.write_text("481516\n")
    with plugged_in(SoftwareKey(pin="481516")):
        made = anna("method", "add", "security-key", "--name", "blue key", "--pin-file", str(pin), "--json")
        assert made.status == 0, made
        assert made.json["method"]["name"] == "blue key"
        assert made.json["method"]["two_factor"] is True
        anna.json("sign-out")
        signed_in = anna("sign-in", "--with", "security-key", "--pin-file", str(pin), "--json")
    assert signed_in.status == 0, signed_in
    assert signed_in.json["session"]["strength"] == 2


def test_without_a_key_plugged_in_it_is_status_6(anna: Passless) -> None:
    assert anna.json("method", "add", "security-key", status=6)["code"]


def test_a_passkey_needs_a_browser_or_two_commands(anna: Passless) -> None:
    assert anna.json("method", "add", "passkey", status=7)["code"] == "needs-a-browser"
    assert set(anna.json("method", "add", "passkey", "--begin")) >= {"ceremony", "publicKey", "origin"}


@pytest.mark.parametrize("kind", ["phone", "email", "authenticator"])
def test_what_is_not_built_yet_is_status_7_and_says_so(anna: Passless, kind: str) -> None:
    assert "not built yet" in anna.json("method", "add", kind, status=7)["message"]
    assert anna.json("method", "add", kind, "--dry-run", status=7)


@pytest.mark.parametrize("kind", ["recovery-code", "temporary-pass", "other", "token"])
def test_what_is_no_method_is_wrong_use(anna: Passless, kind: str) -> None:
    assert anna.json("method", "add", kind, status=2)["hint"]


def test_a_dry_run_of_adding_changes_nothing(anna: Passless) -> None:
    planned = anna.json("method", "add", "totp", "--dry-run")
    assert (planned["applied"], planned["plan"]["change"]["type"]) == (False, "add-method")


def test_methods_are_renamed_made_default_and_removed_by_name(anna: Passless) -> None:
    anna.totp("--name", "Aegis")
    anna.json("method", "rename", "Aegis", "my app")
    anna.json("method", "default", "my app")
    assert [one["name"] for one in anna.json("method", "list") if one["default"]] == ["my app"]
    removed = anna.json("method", "remove", "my app", "--yes")
    assert removed["applied"] is True
    assert [one["kind"] for one in anna.json("method", "list")] == ["password"]


def test_the_password_is_replaced_as_a_method(anna: Passless) -> None:
    assert anna.json("method", "add", "password", "--password-file", "-", typed="x", status=2)["code"] == "confirmation-needed"
    anna.json("method", "add", "password", "--yes", "--password-file", "-", typed="seven tall owls juggle 13 pears")
    assert anna.json("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD, status=5)


def test_a_wrong_password_is_status_5(anna: Passless) -> None:
    anna.json("sign-out")
    error = anna.json("sign-in", "--with", "password", "--password-file", "-", typed="wrong", status=5)
    assert error["code"]
    assert anna.json("status")["session"] is None


def test_two_step_asks_for_a_second_proof(anna: Passless) -> None:
    app = anna.totp()
    anna.json("recovery-code", "new", "--yes")
    anna.json("two-step", "on")
    anna.json("sign-out")
    first = anna("sign-in", "--with", "password", "--password-file", "-", "--json", typed=PASSWORD)
    assert first.status == 5
    assert first.error["code"] == "second-proof"
    assert first.json["accepts"] == first.error["accepts"] == ["totp"]
    assert first.json["ceremony"] == first.error["ceremony"]
    second = anna.json(
        "sign-in", "--finish", first.json["ceremony"], "--with", "totp", "--code-file", "-", typed=anna.code(app)
    )
    assert second["session"]["strength"] == 2


def test_a_change_without_a_session_is_status_5(anna: Passless) -> None:
    anna.json("sign-out")
    assert anna.json("recovery-code", "new", status=5)["code"] == "sign-in-needed"


def test_a_stale_proof_is_status_5_and_a_fresh_one_helps(anna: Passless) -> None:
    anna.now += timedelta(minutes=11)
    assert anna.json("recovery-code", "new", status=5)["code"] == "weak-proof"
    assert anna.json("recovery-code", "new", "--dry-run")["plan"]["accepted"] is True
    anna.json("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)
    assert anna.json("recovery-code", "new")["applied"] is True


def test_sessions_are_listed_and_ended(anna: Passless) -> None:
    anna.json("sign-out")
    anna.json("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)
    sessions = anna.json("session", "list")
    assert [one["current"] for one in sessions] == [True]
    assert anna.json("session", "end", "nope", status=3)["code"] == "no-such-session"
    assert anna.json("session", "end", "--all")["ended"] == [sessions[0]["id"]]
    assert anna.json("status")["session"] is None


def test_signing_out_everywhere_counts_sessions(anna: Passless) -> None:
    assert anna.json("sign-out", "--everywhere")["ended"] == 1
    assert anna.json("sign-out")["ended"] == 0


def test_another_account_does_not_act_by_having_a_session(anna: Passless) -> None:
    anna.account("ben")
    anna.json("account", "use", "anna")
    assert anna.json("recovery-code", "new", "--account", "ben", "--as", "anna", status=5)["code"] == "sign-in-needed"
    assert anna.json("recovery-code", "new", "--account", "ben", "--yes")["applied"] is True


def test_a_token_may_look_and_not_change(anna: Passless) -> None:
    made = anna.json("token", "create", "nightly", "--may", "status,check")
    assert (made["shown_once"], made["may"]) == (True, ["status", "check"])
    assert "secret" not in str(anna.json("token", "list"))
    file = anna.home / "token"
    file.write_text(made["secret"])
    anna.json("sign-out")
    anna.json("sign-in", "--with", "token", "--token-file", str(file))
    assert anna.json("status")["account"] == "anna"
    assert anna.json("recovery-code", "new", status=5)["code"] == "token-may-not"


def test_a_token_is_revoked_by_name(anna: Passless) -> None:
    anna.json("token", "create", "nightly", "--may", "status", "--expires", "8h")
    anna.json("token", "revoke", "nightly", "--yes")
    assert anna.json("token", "list") == []


def test_app_passwords_need_two_step_and_are_shown_once(anna: Passless) -> None:
    error = anna.json("app-password", "create", "Mail", status=4)
    assert "app-passwords-need-two-step" in [problem["code"] for problem in error["problems"]]
    anna.totp()
    anna.json("recovery-code", "new", "--yes")
    anna.json("two-step", "on")
    anna.json("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)
    made = anna.json("app-password", "create", "Mail", "--for", "imap,smtp", "--expires", "90d")
    assert (made["for"], made["shown_once"]) == (["imap", "smtp"], True)
    listed = anna.json("app-password", "list")
    assert set(listed[0]) >= {"id", "name", "for", "created_at", "last_used_at", "expires_at", "short"}
    assert anna.json("app-password", "revoke", "--all", "--yes")["applied"] is True
    assert anna.json("app-password", "list") == []


def test_what_if_names_every_loss(anna: Passless) -> None:
    anna.totp()
    losses = anna.json("what-if")
    assert {"lost", "survives", "ways_in", "recovery", "problems"} <= set(losses[0])
    assert anna.json("what-if", "--lose", "device:phone")["survives"] is True
    assert anna.json("what-if", "--lose", "device:moon", status=3)["code"] == "no-such-device"


def test_a_lost_device_is_off_at_once_and_can_be_found_again(anna: Passless) -> None:
    app = anna.totp()
    lost = anna.json("device", "lost", "phone", "--yes")
    assert lost["applied"] is True
    assert [one["kind"] for one in anna.json("method", "list")] == ["password"]
    password = anna.home / "password"
    password.write_text(PASSWORD)
    found = anna.json("device", "found", "phone", "--code-file", "-", "--password-file", str(password), typed=anna.code(app))
    assert found["applied"] is True
    assert [one["name"] for one in anna.json("device", "list")] == ["phone"]


def report_lost_with_the_password(anna: Passless, device: str) -> None:
    """Report a loss in a session that one factor opened: what takes it back must be stronger."""
    anna.json("sign-out")
    anna.json("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)
    assert anna.json("device", "lost", device, "--yes")["applied"] is True


def test_a_lost_key_takes_its_report_back_at_once(anna: Passless) -> None:
    with plugged_in(SoftwareKey(pin="481516")):
        pin = anna.home / "pin"
        pin.write_text("481516")
        assert anna("method", "add", "security-key", "--name", "blue", "--pin-file", str(pin)).status == 0
        report_lost_with_the_password(anna, "blue")
        assert anna.json("device", "found", "blue", "--with", "passkey", status=7)["code"] == "needs-a-browser"
        assert anna("device", "found", "blue", "--pin-file", str(pin)).status == 0
    assert "blue" in [one["name"] for one in anna.json("method", "list")]


def test_a_lost_key_takes_its_report_back_in_two_steps(anna: Passless) -> None:
    key = SecurityKey()
    begun = anna.json("method", "add", "security-key", "--begin", "--name", "blue")
    made = key.register(json.dumps(begun["publicKey"]).encode(), begun["origin"]).reveal()
    anna.json("method", "add", "security-key", "--finish", begun["ceremony"], "--response-file", "-", typed=made)
    report_lost_with_the_password(anna, "blue")
    begun = anna.json("device", "found", "blue", "--begin")
    answer = key.answer(json.dumps(begun["publicKey"]).encode(), begun["origin"]).reveal()
    finish = ("device", "found", "blue", "--finish", begun["ceremony"])
    assert "--response-file" in anna.json(*finish, status=2)["hint"]
    assert "--finish" in anna.json("device", "found", "blue", "--response-file", "-", typed=answer, status=2)["hint"]
    assert anna.json(*finish, "--response-file", "-", "--dry-run", typed=answer)["applied"] is False
    assert anna.json(*finish, "--response-file", "-", typed=answer)["applied"] is True
    assert "blue" in [one["name"] for one in anna.json("method", "list")]
    assert anna.json("device", "found", "blue", "--begin", "--with", "totp", status=2)["code"] == "contradiction"


def test_an_owner_lets_a_person_in_with_a_reason(anna: Passless) -> None:
    anna.json("sign-out")
    made = anna.json("temporary-pass", "issue", "--as-operator", "--reason", "lost everything", "--ticket", "HD-1")
    assert (made["once"], made["shown_once"]) == (True, True)
    assert len(anna.json("temporary-pass", "list")) == 1
    signed_in = anna.json("sign-in", "--with", "temporary-pass", "--code-file", "-", typed=made["secret"])
    assert signed_in["kind"] == "temporary-pass"
    assert anna.json("recover", "status")["state"] == "in-recovery"


def test_a_recovery_code_brings_a_person_back(anna: Passless) -> None:
    code = anna.json("recovery-code", "new")["code"]
    assert anna.json("status")["recovery_code"] == {"exists": True, "saved": False, **kept(anna)}
    wrong = anna.json("recovery-code", "confirm", "--code-file", "-", typed="AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", status=2)
    assert wrong["code"] == "code-differs"
    anna.json("recovery-code", "confirm", "--code-file", "-", typed=code.lower())
    anna.json("sign-out")
    assert anna.json("recover", "start", "--code-file", "-", typed="AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", status=5)
    started = anna.json("recover", "start", "--code-file", "-", typed=code)
    assert started["kind"] == "recovery-code"
    assert anna.json("recover", "status")["state"] == "in-recovery"
    assert anna.json("recover", "finish", status=4)["code"] == "code-not-saved"


def kept(anna: Passless) -> dict[str, str | None]:
    """Return when the code was made, and that there is no other."""
    return {"created_at": anna.json("status")["recovery_code"]["created_at"], "unsaved_at": None}


def test_a_recovery_kit_is_a_private_page_with_the_code(anna: Passless) -> None:
    for name in ("kit.txt", "kit.svg"):
        path = anna.home / name
        code = anna("recovery-code", "new", "--kit", str(path), "--json").json["code"]
        assert code in path.read_text()
        assert "Practise on" in path.read_text()
        assert path.stat().st_mode & 0o077 == 0
    again = anna.home / "again.txt"
    anna("recovery-code", "kit", "--out", str(again), "--code-file", "-", typed=code)
    assert code in again.read_text()
    assert anna.json("status")["recovery_code"]["saved"] is True
    assert anna.json("recovery-code", "new", "--kit", "kit.pdf", status=2)["code"] == "bad-kit-file"


def test_a_kit_is_made_only_of_the_code_that_works(anna: Passless) -> None:
    made = anna.json("recovery-code", "new", "--yes")
    assert made["saved"] is True
    other = "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"
    assert (
        anna.json("recovery-code", "kit", "--out", "kit.txt", "--code-file", "-", typed=other, status=2)["code"]
        == "no-recovery-code"
    )
    anna("recovery-code", "kit", "--out", str(anna.home / "kit.txt"), "--code-file", "-", typed=made["code"])
    assert made["code"] in (anna.home / "kit.txt").read_text()


def test_a_device_that_was_hardly_missed_is_named(anna: Passless) -> None:
    anna.totp()
    error = anna.json("device", "lost", "phnoe", "--yes", status=3)
    assert error["code"] == "no-such-device"
    assert 'did you mean "phone"?' in error["hint"]
    assert "did you mean" not in anna.json("device", "lost", "toaster", "--yes", status=3)["hint"]
