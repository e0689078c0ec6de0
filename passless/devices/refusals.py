"""What a key's or fido2's error code means to a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fido2.client import ClientError
from fido2.ctap import CtapError

from passless.devices.errors import (
    AlreadyEnrolled,
    FingerprintFailed,
    FingerprintsFull,
    KeyBusy,
    KeyCannot,
    KeyFault,
    KeyFull,
    NotEnrolled,
    NoTouch,
    PinBlocked,
    PinChangeNeeded,
    PinLocked,
    PinNeeded,
    WrongPin,
)
from passless.domain.errors import PasslessError

ERR = CtapError.ERR
FINGER_REFUSED = (ERR.UV_INVALID, ERR.UV_BLOCKED, ERR.PUAT_REQUIRED, ERR.OPERATION_DENIED)


def refusal(code: int, name: str) -> PasslessError:
    """Return our error for a CTAP status."""
    match code:
        case ERR.PIN_INVALID:
            return WrongPin(f'the PIN of "{name}" was wrong')
        case ERR.PIN_AUTH_BLOCKED:
            return PinLocked(f'"{name}" takes no more PINs until it was pulled out')
        case ERR.PIN_BLOCKED:
            return PinBlocked(f'the PIN of "{name}" is blocked for good')
        case ERR.PIN_NOT_SET | ERR.PUAT_REQUIRED:
            return PinNeeded(f'"{name}" needs a PIN for this')
        case ERR.PIN_POLICY_VIOLATION:
            return PinChangeNeeded(f'"{name}" wants a new PIN before anything else')
        case ERR.UV_INVALID | ERR.UV_BLOCKED:
            return FingerprintFailed(f'"{name}" did not recognise the finger')
        case ERR.FP_DATABASE_FULL:
            return FingerprintsFull(f'"{name}" knows as many fingers as it can')
        case _:
            return _refusal_of_request(code, name)


def _refusal_of_request(code: int, name: str) -> PasslessError:
    match code:
        case ERR.CREDENTIAL_EXCLUDED:
            return AlreadyEnrolled(f'"{name}" is already enrolled')
        case ERR.NO_CREDENTIALS | ERR.INVALID_CREDENTIAL:
            return NotEnrolled(f'"{name}" is no key of this account')
        case ERR.KEEPALIVE_CANCEL | ERR.ACTION_TIMEOUT | ERR.USER_ACTION_TIMEOUT | ERR.TIMEOUT:
            return NoTouch(f'"{name}" was not touched in time')
        case ERR.OPERATION_DENIED | ERR.UP_REQUIRED:
            return NoTouch(f'the request was declined on "{name}"')
        case ERR.KEY_STORE_FULL:
            return KeyFull(f'there is no room on "{name}" for another credential')
        case ERR.UNSUPPORTED_ALGORITHM:
            return KeyCannot(f'"{name}" makes none of the kinds of key pairs asked for')
        case ERR.UNSUPPORTED_OPTION | ERR.INVALID_OPTION | ERR.INVALID_COMMAND | ERR.INVALID_SUBCOMMAND:
            return KeyCannot(f'"{name}" cannot do that')
        case ERR.REQUEST_TOO_LARGE:
            return KeyCannot(f'"{name}" takes no request that long')
        case ERR.CHANNEL_BUSY:
            return KeyBusy(f'"{name}" is busy with another program')
        case _:
            return KeyFault(f'"{name}" answered with error 0x{code:02x}')


def client_refusal(error: ClientError, name: str, *, ineligible: PasslessError) -> PasslessError:
    """Return our error for fido2's; `ineligible` is what its DEVICE_INELIGIBLE means here."""
    if isinstance(error.cause, CtapError):
        return refusal(error.cause.code, name)
    match error.code:
        case ClientError.ERR.DEVICE_INELIGIBLE:
            return ineligible
        case ClientError.ERR.TIMEOUT:
            return NoTouch(f'"{name}" was not touched in time')
        case ClientError.ERR.CONFIGURATION_UNSUPPORTED:
            return KeyCannot(f'"{name}" cannot do what the options ask for')
        case _:
            return KeyFault(f'"{name}" did not answer as expected')


@contextmanager
def explaining(name: str) -> Iterator[None]:
    """Turn what fido2 raises inside into our errors."""
    try:
        yield
    except CtapError as error:
        raise refusal(error.code, name) from error
    except (ValueError, TypeError, LookupError) as error:
        raise KeyFault(f'"{name}" sent an answer that cannot be read') from error
