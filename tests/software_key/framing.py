"""Messages cut into 64-byte reports, and put together again (CTAP 2.1 §11.2.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

REPORT = 64  # bytes
BROADCAST = 0xFFFFFFFF
FIRST = 0x80  # marks the first packet of a message
LONGEST = 7609  # bytes; 57 in the first packet and 128 times 59


class HidCommand(IntEnum):
    """What may be asked on the HID level."""

    PING = 0x01
    MSG = 0x03
    LOCK = 0x04
    INIT = 0x06
    WINK = 0x08
    CBOR = 0x10
    CANCEL = 0x11
    KEEPALIVE = 0x3B
    ERROR = 0x3F


class HidError(IntEnum):
    """What may be wrong there."""

    INVALID_COMMAND = 0x01
    INVALID_LENGTH = 0x03
    INVALID_SEQUENCE = 0x04
    CHANNEL_BUSY = 0x06
    INVALID_CHANNEL = 0x0B


class Message(NamedTuple):
    """One whole message."""

    channel: int
    command: int
    payload: bytes = b""


class BadFrame(Exception):
    """A packet came that does not fit."""

    def __init__(self, channel: int, error: HidError) -> None:
        super().__init__(error.name)
        self.channel = channel
        self.error = error


def packets(message: Message) -> Iterator[bytes]:
    """Cut a message into reports."""
    channel, payload = message.channel.to_bytes(4, "big"), message.payload
    first = channel + bytes([FIRST | message.command]) + len(payload).to_bytes(2, "big") + payload[:57]
    yield first.ljust(REPORT, b"\0")
    for sequence, start in enumerate(range(57, len(payload), 59)):
        yield (channel + bytes([sequence]) + payload[start : start + 59]).ljust(REPORT, b"\0")


@dataclass
class _Unfinished:
    channel: int
    command: int
    length: int
    payload: bytes
    next_packet: int = 0


class Assembler:
    """Puts the reports of one connection together."""

    def __init__(self) -> None:
        self._unfinished: _Unfinished | None = None

    def feed(self, packet: bytes) -> Message | None:
        """Take a report; the message if this was its last one.

        Raises:
            BadFrame: it is too long or out of order.
        """
        channel, kind, rest = int.from_bytes(packet[:4], "big"), packet[4], packet[5:]
        if kind & FIRST:
            self._begin(channel, kind & ~FIRST, rest)
        elif self._unfinished is None or self._unfinished.channel != channel:
            return None  # a stray packet is ignored (§11.2.4)
        else:
            self._go_on(self._unfinished, kind, rest)
        return self._finished()

    def _begin(self, channel: int, command: int, rest: bytes) -> None:
        length = int.from_bytes(rest[:2], "big")
        if length > LONGEST:
            raise BadFrame(channel, HidError.INVALID_LENGTH)
        self._unfinished = _Unfinished(channel, command, length, rest[2:])

    def _go_on(self, unfinished: _Unfinished, sequence: int, rest: bytes) -> None:
        if sequence != unfinished.next_packet:
            self._unfinished = None
            raise BadFrame(unfinished.channel, HidError.INVALID_SEQUENCE)
        unfinished.payload += rest
        unfinished.next_packet += 1

    def _finished(self) -> Message | None:
        whole = self._unfinished
        if whole is None or len(whole.payload) < whole.length:
            return None
        self._unfinished = None
        return Message(whole.channel, whole.command, whole.payload[: whole.length])
