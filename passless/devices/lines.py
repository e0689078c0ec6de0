"""Open connections to keys, over USB and NFC."""

from __future__ import annotations

import importlib
import logging
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import PurePath
from threading import Event, Timer

import fido2.hid
from fido2.ctap import STATUS, CtapDevice, CtapError
from fido2.ctap2.base import Ctap2
from fido2.hid import CAPABILITY, ConnectionFailure, CtapHidDevice
from fido2.hid.base import HidDescriptor

from passless.devices.errors import KeyCannot, KeyGone
from passless.domain.names import printable

ANSWER_LIMIT = 5.0  # seconds for what needs no person; a key that is busy with another program would be asked for ever
BROKEN = (OSError, ConnectionFailure, struct.error)  # what a pulled-out key looks like on the wire

# A library never prints: without this, `logging` shows fido2's warnings about a busy key on stderr.
logging.getLogger("fido2").addHandler(logging.NullHandler())

KeepAlive = Callable[[STATUS], None]


class Line(CtapDevice):
    """One open key.

    What breaks on the wire arrives as `KeyGone`; what a prompt raises while the key blinks first cancels the key.
    """

    def __init__(
        self,
        device: CtapDevice,
        *,
        key_id: str,
        name: str,
        serial: str | None = None,
        firmware: str | None = None,
        transport: str = "usb",
        broken: tuple[type[Exception], ...] = BROKEN,
    ) -> None:
        self.id = key_id
        self.name = name
        self.serial = serial
        self.firmware = firmware
        self.transport = transport
        self._device = device
        self._broken = broken
        self._is_closed = False

    @property
    def capabilities(self) -> int:
        """What kinds of message the key understands."""
        return self._device.capabilities

    @property
    def speaks_ctap2(self) -> bool:
        """Whether it is more than a U2F key."""
        return bool(self._device.capabilities & CAPABILITY.CBOR)

    def ctap2(self) -> Ctap2:
        """Return the commands of CTAP 2; `KeyCannot` for a U2F key."""
        if not self.speaks_ctap2:
            raise KeyCannot(f'"{self.name}" is an older U2F key and has neither a PIN nor anything to manage')
        return Ctap2(self)

    def call(
        self, cmd: int, data: bytes = b"", event: Event | None = None, on_keepalive: Callable[[STATUS], None] | None = None
    ) -> bytes:
        """Send one command and wait for its answer."""
        stop = event or Event()
        prompting = Prompting(on_keepalive, stop) if on_keepalive else None
        limit = Timer(ANSWER_LIMIT, stop.set) if event is None else None
        if limit:
            limit.daemon = True
            limit.start()
        try:
            return self._device.call(cmd, data, stop, prompting)
        except self._broken as error:
            raise KeyGone(f'"{self.name}" was unplugged') from error
        finally:
            if limit:
                limit.cancel()
            if prompting and prompting.error:
                raise prompting.error

    def close(self) -> None:
        """Let go of the key; a second time does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        with suppress(*self._broken):  # it may be gone already
            self._device.close()

    @classmethod
    def list_devices(cls) -> Iterator[Line]:
        """Open every key."""
        yield from open_lines()


class NearLine(Line):
    """A key on an NFC reader; a new connection is to it what pulling out is to the others."""

    def connect(self) -> None:
        """Select the key again."""
        self._device.connect()  # type: ignore[attr-defined]


class Prompting:
    """Passes on that the key waits; an error in it is kept until the key has stopped."""

    def __init__(self, on_keepalive: KeepAlive, stop: Event) -> None:
        self.error: Exception | None = None
        self._on_keepalive = on_keepalive
        self._stop = stop

    def __call__(self, status: STATUS) -> None:
        """Pass it on."""
        if self.error:
            return
        try:
            self._on_keepalive(status)
        except Exception as error:  # noqa: BLE001 - not ours: kept, and raised again by `Line.call`
            self.error = error
            self._stop.set()


def open_lines() -> list[Line]:
    """Open every key that lets us, in the order of their ids; close them all."""
    return sorted([*_plugged_in(), *_on_readers()], key=lambda line: line.id)


def close_all(lines: list[Line]) -> None:
    """Let go of all of them."""
    for line in lines:
        line.close()


def key_id(descriptor: HidDescriptor) -> str:
    """Return a short id that lasts while the key stays plugged in: the device's file name where it has one."""
    path = descriptor.path
    if isinstance(path, str) and path.startswith("/dev/"):
        return PurePath(path).name
    return _short(path if isinstance(path, bytes) else path.encode())


def name_of(descriptor: HidDescriptor) -> str:
    """Return what the key calls itself."""
    return printable((descriptor.product_name or "").strip() or "security key")


def _plugged_in() -> Iterator[Line]:
    for descriptor in fido2.hid.list_descriptors():  # type: ignore[no-untyped-call]
        if device := _open(descriptor):
            yield Line(
                device,
                key_id=key_id(descriptor),
                name=name_of(descriptor),
                serial=printable(descriptor.serial_number) if descriptor.serial_number else None,
                firmware=".".join(map(str, device.device_version)) if any(device.device_version) else None,
            )


def _open(descriptor: HidDescriptor) -> CtapHidDevice | None:
    """Open a key; None if it is just being pulled out, or may only be read."""
    try:
        connection = fido2.hid.open_connection(descriptor)  # type: ignore[no-untyped-call]
    except OSError:
        return None
    try:
        return CtapHidDevice(descriptor, connection)
    except (*BROKEN, CtapError):
        connection.close()
        return None


def _on_readers() -> Iterator[Line]:
    """Keys on NFC readers, where the extra `nfc` is installed and the card service runs."""
    try:
        pcsc = importlib.import_module("fido2.pcsc")
        cards = importlib.import_module("smartcard.Exceptions")
        service = importlib.import_module("smartcard.pcsc.PCSCExceptions")
    except ImportError:
        return
    broken = (cards.SmartcardException, service.BaseSCardException)
    try:
        devices = list(pcsc.CtapPcscDevice.list_devices())
    except broken:
        return
    for device in devices:
        reader = printable(repr(device).removeprefix("CtapPcscDevice(").removesuffix(")"))
        yield NearLine(
            device,
            key_id=f"nfc-{_short(reader.encode())}",
            name=f"key on {reader}",
            transport="nfc",
            broken=(*BROKEN, *broken),
        )


def _short(text: bytes) -> str:
    return sha256(text).hexdigest()[:8]
