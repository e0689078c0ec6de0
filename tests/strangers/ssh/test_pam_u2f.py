"""pam_u2f takes the line that passless prints, and the key of the account signs in with it, on a host that asks no server.

Its `manual` mode prints a challenge and takes what the key answered, so that all but the USB port is the real thing.
"""

from __future__ import annotations

import base64
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
from fido2 import cbor
from fido2.ctap2 import Ctap2
from fido2.ctap2.pin import ClientPin
from fido2.hid import CtapHidDevice

from tests.server.serving import Served
from tests.software_key import EDDSA, Model, SoftwareKey
from tests.strangers.needing import missing, need
from tests.strangers.ssh import host as hosts
from tests.strangers.ssh.conftest import Desk

PIN = "4711"
MODULE = "pam_u2f.so"


@contextmanager
def service(mapping: str, origin: str, folder: Path) -> Iterator[str]:
    """Have a service of PAM that asks pam_u2f alone; its file has a name of its own in /etc/pam.d, and goes again."""
    if not list(Path("/lib").glob(f"*/security/{MODULE}")) and not list(Path("/usr/lib").glob(f"*/security/{MODULE}")):
        missing(MODULE, install="apt-get install libpam-u2f")
    need("pamtester", install="apt-get install pamtester")
    name = f"passless-test-{secrets.token_hex(4)}"
    keys, file = folder / "u2f_keys", Path("/etc/pam.d") / name
    keys.write_text(mapping + "\n")
    keys.chmod(0o644)
    options = f"authfile={keys} origin={origin} appid={origin} manual debug debug_file={folder / 'debug'}"
    file.write_text(f"auth required {MODULE} {options}\naccount required pam_permit.so\n")
    try:
        yield name
    finally:
        file.unlink()


def says(name: str, user: str, key_says: Any) -> str:
    """Sign in at a service by typing what a key answers; return what PAM said."""
    typed = pexpect.spawn(f"pamtester {name} {user} authenticate", timeout=hosts.WITHIN, encoding="utf-8", echo=False)
    typed.expect(r"Challenge #1:\s+(\S+)\s+(\S+)\s+(\S+)\s+Please pass")
    challenge, origin, handle = (typed.match[number] for number in (1, 2, 3))
    data, signature = key_says(base64.b64decode(challenge), origin, base64.b64decode(handle))
    for line in (challenge, origin, base64.b64encode(cbor.encode(data)).decode(), base64.b64encode(signature).decode()):
        typed.expect(r"Response #1:")
        typed.sendline(line)
    typed.expect(pexpect.EOF)
    typed.close()
    return str(typed.before)


def signing(pin: str | None = None) -> Any:
    """Return the key that is plugged in, as something that signs; with its PIN where one is given."""

    def sign(challenge: bytes, origin: str, handle: bytes) -> tuple[bytes, bytes]:
        ctap, proof = Ctap2(next(CtapHidDevice.list_devices())), {}
        if pin is not None:
            asking = ClientPin(ctap)
            token = asking.get_pin_token(pin, ClientPin.PERMISSION.GET_ASSERTION, origin)
            proof = {"pin_uv_param": asking.protocol.authenticate(token, challenge), "pin_uv_protocol": asking.protocol.VERSION}
        found = ctap.get_assertion(origin, challenge, [{"type": "public-key", "id": handle}], options={"up": True}, **proof)
        return bytes(found.auth_data), found.signature

    return sign


def test_the_key_signs_in_offline(sits_down: Any, served: Served, tmp_path: Path) -> None:
    desk: Desk = sits_down(SoftwareKey())
    desk.add_key()
    made = desk.terminal.json("method", "pam-u2f")
    assert made["line"].endswith("+presence")
    with service(made["line"], made["origin"], tmp_path) as name:
        assert "successfully authenticated" in says(name, desk.name, signing())
        assert "Authentication failure" in says(name, desk.name, lambda *asked: (signing()(*asked)[0], b"\x30\x06" + bytes(6)))


def test_a_key_of_the_other_algorithm_is_read(sits_down: Any, served: Served, tmp_path: Path) -> None:
    """The manual mode of pam_u2f 1.1.0 signs with ES256 alone; what it reads of the line is judged here."""
    desk: Desk = sits_down(SoftwareKey(model=Model(algorithms=[EDDSA])))
    desk.add_key()
    made = desk.terminal.json("method", "pam-u2f")
    with service(made["line"], made["origin"], tmp_path) as name:
        said = subprocess.run(["pamtester", name, desk.name, "authenticate"], capture_output=True, text=True, check=False)
    assert "COSE type for device number 1: eddsa" in said.stdout + said.stderr
    assert "Attributes for device number 1: +presence" in said.stdout + said.stderr


def test_the_line_is_all_that_is_printed_off_a_terminal(sits_down: Any, tmp_path: Path) -> None:
    desk: Desk = sits_down(SoftwareKey())
    desk.add_key()
    printed = desk.terminal("method", "pam-u2f", "--user", "somebody.else").stdout
    assert printed == desk.terminal.json("method", "pam-u2f", "--user", "somebody.else")["line"] + "\n"
    assert printed.startswith("somebody.else:")


def test_a_key_that_checks_a_finger_has_to(sits_down: Any, tmp_path: Path) -> None:
    """With `--finger` pam_u2f asks for user verification, and takes no touch alone."""
    desk: Desk = sits_down(SoftwareKey(pin=PIN), pin=PIN)
    desk.add_key()
    assert desk.terminal.json("method", "pam-u2f")["line"].endswith(",+presence+pin")
    made = desk.terminal.json("method", "pam-u2f", "--finger")
    with service(made["line"], made["origin"], tmp_path) as name:
        assert "Authentication failure" in says(name, desk.name, signing())
        assert "successfully authenticated" in says(name, desk.name, signing(PIN))


def test_nothing_else_gets_into_the_line(sits_down: Any) -> None:
    desk: Desk = sits_down(SoftwareKey())
    desk.add_key()
    for user in ("", " ", "a:b", "a,b", "a\nb", "é", "a b", "#a"):
        assert desk.terminal("method", "pam-u2f", "--user", user).status == 2
