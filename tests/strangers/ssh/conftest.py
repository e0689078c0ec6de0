"""One server and one host for all tests here; each test has a user, an account of that name, and a key of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from passless.domain.key_views import HardwareKeyView
from passless.programs.sshd import USER
from tests.cli.remote.terminal import Terminal
from tests.cli.running import PASSWORD, Passless
from tests.server.asking import Caller
from tests.server.serving import Served, a_server, keep_secret
from tests.software_key import SoftwareKey, install
from tests.strangers.ssh import host as hosts
from tests.strangers.ssh.held_key import Held, provider
from tests.strangers.ssh.host import Client, Host

PERSON = "1000"  # a user id that may be asked about


class Desk:
    """Somebody at their desk: a user of the host, an account of the same name, a key in its port, a file for ssh."""

    def __init__(self, terminal: Terminal, key: SoftwareKey, held: Held, library: Path, folder: Path) -> None:
        self.terminal = terminal
        self.name = terminal.name
        self.held = held
        self.library = library
        self.file = folder / "id_passless"
        self.public = ""
        self._key = key
        self._pin = folder / "pin"
        self._home = terminal.home
        self._monkeypatch = terminal._monkeypatch
        self.plug()

    def plug(self) -> None:
        """Sit down here: this key is the one in the port, and this terminal the one that is typed at."""
        install(self._key)
        self._monkeypatch.setenv("PASSLESS_HOME", str(self._home))

    def add_key(self, *more: str) -> Any:
        """Add the key that is plugged in to the account."""
        if self.held.pin is not None:
            self._pin.write_text(self.held.pin)
            more = (*more, "--pin-file", str(self._pin))
        added = self.terminal("method", "add", "security-key", "--name", "blue key", "--json", *more)
        assert added.status == 0, added
        return added.json["method"]

    def write_file(self) -> Any:
        """Write what ssh needs, as the person does."""
        written = self.terminal.json("method", "ssh-key", "blue key", "--to", str(self.file), "--yes")
        self.public = written["public_key"]
        return written

    def seen(self) -> HardwareKeyView:
        """Return what the server tells the person of their key."""
        with Caller(self.terminal.served, name=self.name) as caller:
            caller.sign_in(PASSWORD)
            (one,) = caller.get("/accounts/me/hardware-keys")["items"]
        return msgspec.convert(one, HardwareKeyView)

    def at(self, host: Host, user: str | None = None, *, agent: str = "none") -> Client:
        """Return ssh on the way to a host."""
        return Client(host, self.library, user or self.name, self.file, agent)


def answer_to(host: Host, user: str, user_id: str = PERSON) -> str:
    """Ask as sshd asks, as the user that it asks as."""
    script = host.folder / "passless-file-server.sh"
    asked = subprocess.run(
        ["runuser", "-u", USER, "--", str(script), user, user_id], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked
    return asked.stdout


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    hosts.need_ssh()
    with a_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="package")
def host(served: Served) -> Iterator[Host]:
    """Return a host that asks the server, set up by the command that people use."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        stack.enter_context(hosts.keys_user())
        folder = stack.enter_context(hosts.root_folder())
        operator = Passless(served.home, patch)  # as whoever runs the server has it
        store = f"sqlite:///{served.home.parent / 'accounts.sqlite'}"
        operator.json("profile", "add", "here", "--store", store, "--vault", "file")
        operator.json("profile", "use", "here")
        made = operator.json(
            "relying-party", "add", "file server", "--kind", "ssh", "--to", str(folder), "--server", served.url
        )
        keep_secret(made["secret"])
        running = Host(folder, folder / "passless-file-server.conf", made)
        yield running
        running.stop()


@pytest.fixture
def sits_down(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Desk]]:
    """Return what seats somebody with a key of their own; one key is plugged in at a time, that of who sat down last."""
    with ExitStack() as stack:
        stack.callback(install())  # in the end there are those that there were

        def seat(key: SoftwareKey, *, pin: str | None = None) -> Desk:
            name = stack.enter_context(hosts.user())
            folder = tmp_path / name
            folder.mkdir()
            terminal = Terminal(folder / "home", monkeypatch, served, folder / "browser")
            terminal.name = name
            terminal.json("profile", "add", "work", "--server", served.url, "--vault", "file")
            terminal.json("profile", "use", "work")
            terminal.is_given_an_account(name)
            terminal.json("sign-in", "--account", name, "--with", "password", "--password-file", "-", typed=PASSWORD)
            held = Held(pin)
            library = stack.enter_context(provider(held, folder))
            return Desk(terminal, key, held, library, folder)

        yield seat
