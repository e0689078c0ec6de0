"""What a command at a server imports: HTTP, and nothing of a store."""

from __future__ import annotations

from tests.cli.remote.terminal import Terminal
from tests.cli.running import PASSWORD
from tests.cli.test_start_up import HEAVY, loaded

BY_HTTPX = {
    "httpx",
    "asyncio",
    "rich",
    "pygments",
}  # the last two where its own command line finds click, as in a test's environment
NOT_THERE = {
    "passless.vault",
    "sqlite3",
    "litestar",
    "uvicorn",
    "psycopg",
    "authlib",
    "passless.stores",
    "passless.actions",
    "passless.server",
    "passless.directories.local",
}


def test_status_at_a_server_loads_http_and_nothing_of_a_store(ada: Terminal) -> None:
    modules = loaded("status", "--json")
    assert "httpx" in modules
    assert not modules & NOT_THERE
    assert not modules & (HEAVY - BY_HTTPX)


def test_status_on_this_machine_loads_nothing_of_a_server(ada: Terminal) -> None:
    ada.json("account", "create", "here", "--password-file", "-", "--profile", "local", typed=PASSWORD)
    modules = loaded("status", "--json", "--profile", "local")
    assert not {name for name in modules if name.startswith(("httpx", "passless.directories.server"))}
