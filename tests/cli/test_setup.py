"""`setup`, typed from the first prompt to the last on a real terminal, and in scripts."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from passless.cli import walk_account
from passless.domain.errors import Unavailable
from tests.cli.running import PASSWORD, Passless
from tests.cli.walking import CODE, SEED, Person, code_of
from tests.software_key import SoftwareKey, plugged_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pexpect needs a POSIX terminal")
needs_oathtool = pytest.mark.skipif(shutil.which("oathtool") is None, reason="oathtool stands in for the app")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Where the software key is kept."""
    return tmp_path / "key"


def status(passless: Passless) -> Any:
    return passless.json("status")


# A person


def test_with_a_key_it_takes_three_steps(passless: Passless, key: Path) -> None:
    ada = Person(passless.home, "setup", key=key, plug=("--pin", "1234"))
    ada.answers("Account name [ada]")
    ada.answers("Password (Enter for none)")
    ada.reads("never had a password")
    ada.reads("Step 2 of 3")
    ada.answers("Which one? [1]")
    ada.answers("PIN of", "1234")
    ada.reads("two factors in itself, and cannot be phished")
    ada.reads("Step 3 of 3")
    ada.saves_the_code()
    assert ada.is_done() == 0
    assert "Done: no password exists" in ada.rest
    assert "passless sign-in --with security-key" in ada.rest
    assert "passless method add totp" in ada.rest
    view = status(passless)
    assert (view["state"], view["passwordless"], view["problems"]) == ("ok", True, [])
    assert view["recovery_code"]["saved"] is True
    assert all(loss["survives"] for loss in view["losses"])


@needs_oathtool
def test_without_a_key_an_app_and_a_code_do(passless: Passless) -> None:
    ada = Person(passless.home, "setup", "--account", "anna")
    assert "Step 1 of" not in ada.reads("Make an account")  # how many there are is known once a password is typed or not
    ada.answers("Password (Enter for none)", PASSWORD)
    ada.answers("The same password again", PASSWORD)
    ada.reads("Step 2 of 4")
    ada.answers("Which one? [1]")
    ada.answers("The device the app is on [phone]")
    ada.adds_the_app()
    ada.reads("Step 3 of 4")
    ada.saves_the_code()
    ada.reads("Step 4 of 4")
    ada.answers("Delete it? [Y/n]")
    ada.reads("The password is gone.")
    assert ada.is_done() == 0
    assert "passless vault export FILE" in ada.rest
    assert ada.rest.count("passless method add security-key") == 1
    assert "passless legacy-apps" in ada.rest
    view = status(passless)
    assert (view["account"], view["state"], view["passwordless"]) == ("anna", "ok", True)


@needs_oathtool
def test_in_a_recovery_the_steps_are_counted_from_the_first_to_the_last(passless: Passless) -> None:
    anna = Person(passless.home, "setup", "--account", "anna")
    anna.answers("Password (Enter for none)")
    anna.answers("Which one? [1]")
    anna.answers("The device the app is on [phone]")
    anna.adds_the_app()
    code = anna.saves_the_code()
    assert anna.is_done() == 0
    passless.now = datetime.now(UTC)  # its clock stands still, the person's went on
    passless.json("device", "lost", "phone", "--yes")
    passless.json("recover", "start", "--code-file", "-", typed=code)
    anna = Person(passless.home, "setup")
    anna.reads("Step 1 of 3")
    anna.answers("Which one? [1]")
    anna.answers("The device the app is on [new phone]")
    anna.adds_the_app()
    anna.reads("Step 2 of 3")
    anna.saves_the_code()
    anna.reads("Step 3 of 3")
    anna.is_done()


@needs_oathtool
def test_a_device_that_is_reported_lost_is_not_proposed_and_said_where_it_is_typed(passless: Passless) -> None:
    passless.account("anna")
    passless.totp()
    passless.json("device", "lost", "phone", "--yes")
    anna = Person(passless.home, "setup", "--account", "anna")
    anna.answers("Which one? [1]")
    anna.answers("The device the app is on [new phone]", "Phone")
    anna.reads("is reported lost")
    anna.answers("Is the app on the very device that was lost? [y/N]")
    anna.answers("The device the app is on [new phone]")
    anna.adds_the_app()
    anna.saves_the_code()
    anna.answers("Delete it?", "n")
    anna.is_done()
    assert "new phone" in {one["device"] for one in status(passless)["methods"]}


