"""Printed commands act where the run did that printed them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from passless.output import addressed
from passless.output.addressed import Named
from tests.cli.running import PASSWORD, Passless


@pytest.fixture
def two(anna: Passless, tmp_path: Path) -> Passless:
    """passless with an account of one name in two profiles, `local` the chosen one."""
    anna("profile", "add", "team", "--store", f"sqlite:///{tmp_path / 'team.sqlite'}", "--vault", "file")
    made = anna("--profile", "team", "account", "create", "anna", "--password-file", "-", typed=PASSWORD)
    assert "passless --profile team setup" in made.stdout
    return anna


def test_next_steps_name_the_profile_that_a_flag_named(two: Passless) -> None:
    assert "passless --profile team method add totp\n" in two("--profile", "team", "status").stdout
    assert "passless method add totp\n" in two("--profile", "local", "status").stdout
    assert "passless method add totp\n" in two("status").stdout


def test_next_steps_name_the_profile_of_the_environment(two: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSLESS_PROFILE", "team")
    assert "passless --profile team recovery-code new\n" in two("status").stdout
    two("profile", "use", "team")
    assert "passless recovery-code new\n" in two("status").stdout


def test_hints_name_it_too(two: Passless) -> None:
    two("--profile", "team", "sign-out")
    error = two("--profile", "team", "two-step", "on", "--yes")
    assert "hint: passless --profile team " in error.stderr.replace("sign in: ", "")


def test_programs_get_the_commands_as_they_are(two: Passless) -> None:
    steps = two.json("--profile", "team", "status")["next_steps"]
    assert "passless method add totp" in [one["command"] for one in steps]


def test_next_steps_name_the_account_that_is_not_the_chosen_one(two: Passless) -> None:
    two.account("ben")
    assert "passless --account anna method add totp\n" in two("status", "--account", "anna").stdout
    assert "passless method add totp\n" in two("status", "--account", "ben").stdout


@pytest.fixture
def told() -> Iterator[None]:
    """What a run was told that acts on ben in the profile `my team`."""
    commands = frozenset({"status", "sign-in", "profile", "relying-party", "operator"})
    addressed.tell(lambda: Named(profile="my team", account="ben"), commands)
    yield
    addressed.tell(None)


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("see: passless status", "see: passless --profile 'my team' --account ben status"),
        ("passless sign-in --account anna", "passless --profile 'my team' sign-in --account anna"),
        ("passless relying-party list", "passless --profile 'my team' relying-party list"),
        ("list them: passless profile list", "list them: passless profile list"),
        ("on its host: passless operator add ACCOUNT --first", "on its host: passless operator add ACCOUNT --first"),
        ("passless relying-party test x --server URL", "passless relying-party test x --server URL"),
        ("a passless server, /opt/passless status", "a passless server, /opt/passless status"),
    ],
)
def test_only_commands_for_this_machine_are_changed(text: str, printed: str) -> None:
    assert addressed.addressed(text) == printed
