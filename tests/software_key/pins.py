"""authenticatorClientPIN: the PIN, its retries, and the tokens it gives (CTAP 2.1 §6.5)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from fido2.ctap import CtapError

from .core import ERR, Answer, Core, Request, optional, required
from .memory import MAX_PIN_RETRIES, MAX_UV_RETRIES, Memory
from .pin_protocols import PinProtocol
from .tokens import Permission, Token

WRONG_PINS_PER_POWER_CYCLE = 3  # CTAP 2.1 §6.5.2.3
MAX_PIN_BYTES = 63  # CTAP 2.1 §6.5.1

PROTOCOL, SUBCOMMAND, KEY_AGREEMENT, CODE, NEW_PIN, PIN_HASH, PERMISSIONS, RP_ID = 1, 2, 3, 4, 5, 6, 9, 10


def client_pin(core: Core, request: Request) -> Answer:
    """Run one subcommand."""
    subcommand = SUBCOMMANDS.get(required(request, SUBCOMMAND, int))
    if subcommand is None:
        raise CtapError(ERR.INVALID_SUBCOMMAND)
    return subcommand(core, request)


def remember_pin(memory: Memory, pin: str) -> None:
    """Take a PIN as the new one."""
    memory.pin_hash = pin_hash(pin.encode())
    memory.pin_length = len(pin)
    memory.pin_retries = MAX_PIN_RETRIES
    memory.uv_retries = MAX_UV_RETRIES
    memory.wrong_pins_in_a_row = 0
    memory.must_change_pin = False


def pin_hash(pin: bytes) -> bytes:
    """The half of the SHA-256 that is kept and compared."""
    return hashlib.sha256(pin).digest()[:16]


def _retries(core: Core, request: Request) -> Answer:
    if not core.memory.pin_hash:
        raise CtapError(ERR.PIN_NOT_SET)
    return {3: core.memory.pin_retries, 4: _needs_power_cycle(core)}


def _uv_retries(core: Core, request: Request) -> Answer:
    if not core.model.fingerprint_reader:
        raise CtapError(ERR.INVALID_SUBCOMMAND)
    return {5: core.memory.uv_retries}


def _agree(core: Core, request: Request) -> Answer:
    return {1: _protocol(core, request).agreement_key}


def _set_pin(core: Core, request: Request) -> Answer:
    protocol = _protocol(core, request)
    secret = _shared_secret(protocol, request)
    encrypted = required(request, NEW_PIN, bytes)
    if core.memory.pin_hash or not protocol.verifies(secret, encrypted, required(request, CODE, bytes)):
        raise CtapError(ERR.PIN_AUTH_INVALID)
    remember_pin(core.memory, _new_pin(core, protocol, secret, encrypted))
    return {}


def _change_pin(core: Core, request: Request) -> Answer:
    protocol = _protocol(core, request)
    secret = _shared_secret(protocol, request)
    encrypted, old = required(request, NEW_PIN, bytes), required(request, PIN_HASH, bytes)
    _refuse_when_blocked(core)
    if not protocol.verifies(secret, encrypted + old, required(request, CODE, bytes)):
        raise CtapError(ERR.PIN_AUTH_INVALID)
    _check_pin(core, protocol, secret, old)
    new = _new_pin(core, protocol, secret, encrypted)
    if core.memory.must_change_pin and pin_hash(new.encode()) == core.memory.pin_hash:
        raise CtapError(ERR.PIN_POLICY_VIOLATION)
    remember_pin(core.memory, new)
    core.power.token = None
    return {}


def _token_for_pin_alone(core: Core, request: Request) -> Answer:
    """The token of CTAP 2.0: no permissions are named, it may make and use credentials."""
    if PERMISSIONS in request or RP_ID in request:
        raise CtapError(ERR.INVALID_PARAMETER)
    protocol, secret = _open_with_pin(core, request)
    if core.memory.must_change_pin:
        raise CtapError(ERR.PIN_INVALID)
    permissions = Permission.MAKE_CREDENTIAL | Permission.GET_ASSERTION
    return _give_token(core, protocol, secret, permissions, None, user_present=False)


def _token_for_pin(core: Core, request: Request) -> Answer:
    permissions, rp_id = _wanted(core, request)
    protocol, secret = _open_with_pin(core, request)
    if core.memory.must_change_pin:
        raise CtapError(ERR.PIN_POLICY_VIOLATION)
    return _give_token(core, protocol, secret, permissions, rp_id, user_present=False)


def _token_for_finger(core: Core, request: Request) -> Answer:
    protocol = _protocol(core, request)
    secret = _shared_secret(protocol, request)
    permissions, rp_id = _wanted(core, request)
    if permissions & (Permission.BIO_ENROLLMENT | Permission.AUTHENTICATOR_CONFIG):
        raise CtapError(ERR.UNAUTHORIZED_PERMISSION)
    if not core.memory.fingerprints:
        raise CtapError(ERR.NOT_ALLOWED)
    core.verify_finger()
    return _give_token(core, protocol, secret, permissions, rp_id, user_present=True)


def _wanted(core: Core, request: Request) -> tuple[Permission, str | None]:
    number, rp_id = required(request, PERMISSIONS, int), optional(request, RP_ID, str)
    if number == 0:
        raise CtapError(ERR.INVALID_PARAMETER)
    if number & ~_grantable(core):
        raise CtapError(ERR.UNAUTHORIZED_PERMISSION)
    permissions = Permission(number)
    if permissions & (Permission.MAKE_CREDENTIAL | Permission.GET_ASSERTION) and rp_id is None:
        raise CtapError(ERR.MISSING_PARAMETER)
    return permissions, rp_id


def _grantable(core: Core) -> Permission:
    granted = Permission.MAKE_CREDENTIAL | Permission.GET_ASSERTION | Permission.LARGE_BLOB_WRITE
    if core.model.credential_management:
        granted |= Permission.CREDENTIAL_MANAGEMENT
    if core.model.fingerprint_reader:
        granted |= Permission.BIO_ENROLLMENT
    if core.model.authenticator_config:
        granted |= Permission.AUTHENTICATOR_CONFIG
    return granted


def _open_with_pin(core: Core, request: Request) -> tuple[PinProtocol, bytes]:
    protocol = _protocol(core, request)
    secret = _shared_secret(protocol, request)
    encrypted = required(request, PIN_HASH, bytes)
    if not core.memory.pin_hash:
        raise CtapError(ERR.PIN_NOT_SET)
    _refuse_when_blocked(core)
    _check_pin(core, protocol, secret, encrypted)
    return protocol, secret


def _check_pin(core: Core, protocol: PinProtocol, secret: bytes, encrypted: bytes) -> None:
    memory = core.memory
    # Counted before the comparison, so that pulling the key out saves no attempt.
    memory.pin_retries -= 1
    try:
        given = protocol.decrypt(secret, encrypted)
    except ValueError:
        given = b""
    if hmac.compare_digest(given, memory.pin_hash):
        memory.pin_retries, memory.uv_retries, memory.wrong_pins_in_a_row = MAX_PIN_RETRIES, MAX_UV_RETRIES, 0
        return
    memory.wrong_pins_in_a_row += 1
    protocol.renew()
    _refuse_when_blocked(core)
    raise CtapError(ERR.PIN_INVALID)


def _refuse_when_blocked(core: Core) -> None:
    if core.memory.pin_retries == 0:
        raise CtapError(ERR.PIN_BLOCKED)
    if _needs_power_cycle(core):
        raise CtapError(ERR.PIN_AUTH_BLOCKED)


def _needs_power_cycle(core: Core) -> bool:
    return core.memory.wrong_pins_in_a_row >= WRONG_PINS_PER_POWER_CYCLE


def _new_pin(core: Core, protocol: PinProtocol, secret: bytes, encrypted: bytes) -> str:
    try:
        padded = protocol.decrypt(secret, encrypted)
    except ValueError as error:
        raise CtapError(ERR.INVALID_PARAMETER) from error
    if len(padded) != 64:
        raise CtapError(ERR.INVALID_PARAMETER)
    try:
        pin = padded.rstrip(b"\0").decode()
    except UnicodeDecodeError as error:
        raise CtapError(ERR.PIN_POLICY_VIOLATION) from error
    if len(pin) < core.memory.min_pin_length or len(pin.encode()) > MAX_PIN_BYTES:
        raise CtapError(ERR.PIN_POLICY_VIOLATION)
    return pin


def _give_token(
    core: Core, protocol: PinProtocol, secret: bytes, permissions: Permission, rp_id: str | None, *, user_present: bool
) -> Answer:
    core.power.token = Token(protocol.version, permissions, rp_id, core.clock(), user_present)
    return {2: protocol.encrypt(secret, core.power.token.value)}


def _protocol(core: Core, request: Request) -> PinProtocol:
    return core.protocol(required(request, PROTOCOL, int))


def _shared_secret(protocol: PinProtocol, request: Request) -> bytes:
    try:
        return protocol.shared_secret(required(request, KEY_AGREEMENT, dict))
    except (ValueError, KeyError, TypeError) as error:
        raise CtapError(ERR.INVALID_PARAMETER) from error


SUBCOMMANDS: dict[int, Callable[[Core, Request], Answer]] = {
    0x01: _retries,
    0x02: _agree,
    0x03: _set_pin,
    0x04: _change_pin,
    0x05: _token_for_pin_alone,
    0x06: _token_for_finger,
    0x07: _uv_retries,
    0x09: _token_for_pin,
}
