"""`passless relying-party test`: what works is said to work, and what does not is named, by a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from passless.programs import mail_socket
from tests.server.serving import Served, a_server
from tests.server.watching import PROFILE, register


def look_at(folder: Path, served: Served, name: str, *more: str, status: int = 0, server: str | None = None) -> dict[str, bool]:
    """Test a relying party on the server's host; return what is in order."""
    return {one["check"]: one["ok"] for one in seen(folder, served, name, *more, status=status, server=server)}


def seen(
    folder: Path, served: Served, name: str, *more: str, status: int = 0, server: str | None = None
) -> list[dict[str, Any]]:
    """Test a relying party on the server's host; return everything that it says."""
    given = (
        "--server",
        server or served.url,
        "--secret-file",
        str(folder / f"{name}.secret"),
        "--profile",
        PROFILE,
        "--json",
        *more,
    )
    run = subprocess.run(
        [sys.executable, "-m", "passless", "relying-party", "test", name, *given],
        env={**os.environ, "PASSLESS_HOME": str(served.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == status, run.stdout + run.stderr
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Served]]:
    folder = tmp_path_factory.mktemp("looking")
    with a_server(folder) as served:
        yield folder, served


@pytest.mark.parametrize(
    ("kind", "more", "asked"),
    [
        ("ssh", {}, {"keys"}),
        ("http", {}, {"address", "asking"}),
        ("oauth", {"redirect_uris": ("https://app.example/back",)}, {"address"}),
        ("oidc", {"redirect_uris": ("https://app.example/back",)}, {"address", "discovery", "signing-keys"}),
    ],
)
def test_the_server_is_asked_as_the_program_asks(
    one_server: tuple[Path, Served], kind: str, more: dict[str, Any], asked: set[str]
) -> None:
    folder, served = one_server
    register(folder, f"app-{kind}", kind=kind, **more)
    found = look_at(folder, served, f"app-{kind}")
    assert {"registered", "server", "secret", "endings", *asked} <= set(found)
    assert all(found.values()), found


def test_with_a_wrong_secret_nothing_is_asked_that_needs_it(one_server: tuple[Path, Served]) -> None:
    folder, served = one_server
    register(folder, "app", kind="ssh")
    (folder / "app.secret").write_text("plc_wrong")
    found = seen(folder, served, "app", status=5)
    assert [one["check"] for one in found if not one["ok"]] == ["secret"]
    assert {one["check"] for one in found if not one["tested"]} == {"keys", "endings", "files"}


def test_a_server_that_is_asked_at_another_address_than_its_own_is_told_apart(tmp_path: Path) -> None:
    """The issuer of an id_token must be the address that the program was given; nothing is said of its secret."""
    with a_server(tmp_path, "--url", "http://another.localhost") as served:
        register(tmp_path, "elsewhere", kind="oidc", redirect_uris=("https://app.example/back",))
        found = look_at(tmp_path, served, "elsewhere", status=6, server=f"http://localhost:{served.address[1]}")
    assert not any(found[name] for name in ("server", "discovery", "introspection", "endings"))
    assert not {"secret", "signing-keys"} & set(found)


def test_the_socket_of_mail_is_asked_for_somebody_who_is_nobody(tmp_path: Path) -> None:
    with a_server(tmp_path) as first:
        register(tmp_path)
    address = f"unix:{tmp_path}/m.sock"
    with a_server(tmp_path, "--url", first.url, "--socket", f"mail={address}"):
        assert mail_socket.look_at(address).ok
    said = mail_socket.look_at(address)
    assert not said.ok
    assert "--socket" in said.hint
