"""What people read: commands that can be pasted, short news, and what comes next."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta

import pyotp
import pytest

from tests.cli.running import TOTP_STEP, Passless


def pasted(passless: Passless, shown: str, *, typed: str = "") -> int:
    """Run a command as it is shown, and return its exit status."""
    _, *arguments = shlex.split(shown)
    return passless(*arguments, typed=typed).status


# Beginning and finishing


def test_what_is_begun_says_how_it_is_finished(anna: Passless) -> None:
    begun = anna("method", "add", "totp", "--begin", "--device", "Ada's phone").stdout
    secret = re.search(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})", begun)
    command = re.search(r"passless method add totp --finish .*", begun)
    assert secret is not None
    assert command is not None
    assert pasted(anna, command[0], typed=anna.code(pyotp.TOTP(secret[1].replace(" ", "")))) == 0
    assert "Ada's phone" in [one["device"] for one in anna.json("method", "list")]


def test_a_key_is_finished_with_a_response(anna: Passless) -> None:
    shown = anna("method", "add", "security-key", "--begin").stdout
    assert re.search(r"passless method add security-key --finish \S+ --response-file -", shown)


# Commands with names in them


def test_the_kits_command_can_be_pasted_whatever_the_name_is(passless: Passless) -> None:
    name = "Ada's bank; rm -r x"
    passless.account(name)
    code = passless.json("recovery-code", "new", "--yes")["code"]
    page = passless("recovery-code", "kit", "--code-file", "-", typed=code).stdout
    command = re.search(r"passless recover start .*", page)
    assert command is not None
    passless.json("sign-out")
    assert pasted(passless, f"{command[0]} --code-file -", typed=code) == 0
    assert passless.json("status", "--account", name)["state"] == "in-recovery"


def test_a_plan_of_the_walk_through_can_be_pasted(passless: Passless) -> None:
    steps = passless.json("setup", "--account", "Ada's bank", "--dry-run")["steps"]
    assert pasted(passless, f"{steps[0]['command']} --no-password") == 0
    assert [one["account"] for one in passless.json("account", "list")] == ["Ada's bank"]


# In a recovery


@pytest.mark.parametrize("command", ["recovery-code", "temporary-pass"])
def test_who_comes_back_is_told_what_to_do_now(anna: Passless, command: str) -> None:
    anna.totp()
    code = anna.json("recovery-code", "new", "--yes")["code"]
    operator = ("--as-operator", "--reason", "lost")
    if command == "recovery-code":
        came = anna("recover", "start", "--code-file", "-", typed=code)
    else:
        issued = anna.json("recover", "start", *operator)["secret"]
        came = anna("sign-in", "--with", "temporary-pass", "--code-file", "-", typed=issued)
    assert came.status == 0, came
    for shown in (came.stdout, anna("status").stdout):
        assert "in recovery" in shown
        assert "passless recover finish" in shown
        assert "prove it again" not in shown
    assert "passless method add totp" in came.stdout
    assert "passless recovery-code new" in came.stdout


# Settings, losses, this machine


@pytest.mark.parametrize("setting", ["two-step", "passwordless"])
def test_a_setting_is_said_once(anna: Passless, setting: str) -> None:
    line = anna(setting, "status").stdout.splitlines()[0]
    assert line.split("  ", 1)[0] == setting
    assert line.count("off") == 1


def test_a_loss_reported_a_moment_ago_can_be_taken_back_for_all_its_days(anna: Passless) -> None:
    anna.totp()
    anna.json("device", "lost", "phone", "--yes")
    anna.now += timedelta(minutes=1)
    assert "for 30 days" in anna("recover", "status").stdout


def test_no_key_plugged_in_is_neither_good_nor_bad(shared: Passless) -> None:
    (line,) = (line for line in shared("doctor").stdout.splitlines() if "none is plugged in" in line)
    assert line.startswith("–")


@pytest.mark.parametrize("command", ["show", "install"])
def test_a_shell_without_completion_is_wrong_use(shared: Passless, command: str) -> None:
    result = shared("completion", command, "tcsh")
    assert (result.status, result.stdout) == (2, "")
    assert result.stderr.startswith('passless: error: there is no completion for "tcsh"\npassless: hint: name one of bash')


# Signing in


def test_the_same_app_twice_is_answered_with_use_another(anna: Passless) -> None:
    app = anna.totp("--name", "Aegis")
    anna.totp("--name", "Raivo", "--device", "tablet")
    anna.json("recovery-code", "new", "--yes")
    anna.json("two-step", "on")
    anna.json("passwordless", "on", "--yes")
    anna.json("sign-out")
    with_code = ("--with", "totp", "--code-file", "-")
    needed = anna.json("sign-in", *with_code, typed=anna.code(app), status=5)
    assert "another method than the first" not in needed["hint"]
    reused = anna.json("sign-in", "--finish", needed["ceremony"], *with_code, typed=anna.code(app), status=5)
    assert (reused["code"], "another method than the first" in reused["hint"]) == ("code-reused", True)
    anna.now += TOTP_STEP
    again = anna.json("sign-in", "--finish", needed["ceremony"], *with_code, typed=anna.code(app), status=5)
    assert (again["code"], "another method than the first" in again["hint"]) == ("second-proof", True)


def test_a_finished_recovery_says_until_when_other_changes_wait(anna: Passless) -> None:
    anna.totp()
    code = anna.json("recovery-code", "new", "--yes")["code"]
    anna("device", "lost", "phone", "--yes")
    anna("recover", "start", "--code-file", "-", typed=code)
    anna.totp()
    anna("recovery-code", "new", "--yes")
    assert anna("recover", "finish").status == 0
    assert anna.json("recover", "status")["recovery_until"] is not None
    for command in (("status",), ("recover", "status")):
        assert "wait until" in anna(*command).stdout
