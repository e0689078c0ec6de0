"""Every error of a key is one of ours, with a code, a hint and the name of the key."""

from __future__ import annotations

import inspect

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fido2.client import ClientError
from fido2.cose import RS256
from fido2.ctap import CtapError

from passless.devices import errors
from passless.devices.errors import KeyFault, NoTouch
from passless.devices.refusals import client_refusal, refusal
from passless.devices.responses import _public_key_info
from passless.domain.errors import PasslessError

OURS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("code", range(0x01, 0x100))
def test_every_status_of_a_key_has_an_answer(code: int) -> None:
    error = refusal(CtapError(code).code, "blue key")
    assert '"blue key"' in error.message
    assert type(error) in OURS


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (0x19, "already-enrolled"),
        (0x2E, "not-enrolled"),
        (0x2F, "no-touch"),
        (0x27, "no-touch"),
        (0x31, "wrong-pin"),
        (0x34, "pin-locked"),
        (0x32, "pin-blocked"),
        (0x35, "pin-needed"),
        (0x37, "pin-change-needed"),
        (0x3C, "fingerprint-failed"),
        (0x17, "fingerprints-full"),
        (0x28, "key-full"),
        (0x26, "key-cannot"),
        (0x06, "key-busy"),
        (0x7F, "key-fault"),
    ],
)
def test_the_codes_are_stable(status: int, code: str) -> None:
    assert refusal(status, "blue key").code == code


@pytest.mark.parametrize("kind", OURS)
def test_every_error_has_a_code_of_its_own_and_a_hint(kind: type[PasslessError]) -> None:
    assert [other for other in OURS if other.code == kind.code] == [kind]
    assert kind is errors.NoPermission or kind.hint != kind.__mro__[1].hint  # type: ignore[attr-defined]


@pytest.mark.parametrize("code", list(ClientError.ERR))
def test_every_error_of_the_client_has_an_answer(code: ClientError.ERR) -> None:
    mine = NoTouch("mine")
    error = client_refusal(ClientError(code), "blue key", ineligible=mine)
    assert error is mine if code == ClientError.ERR.DEVICE_INELIGIBLE else '"blue key"' in error.message


def test_an_unexpected_error_of_the_client_is_a_fault() -> None:
    assert isinstance(client_refusal(ClientError(1, "why"), "blue key", ineligible=NoTouch("mine")), KeyFault)


def test_rsa_keys_are_given_as_der_and_unknown_kinds_left_out() -> None:
    public = rsa.generate_private_key(65537, 2048).public_key()
    info = _public_key_info(RS256.from_cryptography_key(public))
    assert info is not None
    assert info.startswith(b"\x30\x82")
    assert _public_key_info({1: 2, 3: -35, -1: 2, -2: b"x", -3: b"y"}) is None
