"""Registering programs on a server's host, with the command that an administrator types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.server.serving import Served, keep_secret

PROFILE = "srv"


def on_host(served: Served, *arguments: str, typed: str = "") -> Any:
    """Run a command of passless on the server's store."""
    folder = served.home.parent
    settings = served.home / "config" / "config.toml"
    if f"[profiles.{PROFILE}]" not in settings.read_text():
        with settings.open("a") as file:
            file.write(
                f'[profiles.{PROFILE}]\nstore = "sqlite:///{folder}/accounts.sqlite"\nvault_file = "{folder}/vault.key"\n'
            )
    run = subprocess.run(
        [sys.executable, "-m", "passless", *arguments, "--profile", PROFILE, "--json"],
        env={**os.environ, "PASSLESS_HOME": str(served.home)},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{arguments}: {run.stdout}{run.stderr}"
    return json.loads(run.stdout)


def registered(served: Served, name: str, *arguments: str, kind: str = "oidc") -> dict[str, Any]:
    """Register a relying party; its secret is remembered, so that it is found where it should not be."""
    made: dict[str, Any] = on_host(served, "relying-party", "add", name, "--kind", kind, *arguments)
    if made.get("secret"):
        keep_secret(made["secret"])
    return made
