"""Run by the tests in a session of its own: use the system keyring as a program would, and print what came of it."""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

from passless.domain.errors import PasslessError
from passless.vault import find_keeper, open_vault


def create_and_seal(folder: Path, limit: timedelta) -> dict[str, object]:
    """Make a key in the keyring, seal something under it, and say how it went."""
    vault = open_vault("keyring", store_id="store-1", key_file=folder / "vault.key", entropy=os.urandom, limit=limit)
    try:
        vault.create()
        opened = vault.open(vault.seal(b"seed", bound_to="alice"), bound_to="alice").decode()
    except PasslessError as error:
        return {"code": error.code, "message": error.message}
    return {"code": "", "opened": opened, "key": vault.key_id()}


def main() -> None:
    """Print one line of JSON."""
    folder, limit = Path(sys.argv[1]), timedelta(seconds=float(sys.argv[2]))
    found = find_keeper(limit=limit)
    print(json.dumps({"kind": found.kind, "condition": found.probe.condition, **create_and_seal(folder, limit)}))


if __name__ == "__main__":
    main()
