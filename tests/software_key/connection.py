"""An open connection to a software key, below the framing of the library under test."""

from __future__ import annotations

import errno
import queue
import time
from itertools import count
from threading import Event, Lock
from typing import TYPE_CHECKING

from fido2.ctap import STATUS, CtapError
from fido2.hid import CAPABILITY
from fido2.hid.base import CtapHidConnection

from .framing import BROADCAST, Assembler, BadFrame, HidCommand, HidError, Message, packets

if TYPE_CHECKING:
    from .key import SoftwareKey

KEEPALIVE_EVERY = 0.1  # seconds; CTAP 2.1 §11.2.9.2.1
MOMENT = 0.01  # seconds between two looks at button and plug
HID_VERSION = 2  # CTAP 2.1 §11.2.9.1.3

_channels = count(1)


class Vanished(Exception):
    """The key was pulled out while it was working."""


class SoftwareConnection(CtapHidConnection):
    """What `/dev/hidraw` is for a real key, and it fails the same way when the key vanishes."""

    def __init__(self, key: SoftwareKey) -> None:
        self._key = key
        self._power_ups = key.power_ups
        self._assembler = Assembler()
        self._channel: int | None = None
        self._reports: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._running: Transaction | None = None
        self._turn = Lock()  # whoever reads the answer may send the next command before `finish` is through
        self._closed = False

    @property
    def is_alive(self) -> bool:
        """Whether the key is still the one that was opened."""
        return self._key.is_plugged_in and self._key.power_ups == self._power_ups

    def write_packet(self, data: bytes) -> None:
        """Take a report from the computer."""
        self._refuse_dead(errno.ENODEV)
        try:
            message = self._assembler.feed(data)
        except BadFrame as bad:
            self.send(Message(bad.channel, HidCommand.ERROR, bytes([bad.error])))
            return
        if message is not None:
            self._take(message)

    def read_packet(self) -> bytes:
        """Wait for a report of the key."""
        while True:
            self._refuse_dead(errno.EIO)
            try:
                return self._reports.get(timeout=MOMENT)
            except queue.Empty:
                if self._running is None and self._reports.empty():
                    # A real key would leave the reader waiting for ever; a test should learn why.
                    raise AssertionError("the software key was asked for an answer that will never come") from None

    def close(self) -> None:
        """Let go of the key, which goes on with what it does."""
        self._closed = True

    def send(self, message: Message) -> None:
        """Put the reports of a message where the reader finds them."""
        if self.is_alive:
            for packet in packets(message):
                self._reports.put(packet)

    def finish(self, message: Message) -> None:
        """Send the answer to the running command."""
        with self._turn:
            self.send(message)
            self._running = None

    def _refuse_dead(self, code: int) -> None:
        # The same errors as the Linux kernel gives for a hidraw file.
        if self._closed:
            raise OSError(errno.EBADF, "the connection is closed")
        if not self.is_alive:
            raise OSError(code, "the security key was pulled out")

    def _take(self, message: Message) -> None:
        if message.command == HidCommand.INIT:
            self._init(message)
        elif message.channel != self._channel:
            self._error(message, HidError.INVALID_CHANNEL)
        elif message.command == HidCommand.CANCEL:
            if self._running:
                self._running.cancelled.set()
        elif self._key.is_busy:
            self._error(message, HidError.CHANNEL_BUSY)
        elif message.command == HidCommand.CBOR:
            with self._turn:
                self._running = Transaction(self, message.channel)
            if not self._key.start(self, self._running, message):
                self._running = None
                self._error(message, HidError.CHANNEL_BUSY)
        else:
            self._answer_at_once(message)

    def _init(self, message: Message) -> None:
        if message.channel == BROADCAST:
            self._channel = next(_channels)
        elif self._running:
            self._running.cancelled.set()
        assert self._channel is not None
        abilities = CAPABILITY.WINK | CAPABILITY.CBOR | CAPABILITY.NMSG
        answer = message.payload[:8] + self._channel.to_bytes(4, "big") + bytes([HID_VERSION, 5, 0, 0, abilities])
        self.send(Message(message.channel, HidCommand.INIT, answer))

    def _answer_at_once(self, message: Message) -> None:
        if message.command == HidCommand.PING:
            self.send(message)
        elif message.command == HidCommand.WINK:
            self._key.winks += 1
            self.send(Message(message.channel, HidCommand.WINK))
        else:
            self._error(message, HidError.INVALID_COMMAND)

    def _error(self, message: Message, error: HidError) -> None:
        self.send(Message(message.channel, HidCommand.ERROR, bytes([error])))


class Transaction:
    """One command that is being worked on."""

    def __init__(self, connection: SoftwareConnection, channel: int) -> None:
        self._connection = connection
        self._channel = channel
        self._next_keepalive = time.monotonic()
        self.cancelled = Event()

    def tick(self) -> None:
        """Say that the person is needed, if it is time to, and wait a moment.

        Raises:
            CtapError: the other side cancelled.
            Vanished: the key was pulled out.
        """
        if time.monotonic() >= self._next_keepalive:
            # The first one goes out at once: without it nobody would know that a touch is needed.
            self._next_keepalive = time.monotonic() + KEEPALIVE_EVERY
            self._connection.send(Message(self._channel, HidCommand.KEEPALIVE, bytes([STATUS.UPNEEDED])))
        self.cancelled.wait(MOMENT)
        if not self._connection.is_alive:
            raise Vanished
        if self.cancelled.is_set():
            raise CtapError(CtapError.ERR.KEEPALIVE_CANCEL)
