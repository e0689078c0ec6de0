"""What is imported at a start: the names of modules, not the clock."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.running import Passless

HEAVY = {
    "rich",
    "fido2",
    "keyring",
    "cryptography",
    "httpx",
    "qrcode",
    "asyncio",
    "argon2",
    "zxcvbn",
    "pyotp",
    "pygments",
    "msal",
    "tomli_w",
}
NOT_FOR_HELP = {"sqlite3", "passless.stores", "passless.vault", "passless.directories", "passless.actions", "passless.devices"}

SCRIPT = """
import sys
from passless.cli.main import run
status = run(sys.argv[1:])
print(*sorted(sys.modules), sep="\\n", file=sys.stderr)
sys.exit(status)
"""


def loaded(*arguments: str) -> set[str]:
    """Run a command in a fresh process and return every module that was loaded."""
    result = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=True)
    return set(result.stderr.split())


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("method", "--help"), ("status", "--help")])
def test_help_loads_nothing_heavy(shared: Passless, arguments: tuple[str, ...]) -> None:
    assert not loaded(*arguments) & (HEAVY | NOT_FOR_HELP)


def test_help_loads_no_command(shared: Passless) -> None:
    assert not loaded("--help") & {"passless.cli.status", "passless.cli.method", "passless.cli.account"}


def test_status_as_json_loads_nothing_heavy(shared: Passless) -> None:
    modules = loaded("status", "--json")
    assert not modules & HEAVY
    assert not {name for name in modules if name.startswith("passless.cli.") and name.endswith((".method", ".account"))}
    assert "passless.vault" not in modules
