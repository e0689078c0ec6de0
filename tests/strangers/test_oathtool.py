"""oathtool (OATH Toolkit) makes the codes, passless checks them: two implementations of RFC 6238 have to agree."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.docs.running import Passless
from tests.strangers.needing import need

STEP = timedelta(seconds=30)


@pytest.fixture
def passless(tmp_path: Path) -> Passless:
    need("oathtool", install="apt-get install oathtool")
    passless = Passless(tmp_path / "home")
    passless.account("ada")
    return passless


def code(seed: str, *, ago: timedelta = timedelta(0), more: tuple[str, ...] = ()) -> str:
    """Let oathtool make the code of a moment; the seed goes in on standard input."""
    at = datetime.now(UTC) - ago
    command = ["oathtool", "--totp", "--base32", f"--now={at:%Y-%m-%d %H:%M:%S} UTC", *more, "-"]
    return subprocess.run(command, input=seed, capture_output=True, text=True, check=True).stdout.strip()


def enrolled(passless: Passless) -> str:
    begun = passless("method", "add", "totp", "--begin")
    # The step before this one is taken too, so that the code of this step is left for signing in. Where this step ends on the
    # way, the code is too old; that ends nothing, and the one before the new step is taken.
    finish = ("method", "add", "totp", "--finish", begun["ceremony"], "--code-file", "-")
    earlier = code(begun["secret"], ago=STEP)
    done = passless.run(*finish, typed=earlier)
    if done.returncode != 0 and earlier != code(begun["secret"], ago=STEP):
        done = passless.run(*finish, typed=code(begun["secret"], ago=STEP))
    assert done.returncode == 0, done
    return str(begun["secret"])


def test_a_code_of_oathtool_enrols_an_app(passless: Passless) -> None:
    begun = passless("method", "add", "totp", "--begin")
    answer = code(begun["secret"])
    made = passless("method", "add", "totp", "--finish", begun["ceremony"], "--code-file", "-", typed=answer)
    assert (made["method"]["kind"], made["method"]["device"]) == ("totp", "phone")


def test_a_code_of_oathtool_signs_in_from_another_session(passless: Passless) -> None:
    seed = enrolled(passless)
    passless("sign-out")
    signed_in = passless("sign-in", "--account", "ada", "--with", "totp", "--code-file", "-", typed=code(seed))
    assert (signed_in["account"], signed_in["session"]["strength"]) == ("ada", 1)


def test_a_code_is_accepted_once(passless: Passless) -> None:
    """Must hold 7 and 12: a used code is unusable from the next request on, whichever process asks."""
    seed = enrolled(passless)
    again = code(seed)
    passless("sign-in", "--with", "totp", "--code-file", "-", typed=again)
    assert passless("sign-in", "--with", "totp", "--code-file", "-", typed=again, status=5)["code"]


@pytest.mark.parametrize("ago", [timedelta(minutes=2), timedelta(minutes=-2)], ids=["stale", "early"])
def test_a_code_of_another_time_is_refused(passless: Passless, ago: timedelta) -> None:
    seed = enrolled(passless)
    assert passless("sign-in", "--with", "totp", "--code-file", "-", typed=code(seed, ago=ago), status=5)["code"]


@pytest.mark.parametrize("other", [("--digits=8",), ("--time-step-size=60",)], ids=["8 digits", "60 seconds"])
def test_a_code_of_other_parameters_is_refused(passless: Passless, other: tuple[str, ...]) -> None:
    seed = enrolled(passless)
    assert passless("sign-in", "--with", "totp", "--code-file", "-", typed=code(seed, more=other), status=5)["code"]
