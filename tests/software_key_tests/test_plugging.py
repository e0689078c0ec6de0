"""Keys that come, go, and stand side by side."""

from __future__ import annotations

import errno
from pathlib import Path
from threading import Event, Thread

import fido2.hid
import pytest
from fido2.client import ClientError
from fido2.ctap import CtapError
from fido2.ctap2.base import Ctap2
from fido2.hid import CtapHidDevice

from tests.software_key import NoTouch, SoftwareKey, plugged_in
from tests.software_key_tests.ceremonies import Interaction, credential_of, register, sign_in, the_ctap, the_device


def test_a_key_pulled_out_while_it_blinks_is_a_vanished_device() -> None:
    key = SoftwareKey(touch=NoTouch())
    with plugged_in(key):
        with pytest.raises(OSError, match="pulled out") as caught:
            register(the_device(), Interaction(prompted=key.unplug))
        assert caught.value.errno == errno.EIO
        assert list(CtapHidDevice.list_devices()) == []


def test_an_old_connection_stays_dead_when_the_key_comes_back() -> None:
    key = SoftwareKey()
    with plugged_in(key):
        old = the_device()
        key.unplug()
        key.plug()
        with pytest.raises(OSError, match="pulled out"):
            old.ping()
        assert the_device().ping(b"hello") == b"hello"


def test_a_key_keeps_its_credentials_when_it_is_pulled_out() -> None:
    key = SoftwareKey()
    with plugged_in(key):
        credential = credential_of(register(the_device())[0])
        key.unplug()
        key.plug()
        sign_in(the_device(), [credential])


def test_a_key_is_plugged_in_while_its_file_exists(tmp_path: Path) -> None:
    plug = tmp_path / "plug"
    with plugged_in(SoftwareKey(presence=plug)):
        assert fido2.hid.list_descriptors() == []
        plug.touch()
        assert the_device().ping(b"hello") == b"hello"
        plug.unlink()
        assert fido2.hid.list_descriptors() == []


def test_each_of_two_keys_knows_its_own_credentials_only() -> None:
    with plugged_in(SoftwareKey(), SoftwareKey()):
        first, second = CtapHidDevice.list_devices()
        credential = credential_of(register(first)[0])
        sign_in(first, [credential])
        with pytest.raises(ClientError) as caught:
            sign_in(second, [credential])
        assert caught.value.code == ClientError.ERR.DEVICE_INELIGIBLE


def test_of_two_blinking_keys_the_touched_one_is_selected() -> None:
    keys = SoftwareKey(touch=NoTouch()), SoftwareKey(touch=NoTouch())
    outcomes: dict[str | None, str] = {}
    found = Event()

    def wait_for(device: CtapHidDevice) -> None:
        try:
            Ctap2(device).selection(event=found)
        except CtapError as error:
            outcomes[device.serial_number] = error.code.name
        else:
            outcomes[device.serial_number] = "touched"
            found.set()

    with plugged_in(*keys):
        threads = [Thread(target=wait_for, args=(device,)) for device in CtapHidDevice.list_devices()]
        for thread in threads:
            thread.start()
        keys[0].wait_until_blinking()
        keys[1].touch()
        for thread in threads:
            thread.join()
    assert outcomes == {keys[0].serial: "KEEPALIVE_CANCEL", keys[1].serial: "touched"}


def test_a_key_that_waits_for_a_touch_is_busy_for_others() -> None:
    key = SoftwareKey(touch=NoTouch())
    given_up = Event()
    given_up.set()
    with plugged_in(key):
        first, second = the_device(), the_device()
        thread = Thread(target=lambda: Ctap2(first).selection())
        thread.start()
        key.wait_until_blinking()
        with pytest.raises(CtapError, match="CHANNEL_BUSY"):
            second.call(0x01, b"hello", given_up)
        key.touch()
        thread.join()
        assert second.ping(b"hello") == b"hello"


def test_a_key_winks_when_asked_to() -> None:
    key = SoftwareKey()
    with plugged_in(key):
        the_device().wink()
    assert key.winks == 1


def test_without_the_software_key_the_system_is_asked_again() -> None:
    real = fido2.hid.list_descriptors, fido2.hid.open_connection, fido2.hid.get_descriptor
    with plugged_in(SoftwareKey()):
        assert fido2.hid.list_descriptors is not real[0]
    assert (fido2.hid.list_descriptors, fido2.hid.open_connection, fido2.hid.get_descriptor) == real


def test_a_fault_of_the_key_itself_is_told_at_the_end() -> None:
    key = SoftwareKey()
    key.memory.large_blobs = None  # type: ignore[assignment]

    def read() -> None:
        with plugged_in(key), pytest.raises(CtapError, match="OTHER"):
            the_ctap().large_blobs(0, get=10)

    with pytest.raises(ExceptionGroup, match="the software key has a fault"):
        read()
