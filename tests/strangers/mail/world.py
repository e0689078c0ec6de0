"""A server, somebody with app passwords, and a mail server that asks about them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from passless.stores import open_store
from passless.stores.sql_store import SqlStore
from tests.free_ports import free_port
from tests.server.asking import PASSWORD, Caller
from tests.server.serving import Served, home_in, keep_secret, start
from tests.strangers.mail.a_dovecot import Dovecot
from tests.strangers.mail.people import Person

PROFILE = "srv"


class MailWorld:
    """A store on this host, the server over it, and Dovecot."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = home_in(folder)
        self.port = free_port()
        self.socket = folder / "mail.sock"
        with (self.home / "config" / "config.toml").open("a") as file:
            file.write(
                f'[profiles.{PROFILE}]\nstore = "sqlite:///{folder}/accounts.sqlite"\nvault_file = "{folder}/vault.key"\n'
            )
        self.served: Served | None = None
        self.dovecot: Dovecot | None = None
        self._people: list[Person] = []

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"http://localhost:{self.port}"

    def on_host(self, *arguments: str, typed: str = "", status: int = 0) -> Any:
        """Run a command of passless on the server's store."""
        run = subprocess.run(
            [sys.executable, "-m", "passless", *arguments, "--profile", PROFILE, "--json"],
            env={**os.environ, "PASSLESS_HOME": str(self.home)},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == status, f"{arguments}: {run.stdout}{run.stderr}"
        return json.loads(run.stderr)["error"] if status else json.loads(run.stdout)

    def make_account(self, name: str, *more: str) -> None:
        """Make an account with a password."""
        keep_secret(PASSWORD)
        self.on_host("account", "create", name, "--password-file", "-", *more, typed=PASSWORD)

    def register(self, *more: str) -> Any:
        """Register the mail server, and have Dovecot's files written."""
        where = self.folder / "dovecot"
        where.mkdir()
        asked = ("--kind", "dovecot", "--to", str(where), "--socket", f"unix:{self.socket}", "--server", self.url)
        made = self.on_host("relying-party", "add", "mail", *asked, *more)
        keep_secret(made["secret"])
        self.included = Path(made["written"][0])
        return made

    def serve(self) -> Served:
        """Start the server."""
        where = ("--listen", f"127.0.0.1:{self.port}", "--socket", f"mail=unix:{self.socket}?group=dovecot")
        self.served = start(self.folder, *where).await_ready()
        return self.served

    def start_dovecot(self, **options: str) -> Dovecot:
        """Start Dovecot with the files that were written."""
        folder = self.folder / "stranger"
        folder.mkdir(mode=0o755)
        self.dovecot = Dovecot(folder, more=f"!include {self.included}\n", **options)
        return self.dovecot

    def signed_in(self, name: str = "ada") -> Person:
        """Return somebody who has two-step on and may make app passwords."""
        assert self.served is not None
        person = Person(Caller(self.served, name=name))
        self._people.append(person)
        return person

    @contextmanager
    def store(self) -> Iterator[SqlStore]:
        """Open the store, as another process of the host does."""
        store = open_store(self.folder / "accounts.sqlite", state=self.home / "state" / "stores", at=datetime.now(UTC))
        try:
            yield store
        finally:
            store.close()

    def close(self) -> None:
        """End everything."""
        for person in self._people:
            person.caller.http.close()
        try:
            if self.dovecot is not None:
                self.dovecot.stop()
        finally:
            if self.served is not None and self.served.process.poll() is None:
                self.served.stop()


@contextmanager
def a_mail_world() -> Iterator[MailWorld]:
    """Make a folder that Dovecot's own users may walk through, and take all of it away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="passless-mail-"))
    folder.chmod(0o755)
    world = MailWorld(folder)
    try:
        yield world
    finally:
        try:
            world.close()
        finally:
            gone(folder)


def gone(folder: Path) -> None:
    """Take a folder away; a process of Dovecot that is just ending may still write there."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)  # it tells nobody when the last one has ended
    shutil.rmtree(folder)
