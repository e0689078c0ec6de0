"""Windows' own API, played by the software key; nothing of this was run on Windows."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from threading import Event
from types import ModuleType
from typing import Any

import fido2.hid
import pytest
from fido2.client import ClientDataCollector, ClientError, Fido2Client
from fido2.hid import CtapHidDevice

from passless.devices.errors import AlreadyEnrolled, KeyCannot, KeyFault, KeyFull, NoKey, NotEnrolled, NoTouch
from passless.devices.keys import SecurityKeys
from passless.devices.windows import Status
from tests.devices.conftest import Plug
from tests.devices.relying_party import ORIGIN, Site
from tests.devices.someone import Someone
from tests.software_key import SoftwareKey


class Windows:
    """What `fido2.client.windows` offers."""

    is_old = False
    fails_with: ClientError | None = None
    meanwhile: Callable[[Event], None] = staticmethod(lambda stop: None)

    def __init__(self, collector: ClientDataCollector) -> None:
        [descriptor] = fido2.hid.list_descriptors()  # type: ignore[no-untyped-call]
        self._device = CtapHidDevice(descriptor, fido2.hid.open_connection(descriptor))  # type: ignore[no-untyped-call]
        self._client = Fido2Client(self._device, collector)

    @classmethod
    def is_available(cls) -> bool:
        return not cls.is_old

    def make_credential(self, options: Any, event: Event) -> Any:
        type(self).meanwhile(event)
        if self.fails_with:
            raise self.fails_with
        return self._client.make_credential(options, event)

    def get_assertion(self, options: Any, event: Event) -> Any:
        return self._client.get_assertion(options, event)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch, plug: Plug) -> type[Windows]:
    """Windows, with a key plugged in."""
    plug(SoftwareKey())

    class ThisWindows(Windows):
        pass

    module = ModuleType("fido2.client.windows")
    module.WindowsClient = ThisWindows  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fido2.client.windows", module)
    return ThisWindows


@pytest.fixture
def keys() -> SecurityKeys:
    """The reader on Windows."""
    return SecurityKeys(platform="win32")


def test_windows_enrols_and_signs_in_with_windows_of_its_own(keys: SecurityKeys, windows: type[Windows]) -> None:
    site, me = Site(), Someone()
    site.register(keys.register(site.creation(verification="discouraged"), ORIGIN, me))
    site.sign_in(keys.assertion(site.request(verification="discouraged"), ORIGIN, me))
    assert me.said == []


def test_an_old_windows_lets_us_talk_to_keys_ourselves(keys: SecurityKeys, windows: type[Windows]) -> None:
    windows.is_old = True
    me = Someone()
    keys.register(Site().creation(verification="discouraged"), ORIGIN, me)
    assert me.said == ["touch Software Key"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.NTE_EXISTS, AlreadyEnrolled),
        (Status.NTE_NOT_FOUND, NotEnrolled),
        (Status.NTE_DEVICE_NOT_FOUND, NoKey),
        (Status.NTE_USER_CANCELLED, NoTouch),
        (Status.ERROR_TIMEOUT, NoTouch),
        (Status.NTE_TOKEN_KEYSET_STORAGE_FULL, KeyFull),
        (Status.NTE_NOT_SUPPORTED, KeyCannot),
        (0x80004005, KeyFault),
        (None, KeyFault),
    ],
)
def test_what_windows_answers_becomes_our_errors(
    keys: SecurityKeys, windows: type[Windows], status: int | None, expected: type[Exception]
) -> None:
    cause = OSError("failed")
    if status is not None:
        cause.winerror = status - 2**32  # type: ignore[attr-defined]  # as ctypes gives it: signed
    windows.fails_with = ClientError(ClientError.ERR.OTHER_ERROR, cause)
    with pytest.raises(expected):
        keys.register(Site().creation(), ORIGIN, Someone())


def test_managing_a_key_says_that_windows_wants_an_administrator(keys: SecurityKeys, plug: Plug) -> None:
    plug()
    with pytest.raises(NoKey) as caught:
        keys.set_pin(Someone())
    assert "administrator" in caught.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="signals to threads are of POSIX")
def test_ctrl_c_closes_the_window_of_windows(keys: SecurityKeys, windows: type[Windows]) -> None:
    import signal

    program = threading.main_thread().ident
    assert program is not None
    closed = Event()

    def show_a_window(stop: Event) -> None:
        signal.pthread_kill(program, signal.SIGINT)
        if stop.wait(60):
            closed.set()

    windows.meanwhile = staticmethod(show_a_window)  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        keys.register(Site().creation(), ORIGIN, Someone())
    assert closed.wait(60)
