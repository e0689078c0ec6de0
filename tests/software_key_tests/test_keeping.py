"""What a key holds, and how it lives on in a file."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from fido2.attestation.packed import PackedAttestation
from fido2.client import ClientError
from fido2.ctap import CtapError
from fido2.ctap2.pin import ClientPin
from fido2.server import Fido2Server
from fido2.webauthn import UserVerificationRequirement

from tests.software_key import AAGUID, FINGERPRINT_MODEL, Model, SoftwareKey, maker, plugged_in
from tests.software_key_tests.ceremonies import PIN, RP, client, credential_of, register, sign_in, the_ctap, the_device

REPOSITORY = Path(__file__).parents[2]

# Stands in for the product's command line: it says what it was called with and what the plugged-in keys hold.
STAND_IN = """
import json, sys, types
from fido2.ctap2 import Ctap2
from fido2.hid import CtapHidDevice

def main():
    rooms = [Ctap2(device).info.remaining_disc_creds for device in CtapHidDevice.list_devices()]
    print(json.dumps({"arguments": sys.argv, "rooms": rooms}))

for name in ("passless.cli", "passless.cli.main"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["passless.cli.main"].main = main

from tests.software_key.command import main
main()
"""


def test_a_credential_made_with_a_file_works_in_the_next_process(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    with plugged_in(SoftwareKey(file=file)):
        credential = credential_of(register(the_device())[0])
    with plugged_in(SoftwareKey(file=file)):
        sign_in(the_device(), [credential])


def test_the_file_of_a_key_is_private(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    SoftwareKey(file=file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_in_a_file_keeps_its_model(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    SoftwareKey(file=file, model=FINGERPRINT_MODEL)
    assert SoftwareKey(file=file).model.fingerprint_reader


def wrong_pin_code() -> str:
    with pytest.raises(CtapError) as caught:
        ClientPin(the_ctap()).get_pin_token("4321", ClientPin.PERMISSION.CREDENTIAL_MGMT)
    return caught.value.code.name


def test_a_process_may_go_on_with_the_power_cycle_of_the_last(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    codes = []
    for _ in range(3):
        with plugged_in(SoftwareKey(file=file, pin=PIN, still_plugged_in=True)):
            codes.append(wrong_pin_code())
    with plugged_in(SoftwareKey(file=file)):
        codes.append(wrong_pin_code())
    assert codes == ["PIN_INVALID", "PIN_INVALID", "PIN_AUTH_BLOCKED", "PIN_INVALID"]


def test_a_key_that_was_plugged_in_long_ago_cannot_be_reset(tmp_path: Path) -> None:
    with plugged_in(SoftwareKey(still_plugged_in=True)), pytest.raises(CtapError, match="NOT_ALLOWED"):
        the_ctap().reset()


def test_a_full_key_refuses_another_credential() -> None:
    with plugged_in(SoftwareKey(model=Model(capacity=1))):
        register(the_device(), user="alice")
        register(the_device(), user="alice")  # takes the place of the first
        with pytest.raises(ClientError) as caught:
            register(the_device(), user="bob")
        assert caught.value.cause.code == CtapError.ERR.KEY_STORE_FULL


def test_the_newest_of_several_credentials_comes_first() -> None:
    key = SoftwareKey(pin=PIN)
    with plugged_in(key):
        for user in ("alice", "bob"):
            register(the_device(), user=user)
        options, _ = Fido2Server(RP).authenticate_begin(user_verification=UserVerificationRequirement.REQUIRED)
        found = client(the_device()).get_assertion(options.public_key).get_assertions()
    assert [one.user and one.user["name"] for one in found] == ["bob", "alice"]


def test_the_attestation_leads_to_the_maker_of_the_key() -> None:
    with plugged_in(SoftwareKey()):
        response, client_data_hash = register(the_device())
    attested = response.response.attestation_object
    result = PackedAttestation().verify(attested.att_stmt, attested.auth_data, client_data_hash)
    x509.load_der_x509_certificate(result.trust_path[0]).verify_directly_issued_by(maker().certificate)
    assert credential_of(response).aaguid == AAGUID


def test_a_key_may_attest_with_the_credential_itself() -> None:
    with plugged_in(SoftwareKey(model=Model(attestation="self"))):
        response, client_data_hash = register(the_device())
    attested = response.response.attestation_object
    assert "x5c" not in attested.att_stmt
    PackedAttestation().verify(attested.att_stmt, attested.auth_data, client_data_hash)


def test_the_command_line_runs_in_a_process_with_its_keys(tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    with plugged_in(SoftwareKey(file=first)):
        register(the_device())
    options = ["--key-file", str(first), "--second-key", str(second)]
    ran = subprocess.run(
        [sys.executable, "-c", STAND_IN, *options, "--", "key", "list", "--json"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(ran.stdout) == {"arguments": ["passless", "key", "list", "--json"], "rooms": [24, 25]}
