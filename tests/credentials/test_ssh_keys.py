"""Keys in the words of OpenSSH, judged by its own `ssh-keygen`."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fido2 import cbor
from fido2.cose import ES256, RS256, EdDSA

from passless.credentials.cose_keys import BadResponse
from passless.credentials.ssh_keys import NotForSsh, authorized_line, mapping, private_file, ssh_key
from tests.strangers.needing import need

RP_ID = "passless.example"
ID = bytes(range(64))
KEYS = {
    "ES256": cbor.encode(dict(ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key()))),
    "EdDSA": cbor.encode(dict(EdDSA.from_cryptography_key(ed25519.Ed25519PrivateKey.generate().public_key()))),
}
TYPES = {"ES256": "sk-ecdsa-sha2-nistp256@openssh.com", "EdDSA": "sk-ssh-ed25519@openssh.com"}
NAMES = {"ES256": "ECDSA-SK", "EdDSA": "ED25519-SK"}


def keygen(*arguments: str) -> str:
    need("ssh-keygen", install="apt-get install openssh-client")
    return subprocess.run(["ssh-keygen", *arguments], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("comment", ["", "a", "passless-abcd", "x" * 7, "x" * 8, "x" * 9])
def test_ssh_reads_the_private_file_whatever_its_length(tmp_path: Path, algorithm: str, comment: str) -> None:
    key, file = ssh_key(KEYS[algorithm], RP_ID), tmp_path / "id"
    file.write_bytes(private_file(key, RP_ID, ID, verify=True, comment=comment))
    file.chmod(0o600)
    said = keygen("-y", "-f", str(file)).strip()
    assert said == f"{key.encoded} {comment}".strip()
    assert f"({NAMES[algorithm]})" in keygen("-l", "-f", str(file))


@pytest.mark.parametrize("algorithm", KEYS)
def test_it_reads_a_line_with_its_option(tmp_path: Path, algorithm: str) -> None:
    key, file = ssh_key(KEYS[algorithm], RP_ID), tmp_path / "authorized_keys"
    plain, asked = (authorized_line(key, verify=verify, comment="passless-abcd") for verify in (False, True))
    assert asked == f"verify-required {plain}"
    file.write_text(f"{plain}\n{asked}\n")
    listed = keygen("-l", "-f", str(file)).splitlines()
    assert len(listed) == 2
    assert listed[0].split()[1:] == listed[1].split()[1:]
    assert key.type == TYPES[algorithm]


def test_another_server_is_another_key() -> None:
    assert ssh_key(KEYS["ES256"], RP_ID).blob != ssh_key(KEYS["ES256"], "other.example").blob


def test_the_same_file_is_made_each_time() -> None:
    key = ssh_key(KEYS["ES256"], RP_ID)
    one, other = (private_file(key, RP_ID, ID, verify=False, comment="x") for _ in range(2))
    assert one == other


def test_what_openssh_does_not_know_is_refused() -> None:
    public = rsa.generate_private_key(65537, 2048).public_key()
    with pytest.raises(NotForSsh):
        ssh_key(cbor.encode(dict(RS256.from_cryptography_key(public))), RP_ID)
    with pytest.raises(BadResponse):
        ssh_key(b"no key", RP_ID)


def test_a_mapping_of_pam_u2f_has_the_two_halves_of_the_point_alone() -> None:
    key = ssh_key(KEYS["ES256"], RP_ID)
    handle, public, algorithm, attributes = mapping(key, ID, verify="pin").split(",")
    assert (algorithm, attributes) == ("es256", "+presence+pin")
    assert base64.b64decode(handle) == ID
    assert len(base64.b64decode(public)) == 64
    assert mapping(ssh_key(KEYS["EdDSA"], RP_ID), ID).endswith(",eddsa,+presence")
