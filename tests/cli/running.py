"""Running passless inside the test process, with streams of its own, and outside of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from errno import ENOSPC
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pyotp
from msgspec import Struct

from passless.cli.context import Run
from passless.cli.main import run

TOTP_STEP = timedelta(seconds=30)  # RFC 6238 §5.2, the default
PASSWORD = "nine lazy otters paint 42 moons"


class Result(Struct, frozen=True):
    """What a run left: its exit status and what it wrote."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The document on stdout."""
        return json.loads(self.stdout)

    @property
    def error(self) -> Any:
        """The error document on stderr."""
        return json.loads(self.stderr)["error"]


class Terminal(TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class FullDisk(BytesIO):
    """A stream that takes nothing."""

    def write(self, content: object, /) -> int:
        raise OSError(ENOSPC, os.strerror(ENOSPC))


class Passless:
    """passless with a home of its own, and a clock that stands still.

    Calls run in this process; `process` starts another, whose clock runs.
    """

    def __init__(self, home: Path, monkeypatch: Any) -> None:
        self.home = home
        self.now = datetime.now(UTC)
        self._monkeypatch = monkeypatch
        self._stdout: type[BytesIO] = BytesIO
        monkeypatch.setenv("PASSLESS_HOME", str(home))
        for name in ("PASSLESS_PROFILE", "PASSLESS_ACCOUNT", "PASSLESS_OUTPUT", "NO_COLOR", "COLUMNS"):
            monkeypatch.delenv(name, raising=False)
        (home / "config").mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / "config" / "config.toml").write_text('[profiles.local]\nvault = "file"\n')

    def __call__(self, *arguments: str, typed: str | bytes = "", terminal: bool = False) -> Result:
        """Run a command; `typed` is its standard input, `terminal` makes all streams one."""
        octets = typed.encode() if isinstance(typed, str) else typed
        wrapper = Terminal if terminal else TextIOWrapper
        stdin, stdout, stderr = BytesIO(octets), self._stdout(), BytesIO()
        with self._monkeypatch.context() as patch:
            patch.setattr(Run, "now", lambda _: self.now)
            patch.setattr(sys, "stdin", wrapper(stdin, encoding="utf-8"))
            patch.setattr(sys, "stdout", wrapper(stdout, encoding="utf-8"))
            patch.setattr(sys, "stderr", wrapper(stderr, encoding="utf-8"))
            status = run(arguments)
            if self._stdout is BytesIO:
                sys.stdout.flush()
            sys.stderr.flush()
            return Result(status, stdout.getvalue().decode(), stderr.getvalue().decode())

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Let nothing be written to stdout meanwhile."""
        self._stdout = FullDisk
        try:
            yield
        finally:
            self._stdout = BytesIO

    def json(self, *arguments: str, typed: str = "", status: int = 0) -> Any:
        """Run a command with `--json` and return its document; the status is checked."""
        result = self(*arguments, "--json", typed=typed)
        assert result.status == status, result
        assert result.stderr == "" or status != 0, result
        return result.json if status == 0 else result.error

    def process(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as a process of its own."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("env", dict(os.environ))
        options.setdefault("capture_output", True)
        return subprocess.run([sys.executable, "-m", "passless", *arguments], text=True, check=False, **options)

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Begin a command as a process of its own."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([sys.executable, "-m", "passless", *arguments], **streams)

    def account(self, name: str = "anna") -> Any:
        """Make an account with a password."""
        return self.json("account", "create", name, "--password-file", "-", typed=PASSWORD)

    def totp(self, *more: str) -> pyotp.TOTP:
        """Add an authenticator app, with the code of the step before, so that the one of this step is left."""
        begun = self.json("method", "add", "totp", "--begin", *more)
        app = pyotp.TOTP(begun["secret"])
        finish = ("method", "add", "totp", "--finish", begun["ceremony"], "--code-file", "-", *more, "--json")
        code = self.code(app, ago=TOTP_STEP)
        done = self(*finish, typed=code)
        if done.status and code != self.code(app, ago=TOTP_STEP):  # the step ended on the way; a wrong code ends nothing
            done = self(*finish, typed=self.code(app, ago=TOTP_STEP))
        assert done.status == 0, done
        return app

    def code(self, app: pyotp.TOTP, *, ago: timedelta = timedelta(0)) -> str:
        """Return what an app shows now, or showed some time ago."""
        return str(app.at(self.now - ago))
