"""`check` and `legacy-apps`: what is found, in which format, and with which exit status."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.running import PASSWORD, Passless


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A policy that no account with a password holds to."""
    path = tmp_path / "rules.toml"
    path.write_text("[require]\npasswordless = true\nrecovery_code = true\n")
    return path


@pytest.fixture
def lax(tmp_path: Path) -> Path:
    """A policy that asks nothing."""
    path = tmp_path / "lax.toml"
    path.write_text("")
    return path


def test_findings_are_status_8(anna: Passless, policy: Path) -> None:
    result = anna("check", "--policy", str(policy))
    assert result.status == 8
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        "anna",
        "  policy-passwordless: the account has a password",
        "    turn passwordless on: passless passwordless on",
        "  policy-recovery-code: there is no saved recovery code",
        "    make one: passless recovery-code new",
        "1 account checked, 2 findings on 1",
    ]


def test_nothing_found_is_status_0(anna: Passless, lax: Path) -> None:
    result = anna("check", "--policy", str(lax))
    assert (result.status, result.stdout) == (0, "1 account checked, nothing found\n")


def test_json_is_one_document(anna: Passless, policy: Path) -> None:
    result = anna("check", "--policy", str(policy), "--json")
    assert result.status == 8
    assert result.stderr == ""
    assert [one["code"] for one in result.json["findings"]] == ["policy-passwordless", "policy-recovery-code"]
    assert set(result.json["findings"][0]) == {"account", "code", "message", "hint"}
    assert result.json == json.loads(anna("check", "--policy", str(policy), "--format", "json").stdout) | {
        "checked_at": result.json["checked_at"]
    }


def test_all_checks_everybody(anna: Passless, policy: Path) -> None:
    anna.account("ben")
    report = anna("check", "--policy", str(policy), "--all", "--json").json
    assert report["accounts"] == 2
    assert {one["account"] for one in report["findings"]} == {"anna", "ben"}


def test_junit_and_sarif(anna: Passless, policy: Path) -> None:
    junit = anna("check", "--policy", str(policy), "--format", "junit")
    assert junit.status == 8
    assert len(list(ElementTree.fromstring(junit.stdout.encode()).iter("failure"))) == 2
    sarif = anna("check", "--policy", str(policy), "--format", "sarif")
    assert sarif.status == 8
    assert sarif.json["version"] == "2.1.0"


def test_the_profiles_own_policy_is_used(anna: Passless, policy: Path) -> None:
    assert anna("check").status == 2
    assert anna("profile", "set", "local", "--policy", str(policy)).status == 0
    assert anna("check").status == 8


def test_an_account_that_holds_to_the_policy_passes(anna: Passless, policy: Path) -> None:
    anna.totp()
    anna.json("recovery-code", "new", "--yes")
    anna.json("passwordless", "on", "--yes")
    assert anna("check", "--policy", str(policy)).status == 0


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 2, "--policy FILE"),
        (("--policy", "/nowhere.toml"), 2, "/nowhere.toml"),
        (("--policy", "{lax}", "--account", "nobody"), 3, "nobody"),
        (("--policy", "{lax}", "--all", "--account", "anna"), 2, "--all"),
        (("--policy", "{lax}", "--format", "yaml"), 2, "yaml"),
        (("--policy", "{lax}", "extra"), 2, "extra"),
    ],
)
def test_wrong_use_is_one_error_with_a_hint(
    shared: Passless, lax: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    result = shared("check", *(one.replace("{lax}", str(lax)) for one in arguments))
    assert result.status == status
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.count("passless: error:") == 1
    assert result.stderr.count("passless: hint:") == 1


def test_json_and_another_format_exclude_each_other(shared: Passless, lax: Path) -> None:
    assert "junit" in shared.json("check", "--policy", str(lax), "--format", "junit", status=2)["message"]


def test_a_policy_that_cannot_be_names_its_key(shared: Passless, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[numbers]\nwait_days = 1\n")
    error = shared.json("check", "--policy", str(path), status=2)
    assert error["code"] == "bad-policy"
    assert "numbers.wait_days" in error["message"]


def test_a_token_with_the_right_may_check_its_own_account(anna: Passless, policy: Path) -> None:
    secret = anna.json("token", "create", "ci", "--may", "check")["secret"]
    assert anna("sign-in", "--with", "token", "--token-file", "-", typed=secret).status == 0
    assert anna("check", "--policy", str(policy)).status == 8
    assert anna.json("check", "--policy", str(policy), "--all", status=5)["code"] == "token-may-not"


def test_legacy_apps_lists_all_or_the_one_that_is_named(shared: Passless) -> None:
    everything = shared.json("legacy-apps")
    assert {"id", "name", "need", "advice"} <= set(everything[0])
    assert [one["id"] for one in shared.json("legacy-apps", "Outlook", "2010")] == ["office-2010"]
    assert "app password" in shared("legacy-apps", "imap").stdout


def test_an_unknown_program_is_status_3(shared: Passless) -> None:
    error = shared.json("legacy-apps", "\x1b[31mPong", status=3)
    assert error["code"] == "no-such-program"
    assert "\x1b" not in error["message"]
    assert "passless does not know it" in error["hint"]


def test_legacy_apps_needs_no_account(passless: Passless) -> None:
    assert passless("legacy-apps").status == 0
    assert PASSWORD not in passless("legacy-apps").stdout
