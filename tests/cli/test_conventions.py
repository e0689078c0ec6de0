"""The conventions of cli.md: streams, flags, environment, exit status, and how a failure is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.cli.running import PASSWORD, Passless


def test_an_error_is_two_lines_on_stderr(anna: Passless) -> None:
    result = anna("method", "remove", "nothing", "--yes")
    assert (result.status, result.stdout) == (3, "")
    assert [line.split(":")[:2] for line in result.stderr.splitlines()] == [["passless", " error"], ["passless", " hint"]]


def test_with_json_an_error_is_one_document_on_stderr(anna: Passless) -> None:
    result = anna("method", "remove", "nothing", "--yes", "--json")
    assert (result.status, result.stdout) == (3, "")
    assert set(result.error) == {"code", "message", "hint", "problems"}
    assert result.error["code"] == "no-such-method"


def test_json_may_stand_before_the_command(shared: Passless) -> None:
    assert shared("--json", "status").json["account"] == shared("status", "--json").json["account"] == "anna"


def test_json_may_come_from_the_environment(shared: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSLESS_HOME", str(shared.home))
    monkeypatch.setenv("PASSLESS_OUTPUT", "json")
    assert shared("status").json["account"] == "anna"
    assert shared("stats").error["code"] == "no-such-command"


def test_an_account_may_come_from_the_environment_and_a_flag_comes_first(
    anna: Passless, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.account("ben")
    monkeypatch.setenv("PASSLESS_ACCOUNT", "anna")
    assert anna.json("status")["account"] == "anna"
    assert anna.json("status", "--account", "ben")["account"] == "ben"


def test_a_profile_that_does_not_exist_is_status_3(shared: Passless) -> None:
    assert shared.json("status", "--profile", "nowhere", status=3)["code"] == "no-such-profile"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("stats",), "no-such-command"),
        ((), "missing-command"),
        (("method",), "missing-command"),
        (("method", "ad"), "no-such-command"),
        (("status", "--nope"), "wrong-use"),
        (("method", "rename"), "wrong-use"),
        (("method", "add", "pigeon"), "unknown-kind"),
        (("temporary-pass", "issue", "--expires", "soon"), "bad-duration"),
        (("temporary-pass", "issue", "--length", "x"), "wrong-use"),
    ],
)
def test_wrong_use_is_status_2_with_a_hint(shared: Passless, arguments: tuple[str, ...], code: str) -> None:
    error = shared.json(*arguments, status=2)
    assert error["code"] == code
    assert error["hint"]


def test_a_near_command_is_named(shared: Passless) -> None:
    assert "did you mean status?" in shared("stats").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "delete"),
        ("method", "remove", "password"),
        ("device", "lost", "phone"),
        ("passwordless", "on"),
        ("two-step", "off"),
        ("app-password", "revoke", "--all"),
        ("temporary-pass", "revoke"),
        ("token", "revoke", "x"),
    ],
)
def test_what_takes_something_away_needs_a_yes_off_a_terminal(shared: Passless, arguments: tuple[str, ...]) -> None:
    error = shared.json(*arguments, status=2)
    assert error["code"] == "confirmation-needed"
    assert "--yes" in error["hint"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--dry-run", "sign-in", "--with", "password", "--password-file", "-"),
        ("--dry-run", "status"),
        ("--dry-run", "audit", "export"),
        ("audit", "--dry-run", "export"),
        ("--as-operator", "--reason", "why", "account", "delete"),
        ("account", "--ticket", "HD-1", "delete"),
    ],
)
def test_a_shared_option_that_a_command_does_not_take_is_refused(shared: Passless, arguments: tuple[str, ...]) -> None:
    before = shared.json("session", "list")
    error = shared.json(*arguments, typed=PASSWORD, status=2)
    assert error["code"] == "option-not-taken"
    assert "leave --" in error["hint"]
    assert shared.json("session", "list") == before


@pytest.mark.parametrize(
    "option",
    [("--json",), ("--profile", "local"), ("--account", "anna"), ("--as", "anna"), ("--no-input",), ("--yes",), ("--debug",)],
)
def test_the_other_shared_options_may_stand_before_every_command(shared: Passless, option: tuple[str, ...]) -> None:
    for command in (("status",), ("account", "list"), ("legacy-apps",), ("account", "rename", "anne", "--dry-run")):
        assert shared(*option, *command).status == 0


def test_a_dry_run_may_stand_before_what_has_a_plan(shared: Passless) -> None:
    assert shared.json("--dry-run", "account", "rename", "anne")["applied"] is False
    assert shared.json("account", "--dry-run", "rename", "anne")["applied"] is False


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("token", "create", "x", "--may", "nonsense"), 2, "no-such-right"),
        (("token", "create", "x", "--may", "check", "--expires", "900d"), 2, "bad-duration"),
        (("token", "revoke", "nosuch"), 3, "no-such-token"),
        (("session", "end", "nosuch"), 3, "no-such-session"),
        (("account", "create", "bob", "--password-file", "-"), 2, "weak-password"),
        (("account", "create", "bob", "--no-password", "--email", "nonsense"), 2, "bad-address"),
        (("method", "add", "passkey"), 7, "needs-a-browser"),
        (("method", "add", "totp", "--begin", "--name", "password"), 2, "name-in-use"),
    ],
)
def test_a_dry_run_ends_as_the_real_thing_would(anna: Passless, arguments: tuple[str, ...], status: int, code: str) -> None:
    assert anna.json(*arguments, "--yes", typed="weak", status=status)["code"] == code
    assert anna.json(*arguments, "--dry-run", typed="weak", status=status)["code"] == code


def test_a_dry_run_knows_how_many_apps_there_may_be(anna: Passless) -> None:
    for number in range(5):
        anna.totp("--name", f"app {number}")
    assert anna.json("method", "add", "totp", "--begin", status=4)["code"] == "too-many"
    result = anna("method", "add", "totp", "--dry-run", "--json")
    assert (result.status, result.error["code"], result.json["plan"]["accepted"]) == (4, "too-many", False)


def test_missing_input_names_the_flag(shared: Passless) -> None:
    assert "--password-file" in shared.json("account", "create", "ben", status=2)["hint"]
    assert "--password-file" in shared.json("passwordless", "off", "--yes", status=2)["hint"]
    assert "--with" in shared.json("sign-in", status=2)["hint"]
    assert "--begin" in shared.json("method", "add", "totp", status=2)["hint"]
    assert "--code-file" in shared.json("method", "add", "totp", "--finish", "x", status=2)["hint"]
    assert "--reason" in shared.json("temporary-pass", "issue", "--as-operator", status=2)["hint"]
    assert "--all" in shared.json("app-password", "revoke", "--yes", status=2)["hint"]


def test_one_secret_only_may_come_from_standard_input(shared: Passless) -> None:
    error = shared.json("sign-in", "--with", "totp", "--code-file", "-", "--password-file", "-", status=2)
    assert error["code"] == "stdin-twice"


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "empty"), (b"\n", "empty"), (b"\xff\xfe\x00", "not text"), (b"a\0b", "not text"), (b"x" * 70_000, "too large")],
)
def test_a_bad_secret_file_is_named_by_its_flag(shared: Passless, tmp_path: object, content: bytes, why: str) -> None:
    result = shared("sign-in", "--with", "password", "--password-file", "-", typed=content)
    assert result.status == 2
    assert "--password-file" in result.stderr
    assert why in result.stderr


def test_an_unreadable_secret_file_is_named(shared: Passless) -> None:
    result = shared("sign-in", "--with", "password", "--password-file", "/nowhere/at/all")
    assert result.status == 2
    assert "--password-file" in result.stderr
    assert "/nowhere/at/all" in result.stderr


def test_only_the_last_line_break_of_a_secret_is_dropped(anna: Passless) -> None:
    signed_in = anna("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD + "\r\n")
    assert signed_in.status == 0
    assert anna("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD + "\n\n").status == 5


def test_flags_that_exclude_each_other_are_named(shared: Passless) -> None:
    error = shared.json("method", "add", "totp", "--begin", "--finish", "x", status=2)
    assert error["code"] == "contradiction"


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00\x01", b"profile = [", b"nope = 1\n", b"[profiles.x]\n", b'profile = "\xc3"']
)
def test_a_broken_settings_file_is_an_error_that_names_it(passless: Passless, content: bytes) -> None:
    path = passless.home / "config" / "config.toml"
    path.write_bytes(content)
    result = passless("account", "list")
    assert result.status == 2
    assert str(path) in result.stderr
    assert "Traceback" not in result.stderr


def test_a_settings_file_that_is_a_folder_is_an_error_that_names_it(passless: Passless) -> None:
    path = passless.home / "config" / "config.toml"
    path.unlink()
    path.mkdir()
    assert str(path) in passless.json("account", "list", status=2)["message"]


def test_a_broken_session_file_is_an_error_that_names_it(anna: Passless) -> None:
    path = anna.home / "state" / "sessions" / "local.json"
    path.write_bytes(b"\x00\x01")
    assert str(path) in anna.json("status", status=2)["message"]


def test_files_and_folders_are_private(anna: Passless) -> None:
    written = [path for path in anna.home.rglob("*") if "config" not in str(path.relative_to(anna.home))]
    assert written
    assert {path.stat().st_mode & 0o077 for path in written} == {0}


def test_the_session_token_is_printed_nowhere(passless: Passless) -> None:
    result = passless("account", "create", "anna", "--password-file", "-", "--json", typed=PASSWORD)
    token = json.loads((passless.home / "state" / "sessions" / "local.json").read_text())
    secret = next(iter(token["accounts"].values()))["token"]
    assert secret
    assert secret not in result.stdout + result.stderr
    assert "token" not in result.json


def test_debug_shows_where_it_came_from_and_no_secret(anna: Passless) -> None:
    result = anna("sign-in", "--with", "password", "--password-file", "-", "--debug", typed="not the password 99")
    assert result.status == 5
    assert "Traceback" in result.stderr
    assert "not the password 99" not in result.stderr


def test_a_fault_of_ours_is_status_1_without_a_traceback(shared: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret may stand here")

    monkeypatch.setattr("passless.wiring.open_directory", broken)
    result = shared("status")
    assert result.status == 1
    assert "Traceback" not in result.stderr
    assert "a secret" not in result.stderr


def test_ctrl_c_is_status_130(shared: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("passless.wiring.open_directory", interrupted)
    result = shared("status")
    assert (result.status, result.stdout, result.stderr) == (130, "", "")


def test_a_reader_that_left_is_quiet(shared: Passless) -> None:
    script = (
        f"{sys.executable} -m passless --help | true; echo ${{PIPESTATUS[0]}}; {sys.executable} -m passless status 2>&1 | true"
    )
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert result.stderr == ""
    assert result.stdout.strip() in {"0", "141"}


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_quiet(shared: Passless, closed: str) -> None:
    script = f"{sys.executable} -m passless status --json {closed}"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "" or json.loads(result.stdout)["account"] == "anna"


def test_a_secret_from_a_closed_stdin_is_missing_input(shared: Passless) -> None:
    script = f"{sys.executable} -m passless sign-in --with totp --code-file - <&-"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env=dict(os.environ))
    assert result.returncode == 2
    assert "--code-file" in result.stderr


def test_a_full_disk_behind_stdout_is_said(shared: Passless) -> None:
    script = f"{sys.executable} -m passless status --json >/dev/full"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env=dict(os.environ))
    assert result.returncode == 6
    assert "output" in result.stderr
    assert "Traceback" not in result.stderr


def test_what_is_piped_is_plain(shared: Passless) -> None:
    result = shared("status")
    assert "\x1b" not in result.stdout
    assert all(line == line.rstrip() for line in result.stdout.splitlines())


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_turned_off(shared: Passless, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[32m" in shared("status", terminal=True).stdout
    monkeypatch.setenv(name, value)
    assert "\x1b[3" not in shared("status", terminal=True).stdout


def test_the_version_is_one_line(shared: Passless) -> None:
    result = shared("--version")
    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.startswith("passless ")
    assert len(result.stdout.splitlines()) == 1


def test_completion_knows_the_commands(shared: Passless) -> None:
    environment = os.environ | {"_PASSLESS_COMPLETE": "complete_bash", "COMP_WORDS": "passless st", "COMP_CWORD": "1"}
    assert shared.process(env=environment).stdout.split() == ["status"]
    environment |= {"COMP_WORDS": "passless method re", "COMP_CWORD": "2"}
    assert set(shared.process(env=environment).stdout.split()) == {"rename", "remove"}
    environment |= {"COMP_WORDS": "passless method add --beg", "COMP_CWORD": "3"}
    assert shared.process(env=environment).stdout.split() == ["--begin"]


def test_the_completion_script_is_typers_own(shared: Passless) -> None:
    assert "_PASSLESS_COMPLETE" in shared.process("completion", "show", "bash").stdout
    assert "_PASSLESS_COMPLETE" in shared.process("completion", "show", "zsh").stdout
