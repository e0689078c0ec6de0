"""The person whom the keys ask, as a test scripts them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from passless.devices.reader import NewPinReason, PinReason, Sample
from passless.domain.secret import Secret

Reaction = Callable[[], None]


class Someone:
    """Answers from lists, and remembers everything that was said.

    Args:
        pins: the PINs typed one after the other; the last is repeated.
        new_pins: the same for new PINs.
        sets_a_pin: whether to set a PIN on a key that has none.
        risks_the_last_try: whether to type a PIN when only one try is left.
        account: the place of the account chosen among several.
        on: what to do when something is said, by its first word.
    """

    def __init__(
        self,
        *,
        pins: Sequence[str] = (),
        new_pins: Sequence[str] = (),
        sets_a_pin: bool = False,
        risks_the_last_try: bool = False,
        account: int = 0,
        on: dict[str, Reaction] | None = None,
    ) -> None:
        self.said: list[str] = []
        self._pins = deque(pins)
        self._new_pins = deque(new_pins)
        self._sets_a_pin = sets_a_pin
        self._risks_the_last_try = risks_the_last_try
        self._account = account
        self._on = on or {}

    def touch(self, key_name: str) -> None:
        self._hear(f"touch {key_name}")

    def choose_by_touch(self, key_names: Sequence[str]) -> None:
        self._hear(f"choose {', '.join(key_names)}")

    def fingerprint(self, key_name: str, tries_left: int) -> None:
        self._hear(f"finger {tries_left}")

    def pin(self, key_name: str, tries_left: int, reason: PinReason) -> Secret:
        self._hear(f"pin {tries_left} {reason}")
        return _next(self._pins)

    def last_try(self, key_name: str) -> bool:
        self._hear("last-try")
        return self._risks_the_last_try

    def no_pin_set(self, key_name: str, *, required: bool) -> bool:
        self._hear(f"no-pin {'required' if required else 'preferred'}")
        return self._sets_a_pin

    def new_pin(self, key_name: str, min_length: int, reason: NewPinReason) -> Secret:
        self._hear(f"new-pin {min_length} {reason}")
        return _next(self._new_pins)

    def finger_sample(self, key_name: str, last: Sample, remaining: int | None) -> None:
        self._hear(f"sample {last} {remaining}")

    def choose_credential(self, key_name: str, user_names: Sequence[str]) -> int:
        self._hear(f"account {', '.join(user_names)}")
        return self._account

    def unplug(self, key_name: str) -> None:
        self._hear("unplug")

    def plug_in(self, key_name: str) -> None:
        self._hear("plug-in")

    def _hear(self, sentence: str) -> None:
        self.said.append(sentence)
        if reaction := self._on.get(sentence.split(maxsplit=1)[0]):
            reaction()


def _next(answers: deque[str]) -> Secret:
    if not answers:
        return Secret("")
    return Secret(answers.popleft() if len(answers) > 1 else answers[0])
