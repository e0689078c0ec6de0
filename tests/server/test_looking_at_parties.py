"""`passless relying-party test`: what works is said to work, and what does not is named, by a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from passless.cli.testing_parties import _mail_socket
from tests.server.serving import Served, a_server
from tests.server.watching import PROFILE, register


def look_at(folder: Path, served: Served, name: str, *more: str, status: int = 0) -> dict[str, bool]:
    """Test a relying party on the server's host."""
    given = ("--server", served.url, "--secret-file", str(folder / f"{name}.secret"), "--profile", PROFILE, "--json", *more)
    run = subprocess.run(
        [sys.executable, "-m", "passless", "relying-party", "test", name, *given],
        env={**os.environ, "PASSLESS_HOME": str(served.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == status, run.stdout + run.stderr
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return {one["check"]: one["ok"] for one in found}


@pytest.mark.parametrize(
    ("kind", "more", "asked"),
    [
        ("ssh", {}, {"keys"}),
        ("http", {}, {"address", "asking"}),
        ("oidc", {"redirect_uris": ("https://app.example/back",)}, {"address"}),
    ],
)
def test_the_server_is_asked_as_the_program_asks(tmp_path: Path, kind: str, more: dict[str, Any], asked: set[str]) -> None:
    with a_server(tmp_path) as served:
        register(tmp_path, "app", kind=kind, **more)
        found = look_at(tmp_path, served, "app", *(("--to", str(tmp_path)) if kind != "oidc" else ()))
        assert {"registered", "server", "secret", "endings", *asked} <= set(found)
        assert all(found.values()), found


def test_a_wrong_secret_is_said_of_everything_that_needs_it(tmp_path: Path) -> None:
    with a_server(tmp_path) as served:
        register(tmp_path, "app", kind="ssh")
        (tmp_path / "app.secret").write_text("plc_wrong")
        found = look_at(tmp_path, served, "app", "--to", str(tmp_path), status=5)
        assert {name for name, is_ok in found.items() if not is_ok} == {"secret", "keys", "endings"}


def test_the_socket_of_mail_is_asked_for_somebody_who_is_nobody(tmp_path: Path) -> None:
    with a_server(tmp_path) as first:
        register(tmp_path)
    address = f"unix:{tmp_path}/m.sock"
    with a_server(tmp_path, "--url", first.url, "--socket", f"mail={address}"):
        assert _mail_socket(address).ok
    said = _mail_socket(address)
    assert not said.ok
    assert "--socket" in said.hint
