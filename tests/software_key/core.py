"""What all commands of the key share: its memory, the running power cycle, waiting for the person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from fido2.ctap import CtapError

from .memory import MAX_UV_RETRIES, Fingerprint, Memory
from .model import Model
from .person import Finger, Person
from .pin_protocols import PinProtocol, PinProtocolTwo
from .tokens import Token

Request = Mapping[int, Any]
Answer = dict[int, Any]
ERR = CtapError.ERR
T = TypeVar("T")


class Line(Protocol):
    """The connection on which the running command came."""

    def tick(self) -> None:
        """Wait a moment, saying now and then that the person is needed.

        Raises:
            CtapError: the other side cancelled the command.
        """
        ...


@dataclass
class Enrolment:
    """A finger on its way into the memory."""

    fingerprint: Fingerprint
    remaining: int


@dataclass
class PowerCycle:
    """What the key forgets when it is pulled out."""

    started: float
    protocols: dict[int, PinProtocol] = field(default_factory=lambda: {1: PinProtocol(), 2: PinProtocolTwo()})
    token: Token | None = None
    next_assertions: list[Answer] = field(default_factory=list)
    next_assertions_until: float = 0.0
    next_relying_parties: list[Answer] = field(default_factory=list)
    next_credentials: list[Answer] = field(default_factory=list)
    enrolment: Enrolment | None = None
    large_blobs: bytes = b""
    large_blobs_size: int = 0


class Core:
    """One key, as its commands see it."""

    def __init__(self, model: Model, memory: Memory, person: Person, clock: Callable[[], float]) -> None:
        self.model = model
        self.memory = memory
        self.person = person
        self.clock = clock
        self.power = PowerCycle(clock())
        self.line: Line

    def protocol(self, version: int) -> PinProtocol:
        """The PIN protocol asked for."""
        if version not in self.model.pin_protocols:
            raise CtapError(ERR.INVALID_PARAMETER)
        return self.power.protocols[version]

    @property
    def is_protected(self) -> bool:
        """Whether the key can tell its owner from others."""
        return bool(self.memory.pin_hash or self.memory.fingerprints)

    def wait_for_touch(self) -> None:
        """Blink until the button is touched.

        Raises:
            CtapError: nobody came in time, or the command was cancelled.
        """
        if not self._wait(self.person.touches, self.model.touch_timeout):
            raise CtapError(ERR.USER_ACTION_TIMEOUT)

    def wait_for_finger(self, timeout: float | None = None) -> Finger:
        """Blink until a finger lies on the sensor; `Finger.NONE` if none came in time."""
        seen: list[Finger] = []

        def look(waited: float) -> bool:
            finger = self.person.finger(waited)
            if finger is not None:
                seen.append(finger)
            return finger is not None

        if self._wait(look, self.model.touch_timeout if timeout is None else timeout):
            return seen[0]
        self.person.stays_away()
        return Finger.NONE

    def verify_finger(self) -> None:
        """Compare a finger with the enrolled ones.

        Raises:
            CtapError: it is another finger, there were too many of them, or none came.
        """
        if self.memory.uv_retries == 0:
            raise CtapError(ERR.UV_BLOCKED)
        finger = self.wait_for_finger()
        if finger is Finger.NONE:
            raise CtapError(ERR.USER_ACTION_TIMEOUT)
        if finger is not Finger.GOOD:
            self.memory.uv_retries -= 1
            raise CtapError(ERR.UV_INVALID if self.memory.uv_retries else ERR.UV_BLOCKED)
        self.memory.uv_retries = MAX_UV_RETRIES

    def _wait(self, done: Callable[[float], bool], timeout: float) -> bool:
        started = self.clock()
        with self.person.hand.waiting():
            while True:
                self.line.tick()
                waited = self.clock() - started
                if done(waited):
                    return True
                if waited > timeout:
                    return False


def required(request: Mapping[Any, Any], key: Any, kind: type[T]) -> T:
    """A member that must be there."""
    if key not in request:
        raise CtapError(ERR.MISSING_PARAMETER)
    return _of_kind(request[key], kind)


def optional(request: Mapping[Any, Any], key: Any, kind: type[T]) -> T | None:
    """A member that may be missing."""
    return _of_kind(request[key], kind) if key in request else None


def _of_kind(value: Any, kind: type[T]) -> T:
    # In CBOR a boolean is no integer, in Python it is one.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise CtapError(ERR.CBOR_UNEXPECTED_TYPE)
    return value
