"""A real `passless serve` in a process of its own, for any test: everything it writes is kept and searched for secrets."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus

START_TIME = 60.0  # seconds that a server may take to be ready on a busy machine
STOP_TIME = 60.0  # seconds until it has ended after SIGTERM
SHORTEST_SECRET = 6  # characters; anything shorter is found everywhere

known_secrets: set[str] = set()  # every secret that tests made or were given; add to it with `keep_secret`


def keep_secret(text: str) -> str:
    """Remember a secret, so that it is searched for in everything that servers wrote."""
    known_secrets.add(text)
    return text


class Served:
    """A running server: its address, what it wrote, and its end."""

    all: ClassVar[list[Served]] = []

    def __init__(self, *arguments: str, home: Path, command: tuple[str, ...] = ("-m", "passless", "serve")) -> None:
        self.home = home
        self.written = bytearray()
        self.lines: list[dict[str, Any]] = []
        self._ready, self._more = Event(), Condition()
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PASSLESS_")}
        self.process = subprocess.Popen(
            [sys.executable, *command, *arguments],
            env=environ | {"PASSLESS_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        Served.all.append(self)

    def await_ready(self) -> Served:
        """Wait until it answers."""
        if not self._ready.wait(START_TIME) or not self.lines or self.line("ready") is None:
            self.process.kill()
            raise AssertionError(f"the server did not start:\n{self.text}")
        return self

    @property
    def text(self) -> str:
        """Everything it wrote."""
        return self.written.decode(errors="replace")

    def line(self, event: str) -> dict[str, Any] | None:
        """Return the last line about an event."""
        return next((line for line in reversed(self.lines) if line["event"] == event), None)

    def await_request(self, **fields: Any) -> dict[str, Any]:
        """Return the line about a request with these fields; it is written after the answer."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.requests() if fields.items() <= line.items()), None)

        with self._more:
            assert self._more.wait_for(found, START_TIME), f"no line has {fields}:\n{self.text}"
        line = found()
        assert line is not None
        return line

    def await_line(self, event: str) -> dict[str, Any]:
        """Return the last line about an event, as soon as there is one."""
        with self._more:
            assert self._more.wait_for(lambda: self.line(event), START_TIME), f"nothing was said of {event}:\n{self.text}"
        line = self.line(event)
        assert line is not None
        return line

    def requests(self) -> list[dict[str, Any]]:
        """Return the lines about requests."""
        return [line for line in self.lines if line["event"] == "request"]

    @property
    def url(self) -> str:
        """The address that people use."""
        ready = self.line("ready")
        assert ready is not None
        return str(ready["url"])

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        ready = self.line("ready")
        assert ready is not None
        host, _, port = ready["listen"].rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def metrics(self) -> tuple[str, int]:
        """Where its figures are."""
        ready = self.line("ready")
        assert ready is not None
        host, _, port = ready["metrics"].rpartition(":")
        return host, int(port)

    def ask_to_stop(self) -> None:
        """Send SIGTERM and do not wait."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Stop it as systemd does, and see that it ended well."""
        if self.process.poll() is None:
            self.ask_to_stop()
        self.await_end(0)

    def await_end(self, status: int | None = None) -> int:
        """Wait until it has ended; with a status it must be that one."""
        ended = self.process.wait(STOP_TIME)
        self._reader.join(STOP_TIME)
        assert status is None or ended == status, f"it ended with {ended}:\n{self.text}"
        return ended

    def kill(self) -> None:
        """Kill it, as a crash does."""
        self.process.kill()
        self.process.wait(STOP_TIME)
        self._reader.join(STOP_TIME)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self.written += line
                try:
                    said = json.loads(line)
                except ValueError:
                    continue
                if isinstance(said, dict) and "event" in said:
                    with self._more:
                        self.lines.append(said)
                        self._more.notify_all()
                    if said["event"] == "ready":
                        self._ready.set()
        self._ready.set()


def home_in(folder: Path) -> Path:
    """Make a home for passless in which vault keys are kept in files."""
    home = folder / "home"
    (home / "config").mkdir(parents=True, exist_ok=True)
    settings = home / "config" / "config.toml"
    if not settings.exists():
        settings.write_text('[profiles.local]\nvault = "file"\n')
    return home


@contextmanager
def a_server(folder: Path, *arguments: str, store: str | None = None, sign_up: str = "open") -> Iterator[Served]:
    """Serve, and stop well afterwards.

    The store is a file in the folder unless a URL is given; the vault key is `folder/vault.key`, the home `folder/home`. The
    port is one that is free unless `--listen` is among the arguments. A server that a test ended itself is left alone.
    """
    served = start(folder, *arguments, store=store, sign_up=sign_up).await_ready()
    try:
        yield served
    finally:
        if served.process.poll() is None:
            served.stop()


def start(folder: Path, *arguments: str, store: str | None = None, sign_up: str = "open") -> Served:
    """Start a server without waiting until it answers."""
    given = ["--store", store or f"sqlite:///{folder}/accounts.sqlite", "--vault-key-file", str(folder / "vault.key")]
    given += ["--sign-up", sign_up, *arguments]
    if "--listen" not in arguments:
        given += ["--listen", "127.0.0.1:0"]
    return Served(*given, home=home_in(folder))


def forms_of(secret: str) -> Iterator[bytes]:
    """Return a secret in each form it could be written down in."""
    plain = secret.encode()
    yield plain
    yield json.dumps(secret)[1:-1].encode()
    yield quote(secret, safe="").encode()
    yield quote_plus(secret).encode()
    for skipped in range(3):  # what base64 makes of it depends on what stands before
        encoded = base64.b64encode(bytes(skipped) + plain)
        kept = encoded[4 if skipped else 0 :].rstrip(b"=")[:-2]
        yield kept
        yield kept.replace(b"+", b"-").replace(b"/", b"_")
    yield plain.hex().encode()


def leaked(written: bytes) -> set[str]:
    """Return the secrets that stand in what was written."""
    long_enough = (secret for secret in known_secrets if len(secret) >= SHORTEST_SECRET)
    return {secret for secret in long_enough if any(len(form) > 4 and form in written for form in set(forms_of(secret)))}


def check_all_logs() -> None:
    """See that no server of this run wrote a secret, in any form (must hold 1)."""
    for served in Served.all:
        found = leaked(bytes(served.written))
        assert not found, f"the server of {served.home} wrote {len(found)} secrets, such as {_hidden(next(iter(found)))}"
        assert not re.search(rb"(?<!device_)(?<!oauth-)[Aa]uthorization|[Cc]ookie:|pls_[A-Za-z0-9]{8}", served.written), (
            "a header or token was written"
        )


def _hidden(secret: str) -> str:
    return f"{secret[:3]}… of {len(secret)} characters"
