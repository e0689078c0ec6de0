"""The commands of the key: one CBOR message in, one out (CTAP 2.1 §6)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from fido2 import cbor
from fido2.ctap import CtapError

from .assertions import get_assertion, get_next_assertion
from .core import ERR, Answer, Core, Line, PowerCycle, Request
from .credentials import make_credential
from .fingerprints import bio_enrollment
from .management import credential_management
from .memory import Memory
from .pins import MAX_PIN_BYTES, client_pin
from .settings import MAX_FRAGMENT, MAX_LARGE_BLOBS, MAX_MIN_PIN_RP_IDS, config, large_blobs

RESET_WITHIN = 10.0  # seconds after power up; CTAP 2.1 §6.6
MAX_MESSAGE = MAX_FRAGMENT + 64  # bytes; CTAP 2.1 §6.10.2
MAX_LIST = 8
MAX_CREDENTIAL_ID = 128
FINGERPRINT_INSIDE = 0x02  # FIDO registry §3.1, user verification methods

GET_NEXT_ASSERTION, CREDENTIAL_MANAGEMENT = 0x08, 0x0A


class Authenticator:
    """Answers commands one at a time."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def run(self, message: bytes, line: Line) -> bytes:
        """Answer one message: a status byte, then CBOR."""
        try:
            answer = self._run(message, line)
        except CtapError as error:
            return bytes([error.code])
        return b"\0" + (cbor.encode(answer) if answer else b"")

    def _run(self, message: bytes, line: Line) -> Answer:
        command = COMMANDS.get(message[0]) if message else None
        if command is None:
            raise CtapError(ERR.INVALID_COMMAND)
        self._forget_unfinished(message[0])
        self.core.line = line
        return command(self.core, _decode(message[1:]))

    def _forget_unfinished(self, number: int) -> None:
        """Another command ends what goes on over several (CTAP 2.1 §6, stateful commands)."""
        power = self.core.power
        if number != GET_NEXT_ASSERTION:
            power.next_assertions = []
        if number != CREDENTIAL_MANAGEMENT:
            power.next_relying_parties, power.next_credentials = [], []


def get_info(core: Core, request: Request) -> Answer:
    """Say what this key can do and how it is set (CTAP 2.1 §6.4)."""
    model, memory = core.model, core.memory
    answer: Answer = {
        0x01: list(model.versions),
        0x02: list(model.extensions),
        0x03: model.aaguid,
        0x04: _options(core),
        0x05: MAX_MESSAGE,
        0x06: list(model.pin_protocols),
        0x07: MAX_LIST,
        0x08: MAX_CREDENTIAL_ID,
        0x09: ["usb"],
        0x0A: [{"alg": algorithm, "type": "public-key"} for algorithm in model.algorithms],
        0x0B: MAX_LARGE_BLOBS,
        0x0C: memory.must_change_pin,
        0x0D: memory.min_pin_length,
        0x0E: model.firmware,
        0x0F: 32,
        0x10: MAX_MIN_PIN_RP_IDS,
        0x14: model.capacity - len(memory.discoverable),
        0x16: ["packed"],
        0x1D: MAX_PIN_BYTES,
    }
    if model.fingerprint_reader:
        answer |= {0x11: 3, 0x12: FINGERPRINT_INSIDE}
    return answer


def _options(core: Core) -> dict[str, bool]:
    model, memory = core.model, core.memory
    options = {
        "rk": True,
        "up": True,
        "plat": False,
        "clientPin": bool(memory.pin_hash),
        "pinUvAuthToken": True,
        "makeCredUvNotRqd": not memory.always_uv,
        "alwaysUv": memory.always_uv,
        "largeBlobs": True,
        "ep": memory.enterprise_attestation,
    }
    if model.credential_management:
        options["credMgmt"] = True
    if model.authenticator_config:
        options |= {"authnrCfg": True, "setMinPINLength": True}
    if model.fingerprint_reader:
        options |= {"uv": bool(memory.fingerprints), "bioEnroll": bool(memory.fingerprints)}
    return options


def reset(core: Core, request: Request) -> Answer:
    """Forget everything; only just after power up, so that no program does it behind the owner's back."""
    if core.clock() - core.power.started > RESET_WITHIN:
        raise CtapError(ERR.NOT_ALLOWED)
    core.wait_for_touch()
    core.memory = Memory(min_pin_length=core.model.min_pin_length)
    core.power = PowerCycle(core.power.started)
    return {}


def selection(core: Core, request: Request) -> Answer:
    """Let the person pick this key among several by touching it (CTAP 2.1 §6.9)."""
    core.wait_for_touch()
    return {}


def _decode(body: bytes) -> dict[Any, Any]:
    if not body:
        return {}
    try:
        request = cbor.decode(body)
    except (ValueError, KeyError, IndexError, TypeError, struct.error) as error:
        raise CtapError(ERR.INVALID_CBOR) from error
    if not isinstance(request, dict):
        raise CtapError(ERR.CBOR_UNEXPECTED_TYPE)
    return request


COMMANDS: dict[int, Callable[[Core, Request], Answer]] = {
    0x01: make_credential,
    0x02: get_assertion,
    0x04: get_info,
    0x06: client_pin,
    0x07: reset,
    GET_NEXT_ASSERTION: get_next_assertion,
    0x09: bio_enrollment,
    CREDENTIAL_MANAGEMENT: credential_management,
    0x0B: selection,
    0x0C: large_blobs,
    0x0D: config,
}
