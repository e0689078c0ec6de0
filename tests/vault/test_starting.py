"""What it costs to have a vault that is not used."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("keyring", "cryptography", "argon2", "concurrent.futures", "logging")


def test_importing_the_vault_loads_neither_keyring_nor_cryptography(private_home: dict[str, str]) -> None:
    script = f"import sys, passless.vault; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], env=private_home, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
