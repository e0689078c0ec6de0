"""A host with people on it: a real server, local users with random names, service files of their own, all gone afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pexpect
import pyotp

from passless.credentials.totp import step_at
from tests.server.asking import PASSWORD, Caller
from tests.server.serving import Served, a_server, keep_secret
from tests.strangers.needing import missing, need
from tests.strangers.registering import on_host

PATIENCE = 30  # seconds that any prompt may take
LOCAL_PASSWORD = "seven quiet harbours"
PAM = Path("/etc/pam.d")
CODE_PROMPT = "One-time code \\(Enter: approve on another device\\): "
PASSWORD_PROMPT = "[Pp]assword[^:]*: "


def need_root() -> None:
    """Go on as root with what Debian has for this; else say what is skipped."""
    if os.geteuid() != 0:
        missing("root, who makes local users and service files", install="running the tests as root")
    need("pamtester", install="apt-get install pamtester")
    if not any(Path("/lib").glob("*/security/pam_radius_auth.so")):
        missing("pam_radius_auth.so", install="apt-get install libpam-radius-auth")


def free_port() -> int:
    """Return a UDP port that nobody has at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Somebody:
    """A local user, and whoever has the account of that name."""

    def __init__(self, host: Host) -> None:
        self.name = f"pl{secrets.token_hex(5)}"
        self.host = host
        keep_secret(LOCAL_PASSWORD)
        hashed = _run("openssl", "passwd", "-6", "-stdin", typed=LOCAL_PASSWORD).strip()
        _run("useradd", "--create-home", "--shell", "/bin/bash", "--password", hashed, self.name)

    def joins(self, *, with_app: bool = True) -> Somebody:
        """Make an account, and add an app to it."""
        self.caller = Caller(self.host.served, name=self.name)
        self.caller.create()
        if with_app:
            self.app = self.caller.add_app()
        return self

    def code(self) -> str:
        """Return the code of this step, which was not used yet."""
        return str(self.app.now())

    def later_code(self) -> str:
        """Return a code that no step has that is accepted now."""
        step = step_at(datetime.now(UTC))
        near = {self.app.generate_otp(step + one) for one in range(-2, 3)}
        return next(one for one in (f"{number:06}" for number in range(1000)) if one not in near)

    def leaves(self) -> None:
        """Remove the local user."""
        subprocess.run(["userdel", "--remove", "--force", self.name], capture_output=True, check=False)


class Host:
    """A machine that asks passless, which is this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"test{secrets.token_hex(4)}"
        self.socket = f"udp:127.0.0.1:{free_port()}"
        self.people: list[Somebody] = []
        self.services: list[Path] = []
        self.listen = ""
        self.written: dict[str, Any] = {}

    @property
    def service(self) -> str:
        """The service file that passless wrote."""
        return f"passless-{self.name}"

    def somebody(self) -> Somebody:
        """Return a new local user."""
        person = Somebody(self)
        self.people.append(person)
        return person

    def a_service(self, text: str) -> str:
        """Write a service file of a name of its own, and return the name."""
        file = PAM / f"passless-{self.name}-{secrets.token_hex(3)}"
        file.write_text(text)
        self.services.append(file)
        return file.name

    def register(self) -> None:
        """Register this host with the command that an administrator types."""
        more = ("--socket", self.socket, "--way-back", "the tests")
        self.written = on_host(self.served, "relying-party", "add", self.name, "--kind", "pam", *more)
        self.secret = keep_secret(self.written["secret"])
        self.services += [Path(one) for one in self.written["written"]]

    @contextmanager
    def serving(self) -> Iterator[Host]:
        """Serve, with the port open that the host asks at."""
        with a_server(self.folder, "--listen", self.listen or "127.0.0.1:0") as served:
            self.served = served
            self.listen = ":".join(str(one) for one in served.address)
            if not self.written:
                self.register()
        with self.answering():
            yield self

    @contextmanager
    def answering(self) -> Iterator[Served]:
        """Serve, as long as this lasts."""
        with a_server(self.folder, "--listen", self.listen, "--socket", f"{self.name}={self.socket}") as served:
            self.served = served
            yield served

    def asks(self, service: str, user: str, *answers: tuple[str, str], what: str = "authenticate") -> tuple[int, str]:
        """Have pamtester sign somebody in; each prompt gets its answer. Return its status and what it wrote."""
        child = pexpect.spawn("pamtester", [service, user, what], timeout=PATIENCE, encoding="utf-8")
        for prompt, said in answers:
            child.expect(prompt)
            child.sendline(said)
        child.expect(pexpect.EOF)
        child.close()
        return child.exitstatus, child.before

    def events(self, *, of: str) -> list[dict[str, Any]]:
        """Return what is in the audit trail of an account."""
        found: list[dict[str, Any]] = on_host(self.served, "audit", "list", "--account", of)
        return found

    def close(self) -> None:
        """Leave nothing behind."""
        for person in self.people:
            person.leaves()
        for file in self.services:
            file.unlink(missing_ok=True)


def _run(*command: str, typed: str = "") -> str:
    done = subprocess.run(command, input=typed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout
