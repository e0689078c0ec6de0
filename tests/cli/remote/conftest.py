"""One server for the tests of a module, and terminals with profiles that reach it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from passless.cli import elsewhere
from tests.cli.remote import visitor
from tests.cli.remote.terminal import Terminal
from tests.cli.running import PASSWORD
from tests.server.serving import Served, a_server


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server that anybody may make an account at."""
    with a_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def terminal(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Return a terminal whose chosen profile is the server; BROWSER signs in as its file says."""
    file = served.home.parent / "browser"  # the same for all tests: Python looks at BROWSER once
    monkeypatch.setattr(elsewhere, "BROWSER_WITHIN", timedelta(seconds=30))  # a browser that fails does not come back
    monkeypatch.setenv("BROWSER", f"{sys.executable} {visitor.__file__} {file} %s")
    made = Terminal(tmp_path / "home", monkeypatch, served, file)
    made.json("profile", "add", "work", "--server", served.url, "--vault", "file")
    made.json("profile", "use", "work")
    return made


@pytest.fixture
def ada(terminal: Terminal) -> Terminal:
    """Return a terminal that is signed in to an account with a password."""
    terminal.is_given_an_account(terminal.name)
    terminal.json("sign-in", "--account", terminal.name, "--with", "password", "--password-file", "-", typed=PASSWORD)
    return terminal
