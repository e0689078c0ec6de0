"""What a person sees and types: prompts, the QR code, questions before something is taken away, step-up."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pyotp
import pytest

from tests.cli.running import PASSWORD, Passless

LIMIT = 60  # seconds; a loaded machine is slow


@contextmanager
def at_terminal(*arguments: str, columns: int = 100) -> Iterator[Any]:
    """Run a command in a terminal of its own."""
    environment = os.environ | {"TERM": "xterm-256color", "PYTHONPATH": str(Path.cwd())}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "passless", *arguments],
        env=environment,
        encoding="utf-8",
        timeout=LIMIT,
        dimensions=(60, columns),
    )
    try:
        yield child
    finally:
        child.close(force=True)


def ends(child: Any) -> int:
    """Wait for the end and return the exit status."""
    child.expect(pexpect.EOF)
    child.close()
    return int(child.exitstatus)


def test_a_new_account_asks_for_a_password_twice(passless: Passless) -> None:
    with at_terminal("account", "create", "anna") as child:
        child.expect("Go without a password")
        child.sendline("n")
        for question in ("Password:", "once more:"):
            child.expect(question)
            child.sendline(PASSWORD)
        child.expect("made .*anna")
        assert ends(child) == 0
    assert PASSWORD not in (child.before or "")
    assert passless.json("status")["passwordless"] is False


def test_two_entries_that_differ_are_refused(passless: Passless) -> None:
    with at_terminal("account", "create", "anna") as child:
        child.expect("Go without a password")
        child.sendline("n")
        child.expect("Password:")
        child.sendline(PASSWORD)
        child.expect("once more:")
        child.sendline("something else")
        child.expect("the two entries differ")
        assert ends(child) == 2


def test_an_app_is_added_by_scanning_a_picture(anna: Passless) -> None:
    with at_terminal("method", "add", "totp", "--name", "Aegis") as child:
        child.expect("Scan this with the authenticator app")
        child.expect("or type")
        picture = child.before
        child.expect("((?:[A-Z2-7]{4} ?){8})")
        secret = child.match[1].replace(" ", "")
        child.expect("Code that the app shows now:")
        child.sendline(pyotp.TOTP(secret).now())
        child.expect("done: add method")
        assert ends(child) == 0
    assert len(re.findall("[█▀▄]", picture)) > 100
    assert [one["name"] for one in anna.json("method", "list")] == ["password", "Aegis"]


def test_a_wrong_digit_does_not_throw_a_new_app_away(anna: Passless) -> None:
    """The secret that was scanned stays good for three codes."""
    with at_terminal("method", "add", "totp", "--name", "Aegis") as child:
        child.expect("((?:[A-Z2-7]{4} ?){8})")
        secret = child.match[1].replace(" ", "")
        for wrong in ("abc", "00"):
            child.expect("Code that the app shows now:")
            child.sendline(wrong)
        child.expect("type the one that the app shows now")
        child.expect("Code that the app shows now:")
        child.sendline(pyotp.TOTP(secret).now())
        child.expect("done: add method")
        assert ends(child) == 0
    with at_terminal("method", "add", "totp", "--name", "another") as child:
        for wrong in ("abc", "00", "abc"):
            child.expect("Code that the app shows now:")
            child.sendline(wrong)
        assert ends(child) == 5
    assert [one["name"] for one in anna.json("method", "list")] == ["password", "Aegis"]


def test_a_question_comes_with_the_plan_and_no_is_no(anna: Passless) -> None:
    anna.totp("--name", "Aegis")
    with at_terminal("method", "remove", "Aegis") as child:
        child.expect("What it would do")
        child.expect('remove "Aegis"\\?')
        child.sendline("")
        child.expect("left as it was")
        assert ends(child) == 2
    assert len(anna.json("method", "list")) == 2


def test_yes_is_yes(anna: Passless) -> None:
    anna.totp("--name", "Aegis")
    with at_terminal("method", "remove", "Aegis") as child:
        child.expect('remove "Aegis"\\?')
        child.sendline("y")
        child.expect("done: remove method")
        assert ends(child) == 0
    assert len(anna.json("method", "list")) == 1


def test_a_missing_proof_is_asked_for_and_then_it_is_done(anna: Passless) -> None:
    app = anna.totp()
    anna.json("sign-out")
    with at_terminal("recovery-code", "new") as child:
        child.expect('sign in to "anna" first')
        child.expect("Sign in with")
        child.sendline("totp")
        child.expect("Code from the authenticator app:")
        child.sendline(app.now())
        child.expect("recovery code")
        assert ends(child) == 0


def test_no_input_never_asks_at_a_terminal_either(anna: Passless) -> None:
    anna.json("sign-out")
    with at_terminal("recovery-code", "new", "--no-input") as child:
        child.expect("passless: error: sign in")
        assert ends(child) == 5


def test_ctrl_c_at_a_question_is_130_and_changes_nothing(anna: Passless) -> None:
    anna.totp("--name", "Aegis")
    with at_terminal("method", "remove", "Aegis") as child:
        child.expect('remove "Aegis"\\?')
        child.sendintr()
        assert ends(child) == 130
    assert "Traceback" not in (child.before or "")
    assert len(anna.json("method", "list")) == 2


def test_the_end_of_input_is_told(anna: Passless) -> None:
    with at_terminal("account", "rename") as child:
        child.expect("New name:")
        child.sendeof()
        child.expect("nothing was typed")
        assert ends(child) == 2


@pytest.mark.parametrize("columns", [80, 200])
def test_the_status_fits_the_terminal(anna: Passless, columns: int) -> None:
    anna.totp("--name", "Aegis")
    with at_terminal("status", columns=columns) as child:
        shown = child.read()
        child.close()
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert max(len(line) for line in lines) <= columns
    assert "╭" in shown


def test_a_recovery_asks_for_the_code_and_the_further_proof(anna: Passless) -> None:
    app = anna.totp()
    code = anna.json("recovery-code", "new", "--yes")["code"]
    anna.json("two-step", "on")
    anna.json("sign-out")
    with at_terminal("recover", "start") as child:
        child.expect("Recovery code:")
        child.sendline(code)
        child.expect("one more proof")
        child.expect("Sign in with")
        child.sendline("totp")
        child.expect("Code from the authenticator app:")
        child.sendline(app.now())
        child.expect("signed in as")
        assert ends(child) == 0
    assert anna.json("recover", "status")["state"] == "in-recovery"


def test_a_mistyped_recovery_code_is_asked_for_again(anna: Passless) -> None:
    code = anna.json("recovery-code", "new", "--yes")["code"]
    anna.json("sign-out")
    with at_terminal("recover", "start") as child:
        for typed in (code[:-1], "what", code):
            child.expect("Recovery code:")
            child.sendline(typed)
        child.expect("signed in as")
        assert ends(child) == 0
    assert anna.json("recover", "status")["state"] == "in-recovery"


def test_a_recovery_code_is_asked_for_three_times_and_no_more(anna: Passless) -> None:
    anna.json("recovery-code", "new", "--yes")
    anna.json("sign-out")
    with at_terminal("recover", "start") as child:
        for _ in range(3):
            child.expect("Recovery code:")
            child.sendline("what")
        assert ends(child) == 5
    assert "type it again" in str(child.before)


def test_the_further_proof_of_a_recovery_is_asked_for_again_without_the_code(anna: Passless) -> None:
    app = anna.totp()
    code = anna.json("recovery-code", "new", "--yes")["code"]
    anna.json("two-step", "on")
    anna.json("sign-out")
    with at_terminal("recover", "start") as child:
        child.expect("Recovery code:")
        child.sendline(code)
        child.expect("Sign in with")
        child.sendline("totp")
        for typed in ("000000", app.now()):
            child.expect("Code from the authenticator app:")
            child.sendline(typed)
        child.expect("signed in as")
        assert ends(child) == 0


def test_who_has_nothing_for_the_second_proof_is_led_to_the_recovery(anna: Passless) -> None:
    first = anna.totp("--name", "Aegis")
    anna.totp("--name", "Raivo", "--device", "tablet")
    anna.json("recovery-code", "new", "--yes")
    anna.json("two-step", "on")
    anna.json("passwordless", "on", "--yes")
    anna.json("sign-out")
    with at_terminal("device", "lost", "tablet", "--yes") as child:
        child.expect('Code from "Aegis" or "Raivo":')
        child.sendline(first.now())
        child.expect("Nothing else at hand")
        child.expect('Code from "Raivo":')
        for _ in range(3):
            child.sendline("")
        child.expect("hint: .*nothing at hand.* passless recover start")
        assert ends(child) == 2


def test_two_step_asks_for_the_second_proof_right_away(anna: Passless) -> None:
    app = anna.totp()
    anna.json("recovery-code", "new", "--yes")
    anna.json("two-step", "on")
    anna.json("sign-out")
    with at_terminal("sign-in", "--with", "password") as child:
        child.expect("Password:")
        child.sendline(PASSWORD)
        child.expect("one more proof is needed")
        child.expect("Code from the authenticator app:")
        child.sendline(app.now())
        child.expect("signed in as")
        assert ends(child) == 0


def test_a_wrong_code_is_asked_again(anna: Passless) -> None:
    app = anna.totp()
    anna.json("sign-out")
    with at_terminal("sign-in", "--with", "totp") as child:
        child.expect("Code from the authenticator app:")
        child.sendline("12")
        child.expect("that is not the right code")
        child.expect("Code from the authenticator app:")
        child.sendline(app.now())
        child.expect("signed in as")
        assert ends(child) == 0


def test_several_apps_are_named_and_one_alone_is_not_two_proofs(anna: Passless) -> None:
    first = anna.totp("--name", "Aegis")
    second = anna.totp("--name", "Raivo", "--device", "tablet")
    anna.json("recovery-code", "new", "--yes")
    anna.json("two-step", "on")
    anna.json("passwordless", "on", "--yes")
    anna.json("sign-out")
    with at_terminal("sign-in") as child:
        child.expect('Code from "Aegis" or "Raivo":')
        code = first.now()
        child.sendline(code)
        child.expect("one more proof is needed")
        child.expect("passless recover start")
        child.expect('Code from "Raivo":')
        child.sendline(code)
        child.expect("use another method than the first")
        child.expect('Code from "Raivo":')
        child.sendline(second.now())
        child.expect("signed in as")
        assert ends(child) == 0
