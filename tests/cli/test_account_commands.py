"""The account: making, choosing, renaming, deleting, looking at it."""

from __future__ import annotations

import pytest

from tests.cli.running import PASSWORD, Passless

STATUS = {
    "profile",
    "account",
    "display_name",
    "state",
    "passwordless",
    "two_step",
    "methods",
    "app_passwords",
    "ways_in",
    "losses",
    "recovery_code",
    "problems",
    "next_steps",
    "notices",
    "session",
}
PLAN = {"change", "accepted", "problems", "effects", "before", "after"}
METHOD = {
    "id",
    "kind",
    "name",
    "device",
    "added_at",
    "last_used_at",
    "phishing_resistant",
    "two_factor",
    "default",
    "usable",
}


def test_a_new_account_is_chosen_and_signed_in(passless: Passless) -> None:
    made = passless.account("anna")
    assert made["applied"] is True
    assert set(made["plan"]) >= PLAN
    status = passless.json("status")
    assert set(status) >= STATUS
    assert set(status["methods"][0]) >= METHOD
    assert (status["account"], status["session"]["strength"]) == ("anna", 1)
    assert status["session"]["expires_at"].endswith("Z")


def test_a_new_account_needs_no_password(passless: Passless) -> None:
    passless.json("account", "create", "anna", "--no-password", "--display-name", "Anna Berg", "--email", "anna@example.org")
    status = passless.json("status")
    assert (status["passwordless"], status["state"], status["display_name"]) == (True, "unfinished", "Anna Berg")


def test_a_dry_run_makes_nothing(passless: Passless) -> None:
    planned = passless.json("account", "create", "anna", "--no-password", "--dry-run")
    assert (planned["applied"], planned["plan"]["accepted"]) == (False, True)
    assert not (passless.home / "data").exists()
    assert passless.json("account", "list") == []


def test_a_taken_name_is_wrong_use(anna: Passless) -> None:
    error = anna.json("account", "create", "ANNA", "--no-password", status=2)
    assert error["code"] == "name-taken"


def test_looking_makes_no_store(passless: Passless) -> None:
    assert passless.json("account", "list") == []
    assert passless.json("status", status=2)["code"] == "no-account-chosen"
    assert passless.json("status", "--account", "anna", status=6)["code"] == "store-missing"
    assert not (passless.home / "data").exists()


def test_the_list_marks_the_chosen_one(anna: Passless) -> None:
    anna.account("ben")
    assert [(one["account"], one["current"]) for one in anna.json("account", "list")] == [("anna", False), ("ben", True)]
    assert anna.json("account", "use", "Anna")["account"] == "anna"
    assert anna.json("status")["account"] == "anna"
    assert [one["account"] for one in anna.json("account", "list", "be")] == ["ben"]


def test_an_unknown_account_is_status_3(anna: Passless) -> None:
    assert anna.json("account", "use", "nobody", status=3)["code"] == "no-such-account"
    assert anna.json("status", "--account", "nobody", status=3)["code"] == "no-such-account"
    assert anna.json("account", "show", "nobody", status=3)["code"] == "no-such-account"


def test_an_account_gets_another_name_and_stays_chosen(anna: Passless) -> None:
    assert anna.json("account", "rename", "anne")["applied"] is True
    assert anna.json("status")["account"] == "anne"
    assert anna.json("account", "rename", "--display-name", "Anne B.")["applied"] is True
    assert anna.json("account", "show", "anne")["display_name"] == "Anne B."


def test_an_account_that_was_named_gets_another_name(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    anna.account("ben")
    assert anna.json("account", "rename", "anne", "--account", "anna")["applied"] is True
    assert anna.json("status", "--account", "anne")["session"] is not None  # known here by the new name
    monkeypatch.setenv("PASSLESS_ACCOUNT", "anne")
    assert anna.json("account", "rename", "annie", "--display-name", "Annie")["applied"] is True
    monkeypatch.delenv("PASSLESS_ACCOUNT")
    assert anna.json("status", "--as", "annie", "--account", "annie")["display_name"] == "Annie"


def test_a_deleted_account_is_gone_and_nobody_is_chosen(anna: Passless) -> None:
    anna.account("ben")
    anna.json("account", "delete", "ben", "--yes")
    assert [one["account"] for one in anna.json("account", "list")] == ["anna"]
    assert anna.json("status", status=2)["code"] == "no-account-chosen"


def test_a_refused_plan_is_on_stdout_and_its_error_on_stderr(anna: Passless) -> None:
    result = anna("passwordless", "on", "--dry-run", "--json")
    assert result.status == 4
    assert set(result.json["plan"]) >= PLAN
    assert (result.json["applied"], result.json["plan"]["accepted"]) == (False, False)
    assert result.error["code"] == "no-way-in"
    assert {problem["severity"] for problem in result.error["problems"]} <= {"refusal", "warning"}


def test_a_refusal_names_every_problem(anna: Passless) -> None:
    error = anna.json("passwordless", "on", "--yes", status=4)
    assert error["problems"][0]["code"] == error["code"] == "no-way-in"


def test_passwordless_off_sets_a_password_again(passless: Passless) -> None:
    passless.json("account", "create", "anna", "--no-password")
    assert passless.json("passwordless", "status")["on"] is True
    passless.json("passwordless", "off", "--yes", "--password-file", "-", typed=PASSWORD)
    assert passless.json("passwordless", "status")["on"] is False


def test_a_weak_password_is_wrong_use_that_does_not_repeat_it(passless: Passless) -> None:
    result = passless("account", "create", "anna", "--password-file", "-", typed="hunter2")
    assert result.status == 2
    assert "hunter2" not in result.stderr


@pytest.mark.parametrize("width", ["80", "200"])
def test_people_see_the_account_at_both_widths(anna: Passless, monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    shown = anna("status").stdout
    assert max(len(line) for line in shown.splitlines()) <= int(width)
    assert "anna" in shown
    assert "passless method add totp" in shown
