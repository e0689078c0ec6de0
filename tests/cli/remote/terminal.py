"""passless at a real server, in the process of the test."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest

from passless.actions.parts import Parts
from passless.directories.local import LocalDirectory
from passless.domain.methods import RpId
from passless.domain.requests import NewAccount
from passless.domain.safety.context import Rules
from passless.domain.secret import Secret
from passless.ports.directory import Actor
from passless.stores import open_store
from tests.cli.running import PASSWORD, TOTP_STEP, Passless
from tests.server.serving import Served, keep_secret

keep_secret(PASSWORD)


class Terminal(Passless):
    """One person at one machine; every account has a name of its own, for the server is shared."""

    def __init__(self, home: Path, monkeypatch: Any, served: Served, browser: Path) -> None:
        super().__init__(home, monkeypatch)
        self.served = served
        self.name = f"ada-{secrets.token_hex(4)}"
        self._browser = browser
        self.signs_in_as(self.name)

    def is_given_an_account(self, name: str, password: str | None = PASSWORD) -> None:
        """Make an account on the server's host: a server makes few for one address."""
        folder = self.served.home.parent
        store = open_store(folder / "accounts.sqlite", state=self.served.home / "state" / "stores", at=datetime.now(UTC))
        try:
            parts = Parts(
                store=store,
                open_vault=lambda: pytest.fail("no vault is needed"),
                clock=lambda: datetime.now(UTC),
                entropy=os.urandom,
                rules=Rules(rp_id=RpId("localhost")),
            )
            made = NewAccount(name=name, password=None if password is None else Secret(password))
            keep_secret(LocalDirectory(parts).create(Actor(place="host"), made).token.reveal())
        finally:
            store.close()

    def signs_in_as(self, name: str, password: str = PASSWORD) -> None:
        """Say who sits at the browser."""
        self._browser.write_text(f"{name}\n{password}\n")

    def totp(self, *more: str) -> pyotp.TOTP:
        """Add an authenticator app, with the code of the step before."""
        self.now = datetime.now(UTC)
        app = super().totp(*more)
        keep_secret(app.secret)
        return app

    def code(self, app: pyotp.TOTP, *, ago: timedelta = timedelta(0)) -> str:
        """Return what an app shows by the clock of the wall, which is the server's: now, or some time ago."""
        return str(app.at(datetime.now(UTC) - ago))

    def now_code(self, app: pyotp.TOTP) -> str:
        """Return what an app shows now, by the clock of the wall."""
        return self.code(app)

    @property
    def session_file(self) -> Path:
        """Where the session is kept, without a keyring."""
        return self.home / "state" / "sessions" / "work.json"


__all__ = ["TOTP_STEP", "Terminal"]
