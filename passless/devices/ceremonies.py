"""Registering and asserting with one open key."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any, TypeVar

import msgspec
from fido2.client import AssertionSelection, ClientError, DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.ctap import CtapError
from fido2.ctap2.base import Ctap2
from fido2.ctap2.pin import ClientPin
from fido2.rpid import verify_rp_id
from fido2.webauthn import (
    PublicKeyCredentialCreationOptions,
    PublicKeyCredentialRequestOptions,
    RegistrationResponse,
)

from passless.devices.errors import AlreadyEnrolled, FingerprintFailed, KeyCannot, NotEnrolled, PinChangeNeeded, WrongOrigin
from passless.devices.lines import Line
from passless.devices.options import CreationOptions, RequestOptions
from passless.devices.pins import PinEntry
from passless.devices.reader import KeyPrompts, PinReason
from passless.devices.refusals import ERR, FINGER_REFUSED, client_refusal
from passless.devices.responses import authentication_json, registration_json
from passless.devices.verification import gives_tokens, settle_verification
from passless.domain.errors import PasslessError
from passless.domain.names import printable

FINGER_TRIES = 3  # then the PIN; CTAP 2.1 §6.4 preferredPlatformUvAttempts, where a key does not say

_T = TypeVar("_T")
_Call = Callable[[Fido2Client, Event], _T]


def check_relying_party(rp_id: str | None, origin: str) -> None:
    """Refuse what a browser would refuse: answering for a relying party that is not at home there."""
    if not verify_rp_id(rp_id or "", origin):
        raise WrongOrigin(f'"{printable(origin)}" may not use keys of "{printable(rp_id or "")}"')


def register(line: Line, options: CreationOptions, origin: str, prompts: KeyPrompts) -> str:
    """Make a credential on this key; see `KeyReader.register`."""
    wish = options.verifying(settle_verification(line, options.verification, prompts, enrolling=True))
    if wish.needs_resident_key and not (line.speaks_ctap2 and line.ctap2().info.options.get("rk")):
        raise KeyCannot(f'"{line.name}" cannot keep a credential itself')
    asked = PublicKeyCredentialCreationOptions.from_dict(msgspec.to_builtins(wish))

    def make(client: Fido2Client, stop: Event) -> RegistrationResponse:
        return client.make_credential(asked, stop)

    return registration_json(_run(line, origin, prompts, make, AlreadyEnrolled(f'"{line.name}" is already enrolled')), line)


def assertion(line: Line, options: RequestOptions, origin: str, prompts: KeyPrompts) -> str:
    """Use a credential of this key; see `KeyReader.assertion`."""
    wish = options.verifying(settle_verification(line, options.verification, prompts, enrolling=False))
    if not (line.speaks_ctap2 or wish.allow_credentials):
        raise NotEnrolled(f'"{line.name}" is an older U2F key and keeps no credentials itself')
    asked = PublicKeyCredentialRequestOptions.from_dict(msgspec.to_builtins(wish))

    def get(client: Fido2Client, stop: Event) -> AssertionSelection:
        return client.get_assertion(asked, stop)

    found = _run(line, origin, prompts, get, NotEnrolled(f'"{line.name}" is no key of this account'))
    return authentication_json(found.get_response(_choose(line, found, prompts)))


class Interaction(UserInteraction):
    """Passes fido2's questions on to the person, and remembers what came of them."""

    def __init__(self, line: Line, prompts: KeyPrompts) -> None:
        self._line = line
        self._prompts = prompts
        self._ctap = line.ctap2() if line.speaks_ctap2 else None
        self._pin: PinEntry | None = None
        self._asked_finger = False
        self._finger_failures = 0
        self._said_finger = False

    def prompt_up(self) -> None:
        """Pass on that the key blinks, unless that is for the finger just announced."""
        if self._said_finger:
            self._said_finger = False
        else:
            self._prompts.touch(self._line.name)

    def request_pin(self, permissions: ClientPin.PERMISSION, rp_id: str | None) -> str:
        """Ask for the PIN."""
        ctap = self._ctap2()
        if ctap.info.force_pin_change:
            raise PinChangeNeeded(f'"{self._line.name}" wants a new PIN before anything else')
        if self._pin is None:
            self._pin = PinEntry(self._line, ctap, self._prompts)
            if self._asked_finger:
                self._pin.reason = PinReason.FINGERPRINT_FAILED
        return self._pin.ask()

    def request_uv(self, permissions: ClientPin.PERMISSION, rp_id: str | None) -> bool:
        """Ask for a finger, or say that it is time for the PIN."""
        if self._pin is not None:
            return False
        self._asked_finger = True
        left = self._finger_tries_left()
        if left <= 0:
            if self._has_pin():
                return False
            raise FingerprintFailed(f'"{self._line.name}" takes no more fingers for now')
        self._said_finger = True
        self._prompts.fingerprint(self._line.name, left)
        return True

    def may_try_again(self, error: ClientError) -> bool:
        """Tell whether the error was one that another PIN or finger mends."""
        code = error.cause.code if isinstance(error.cause, CtapError) else None
        if code == ERR.PIN_INVALID and self._pin is not None:
            self._pin.was_wrong()
            return True
        if code in FINGER_REFUSED and self._asked_finger and self._pin is None:
            self._finger_failures += 1
            return self._has_pin() or self._finger_tries_left() > 0
        return False

    def refusal(self, error: ClientError, ineligible: PasslessError) -> PasslessError:
        """Return our error for fido2's, which calls a blocked finger without a PIN beside it an unsupported configuration."""
        if self._asked_finger and not self._has_pin() and error.code == ClientError.ERR.CONFIGURATION_UNSUPPORTED:
            return FingerprintFailed(f'"{self._line.name}" takes no more fingers for now')
        return client_refusal(error, self._line.name, ineligible=ineligible)

    def _has_pin(self) -> bool:
        return bool(self._ctap2().info.options.get("clientPin"))

    def _finger_tries_left(self) -> int:
        """Return how often a finger may still be tried before the PIN is asked for."""
        ctap = self._ctap2()
        left = (ctap.info.preferred_platform_uv_attempts or FINGER_TRIES) - self._finger_failures
        if gives_tokens(ctap.info):
            left = min(left, ClientPin(ctap).get_uv_retries())
        return left

    def _ctap2(self) -> Ctap2:
        assert self._ctap is not None, "only a key that speaks CTAP 2 is asked for PIN or finger"
        return self._ctap


def _run(line: Line, origin: str, prompts: KeyPrompts, call: _Call[_T], ineligible: PasslessError) -> _T:
    """Run a ceremony, again and again while another PIN or finger may help.

    Ctrl-C needs nothing here: fido2 cancels the key on KeyboardInterrupt and lets it pass.
    """
    interaction = Interaction(line, prompts)
    client = Fido2Client(line, DefaultClientDataCollector(origin), interaction)
    while True:
        try:
            return call(client, Event())
        except ClientError as error:
            if not interaction.may_try_again(error):
                raise interaction.refusal(error, ineligible) from error


def _choose(line: Line, found: AssertionSelection, prompts: KeyPrompts) -> int:
    assertions = found.get_assertions()
    if len(assertions) == 1:
        return 0
    place = prompts.choose_credential(line.name, [_user_name(one.user) for one in assertions])
    return place if 0 <= place < len(assertions) else 0


def _user_name(user: dict[str, Any] | None) -> str:
    """Names come only with a PIN or finger; without, the id must do."""
    user = user or {}
    return printable(user.get("displayName") or user.get("name") or bytes(user.get("id", b"")).hex())