@needs_oathtool
def test_the_wrong_input_at_each_prompt_is_asked_again(passless: Passless) -> None:
    ada = Person(passless.home, "setup")
    ada.answers("Account name [ada]", "x" * 70)
    ada.reads("too long")
    ada.answers("Account name [ada]", "anna")
    ada.answers("Password (Enter for none)", "short")
    ada.reads("shorter than 15 characters")
    ada.answers("Password (Enter for none)", PASSWORD)
    ada.answers("The same password again", "something else")
    ada.reads("the two passwords differ")
    ada.answers("Password (Enter for none)", PASSWORD)
    ada.answers("The same password again", PASSWORD)
    ada.answers("Which one? [1]", "9")
    ada.reads("Type a number from 1 to 3.")
    ada.answers("Which one? [1]", "security-key")
    ada.reads("no security key is plugged in")
    ada.answers("What now? [1]", "other")
    ada.answers("Which one? [1]", "1")
    ada.answers("The device the app is on [phone]", "y" * 80)
    ada.reads("too long")
    ada.answers("The device the app is on [phone]", "old phone")
    seed = ada.sees(SEED).replace(" ", "")
    ada.answers("Code", "12")
    ada.reads("that is not the right code")
    ada.answers("Code", "000000")
    ada.reads("The clock here says")
    ada.answers("Code")
    ada.answers("What now? [1]", "1")
    ada.answers("Code", code_of(seed))
    code = ada.sees(CODE)
    ada.answers("Press Enter when it is on paper")
    ada.answers("Type it back from the paper", "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA")
    ada.reads("that is not the new recovery code")
    ada.answers("Type it back from the paper")
    assert ada.sees(CODE) == code
    ada.answers("Press Enter when it is on paper")
    ada.answers("Type it back from the paper", "new")
    other = ada.sees(CODE)
    assert other != code
    ada.answers("Press Enter when it is on paper")
    ada.answers("Type it back from the paper", other)
    ada.answers("Delete it? [Y/n]", "maybe")
    ada.reads("Type y or n.")
    ada.answers("Delete it? [Y/n]", "yes")
    assert ada.is_done() == 0
    view = status(passless)
    assert (view["passwordless"], view["methods"][0]["device"]) == (True, "old phone")


def test_left_half_way_it_goes_on_where_it_stopped(passless: Passless, key: Path) -> None:
    ada = Person(passless.home, "setup", key=key, plug=("--pin", "1234"))
    ada.answers("Account name")
    ada.answers("Password (Enter for none)")
    ada.reads("Which one?")
    ada.presses("c")
    assert ada.is_done() == 130
    assert "go on with: passless setup" in ada.rest
    assert "Traceback" not in ada.rest

    ada = Person(passless.home, "setup", key=key)
    ada.reads('Going on with the account "ada".')
    ada.reads("Step 1 of 2")
    ada.answers("Which one?")
    ada.answers("PIN of", "1234")
    ada.sees(CODE)
    ada.presses("c")
    assert ada.is_done() == 130

    ada = Person(passless.home, "setup", key=key)
    ada.reads("Type the recovery code back")
    ada.answers("Recovery code", "not it")
    ada.reads("that is not the new recovery code")
    assert "Enter shows it again" not in ada.reads('"new" makes another code')  # nobody can show it
    ada.answers("Recovery code", "new")
    ada.saves_the_code()
    assert ada.is_done() == 0
    assert status(passless)["state"] == "ok"

    ada = Person(passless.home, "setup", key=key)
    ada.reads("Everything was set up already.")
    assert ada.is_done() == 0


def test_a_key_that_is_not_plugged_in_is_asked_for_again(passless: Passless, key: Path, tmp_path: Path) -> None:
    port = tmp_path / "port"
    ada = Person(passless.home, "setup", key=key, plug=("--pin", "1234", "--plugged-while", str(port)))
    ada.answers("Account name")
    ada.answers("Password (Enter for none)")
    ada.answers("Which one? [1]", "security-key")
    ada.reads("no security key is plugged in")
    port.touch()
    ada.answers("What now? [1]")
    ada.answers("PIN of", "9999")
    ada.reads("that was not the PIN")
    ada.answers("PIN of")  # Enter alone
    ada.reads("nothing was typed; type it, or leave with Ctrl-C")
    ada.answers("PIN of", "1234")
    ada.saves_the_code()
    assert ada.is_done() == 0


