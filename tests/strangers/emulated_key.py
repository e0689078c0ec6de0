"""The authenticator of the npm package `nid-webauthn-emulator`: passless and node only exchange JSON."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import asdict

from tests.strangers.needing import missing, need

NODE = Path(__file__).parent / "node"
PACKAGE = "nid-webauthn-emulator"
INSTALL = "npm install --prefix tests/strangers/node --no-package-lock"
LIMIT = 60  # seconds for one answer; it takes about a quarter of one


class Key(Struct, frozen=True, kw_only=True):
    """An authenticator; its credentials are files in `folder`. It `verifies` whoever touches it, and `counts` signatures."""

    folder: str
    algorithm: str = "ES256"
    verifies: bool = True
    counts: int = 1

    def answer(self, begun: Mapping[str, Any], *, origin: str | None = None) -> str:
        """Answer what was begun."""
        wish = asdict(self) | ({} if origin is None else {"origin": origin})
        command = ["node", str(NODE / "authenticator.js"), json.dumps(wish)]
        text = json.dumps(begun)
        run = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=LIMIT)
        assert run.returncode == 0, run.stderr
        return run.stdout


@pytest.fixture
def key(tmp_path: Path) -> Key:
    need("node", install="apt-get install nodejs npm")
    if not (NODE / "node_modules" / PACKAGE).is_dir():
        missing(f"the npm package {PACKAGE}", install=INSTALL)
    folder = tmp_path / "key"
    folder.mkdir()
    return Key(folder=str(folder))
