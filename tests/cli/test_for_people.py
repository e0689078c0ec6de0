"""What people read: commands that can be pasted, short news, and what comes next."""

from __future__ import annotations

import re
import shlex

import pyotp

from tests.cli.running import Passless


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
