"""A person at a real terminal, who reads what the walk-through says and types."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect  # type: ignore[import-untyped]

CODE = re.compile(r"([0-9A-Z]{5}(?:-[0-9A-Z]{5}){4})")
SEED = re.compile(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})")
PATIENCE = 60  # seconds; a shared machine may be slow


class Person:
    """Types at one run of passless, in a process of its own on a terminal of its own."""

    def __init__(
        self, home: Path, *arguments: str, key: Path | None = None, term: str = "dumb", plug: tuple[str, ...] = ()
    ) -> None:
        module = ["tests.software_key.command", "--key-file", str(key), *plug, "--"] if key else ["passless"]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PASSLESS_")}
        environ |= {"PASSLESS_HOME": str(home), "TERM": term, "USER": "ada", "COLUMNS": "100", "LINES": "60"}
        self.run: Any = pexpect.spawn(
            sys.executable,
            ["-m", *module, *arguments],
            env=environ,
            cwd=str(Path(__file__).parents[2]),
            encoding="utf-8",
            timeout=PATIENCE,
            dimensions=(60, 100),
        )

    def reads(self, text: str) -> str:
        """Wait until something is on the terminal; return what came before it."""
        self.run.expect_exact(text)
        return str(self.run.before)

    def answers(self, question: str, typed: str = "") -> None:
        """Wait for a question and type the answer."""
        self.reads(question)
        self.run.sendline(typed)

    def sees(self, pattern: re.Pattern[str]) -> str:
        """Wait for something of a form, and return it."""
        self.run.expect(pattern)
        return str(self.run.match.group(1))

    def presses(self, letter: str) -> None:
        """Press a key together with Ctrl."""
        self.run.sendcontrol(letter)

    def is_done(self) -> int:
        """Wait for the end and return the exit status; what was said last is in `rest`."""
        self.run.expect(pexpect.EOF)
        self.rest = str(self.run.before)
        self.run.close()
        return int(self.run.exitstatus) if self.run.exitstatus is not None else 128 + int(self.run.signalstatus)

    def saves_the_code(self) -> str:
        """Copy the recovery code to paper and type it back."""
        code = self.sees(CODE)
        self.answers("Press Enter when it is on paper")
        self.answers("Type it back from the paper", code.lower().replace("-", " "))
        self.reads("The recovery code is saved.")
        return code

    def adds_the_app(self) -> str:
        """Type the secret into an app, and the code it shows."""
        seed = self.sees(SEED).replace(" ", "")
        self.answers("Code", code_of(seed))
        self.reads("signs you in now")
        return seed


def code_of(seed: str) -> str:
    """Return what an app shows now; somebody else's app, for ours would agree with itself."""
    return subprocess.run(["oathtool", "--totp", "-b", seed], check=True, capture_output=True, text=True).stdout.strip()