def test_a_key_without_a_pin_is_offered_one(passless: Passless, key: Path) -> None:
    ada = Person(passless.home, "setup", key=key)
    ada.answers("Account name")
    ada.answers("Password (Enter for none)")
    ada.answers("Which one?")
    ada.answers("Set one now?", "y")
    ada.answers("new PIN of", "1234")
    ada.answers("once more", "1234")
    ada.answers("PIN of", "1234")
    ada.saves_the_code()
    assert ada.is_done() == 0
    assert status(passless)["methods"][0]["two_factor"] is True


@needs_oathtool
def test_the_goal_two_step_keeps_the_password(passless: Passless) -> None:
    ada = Person(passless.home, "setup", "--goal", "two-step", "--account", "anna")
    ada.answers("Password (Enter for none)", PASSWORD)
    ada.answers("The same password again", PASSWORD)
    ada.answers("Which one?")
    ada.answers("The device the app is on")
    ada.adds_the_app()
    ada.saves_the_code()
    ada.answers("Turn it on? [Y/n]")
    while ada.run.expect_exact(["Two-step is on.", "Sign in with [1]"]) == 1:  # the password, for the second factor
        ada.run.sendline("password")
        ada.answers("Password", PASSWORD)
    assert ada.is_done() == 0
    view = status(passless)
    assert (view["two_step"], view["passwordless"]) == (True, False)


@needs_oathtool
def test_two_step_without_a_password_asks_for_a_second_device(passless: Passless) -> None:
    ada = Person(passless.home, "setup", "--goal", "two-step", "--account", "anna")
    ada.answers("Password (Enter for none)")
    ada.answers("Which one?")
    ada.answers("The device the app is on [phone]")
    ada.adds_the_app()
    ada.saves_the_code()
    ada.reads("Add another way to sign in")
    ada.answers("Which one?")
    ada.answers("The device the app is on [tablet]")
    ada.adds_the_app()
    ada.answers("Turn it on? [Y/n]")
    ada.reads("Two-step is on.")
    assert ada.is_done() == 0
    view = status(passless)
    assert (view["two_step"], view["passwordless"], len(view["ways_in"])) == (True, True, 1)


@needs_oathtool
def test_what_is_left_for_later_is_named_and_harms_nothing(passless: Passless) -> None:
    ada = Person(passless.home, "setup", "--account", "anna")
    ada.answers("Password (Enter for none)", PASSWORD)
    ada.answers("The same password again", PASSWORD)
    ada.answers("Which one?", "later")
    ada.saves_the_code()
    ada.answers("Delete it?", "n")
    assert ada.is_done() == 0
    assert "Not all of it is done" in ada.rest
    assert "passless sign-in --with password" in ada.rest
    assert status(passless)["passwordless"] is False


def test_deleting_the_password_too_early_is_refused_and_told(passless: Passless) -> None:
    ada = Person(passless.home, "setup", "--account", "anna")
    ada.answers("Password (Enter for none)", PASSWORD)
    ada.answers("The same password again", PASSWORD)
    ada.answers("Which one?", "later")
    ada.saves_the_code()
    ada.answers("Delete it?", "y")
    ada.reads("✗")
    assert ada.is_done() == 0
    assert status(passless)["passwordless"] is False


def test_the_end_of_the_input_ends_it_with_a_hint(passless: Passless) -> None:
    ada = Person(passless.home, "setup")
    ada.reads("Account name")
    ada.presses("d")
    assert ada.is_done() == 2
    assert "passless: hint:" in ada.rest
    assert not (passless.home / "data").exists()


def test_who_signed_out_signs_in_first(anna: Passless) -> None:
    anna("sign-out")
    ada = Person(anna.home, "setup")
    ada.reads('Sign in to "anna" first.')
    for _ in range(3):
        ada.answers("Password:", "not the password 77")
        ada.reads("does not prove who you are")
    ada.answers("Try again? [Y/n]")
    ada.answers("Password:", PASSWORD)
    ada.answers("Which one?", "later")
    ada.presses("c")
    assert ada.is_done() == 130


def test_one_of_several_accounts_is_chosen(anna: Passless) -> None:
    anna.account("ben")
    (anna.home / "state" / "sessions" / "local.json").unlink()
    ada = Person(anna.home, "setup")
    ada.answers("Which account? [1]", "2")
    ada.reads('Going on with the account "ben".')
    ada.presses("c")
    assert ada.is_done() == 130


