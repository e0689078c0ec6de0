"""The person in front of the key: when they touch it, and which finger they put on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from threading import Condition
from typing import Protocol


class Touch(Protocol):
    """Says when the key is touched."""

    def on_key(self, waited: float) -> bool:
        """Tell whether a finger is on the key, which has been blinking for so many seconds."""
        ...


class AutomaticTouch:
    """Touches as soon as the key blinks, or some seconds after."""

    def __init__(self, after: float = 0.0) -> None:
        self.after = after

    def on_key(self, waited: float) -> bool:
        """Tell whether a finger is on the key."""
        return waited >= self.after


class NoTouch:
    """Nobody is there; only `SoftwareKey.touch()` reaches the key."""

    def on_key(self, waited: float) -> bool:
        """Tell whether a finger is on the key."""
        return False


class FileTouch:
    """Another process touches the key by creating a file.

    The key removes the file when it takes the touch, unless the file says `hold`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_key(self, waited: float) -> bool:
        """Tell whether a finger is on the key."""
        try:
            held = self.path.read_text().strip() == "hold"
        except FileNotFoundError:
            return False
        if not held:
            self.path.unlink(missing_ok=True)
        return True


class Finger(IntEnum):
    """What the sensor sees; the numbers are those of an enrolment sample (CTAP 2.1 §6.7.4)."""

    GOOD = 0x00
    TOO_HIGH = 0x01
    TOO_LOW = 0x02
    TOO_LEFT = 0x03
    TOO_RIGHT = 0x04
    TOO_FAST = 0x05
    TOO_SLOW = 0x06
    POOR_QUALITY = 0x07
    TOO_SKEWED = 0x08
    TOO_SHORT = 0x09
    MERGE_FAILURE = 0x0A
    EXISTS = 0x0B
    NONE = 0x0D  # nobody puts a finger on the sensor
    WRONG = 0xFF  # somebody else's finger: good enough to enrol, no match when verifying


class Hand:
    """A hand that the test moves itself."""

    def __init__(self) -> None:
        self._turn = Condition()
        self._asked = False
        self._pressed = False
        self._held = False

    @property
    def asked(self) -> bool:
        """Whether the key blinks and waits for a touch."""
        return self._asked

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Blink while inside; a touch from before does not count."""
        with self._turn:
            self._asked, self._pressed = True, False
            self._turn.notify_all()
        try:
            yield
        finally:
            with self._turn:
                self._asked = False
                self._turn.notify_all()

    def wait_until_asked(self, within: float) -> None:
        """Wait until the key blinks.

        Raises:
            TimeoutError: it did not within so many seconds.
        """
        with self._turn:
            if not self._turn.wait_for(lambda: self._asked, within):
                raise TimeoutError("the key did not ask for a touch")

    def press(self, within: float) -> None:
        """Wait until the key blinks and touch it once."""
        with self._turn:
            self.wait_until_asked(within)
            self._pressed = True

    def hold(self, *, down: bool) -> None:
        """Rest on the key, or leave it."""
        self._held = down

    def on_key(self) -> bool:
        """Tell whether the hand is on the key."""
        return self._held or self._pressed


class Person:
    """Button, sensor and hand together."""

    def __init__(self, button: Touch, sensor: Touch | None = None) -> None:
        self.button = button
        self.sensor = sensor
        self.hand = Hand()
        self.usual_finger = Finger.GOOD
        self.next_fingers: deque[Finger] = deque()

    def touches(self, waited: float) -> bool:
        """Tell whether the button is touched."""
        return self.hand.on_key() or self.button.on_key(waited)

    def finger(self, waited: float) -> Finger | None:
        """The finger now on the sensor, or None."""
        if self._coming() is Finger.NONE:
            return None
        if not (self.hand.on_key() or (self.sensor or self.button).on_key(waited)):
            return None
        return self.next_fingers.popleft() if self.next_fingers else self.usual_finger

    def stays_away(self) -> None:
        """Note that the sensor has waited in vain."""
        if self.next_fingers and self.next_fingers[0] is Finger.NONE:
            self.next_fingers.popleft()

    def _coming(self) -> Finger:
        return self.next_fingers[0] if self.next_fingers else self.usual_finger
