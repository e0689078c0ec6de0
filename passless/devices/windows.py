"""Windows' own API: since Windows 10 1903 only it, or an administrator, may talk to security keys.

It brings its own windows for choosing, PIN, finger and touch, so the prompts of passless stay silent.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from enum import IntEnum
from threading import Event
from typing import TYPE_CHECKING, TypeVar

import msgspec

from passless.devices.errors import (
    AlreadyEnrolled,
    KeyCannot,
    KeyFault,
    KeyFull,
    NoKey,
    NotEnrolled,
    NoTouch,
)
from passless.devices.options import CreationOptions, RequestOptions
from passless.domain.errors import PasslessError

if TYPE_CHECKING:
    from fido2.client import WebAuthnClient

LOOK_EVERY = 0.1  # seconds between two chances for Ctrl-C

_T = TypeVar("_T")


class Status(IntEnum):
    """HRESULTs of webauthn.dll, from winerror.h; webauthn.h (WebAuthNGetErrorName) says what they mean."""

    NTE_EXISTS = 0x8009000F
    NTE_NOT_FOUND = 0x80090011
    NTE_TOKEN_KEYSET_STORAGE_FULL = 0x80090023
    NTE_INVALID_PARAMETER = 0x80090027
    NTE_NOT_SUPPORTED = 0x80090029
    NTE_DEVICE_NOT_FOUND = 0x80090035
    NTE_USER_CANCELLED = 0x80090036
    ERROR_NOT_SUPPORTED = 0x80070032
    ERROR_CANCELLED = 0x800704C7
    ERROR_TIMEOUT = 0x800705B4


def client_for(origin: str) -> WebAuthnClient | None:
    """Return Windows' client; None where this Windows has none."""
    from fido2.client import DefaultClientDataCollector
    from fido2.client.windows import WindowsClient

    if not WindowsClient.is_available():
        return None
    return WindowsClient(DefaultClientDataCollector(origin))


def register(client: WebAuthnClient, options: CreationOptions) -> str:
    """Make a credential; see `KeyReader.register`."""
    from fido2.webauthn import PublicKeyCredentialCreationOptions

    from passless.devices.responses import registration_json

    asked = PublicKeyCredentialCreationOptions.from_dict(msgspec.to_builtins(options))
    return registration_json(_run(lambda stop: client.make_credential(asked, stop)), None)


def assertion(client: WebAuthnClient, options: RequestOptions) -> str:
    """Use a credential; see `KeyReader.assertion`."""
    from fido2.webauthn import PublicKeyCredentialRequestOptions

    from passless.devices.responses import authentication_json

    asked = PublicKeyCredentialRequestOptions.from_dict(msgspec.to_builtins(options))
    return authentication_json(_run(lambda stop: client.get_assertion(asked, stop)).get_response(0))


def _run(call: Callable[[Event], _T]) -> _T:
    """Run a ceremony beside this thread, which Ctrl-C could not reach inside Windows; it closes Windows' window then."""
    stop, pool = Event(), ThreadPoolExecutor(1)
    try:
        running = pool.submit(call, stop)
        while not wait([running], timeout=LOOK_EVERY).done:
            pass
    except KeyboardInterrupt:
        stop.set()
        raise
    finally:
        pool.shutdown()
    return _result(running)


def _result(running: Future[_T]) -> _T:
    from fido2.client import ClientError

    try:
        return running.result()
    except ClientError as error:
        raise _refusal(getattr(error.cause, "winerror", None)) from error


def _refusal(status: int | None) -> PasslessError:
    match None if status is None else status & 0xFFFFFFFF:
        case Status.NTE_EXISTS:
            return AlreadyEnrolled("this key is already enrolled")
        case Status.NTE_NOT_FOUND:
            return NotEnrolled("this is no key of this account")
        case Status.NTE_DEVICE_NOT_FOUND:
            return NoKey()
        case Status.NTE_USER_CANCELLED | Status.ERROR_CANCELLED | Status.ERROR_TIMEOUT:
            return NoTouch("the request was cancelled, or no key was touched in time")
        case Status.NTE_TOKEN_KEYSET_STORAGE_FULL:
            return KeyFull("there is no room on the key for another credential")
        case Status.NTE_NOT_SUPPORTED | Status.ERROR_NOT_SUPPORTED | Status.NTE_INVALID_PARAMETER:
            return KeyCannot("this key, or this Windows, cannot do what the options ask for")
        case None:
            return KeyFault("Windows did not answer as expected")
        case code:
            return KeyFault(f"Windows answered with error 0x{code:08x}")
