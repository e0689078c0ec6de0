"""Asking for PINs without ever blocking a key, and setting them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from fido2.ctap import CtapError
from fido2.ctap2.base import Ctap2
from fido2.ctap2.pin import ClientPin

from passless.devices.errors import (
    KeyCannot,
    PinAlreadySet,
    PinBlocked,
    PinChangeNeeded,
    PinLastTry,
    PinLocked,
    PinNeeded,
    PinRefused,
    WrongPin,
)
from passless.devices.lines import Line
from passless.devices.reader import KeyPrompts, NewPinReason, PinReason
from passless.domain.secret import Secret

MIN_PIN_LENGTH = 4  # code points; CTAP 2.1 §6.5.1
MAX_PIN_BYTES = 63  # CTAP 2.1 §6.5.1
LAST_TRY = 1


class PinEntry:
    """One PIN being asked for, as often as it takes, but never into blocking the key."""

    def __init__(self, line: Line, ctap: Ctap2, prompts: KeyPrompts) -> None:
        self.reason = PinReason.NEEDED
        self._line = line
        self._pin = ClientPin(ctap)
        self._prompts = prompts
        self._refused: Secret | None = None
        self._given: Secret | None = None

    def ask(self) -> str:
        """Return a PIN that may be tried, in the form that keys compare.

        Raises:
            PinBlocked, PinLocked: the key takes none.
            PinLastTry: only one is left and the person would rather not.
            PinNeeded: none was given.
            WrongPin: the one given was tried before.
        """
        tries = self._tries_left()
        while True:
            given = self._prompts.pin(self._line.name, tries, self.reason)
            if not given:
                raise PinNeeded(f'the PIN of "{self._line.name}" was not given', hint="try again and type it")
            if given == self._refused:
                raise WrongPin(f'the PIN of "{self._line.name}" was wrong; tries left: {tries}')
            self._given = given
            pin = normalized(given)
            if len(pin) >= MIN_PIN_LENGTH and len(pin.encode()) <= MAX_PIN_BYTES:
                return pin
            self._refused, self.reason = given, PinReason.IMPOSSIBLE

    def was_wrong(self) -> None:
        """Note that the key refused the PIN that `ask` returned."""
        self._refused, self.reason = self._given, PinReason.WRONG

    def _tries_left(self) -> int:
        name = self._line.name
        tries, locked = self._pin.get_pin_retries()
        if tries == 0:
            raise PinBlocked(f'the PIN of "{name}" is blocked for good')
        if locked:
            raise PinLocked(f'"{name}" takes no more PINs until it was pulled out')
        if tries == LAST_TRY and not self._prompts.last_try(name):
            raise PinLastTry(f'one more wrong PIN would block "{name}" for good, so none was tried')
        return tries


def normalized(pin: Secret) -> str:
    """Return a PIN in the form keys hash (CTAP 2.1 §6.5.5.5: Unicode normalisation form C)."""
    return unicodedata.normalize("NFC", pin.reveal())


def open_with_pin(line: Line, ctap: Ctap2, prompts: KeyPrompts, permission: ClientPin.PERMISSION) -> tuple[ClientPin, bytes]:
    """Ask for the PIN and return a token for what it may be used for."""
    require_pin(line, ctap, prompts)
    client_pin, entry = ClientPin(ctap), PinEntry(line, ctap, prompts)
    while True:
        try:
            return client_pin, client_pin.get_pin_token(entry.ask(), permission)
        except CtapError as error:
            if error.code != CtapError.ERR.PIN_INVALID:
                raise
            entry.was_wrong()


def require_pin(line: Line, ctap: Ctap2, prompts: KeyPrompts) -> None:
    """Make sure that the key has a PIN that may be used; offers to set one."""
    _refuse_without_pins(line, ctap)
    if ctap.info.force_pin_change:
        raise PinChangeNeeded(f'"{line.name}" wants a new PIN before anything else')
    if not ctap.info.options.get("clientPin") and not offer_pin(line, ctap, prompts, required=True):
        raise PinNeeded(f'"{line.name}" has no PIN yet')


def offer_pin(line: Line, ctap: Ctap2, prompts: KeyPrompts, *, required: bool) -> bool:
    """Offer to set a first PIN and set it; tell whether there is one now."""
    if not prompts.no_pin_set(line.name, required=required):
        return False
    set_first_pin(line, ctap, prompts)
    return True


def set_first_pin(line: Line, ctap: Ctap2, prompts: KeyPrompts) -> None:
    """Ask for a first PIN and set it."""
    _refuse_without_pins(line, ctap)
    if ctap.get_info().options.get("clientPin"):
        raise PinAlreadySet(f'"{line.name}" has a PIN already')
    _until_accepted(NewPin(line, ctap, prompts), ClientPin(ctap).set_pin)


def change_pin(line: Line, ctap: Ctap2, prompts: KeyPrompts) -> None:
    """Ask for the old PIN and a new one, and change it."""
    _refuse_without_pins(line, ctap)
    if not ctap.info.options.get("clientPin"):
        raise PinNeeded(f'"{line.name}" has no PIN yet')
    client_pin, old_entry, new_entry = ClientPin(ctap), PinEntry(line, ctap, prompts), NewPin(line, ctap, prompts)
    old, new = old_entry.ask(), new_entry.ask()
    while True:
        try:
            return client_pin.change_pin(old, new)
        except CtapError as error:
            match error.code:
                case CtapError.ERR.PIN_INVALID:
                    old_entry.was_wrong()
                    old = old_entry.ask()
                case CtapError.ERR.PIN_POLICY_VIOLATION:
                    new_entry.was_refused()
                    new = new_entry.ask()
                case _:
                    raise


class NewPin:
    """A new PIN being asked for until it is one that the key takes."""

    def __init__(self, line: Line, ctap: Ctap2, prompts: KeyPrompts) -> None:
        self._line = line
        self._prompts = prompts
        self._min_length = max(MIN_PIN_LENGTH, ctap.info.min_pin_length)
        self._max_bytes = min(MAX_PIN_BYTES, ctap.info.max_pin_length)
        self._reason = NewPinReason.NEEDED
        self._refused: Secret | None = None
        self._given: Secret | None = None

    def ask(self) -> str:
        """Return a PIN of a good length; `PinRefused` when the refused one is given again, `PinNeeded` when none is."""
        while True:
            given = self._prompts.new_pin(self._line.name, self._min_length, self._reason)
            if not given:
                raise PinNeeded(f'no new PIN for "{self._line.name}" was given')
            if given == self._refused:
                raise PinRefused(self._why())
            pin = normalized(given)
            self._given = given
            if len(pin) < self._min_length:
                self._refuse(NewPinReason.TOO_SHORT)
            elif len(pin.encode()) > self._max_bytes:
                self._refuse(NewPinReason.TOO_LONG)
            else:
                return pin

    def was_refused(self) -> None:
        """Note that the key did not take the PIN that `ask` returned."""
        self._refuse(NewPinReason.REFUSED)

    def _refuse(self, reason: NewPinReason) -> None:
        self._refused, self._reason = self._given, reason

    def _why(self) -> str:
        match self._reason:
            case NewPinReason.TOO_SHORT:
                return f'a PIN of "{self._line.name}" has at least {self._min_length} characters'
            case NewPinReason.TOO_LONG:
                return f'a PIN of "{self._line.name}" has at most {self._max_bytes} bytes'
            case _:
                return f'"{self._line.name}" does not take this PIN; it may be too simple, or have been used before'


def _refuse_without_pins(line: Line, ctap: Ctap2) -> None:
    if not ClientPin.is_supported(ctap.info):  # type: ignore[no-untyped-call]
        raise KeyCannot(f'"{line.name}" has no PIN')


def _until_accepted(new_pin: NewPin, setter: Callable[[str], None]) -> None:
    while True:
        try:
            return setter(new_pin.ask())
        except CtapError as error:
            if error.code != CtapError.ERR.PIN_POLICY_VIOLATION:
                raise
            new_pin.was_refused()
