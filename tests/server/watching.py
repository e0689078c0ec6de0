"""A program's host: `passless relying-party watch` in a process, and a stand-in for what it runs there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Thread
from typing import Any

from passless import wiring
from passless.domain.relying_parties import MadeRelyingParty, NewRelyingParty
from passless.ports.directory import Actor, Directory
from passless.settings import Settings
from tests.server.serving import home_in, keep_secret

PROFILE = "srv"
TIME = 60.0  # seconds that anything may take on a busy machine
STAND_IN = """#!/bin/sh
case "$*" in *"kick"*) if [ -e "$0.broken" ]; then echo 'cannot: it is broken' >&2; exit 75; fi;; esac
said=$(printf '%s\\001' "$@")
printf '%s\\n' "$said" >>"$0.asked"
"""


def register(
    folder: Path, name: str = "mail", kind: str = "dovecot", store: str | None = None, **more: Any
) -> MadeRelyingParty:
    """Register a relying party on the host of a server's store; keep its secret in `NAME.secret`."""
    with on_host(folder, store) as directory:
        made = directory.add_relying_party(Actor(), NewRelyingParty(name=name, kind=kind, **more))
    assert made.secret is not None
    (folder / f"{name}.secret").write_text(keep_secret(made.secret.reveal()))
    return made


@contextmanager
def on_host(folder: Path, store: str | None = None) -> Iterator[Directory]:
    """Open the store of a server on its host."""
    settings = home_in(folder) / "config" / "config.toml"
    if f"[profiles.{PROFILE}]" not in settings.read_text():
        address = store or f"sqlite:///{folder}/accounts.sqlite"
        with settings.open("a") as file:
            file.write(f'[profiles.{PROFILE}]\nstore = "{address}"\nvault_file = "{folder}/vault.key"\n')
    found = Settings({"PASSLESS_HOME": str(folder / "home")})
    profile = found.profile(PROFILE)
    directory = wiring.open_directory(found, profile, clock=lambda: datetime.now(UTC), entropy=os.urandom, tell=print)
    with closing(directory):
        yield directory


class Watched:
    """A process that watches, and what it said."""

    def __init__(self, folder: Path, words: str, url: str, *, secret: Path | None = None, home: Path | None = None) -> None:
        self.doveadm = folder / "bin" / "doveadm"
        self.doveadm.parent.mkdir(exist_ok=True)
        self.doveadm.write_text(STAND_IN)
        self.doveadm.chmod(0o755)
        given = ("--server", url, "--secret-file", str(secret or folder / "mail.secret"), "--json")
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PASSLESS_")}
        own = {"PASSLESS_HOME": str(home or folder / "program"), "PATH": f"{self.doveadm.parent}:{os.environ['PATH']}"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "passless", "relying-party", "watch", words, *given],
            env=environ | own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self._more = Condition()
        self._readers = [Thread(target=self._read_lines, daemon=True), Thread(target=self._read_notes, daemon=True)]
        for reader in self._readers:
            reader.start()

    def await_line(self, **fields: Any) -> dict[str, Any]:
        """Return the line about something that was done, as soon as there is one."""
        return self._await(lambda: next((one for one in self.lines if fields.items() <= one.items()), None), fields)

    def await_note(self, words: str, times: int = 1) -> str:
        """Return what it said, as soon as it said it so often."""
        found = self._await(lambda: [one for one in self.notes if words in one][times - 1 :], words)
        return str(found[0])

    @property
    def asked(self) -> list[list[str]]:
        """What the stand-in was asked, with which arguments."""
        path = Path(f"{self.doveadm}.asked")
        lines = path.read_text().split("\n")[:-1] if path.exists() else []  # whole ones: each is written at once
        return [line.split("\1")[:-1] for line in lines]

    @property
    def kicked(self) -> list[str]:
        """Whom the stand-in was to throw out; once more a moment later, for who was signing in, is once here."""
        return list(dict.fromkeys(one[-1] for one in self.asked if one[0] == "kick"))

    def break_down(self, broken: bool) -> None:
        """Let the stand-in fail, or work again."""
        marker = Path(f"{self.doveadm}.broken")
        if broken:
            marker.touch()
        else:
            marker.unlink()

    def stop(self) -> None:
        """End it as systemd does."""
        self.process.terminate()
        self.process.wait(TIME)
        for reader in self._readers:
            reader.join(TIME)

    def _await(self, found: Any, what: Any) -> Any:
        with self._more:
            assert self._more.wait_for(found, TIME), f"nothing was said of {what}: {self.lines} {self.notes}"
            return found()

    def _read_lines(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                with self._more:
                    self.lines.append(json.loads(line))
                    self._more.notify_all()

    def _read_notes(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                with self._more:
                    self.notes.append(line.rstrip("\n"))
                    self._more.notify_all()


@contextmanager
def watching(folder: Path, url: str, words: str = "mail", **more: Any) -> Iterator[Watched]:
    """Watch until the block ends."""
    watched = Watched(folder, words, url, **more)
    try:
        yield watched
    finally:
        if watched.process.poll() is None:
            watched.stop()
