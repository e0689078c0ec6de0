"""authenticatorConfig and authenticatorLargeBlobs: what the owner may set and store (CTAP 2.1 §6.11 and §6.10)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from fido2 import cbor
from fido2.ctap import CtapError

from .core import ERR, Answer, Core, Request, optional, required
from .pins import MAX_PIN_BYTES
from .tokens import Permission, check_token

PREFIX = b"\xff" * 32  # so that no client data hash can pass for such a request
MAX_LARGE_BLOBS = 2048  # bytes; CTAP 2.1 §6.10 asks for at least 1024
MAX_FRAGMENT = 1984  # bytes; the longest message less 64
MAX_MIN_PIN_RP_IDS = 4


def config(core: Core, request: Request) -> Answer:
    """Run one subcommand of authenticatorConfig."""
    if not core.model.authenticator_config:
        raise CtapError(ERR.INVALID_COMMAND)
    number, parameters = required(request, 1, int), optional(request, 2, dict)
    if number not in SUBCOMMANDS:
        raise CtapError(ERR.INVALID_PARAMETER)
    if core.is_protected:
        message = PREFIX + bytes([0x0D, number]) + (b"" if parameters is None else cbor.encode(parameters))
        code, version = optional(request, 4, bytes), optional(request, 3, int)
        check_token(core, code, version, message, permission=Permission.AUTHENTICATOR_CONFIG)
    SUBCOMMANDS[number](core, parameters or {})
    return {}


def _enable_enterprise_attestation(core: Core, parameters: Request) -> None:
    core.memory.enterprise_attestation = True


def _toggle_always_uv(core: Core, parameters: Request) -> None:
    core.memory.always_uv = not core.memory.always_uv


def _set_min_pin_length(core: Core, parameters: Request) -> None:
    memory = core.memory
    length = optional(parameters, 1, int) or memory.min_pin_length
    rp_ids, change = optional(parameters, 2, list), bool(optional(parameters, 3, bool))
    if length < memory.min_pin_length or length > MAX_PIN_BYTES:
        raise CtapError(ERR.PIN_POLICY_VIOLATION)
    if change and not memory.pin_hash:
        raise CtapError(ERR.PIN_NOT_SET)
    if rp_ids is not None and len(rp_ids) > MAX_MIN_PIN_RP_IDS:
        raise CtapError(ERR.KEY_STORE_FULL)
    memory.min_pin_length = length
    memory.min_pin_rp_ids = memory.min_pin_rp_ids if rp_ids is None else rp_ids
    if change or (memory.pin_hash and memory.pin_length < length):
        memory.must_change_pin = True
        core.power.token = None


def large_blobs(core: Core, request: Request) -> Answer:
    """Read or write a fragment of the large blob array."""
    offset = required(request, 3, int)
    size, fragment = optional(request, 1, int), optional(request, 2, bytes)
    if (size is None) == (fragment is None):
        raise CtapError(ERR.INVALID_PARAMETER)
    if size is not None:
        if size > MAX_FRAGMENT:
            raise CtapError(ERR.INVALID_LENGTH)
        if offset > len(core.memory.large_blobs):
            raise CtapError(ERR.INVALID_PARAMETER)
        return {1: core.memory.large_blobs[offset : offset + size]}
    assert fragment is not None
    return _write(core, request, offset, fragment)


def _write(core: Core, request: Request, offset: int, fragment: bytes) -> Answer:
    power = core.power
    if len(fragment) > MAX_FRAGMENT:
        raise CtapError(ERR.INVALID_LENGTH)
    if offset == 0:
        size = required(request, 4, int)
        if size > MAX_LARGE_BLOBS:
            raise CtapError(ERR.LARGE_BLOB_STORAGE_FULL)
        power.large_blobs, power.large_blobs_size = b"", size
    if offset != len(power.large_blobs):
        raise CtapError(ERR.INVALID_SEQ)
    if core.is_protected or core.memory.always_uv:
        message = PREFIX + b"\x0c\x00" + offset.to_bytes(4, "little") + hashlib.sha256(fragment).digest()
        code, version = optional(request, 5, bytes), optional(request, 6, int)
        check_token(core, code, version, message, permission=Permission.LARGE_BLOB_WRITE)
    if offset + len(fragment) > power.large_blobs_size:
        raise CtapError(ERR.INVALID_PARAMETER)
    power.large_blobs += fragment
    if len(power.large_blobs) == power.large_blobs_size:
        _keep(core)
    return {}


def _keep(core: Core) -> None:
    blobs, core.power.large_blobs = core.power.large_blobs, b""
    if not hmac.compare_digest(hashlib.sha256(blobs[:-16]).digest()[:16], blobs[-16:]):
        raise CtapError(ERR.INTEGRITY_FAILURE)
    core.memory.large_blobs = blobs


SUBCOMMANDS: dict[int, Callable[[Core, Request], None]] = {
    0x01: _enable_enterprise_attestation,
    0x02: _toggle_always_uv,
    0x03: _set_min_pin_length,
}
