"""Keys that Linux sees and does not let us open, and the udev rule that is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from passless.devices.errors import NoKey, NoPermission
from passless.domain.names import printable

SYSFS = Path("/sys/class/hidraw")
DEV = Path("/dev")
RULES_FILE = "/etc/udev/rules.d/70-passless.rules"

FIDO_USAGE_PAGE = 0xF1D0  # HID usage page of the FIDO Alliance, CTAP 2.1 §11.2.8.1
USAGE_PAGE_ITEM = 0x04  # HID 1.11 §6.2.2.7: prefix without its two size bits
LONG_ITEM = 0xFE  # HID 1.11 §6.2.2.3
ITEM_SIZES = (0, 1, 2, 4)  # bytes; HID 1.11 §6.2.2.2


class BlockedKey(Struct, frozen=True, kw_only=True):
    """A key without permission. `node` is such as `hidraw3`; `vendor` four hexadecimal digits, if the system says."""

    node: str
    name: str
    vendor: str | None
    is_in_dev: bool

    @property
    def udev_rule(self) -> str:
        """The rule that lets the person at this machine use keys of this maker."""
        vendor = f'ATTRS{{idVendor}}=="{self.vendor}", ' if self.vendor else ""
        return f'KERNEL=="hidraw*", SUBSYSTEM=="hidraw", {vendor}MODE="0660", TAG+="uaccess"'

    @property
    def hint(self) -> str:
        """What to do about it."""
        if not self.is_in_dev:
            return f"give this container or sandbox the device /dev/{self.node}"
        return (
            f"install the package libu2f-udev, or put this line into {RULES_FILE}: {self.udev_rule} – then plug the key in "
            "again; over ssh such a rule does not help, use the machine's own screen"
        )


def blocked_keys(sysfs: Path = SYSFS, dev: Path = DEV) -> tuple[BlockedKey, ...]:
    """Return the keys that are plugged in and may not be opened; none where there is no sysfs."""
    return tuple(key for key in _keys(sysfs, dev) if not os.access(dev / key.node, os.R_OK | os.W_OK))


def why_no_key(sysfs: Path = SYSFS, dev: Path = DEV) -> NoKey | NoPermission:
    """Return why no key can be used: there is none, or it may not be opened."""
    blocked = blocked_keys(sysfs, dev)
    if not blocked:
        return NoKey()
    key = blocked[0]
    return NoPermission(f'"{key.name}" is plugged in, but this user may not open /dev/{key.node}', hint=key.hint)


def is_fido(report_descriptor: bytes) -> bool:
    """Tell whether a HID report descriptor is that of a security key."""
    rest = report_descriptor
    while rest:
        prefix, rest = rest[0], rest[1:]
        if prefix == LONG_ITEM:
            rest = rest[2 + rest[0] :] if rest else b""
            continue
        size = ITEM_SIZES[prefix & 0x03]
        if prefix & 0xFC == USAGE_PAGE_ITEM and int.from_bytes(rest[:size], "little") == FIDO_USAGE_PAGE:
            return True
        rest = rest[size:]
    return False


def _keys(sysfs: Path, dev: Path) -> Iterator[BlockedKey]:
    for folder in sorted(sysfs.glob("hidraw*")):
        try:
            descriptor = (folder / "device" / "report_descriptor").read_bytes()
            event = (folder / "device" / "uevent").read_text(errors="replace")
        except OSError:
            continue  # pulled out while we looked, or not ours to read: then nobody can say what it is
        if is_fido(descriptor):
            yield _key(folder.name, event, is_in_dev=(dev / folder.name).exists())


def _key(node: str, event: str, *, is_in_dev: bool) -> BlockedKey:
    said = dict(line.split("=", 1) for line in event.splitlines() if "=" in line)
    _, vendor, *_ = [*said.get("HID_ID", "").split(":"), "", ""]
    return BlockedKey(
        node=node,
        name=printable(said.get("HID_NAME", "").strip() or "security key"),
        vendor=vendor[-4:].lower() if vendor else None,
        is_in_dev=is_in_dev,
    )
