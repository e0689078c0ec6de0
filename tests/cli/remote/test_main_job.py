"""The embedded account's whole main job at a server: invited, passwordless, lost and found, typed on a real terminal."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from passless.cli import opening
from tests.cli.remote.terminal import Terminal
from tests.cli.remote.visitor import Visitor
from tests.cli.running import PASSWORD
from tests.cli.walking import Person
from tests.directories.security_key import SecurityKey
from tests.server.serving import Served, a_server, keep_secret

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="pexpect needs a POSIX terminal"),
    pytest.mark.skipif(shutil.which("oathtool") is None, reason="oathtool stands in for the app"),
]
PIN = "1234"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Return a server that one comes to by invitation."""
    folder = tmp_path / "server"
    folder.mkdir()
    with a_server(folder, sign_up="invitation") as server:
        yield server


class Key:
    """A software key that runs of passless find plugged in, one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def plugged(self, terminal: Terminal, *arguments: str) -> Person:
        """Run passless with it."""
        return Person(terminal.home, *arguments, key=self.path, plug=("--pin", PIN))


def invitation(terminal: Terminal, tmp_path: Path, *more: str) -> Path:
    """Have the first operator, made on the host, invite somebody; return the file with the link."""
    host = terminal.served.home
    store, vault = host.parent / "accounts.sqlite", host.parent / "vault.key"
    settings = f'[profiles.srv]\nstore = "sqlite:///{store}"\nvault_file = "{vault}"\n'
    (host / "config" / "config.toml").write_text(f'profile = "srv"\n{settings}[profiles.local]\nvault = "file"\n')

    def on_host(*arguments: str, typed: str = "") -> None:
        command = [sys.executable, "-m", "passless", *arguments]
        done = subprocess.run(
            command, env={"PASSLESS_HOME": str(host)}, input=typed, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr

    on_host("account", "create", "desk", "--password-file", "-", typed=PASSWORD)
    on_host("operator", "add", "desk", "--first", "--yes")
    desk = Terminal(tmp_path / "desk", terminal._monkeypatch, terminal.served, tmp_path / "nobody")
    desk.json("profile", "add", "work", "--server", terminal.served.url, "--vault", "file")
    desk.json("profile", "use", "work")
    desk.json("sign-in", "--account", "desk", "--with", "password", "--password-file", "-", typed=PASSWORD)
    made = desk.json("invitation", "create", "--reason", "they are new", *more)
    terminal._monkeypatch.setenv("PASSLESS_HOME", str(terminal.home))
    file = tmp_path / "invitation"
    file.write_text(keep_secret(made["link"]) + "\n")
    return file


def status(terminal: Terminal) -> Any:
    return terminal.json("status")


def test_an_account_at_a_server_lives_through_everything(terminal: Terminal, tmp_path: Path) -> None:
    key = Key(tmp_path / "key")
    link = invitation(terminal, tmp_path)

    ada = key.plugged(terminal, "setup", "--invitation-file", str(link))
    ada.answers("Account name [ada]")
    ada.answers("Password (Enter for none)", PASSWORD)
    ada.answers("The same password again", PASSWORD)
    ada.answers("Which one? [1]")
    ada.answers("PIN of", PIN)
    ada.reads("two factors in itself, and cannot be phished")
    code = keep_secret(ada.saves_the_code())
    ada.answers("Delete it? [Y/n]")
    ada.reads("The password is gone.")
    assert ada.is_done() == 0
    assert "vault export" not in ada.rest
    view = status(terminal)
    assert (view["account"], view["state"], view["passwordless"], view["profile"]) == ("ada", "ok", True, "work")

    app = terminal.totp()
    terminal.json("two-step", "on")
    secret = terminal.json("app-password", "create", "Mail", "--for", "imap")["secret"]
    keep_secret(secret)
    assert [one["name"] for one in terminal.json("app-password", "list")] == ["Mail"]
    assert all(loss["survives"] for loss in status(terminal)["losses"])

    terminal.json("sign-out")
    ada = key.plugged(terminal, "sign-in", "--with", "security-key")
    ada.answers("PIN of", PIN)
    ada.reads("signed in as ada")
    assert ada.is_done() == 0
    assert status(terminal)["session"]["strength"] == 2

    terminal.json("device", "lost", "phone", "--yes")
    assert [one["kind"] for one in status(terminal)["methods"] if one["usable"]] == ["security-key"]
    assert terminal.json("app-password", "list") == []
    terminal.json("sign-out")
    wrong = terminal.now_code(app)
    error = terminal.json("sign-in", "--with", "totp", "--code-file", "-", typed=wrong, status=5)
    assert error["code"] == "wrong-code"

    half = terminal.json("recover", "start", "--code-file", "-", typed=code, status=5)
    assert half["code"] == "second-proof"
    (tmp_path / "code").write_text(code)
    ada = key.plugged(terminal, "recover", "start", "--code-file", str(tmp_path / "code"), "--with", "security-key")
    ada.answers("PIN of", PIN)
    ada.reads("in recovery")
    assert ada.is_done() == 0
    assert status(terminal)["state"] == "in-recovery"
    events = [one["event"] for one in terminal.json("audit", "list")]
    assert {"create-account", "lose-device", "start-recovery"} <= set(events)


def test_a_stale_session_is_refreshed_with_a_key_in_the_middle_of_a_command(terminal: Terminal, tmp_path: Path) -> None:
    """Must hold 6."""
    key = Key(tmp_path / "key")
    link = invitation(terminal, tmp_path)
    ada = key.plugged(terminal, "setup", "--invitation-file", str(link))
    ada.answers("Account name [ada]")
    ada.answers("Password (Enter for none)")
    ada.answers("Which one? [1]")
    ada.answers("PIN of", PIN)
    keep_secret(ada.saves_the_code())
    assert ada.is_done() == 0
    terminal.json("sign-out")
    ada = key.plugged(terminal, "token", "create", "ci", "--may", "status")
    ada.reads('sign in to "ada" first')
    ada.reads("a security key, plugged in here")
    ada.reads("the browser of this computer")
    ada.answers("Sign in with [1]", "security-key")
    ada.answers("PIN of", PIN)
    ada.reads("shown once")
    assert ada.is_done() == 0


def test_a_new_account_is_asked_for_its_invitation_first_and_again_where_it_is_none(terminal: Terminal, tmp_path: Path) -> None:
    link = invitation(terminal, tmp_path).read_text().strip()
    ada = Person(terminal.home, "setup")
    ada.answers("Do you have an account there? [1]")
    ada.answers("Its link (it does not show)", "https://elsewhere.example/invitation#abc")
    ada.reads("none of")
    ada.answers("Its link (it does not show)", f"{terminal.served.url}/invitation#{'a' * 32}")
    ada.reads("no invitation, or not any more")
    ada.answers("Its link (it does not show)")
    ada.reads("nothing was pasted")
    ada.answers("Its link (it does not show)", link)
    ada.answers("Account name [ada]", link)
    ada.reads("that is a link, not the name of an account")
    ada.answers("Account name [ada]", "desk")
    ada.answers("Password (Enter for none)")
    ada.reads('there is an account named "desk" already')
    ada.answers("Account name [ada]", "ada")
    ada.reads('The account "ada" is there')
    ada.reads("Step 2 of 3")
    ada.answers("Which one? [1]", "later")
    ada.reads("Left for later")
    ada.reads("Step 3 of 3")
    ada.presses("c")
    assert ada.is_done() == 130
    assert link.partition("#")[2] not in ada.rest


def test_an_invitation_for_a_name_asks_for_none(terminal: Terminal, tmp_path: Path) -> None:
    link = invitation(terminal, tmp_path, "--name", "grace")
    ada = Person(terminal.home, "setup", "--account", "ada", "--invitation-file", str(link))
    ada.reads('the invitation is for the account "grace", and "ada" was asked for')
    assert ada.is_done() == 2
    ada = Person(terminal.home, "setup", "--invitation-file", str(link))
    ada.reads('The invitation is for the account "grace".')
    ada.answers("Password (Enter for none)")
    ada.reads('The account "grace" is there')
    ada.presses("c")
    assert ada.is_done() == 130


def made_there(address: str) -> None:
    """Do what a browser does with a link, in which nobody is signed in."""
    link, _, secret = keep_secret(address).partition("#")
    visitor = Visitor(link.removesuffix("/enrol/here"))
    visitor.goes_to("/enrol/here").sends("/enrol/here", link=secret)
    found = re.search(r'data-options="([^"]*)"', visitor.page)
    assert found is not None
    response = SecurityKey().register(html.unescape(found[1]).encode(), visitor.origin).reveal()
    named = re.search(r'name="name" value="([^"]*)"', visitor.page)
    assert named is not None
    visitor.sends("/enrol/here/passkey", response=response, device="work laptop", name=named[1])
    assert "The passkey is added." in visitor.page
    visitor.closes()


def test_a_passkey_of_this_computer_is_made_in_the_browser_while_the_terminal_waits(
    ada: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "show_privately", lambda address, _, __: made_there(address))
    added = ada("method", "add", "passkey", "--name", "laptop", terminal=True)
    assert added.status == 0, added.stderr
    assert "laptop" in added.stdout
    found = [(one["name"], one["device"]) for one in ada.json("method", "list") if one["kind"] == "passkey"]
    assert found == [("laptop", "work laptop")]


def test_a_new_account_that_nothing_signs_in_to_gets_a_passkey_in_the_browser(terminal: Terminal, tmp_path: Path) -> None:
    """The terminal's own session lets the browser in, for this one passkey."""
    link = invitation(terminal, tmp_path)
    for name in opening.DISPLAYS:
        terminal._monkeypatch.delenv(name, raising=False)
    ada = Person(terminal.home, "setup", "--invitation-file", str(link))
    ada.answers("Account name [ada]")
    ada.answers("Password (Enter for none)")
    ada.answers("Which one? [1]", "passkey")
    ada.reads("nobody has to sign in for that")
    made_there(ada.sees(re.compile(r"(http://localhost:[0-9]+/enrol/here#[A-Za-z0-9_-]+)")))
    ada.reads("signs you in now: two factors in itself, and cannot be phished")
    keep_secret(ada.saves_the_code())
    assert ada.is_done() == 0
    assert status(terminal)["state"] == "ok"
    assert [(one["kind"], one["device"]) for one in terminal.json("method", "list")] == [("passkey", "work laptop")]


def test_a_passkey_in_a_script_is_begun_and_finished(ada: Terminal) -> None:
    assert ada.json("method", "add", "passkey", status=2)["code"] == "missing-input"
    begun = ada.json("method", "add", "passkey", "--begin")
    assert begun["origin"] == ada.served.url


def test_a_command_that_needs_a_fresh_proof_gets_it_in_the_browser(ada: Terminal) -> None:
    """Must hold 6: Windows Hello and passkeys of phones work for the terminal."""
    ada.json("sign-out")
    person = Person(ada.home, "token", "create", "ci", "--may", "status")
    person.answers("Sign in with [1]", "browser")
    person.reads("the browser opens; sign in there")
    person.reads(f'proven as "{ada.name}"')
    person.reads("shown once")
    assert person.is_done() == 0
    assert [one["kind"] for one in ada.json("session", "list") if one["current"]] == ["browser"]
