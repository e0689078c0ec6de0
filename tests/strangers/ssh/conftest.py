"""One server and one host for the tests of a module; each test has a user, an account of that name, and a key of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cli.remote.terminal import Terminal
from tests.cli.running import PASSWORD, Passless
from tests.server.serving import Served, a_server, keep_secret
from tests.software_key import SoftwareKey, plugged_in
from tests.strangers.ssh import host as hosts
from tests.strangers.ssh.held_key import Held, provider
from tests.strangers.ssh.host import Client, Host


class Desk:
    """Somebody at their desk: a user of the host, an account of the same name, a key in its port, a file for ssh."""

    def __init__(self, terminal: Terminal, held: Held, library: Path, folder: Path) -> None:
        self.terminal = terminal
        self.name = terminal.name
        self.held = held
        self.file = folder / "id_passless"
        self._library = library
        self._pin = folder / "pin"

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
        return self.terminal.json("method", "ssh-key", "blue key", "--to", str(self.file), "--yes")

    def at(self, host: Host, user: str | None = None) -> Client:
        """Return ssh on the way to a host."""
        return Client(host, self._library, user or self.name, self.file)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    hosts.need_ssh()
    with a_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def host(served: Served) -> Iterator[Host]:
    """Return a host that asks the server, set up by the command that people use."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        stack.enter_context(hosts.keys_user())
        folder = stack.enter_context(hosts.root_folder())
        Path("/run/sshd").mkdir(exist_ok=True)
        operator = Passless(served.home, patch)  # as whoever runs the server has it
        store = f"sqlite:///{served.home.parent / 'accounts.sqlite'}"
        operator.json("profile", "add", "here", "--store", store, "--vault", "file")
        operator.json("profile", "use", "here")
        made = operator.json(
            "relying-party", "add", "file server", "--kind", "ssh", "--to", str(folder), "--server", served.url
        )
        keep_secret(made["secret"])
        running = Host(folder, folder / "passless-file-server.conf")
        running.made = made
        yield running
        running.stop()


@pytest.fixture
def sits_down(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Desk]]:
    """Return what seats somebody with a key of their own; one key is plugged in at a time."""
    with ExitStack() as stack:

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
            stack.enter_context(plugged_in(key))
            library = stack.enter_context(provider(held, folder))
            return Desk(terminal, held, library, folder)

        yield seat
