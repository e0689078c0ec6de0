"""The software key for ssh: real `ssh` loads a small library (provider.c), which asks whoever holds the key over a socket."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from hashlib import sha256
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from fido2.client import DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.ctap import CtapError
from fido2.ctap2 import Ctap2
from fido2.ctap2.pin import ClientPin
from fido2.hid import CtapHidDevice
from fido2.webauthn import PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions

from tests.software_key import SoftwareKey, plugged_in

SOURCE = Path(__file__).with_name("provider.c")
VERIFY = 0x04  # the flag with which ssh asks for a PIN (OpenSSH's sk-api.h)
GENERAL, PIN_REQUIRED, NOT_FOUND = -1, -3, -4  # its errors
ECDSA_SIGNATURE = 0x30  # DER's first byte; an EdDSA signature is 64 bytes as they are


class Held(UserInteraction):
    """The key in somebody's hand, for browsers (WebAuthn) and for ssh; `asked` is what ssh asked about."""

    def __init__(self, pin: str | None = None, file: Path | None = None) -> None:
        self.pin = pin
        self.file = file  # of a key that other processes use as well: it is plugged in for one signature
        self.asked: list[str] = []

    def request_pin(self, permissions: Any, rp_id: Any) -> str | None:
        return self.pin

    def register(self, begun: Mapping[str, Any]) -> str:
        """Answer what a server began: a new credential."""
        made = self._client(begun).make_credential(PublicKeyCredentialCreationOptions.from_dict(begun["publicKey"]))
        return json.dumps(dict(made))

    def prove(self, begun: Mapping[str, Any]) -> str:
        """Answer what a server began: a sign-in."""
        found = self._client(begun).get_assertion(PublicKeyCredentialRequestOptions.from_dict(begun["publicKey"]))
        return json.dumps(dict(found.get_response(0)))

    def sign(self, flags: int, pin: str, application: str, handle: bytes, message: bytes) -> tuple[bytes, bytes, bytes]:
        """Sign for ssh; what a provider answers is the head and the two halves of a signature."""
        self.asked.append(application)
        with plugged_in(SoftwareKey(file=self.file)) if self.file is not None else nullcontext():
            return self._sign(flags, pin, application, handle, message)

    def _sign(self, flags: int, pin: str, application: str, handle: bytes, message: bytes) -> tuple[bytes, bytes, bytes]:
        digest = sha256(message).digest()
        try:
            ctap = Ctap2(next(CtapHidDevice.list_devices()))
            proof: dict[str, Any] = {}
            if flags & VERIFY:
                if not pin:
                    return _failed(PIN_REQUIRED)
                asking = ClientPin(ctap)
                token = asking.get_pin_token(pin, ClientPin.PERMISSION.GET_ASSERTION, application)
                proof = {
                    "pin_uv_param": asking.protocol.authenticate(token, digest),
                    "pin_uv_protocol": asking.protocol.VERSION,
                }
            listed = [{"type": "public-key", "id": handle}]
            found = ctap.get_assertion(application, digest, listed, options={"up": True}, **proof)
        except CtapError as error:
            wrong_pin = (CtapError.ERR.PIN_INVALID, CtapError.ERR.PIN_REQUIRED, CtapError.ERR.PUAT_REQUIRED)
            return _failed(PIN_REQUIRED if error.code in wrong_pin else NOT_FOUND)
        except StopIteration:
            return _failed(NOT_FOUND)
        data = found.auth_data
        head = bytes([0, data.flags]) + data.counter.to_bytes(4, "big")
        if len(found.signature) == 64 and found.signature[0] != ECDSA_SIGNATURE:
            return head, found.signature, b""
        r, s = decode_dss_signature(found.signature)
        return head, r.to_bytes(32, "big"), s.to_bytes(32, "big")

    def _client(self, begun: Mapping[str, Any]) -> Fido2Client:
        collector = DefaultClientDataCollector(begun["origin"])
        return Fido2Client(next(CtapHidDevice.list_devices()), client_data_collector=collector, user_interaction=self)


def _failed(code: int) -> tuple[bytes, bytes, bytes]:
    return code.to_bytes(1, "big", signed=True) + bytes(5), b"", b""


@cache
def _compiled() -> bytes:
    """Return the library: it finds the socket beside the file that it is in."""
    warnings = ("-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror")
    with TemporaryDirectory() as folder:
        made = Path(folder) / "provider.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", *warnings, "-o", str(made), str(SOURCE)], check=True)
        return made.read_bytes()


@contextmanager
def provider(held: Held, folder: Path) -> Iterator[Path]:
    """Let ssh ask a key; return the library that it loads."""
    socket, library = folder / "key.sock", folder / "provider.so"
    library.write_bytes(_compiled())

    class Asked(StreamRequestHandler):
        def handle(self) -> None:
            flags, pin, application, key_handle, message = (self._read() for _ in range(5))
            for part in held.sign(flags[0], pin.decode(), application.decode(), key_handle, message):
                self.wfile.write(len(part).to_bytes(4, "big") + part)

        def _read(self) -> bytes:
            return self.rfile.read(int.from_bytes(self.rfile.read(4), "big"))

    with ThreadingUnixStreamServer(str(socket), Asked) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield library
        finally:
            server.shutdown()
            thread.join()
