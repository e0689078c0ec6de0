"""A host with people on it: a real server, local users with random names, service files of their own, all gone afterwards."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pexpect

from passless.credentials.totp import step_at
from passless.programs.pam import TIMEOUT
from tests.free_ports import free_port
from tests.server.asking import Caller
from tests.server.oauth.world import Fields
from tests.server.serving import a_server, keep_secret, start
from tests.strangers.needing import missing, need
from tests.strangers.registering import on_host

PATIENCE = 60  # seconds that any prompt may take
LOCAL_PASSWORD = "seven quiet harbours"
PAM = Path("/etc/pam.d")
CODE_PROMPT = "One-time code \\(Enter: approve on another device\\): "
APPROVAL_PROMPT = r"Open (http://localhost:\d+/device) and type ([B-Z]{4}-[B-Z]{4}) there, then press Enter here: "
NOT_YET = r"Nobody approved [B-Z-]+ yet, at http://localhost:\d+/device. Press Enter once you have: "
PASSWORD_PROMPT = "[Pp]assword[^:]*: "


def need_root() -> None:
    """Go on as root with what Debian has for this; else say what is skipped."""
    if os.geteuid() != 0:
        missing("root, who makes local users and service files", install="running the tests as root")
    need("pamtester", install="apt-get install pamtester")
    if not any(Path("/lib").glob("*/security/pam_radius_auth.so")):
        missing("pam_radius_auth.so", install="apt-get install libpam-radius-auth")


class Somebody:
    """A local user, and whoever has the account of that name."""

    def __init__(self, host: Host) -> None:
        self.name = f"pl{secrets.token_hex(5)}"
        self.host = host
        self.caller: Any = None
        keep_secret(LOCAL_PASSWORD)
        run("useradd", "--create-home", "--shell", "/bin/bash", self.name)
        run("chpasswd", typed=f"{self.name}:{LOCAL_PASSWORD}\n")

    def joins(self, *, with_app: bool = True) -> Somebody:
        """Make an account, and add an app to it."""
        self.caller = self.host.caller(self.name)
        self.caller.create()
        if with_app:
            self.app = self.caller.add_app()
        return self

    def answers(self, user_code: str, said: str = "approve") -> str:
        """Type the code of a device into the page, signed in by their account, and answer; return the last page's words."""
        served = self.host.served
        with httpx.Client(base_url=served.url, timeout=60, headers={"Accept": "text/html", "Origin": served.url}) as browser:
            browser.cookies.set("passless-session", self.caller.token)
            page = browser.get("/device")
            page = browser.post("/device", data={**Fields(page.text).hidden, "user_code": user_code})
            if page.status_code == 200:
                self.asked = " ".join(" ".join(Fields(page.text).words).split())
                page = browser.post("/device", data={**Fields(page.text).hidden, "answer": said})
        return " ".join(" ".join(Fields(page.text).words).split())

    def code(self) -> str:
        """Return the code of this step, which was not used yet."""
        return str(self.app.now())

    def wrong_code(self) -> str:
        """Return a code that no step has that is accepted now."""
        step = step_at(datetime.now(UTC))
        near = {self.app.generate_otp(step + one) for one in range(-2, 3)}
        return next(one for one in (f"{number:06}" for number in range(1000)) if one not in near)

    def events(self) -> list[dict[str, Any]]:
        """Return what is in the audit trail of the account, the last first."""
        return list(reversed(self.caller.get(f"/events?account={self.name}")["items"]))

    def leaves(self) -> None:
        """Remove the local user."""
        if self.caller is not None:
            self.caller.http.close()
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
        self._addresses = 0
        self.written: dict[str, Any] = {}

    @property
    def service(self) -> str:
        """The service file that passless wrote."""
        return f"passless-{self.name}"

    def caller(self, name: str) -> Caller:
        """Return somebody who asks from a network of their own, as from one only so many accounts are made in an hour."""
        self._addresses += 1
        address = f"198.{18 + self._addresses // 250}.{self._addresses % 250}.1"
        return Caller(self.served, name=name, headers={"X-Forwarded-For": address})

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
    def answering(self) -> Iterator[None]:
        """Serve for as long as this lasts; whoever stopped the server meanwhile may have started another."""
        self.serve_on()
        try:
            yield
        finally:
            if self.served.process.poll() is None:
                self.served.stop()

    def serve_on(self) -> None:
        """Serve until somebody stops it."""
        more = ("--socket", f"{self.name}={self.socket}", "--trusted-proxy", "127.0.0.1")
        self.served = start(self.folder, "--listen", self.listen, *more).await_ready()

    @contextmanager
    def in_a_hurry(self) -> Iterator[None]:
        """Have the module wait no longer for an answer than it must: there is nobody to answer."""
        file = next(one for one in self.services if one.suffix == ".radius")
        text = file.read_text()
        assert text.endswith(f" {TIMEOUT}\n")
        file.write_text(text.removesuffix(f"{TIMEOUT}\n") + "3\n")
        try:
            yield
        finally:
            file.write_text(text)

    def asks(self, service: str, user: str, *answers: tuple[str, str], what: str = "authenticate") -> tuple[int, str]:
        """Have pamtester sign somebody in; each prompt gets its answer. Return its status and what it wrote."""
        child = pexpect.spawn("pamtester", [service, user, what], timeout=PATIENCE, encoding="utf-8")
        for prompt, said in answers:
            child.expect(prompt)
            child.sendline(said)
        child.expect(pexpect.EOF)
        child.close()
        return child.exitstatus, child.before

    def begins(self, service: str, user: str) -> pexpect.spawn[str]:
        """Begin to sign somebody in, in steps."""
        return pexpect.spawn("pamtester", [service, user, "authenticate"], timeout=PATIENCE, encoding="utf-8")

    def close(self) -> None:
        """Leave nothing behind."""
        for person in self.people:
            person.leaves()
        for file in self.services:
            file.unlink(missing_ok=True)


def run(*command: str, typed: str = "") -> str:
    """Run a program that has to end well, and return what it wrote."""
    done = subprocess.run(command, input=typed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout
