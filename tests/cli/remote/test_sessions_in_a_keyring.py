"""A session at a server is kept in a real keyring (gnome-keyring on a bus of its own), and in no file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Struct

from tests.cli.remote.terminal import Terminal
from tests.cli.running import PASSWORD
from tests.server.serving import Served, keep_secret
from tests.vault.conftest import LOCKED, UNLOCKED, home_of_its_own, secret_service

__all__ = ["secret_service"]

LIMIT = 60  # seconds for one command and its session
READ = "import keyring, sys; print(keyring.get_password(*sys.argv[1:]) or '', end='')"
PROVEN = ("--with", "password", "--password-file", "-")


class Desktop(Struct, frozen=True):
    """Somebody's desktop: each run is a session of its own, with the keyring unlocked or not."""

    env: dict[str, str]
    url: str
    name: str

    def run(self, *arguments: str, typed: str = "", keyring: str = UNLOCKED, status: int = 0) -> Any:
        """Run a command and return what it prints."""
        done = self._in_session(keyring, "-m", "passless", *arguments, "--json", typed=typed)
        assert done.returncode == status, done.stderr
        if not status:
            return json.loads(done.stdout)
        return json.loads(done.stderr.splitlines()[-1])  # the bus says things of its own before

    def signs_in(self) -> Any:
        """Sign in with the password."""
        return self.run("sign-in", "--account", self.name, *PROVEN, typed=PASSWORD)

    def entry(self, account_id: str) -> str:
        """Return what the keyring holds for an account, as any program of the desktop would read it."""
        read = self._in_session(UNLOCKED, "-c", READ, f"passless session work {self.url}", account_id)
        assert read.returncode == 0, read.stderr
        return keep_secret(read.stdout) if read.stdout else ""

    def files_with(self, text: str) -> list[Path]:
        """Return which files of this person hold a text."""
        return [one for one in Path(self.env["HOME"]).rglob("*") if one.is_file() and text.encode() in one.read_bytes()]

    def _in_session(self, keyring: str, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = ["dbus-run-session", "--", "sh", "-c", f'{keyring}; exec "$@"', "sh", sys.executable, *arguments]
        return subprocess.run(command, env=self.env, input=typed, capture_output=True, text=True, timeout=LIMIT, check=False)


@pytest.fixture
def desktop(secret_service: None, terminal: Terminal, served: Served, tmp_path: Path) -> Desktop:
    """Return a desktop whose profile is the server, and the account that somebody has there."""
    terminal.is_given_an_account(terminal.name)
    env = home_of_its_own(tmp_path / "desktop") | {"PASSLESS_HOME": str(tmp_path / "desktop" / "passless")}
    found = Desktop(env, served.url, terminal.name)
    found.run("profile", "add", "work", "--server", served.url)
    found.run("profile", "use", "work")
    return found


def account(url: str, token: str) -> int:
    """Return how the server answers to a token."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{url}/api/v1/accounts/me", headers=headers, timeout=LIMIT).status_code


def test_a_session_lives_in_the_keyring_from_sign_in_to_sign_out(desktop: Desktop) -> None:
    """Must hold 1: the token stands in no file of passless, and the next process finds it."""
    signed_in = desktop.signs_in()
    account_id = desktop.run("status")["id"]
    token = desktop.entry(account_id)
    assert (account(desktop.url, token), desktop.files_with(token)) == (200, [])
    assert signed_in["account"] == desktop.name
    assert len(desktop.files_with(account_id)) == 1, "only whose session it is stands in the file"
    desktop.run("sign-out")
    assert (desktop.entry(account_id), account(desktop.url, token)) == ("", 401)
    assert desktop.run("status", status=5)["error"]["code"] == "sign-in-needed"


def test_a_new_token_takes_the_place_of_the_old_one_there(desktop: Desktop) -> None:
    """Who proves more gets another token: what a thief copied before is worth nothing."""
    desktop.signs_in()
    account_id = desktop.run("status")["id"]
    before = desktop.entry(account_id)
    desktop.signs_in()
    after = desktop.entry(account_id)
    assert after != before
    assert (account(desktop.url, after), desktop.files_with(after)) == (200, [])
    assert desktop.run("status")["account"] == desktop.name


def test_a_locked_keyring_signs_nobody_out(desktop: Desktop) -> None:
    desktop.signs_in()
    locked = desktop.run("status", keyring=LOCKED, status=6)["error"]
    assert (locked["code"], "passless profile set work --vault file" in locked["hint"]) == ("vault-locked", True)
    assert desktop.run("status")["account"] == desktop.name


def test_a_profile_that_moves_leaves_nothing_in_the_keyring(desktop: Desktop) -> None:
    desktop.signs_in()
    account_id = desktop.run("status")["id"]
    assert desktop.entry(account_id)
    desktop.run("profile", "remove", "work", "--yes")
    assert desktop.entry(account_id) == ""
