"""How a security key reaches the person: on the terminal, or with a PIN from a file."""

from __future__ import annotations

from collections.abc import Sequence

from passless.cli import asking
from passless.cli.secret_files import SecretFile
from passless.devices.reader import NewPinReason, PinReason, Sample
from passless.domain.secret import Secret

PIN_REASONS = {
    PinReason.NEEDED: "",
    PinReason.WRONG: "that was not the PIN; ",
    PinReason.IMPOSSIBLE: "no PIN is that short or long; ",
    PinReason.FINGERPRINT_FAILED: "the finger was not recognised; ",
}
NEW_PIN_REASONS = {
    NewPinReason.NEEDED: "",
    NewPinReason.TOO_SHORT: "that is too short; ",
    NewPinReason.TOO_LONG: "that is too long; ",
    NewPinReason.REFUSED: "the key does not take that one; ",
}
SAMPLES = {
    Sample.FIRST: "put a finger on the sensor",
    Sample.GOOD: "good, once more",
    Sample.NO_FINGER: "put the finger on the sensor",
    Sample.NOT_LIFTED: "lift the finger first",
    Sample.ALREADY_KNOWN: "the key knows this finger already",
}


class TerminalKeyPrompts:
    """Speaks to the person; without a terminal it only tells, and takes PINs from files."""

    def __init__(self, *, can_ask: bool, pin: SecretFile | None = None, new_pin: SecretFile | None = None) -> None:
        self._can_ask = can_ask
        self._pin = pin.read() if pin is not None else None
        self._new_pin = new_pin.read() if new_pin is not None else None

    def touch(self, key_name: str) -> None:
        """Say that the key waits for a touch."""
        asking.say(f'touch "{key_name}" while it blinks')

    def choose_by_touch(self, key_names: Sequence[str]) -> None:
        """Say that the key to use is to be touched."""
        asking.say(f"touch the key to use: {', '.join(key_names)}")

    def fingerprint(self, key_name: str, tries_left: int) -> None:
        """Ask for a finger."""
        asking.say(f'put a finger on "{key_name}" (tries left: {tries_left})')

    def pin(self, key_name: str, tries_left: int, reason: PinReason) -> Secret:
        """Ask for the key's PIN; the one from the file where there is no terminal."""
        if self._pin is not None:
            return self._pin
        if not self._can_ask:
            return Secret("")
        return asking.secret(f'{PIN_REASONS[reason]}PIN of "{key_name}" (tries left: {tries_left})')

    def last_try(self, key_name: str) -> bool:
        """Ask whether to use the last try."""
        return self._can_ask and asking.yes(f'one more wrong PIN blocks "{key_name}" for good; try anyway?')

    def no_pin_set(self, key_name: str, *, required: bool) -> bool:
        """Offer to set a PIN."""
        if self._new_pin is not None:
            return True
        why = "it needs one" if required else "with one, the key is two factors in itself"
        return self._can_ask and asking.yes(f'"{key_name}" has no PIN; {why}. Set one now?')

    def new_pin(self, key_name: str, min_length: int, reason: NewPinReason) -> Secret:
        """Ask for a new PIN, twice."""
        if self._new_pin is not None:
            return self._new_pin
        if not self._can_ask:
            return Secret("")
        return asking.new_secret(f'{NEW_PIN_REASONS[reason]}new PIN of "{key_name}", at least {min_length} characters')

    def finger_sample(self, key_name: str, last: Sample, remaining: int | None) -> None:
        """Ask for the next touch of the finger."""
        what = SAMPLES.get(last, f"{last.replace('-', ' ')}, once more")
        left = "" if remaining is None else f" (about {remaining} more)"
        asking.say(f"{key_name}: {what}{left}")

    def choose_credential(self, key_name: str, user_names: Sequence[str]) -> int:
        """Ask which account on the key signs in."""
        if not self._can_ask:
            return 0
        return int(asking.choose("Which account?", [(str(place), name) for place, name in enumerate(user_names)]))

    def unplug(self, key_name: str) -> None:
        """Ask to pull the key out."""
        asking.say(f'pull "{key_name}" out')

    def plug_in(self, key_name: str) -> None:
        """Ask to plug the key in again."""
        asking.say(f'plug "{key_name}" in again, and touch it within 10 seconds')
