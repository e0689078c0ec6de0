"""Ports: what `fido2` finds when it looks for keys."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import fido2.hid
from fido2.hid.base import CtapHidConnection, HidDescriptor

from .connection import SoftwareConnection
from .key import SoftwareKey


def install(*keys: SoftwareKey) -> Callable[[], None]:
    """Let these be the only keys of this computer; call what is returned to end that.

    Code that did `from fido2.hid import list_descriptors` before keeps the real one: use
    `CtapHidDevice.list_devices()` or reach through the module.
    """
    replaced = fido2.hid.list_descriptors, fido2.hid.get_descriptor, fido2.hid.open_connection
    ports = {key.descriptor.path: key for key in keys}

    def list_descriptors() -> list[HidDescriptor]:
        return [key.descriptor for key in keys if key.is_plugged_in]

    def find(path: str | bytes) -> SoftwareKey:
        key = ports.get(path.decode() if isinstance(path, bytes) else path)
        if key is None or not key.is_plugged_in:
            raise FileNotFoundError(errno.ENOENT, "no such device", str(path))
        return key

    def get_descriptor(path: str | bytes) -> HidDescriptor:
        return find(path).descriptor

    def open_connection(descriptor: HidDescriptor) -> CtapHidConnection:
        return SoftwareConnection(find(descriptor.path))

    def uninstall() -> None:
        for key in keys:
            key.unplug()
        _replace(*replaced)

    for key in keys:
        key.plug()
    _replace(list_descriptors, get_descriptor, open_connection)
    return uninstall


@contextmanager
def plugged_in(*keys: SoftwareKey) -> Iterator[None]:
    """Plug keys in for the length of a block, and look afterwards whether a key itself had a fault."""
    uninstall = install(*keys)
    try:
        yield
    finally:
        uninstall()
    faults = [fault for key in keys for fault in key.faults]
    if faults:
        raise ExceptionGroup("the software key has a fault", faults)


def _replace(
    list_descriptors: Callable[[], list[HidDescriptor]],
    get_descriptor: Callable[..., HidDescriptor],
    open_connection: Callable[[HidDescriptor], CtapHidConnection],
) -> None:
    fido2.hid.list_descriptors = list_descriptors
    fido2.hid.get_descriptor = get_descriptor
    fido2.hid.open_connection = open_connection