def test_colours_and_erasing_are_for_terminals_that_can(passless: Passless, key: Path) -> None:
    ada = Person(passless.home, "setup", key=key, plug=("--pin", "1234"), term="xterm-256color")
    ada.answers("Account name")
    ada.answers("Password (Enter for none)")
    ada.answers("Which one?")
    ada.answers("PIN of", "1234")
    code = ada.sees(CODE)
    ada.answers("Press Enter when it is on paper")
    ada.reads("\x1b[4A\x1b[J")  # the code goes off the screen
    ada.answers("Type it back from the paper", code)
    ada.reads("\x1b[1A\x1b[J")  # and so does what was typed
    assert ada.is_done() == 0


@needs_oathtool
def test_the_secret_of_an_app_goes_off_the_screen_once_its_code_is_right(passless: Passless) -> None:
    ada = Person(passless.home, "setup", term="xterm-256color")
    ada.answers("Account name")
    ada.answers("Password (Enter for none)")
    ada.answers("Which one?")
    ada.answers("The device the app is on")
    seed = ada.sees(SEED)
    shown = ada.run.before.split("Scan this with")[-1].count("\n")
    ada.answers("Code", "12")
    ada.reads("that is not the right code")
    ada.answers("Code", code_of(seed.replace(" ", "")))
    erased = int(ada.sees(re.compile(r"\x1b\[(\d+)A\x1b\[J")))
    assert erased == shown + len(("secret", "ends", "scan it", "code", "wrong", "why", "on two lines", "code"))
    ada.reads("signs you in now")
    ada.presses("c")
    assert ada.is_done() == 130


@needs_oathtool
def test_a_qr_code_from_before_is_said_to_be_dead(passless: Passless) -> None:
    ada = Person(passless.home, "setup")
    ada.answers("Account name")
    ada.answers("Password (Enter for none)")
    ada.answers("Which one?")
    ada.answers("The device the app is on")
    ada.sees(SEED)
    ada.presses("c")
    assert ada.is_done() == 130
    ada = Person(passless.home, "setup")
    ada.answers("Which one?")
    ada.answers("The device the app is on")
    ada.reads("in an earlier run and not finished is dead")
    ada.adds_the_app()
    ada.presses("c")


# Scripts


@pytest.fixture
def plugged(tmp_path: Path) -> Iterator[SoftwareKey]:
    """A key that is plugged in, with a PIN."""
    key = SoftwareKey(file=tmp_path / "script-key", pin="1234")
    with plugged_in(key):
        yield key


@pytest.fixture
def pin(tmp_path: Path) -> str:
    """A file with its PIN."""
    path = tmp_path / "pin"
    path.write_text("1234")
    return str(path)


def test_a_script_with_a_key_needs_nobody(passless: Passless, plugged: SoftwareKey, pin: str) -> None:
    result = passless("setup", "--account", "ci", "--no-password", "--pin-file", pin, "--yes", "--json")
    assert result.status == 0, result
    made = result.json
    assert made["reached"] is True
    assert made["done"] == ["make-account", "enrol-security-key", "make-recovery-code"]
    assert CODE.fullmatch(made["recovery_code"])
    assert made["status"]["state"] == "ok"
    again = passless("setup", "--yes", "--json").json
    assert (again["reached"], again["done"], again["recovery_code"]) == (True, [], None)


def test_what_is_done_already_needs_no_yes(passless: Passless, plugged: SoftwareKey, pin: str) -> None:
    passless("setup", "--account", "ci", "--no-password", "--pin-file", pin, "--yes")
    assert passless.json("setup", "--no-input")["done"] == []
    again = passless("setup", "--no-input")
    assert (again.status, again.stderr) == (0, "everything was set up already\n")


