"""The software key as a test holds it in its hands."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from threading import Lock, RLock, Thread, current_thread

from fido2.hid.base import HidDescriptor

from .authenticator import Authenticator
from .connection import SoftwareConnection, Transaction, Vanished
from .core import Core, PowerCycle
from .fingerprints import MAX_NAME
from .framing import REPORT, HidCommand, Message
from .memory import Credential, Fingerprint, KeyFile, Memory, Saved
from .model import Model
from .person import AutomaticTouch, Finger, Person, Touch
from .pins import remember_pin

VENDOR, PRODUCT = 0x1209, 0x0001  # pid.codes, reserved for tests
LONG_AGO = 3600.0  # seconds
OTHER_ERROR = b"\x7f"  # CTAP 2.1 §8.2

_numbers = count(1)


class SoftwareKey:
    """A security key without hardware.

    Args:
        model: what the key can do; a key read from a file keeps the model it was made with.
        file: where the key is kept between processes; without it in this process only.
        touch: when the button is touched; at once by default.
        sensor: when a finger lies on the fingerprint sensor; like the button by default.
        pin: the PIN that a new key starts with.
        fingerprints: names of fingers that a new key already knows.
        presence: if given, the key is plugged in only while this file exists.
        still_plugged_in: go on with the power cycle of the last process, which began long ago.
        clock: seconds that never go back; replace it to let time pass.
    """

    def __init__(
        self,
        *,
        model: Model | None = None,
        file: Path | None = None,
        touch: Touch | None = None,
        sensor: Touch | None = None,
        pin: str | None = None,
        fingerprints: Sequence[str] = (),
        presence: Path | None = None,
        still_plugged_in: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = KeyFile(file)
        saved = self._file.load() or _new(model or Model(), pin, fingerprints)
        self._core = Core(saved.model, saved.memory, Person(touch or AutomaticTouch(), sensor), clock)
        self._presence = presence
        self._still_plugged_in = still_plugged_in
        self._in_port = self._powered = False
        self._look = RLock()
        self._busy = Lock()
        self._worker: Thread | None = None
        self.serial = f"{next(_numbers):06}"
        self.power_ups = 0
        self.winks = 0
        self.faults: list[Exception] = []  # errors in the key itself, never in the code under test
        self._save()

    # What the person does.

    def plug(self) -> None:
        """Put the key into its port."""
        self._in_port = True
        self._notice()

    def unplug(self) -> None:
        """Pull the key out, also in the middle of a command."""
        self._in_port = False
        self._notice()
        if self._worker and self._worker is not current_thread():
            self._worker.join()

    def touch(self, within: float = 60.0) -> None:
        """Wait until the key blinks and touch it once.

        Raises:
            TimeoutError: it did not blink within so many seconds.
        """
        self._core.person.hand.press(within)

    def hold(self) -> None:
        """Rest a finger on the key."""
        self._core.person.hand.hold(down=True)

    def release(self) -> None:
        """Take the finger away."""
        self._core.person.hand.hold(down=False)

    def wait_until_blinking(self, within: float = 60.0) -> None:
        """Wait until the key asks for a touch."""
        self._core.person.hand.wait_until_asked(within)

    def next_fingers(self, *fingers: Finger) -> None:
        """Say what the sensor sees the next times; after that the usual finger again."""
        self._core.person.next_fingers.extend(fingers)

    def usual_finger(self, finger: Finger) -> None:
        """Say what the sensor sees whenever nothing else was said."""
        self._core.person.usual_finger = finger

    def touched_by(self, touch: Touch, sensor: Touch | None = None) -> None:
        """Change when the key is touched."""
        self._core.person.button, self._core.person.sensor = touch, sensor

    # What a test may know and prepare.

    @property
    def is_blinking(self) -> bool:
        """Whether the key waits for a touch."""
        return self._core.person.hand.asked

    @property
    def model(self) -> Model:
        """What the key can do."""
        return self._core.model

    @property
    def memory(self) -> Memory:
        """Everything that the key remembers without power."""
        return self._core.memory

    @property
    def credentials(self) -> list[Credential]:
        """The discoverable credentials on the key, the newest last."""
        return self._core.memory.discoverable

    def set_pin(self, pin: str) -> None:
        """Set or replace the PIN without asking for the old one."""
        remember_pin(self._core.memory, pin)
        self._save()

    def add_fingerprint(self, name: str) -> None:
        """Let the key know one more finger."""
        self._core.memory.fingerprints.append(_fingerprint(name))
        self._save()

    # What the computer sees.

    @property
    def is_plugged_in(self) -> bool:
        """Whether the key has power."""
        return self._notice()

    @property
    def is_busy(self) -> bool:
        """Whether the key works on a command."""
        return self._busy.locked()

    @property
    def descriptor(self) -> HidDescriptor:
        """How the system describes the key."""
        path = f"/dev/software-key-{self.serial}"
        return HidDescriptor(path, VENDOR, PRODUCT, REPORT, REPORT, self.model.product_name, self.serial)

    def start(self, connection: SoftwareConnection, transaction: Transaction, message: Message) -> bool:
        """Work on a command beside the caller; False if the key already works on one."""
        if not self._busy.acquire(blocking=False):
            return False
        worker = Thread(target=self._work, args=(connection, transaction, message), daemon=True)
        worker.start()
        self._worker = worker
        return True

    def _work(self, connection: SoftwareConnection, transaction: Transaction, message: Message) -> None:
        try:
            answer = Authenticator(self._core).run(message.payload, transaction)
            self._save()
        except Vanished:
            return
        except Exception as error:  # noqa: BLE001 - a fault of the key, reported when it is pulled out
            self.faults.append(error)
            answer = OTHER_ERROR
        finally:
            self._busy.release()
        connection.finish(Message(message.channel, HidCommand.CBOR, answer))

    def _notice(self) -> bool:
        """Look at the port; this is what starts and ends a power cycle."""
        with self._look:
            there = self._in_port and (self._presence is None or self._presence.exists())
            if there and not self._powered:
                self._power_up()
            self._powered = there
            return there

    def _power_up(self) -> None:
        if saved := self._file.load():
            self._core.memory = saved.memory
        self._core.power = PowerCycle(self._core.clock() - (LONG_AGO if self._still_plugged_in else 0))
        if not self._still_plugged_in:
            self._core.memory.wrong_pins_in_a_row = 0
        self._still_plugged_in = False
        self.power_ups += 1

    def _save(self) -> None:
        self._file.save(Saved(self._core.model, self._core.memory))


def _new(model: Model, pin: str | None, fingerprints: Sequence[str]) -> Saved:
    memory = Memory(min_pin_length=model.min_pin_length)
    if pin is not None:
        remember_pin(memory, pin)
    memory.fingerprints = [_fingerprint(name) for name in fingerprints]
    return Saved(model, memory)


def _fingerprint(name: str) -> Fingerprint:
    if len(name.encode()) > MAX_NAME:
        raise ValueError(f"a finger's name has at most {MAX_NAME} bytes")
    return Fingerprint(name.encode().rjust(4, b"\0")[-4:], name)
