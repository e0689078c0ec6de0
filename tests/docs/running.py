"""passless as its own process, in a folder of its own: what a person or a script would see, and nothing of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
LIMIT = 120  # seconds for one command; it takes about half of one
PASSWORD = "brass lantern under a slow river"


def environment(home: Path, *, path: str | None = None) -> dict[str, str]:
    """Return an environment in which nothing of this machine's accounts, settings or keyring is reachable."""
    return {
        "PATH": path or os.environ["PATH"],
        "HOME": str(home),
        "PASSLESS_HOME": str(home),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "LANG": "C.UTF-8",
    }


class Passless:
    """passless in one folder. Calling it runs one command with `--json` and returns what it printed."""

    def __init__(self, home: Path, **more: str) -> None:
        self.environment = environment(home) | more

    def __call__(self, *arguments: str, typed: str = "", status: int = 0) -> Any:
        """Run a command and return its result; for another status than 0, the error."""
        run = self.run(*arguments, "--json", typed=typed)
        assert run.returncode == status, f"{arguments} ended with {run.returncode}: {run.stdout}{run.stderr}"
        return json.loads(run.stdout) if status == 0 else json.loads(run.stderr)["error"]

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as a process."""
        return subprocess.run(
            [sys.executable, "-m", "passless", *arguments],
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=LIMIT,
        )

    def account(self, name: str = "ada") -> Mapping[str, Any]:
        """Make an account with a password."""
        made: Mapping[str, Any] = self("account", "create", name, "--password-file", "-", typed=PASSWORD)
        return made