def test_the_recovery_code_of_a_script_is_printed_once_for_people_too(
    passless: Passless, plugged: SoftwareKey, pin: str
) -> None:
    result = passless("setup", "--account", "ci", "--no-password", "--pin-file", pin, "--yes")
    assert result.status == 0
    assert len(CODE.findall(result.stdout)) == 1
    assert not CODE.findall(result.stderr)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--account"),
        (("--account", "ci"), "--password-file"),
        (("--account", "ci", "--no-password"), "--pin-file"),
        (("--account", "ci", "--no-password", "--pin-file", "{pin}"), "--yes"),
        (("--account", "ci", "--no-password", "--method", "totp", "--yes"), "--begin"),
        (("--account", "ci", "--no-password", "--password-file", "{pin}"), "--no-password"),
        (("--account", "ci", "--no-password", "--goal", "rich"), "rich"),
        (("--account", "ci", "--no-password", "--method", "pigeon"), "pigeon"),
        (("--account", "\x07", "--no-password", "--pin-file", "{pin}", "--yes"), "control"),
        (("--account", "ci", "--password-file", "{pin}", "--pin-file", "{pin}", "--yes"), "shorter"),
        (("--account", "ci", "--no-password", "--email", "nonsense", "--pin-file", "{pin}", "--yes"), "nonsense"),
        (("extra",), "extra"),
    ],
)
def test_what_a_script_lacks_is_named_before_anything_is_made(
    passless: Passless, plugged: SoftwareKey, pin: str, arguments: tuple[str, ...], said: str
) -> None:
    result = passless("setup", *(one.replace("{pin}", pin) for one in arguments))
    assert result.status == 2, result
    assert said in result.stderr
    assert result.stdout == ""
    assert result.stderr.count("passless: error:") == 1
    assert passless.json("account", "list") == []


def test_a_method_that_cannot_be_added_here_is_status_7(passless: Passless) -> None:
    arguments = ("setup", "--account", "ci", "--no-password", "--method", "phone", "--yes")
    assert passless(*arguments).status == 7
    assert passless.json("account", "list") == []


def test_a_script_that_names_a_key_needs_one_plugged_in(passless: Passless) -> None:
    error = passless.json("setup", "--account", "ci", "--no-password", "--method", "security-key", "--yes", status=6)
    assert error["code"] == "no-key"
    assert "--begin" in passless.json("setup", "--account", "ci", "--no-password", "--yes", status=2)["hint"]
    assert passless.json("account", "list") == []


def test_a_dry_run_names_the_steps_and_makes_nothing(passless: Passless, anna: Passless) -> None:
    planned = anna.json("setup", "--dry-run")
    assert planned["applied"] is False
    assert [step["code"] for step in planned["steps"]] == ["enrol-totp", "make-recovery-code", "turn-passwordless-on"]
    new = anna.json("setup", "--account", "new", "--dry-run")
    assert [step["code"] for step in new["steps"]] == ["make-account", "enrol-totp", "make-recovery-code"]
    assert len(anna.json("account", "list")) == 1


def test_the_session_of_a_begun_account_that_ended_has_a_way_on(passless: Passless) -> None:
    passless.json("account", "create", "anna", "--no-password")
    kept = json.loads((passless.home / "state" / "sessions" / "local.json").read_text())
    for one in kept["accounts"].values():
        one.pop("token", None)
    (passless.home / "state" / "sessions" / "local.json").write_text(json.dumps(kept))
    ada = Person(passless.home, "setup")
    ada.reads("the session that could finish it has ended")
    assert ada.is_done() == 5
    assert "passless recover start --as-operator" in ada.rest


def test_a_code_of_a_script_that_could_not_be_printed_is_not_taken_as_saved(
    passless: Passless, plugged: SoftwareKey, pin: str
) -> None:
    arguments = ("setup", "--account", "ci", "--no-password", "--pin-file", pin, "--yes")
    for more in ((), ("--json",)):
        with passless.full_disk():
            assert passless(*arguments, *more).status == 6
        assert status(passless)["recovery_code"]["saved"] is False
    again = passless("setup", "--yes", "--json").json
    assert CODE.fullmatch(again["recovery_code"])
    assert status(passless)["recovery_code"]["saved"] is True


def test_what_fails_after_a_code_was_printed_leaves_a_whole_document(
    passless: Passless, plugged: SoftwareKey, pin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise Unavailable("the store went away")

    monkeypatch.setattr("passless.cli.walking.Walk.forget_own_news", broken)
    result = passless("setup", "--account", "ci", "--no-password", "--pin-file", pin, "--yes", "--json")
    assert result.status == 6
    assert "the store went away" in result.stderr
    assert CODE.fullmatch(result.json["recovery_code"])
    assert (result.json["reached"], result.json["done"][-1]) == (False, "make-recovery-code")


def test_at_a_server_no_name_is_proposed_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for user, at_home, at_a_server in (("ada", "ada", "ada"), ("root", "root", ""), ("", "myself", "")):
        monkeypatch.setenv("USER", user)
        monkeypatch.setenv("USERNAME", "")
        assert walk_account._user_name(is_remote=False) == at_home
        assert walk_account._user_name(is_remote=True) == at_a_server
