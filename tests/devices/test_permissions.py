"""Keys that the system shows and does not let us open, on made-up trees of /sys and /dev."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passless.devices.errors import NoPermission
from passless.devices.keys import SecurityKeys
from passless.devices.permissions import blocked_keys, is_fido
from tests.devices.someone import Someone

# The report descriptor of CTAP 2.1 §11.2.8.1, and that of a plain keyboard (HID 1.11, appendix E.6), shortened.
FIDO = bytes.fromhex("06d0f1 0901 a101 0920 1500 26ff00 7508 9540 8102 0921 1500 26ff00 7508 9540 9102 c0")
KEYBOARD = bytes.fromhex("0501 0906 a101 0507 19e0 29e7 1500 2501 7501 9508 8102 c0")
UEVENT = "DRIVER=hid-generic\nHID_ID=0003:0000CAFE:00000407\nHID_NAME=Maker Key 5\nHID_UNIQ=42\n"


class Computer:
    """A made-up /sys and /dev."""

    def __init__(self, folder: Path) -> None:
        self.sysfs, self.dev = folder / "sys", folder / "dev"
        self.sysfs.mkdir()
        self.dev.mkdir()

    def plug(self, node: str, descriptor: bytes = FIDO, event: str = UEVENT, mode: int | None = 0o000) -> None:
        device = self.sysfs / node / "device"
        device.mkdir(parents=True)
        (device / "report_descriptor").write_bytes(descriptor)
        (device / "uevent").write_text(event)
        if mode is not None:
            (self.dev / node).touch(mode=mode)
            (self.dev / node).chmod(mode)


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests see permissions as everybody but root does, from the file's mode."""
    monkeypatch.setattr("os.access", lambda path, wanted: path.exists() and bool(path.stat().st_mode & 0o600))


@pytest.mark.usefixtures("nobody")
def test_a_key_without_permission_is_found_with_the_rule_that_is_missing(computer: Computer) -> None:
    computer.plug("hidraw3")
    [key] = blocked_keys(computer.sysfs, computer.dev)
    assert (key.node, key.name) == ("hidraw3", "Maker Key 5")
    rule = 'KERNEL=="hidraw*", SUBSYSTEM=="hidraw", ATTRS{idVendor}=="cafe", MODE="0660", TAG+="uaccess"'
    assert key.udev_rule == rule
    assert rule in key.hint
    assert "libu2f-udev" in key.hint


@pytest.mark.usefixtures("nobody")
def test_a_key_that_may_be_opened_is_not_blocked(computer: Computer) -> None:
    computer.plug("hidraw3", mode=0o600)
    assert blocked_keys(computer.sysfs, computer.dev) == ()


@pytest.mark.usefixtures("nobody")
def test_keyboards_are_nobodys_business(computer: Computer) -> None:
    computer.plug("hidraw0", KEYBOARD)
    assert blocked_keys(computer.sysfs, computer.dev) == ()


@pytest.mark.usefixtures("nobody")
def test_in_a_container_the_device_itself_is_missing(computer: Computer) -> None:
    computer.plug("hidraw3", mode=None)
    [key] = blocked_keys(computer.sysfs, computer.dev)
    assert "container" in key.hint


@pytest.mark.usefixtures("nobody")
def test_a_key_that_says_nothing_about_itself_gets_a_rule_for_every_maker(computer: Computer) -> None:
    computer.plug("hidraw3", event="")
    [key] = blocked_keys(computer.sysfs, computer.dev)
    assert key.udev_rule == 'KERNEL=="hidraw*", SUBSYSTEM=="hidraw", MODE="0660", TAG+="uaccess"'
    assert key.name == "security key"


@pytest.mark.usefixtures("nobody")
def test_a_device_pulled_out_while_looking_is_skipped(computer: Computer) -> None:
    (computer.sysfs / "hidraw3").mkdir()
    assert blocked_keys(computer.sysfs, computer.dev) == ()


def test_where_there_is_no_sysfs_there_are_no_blocked_keys(tmp_path: Path) -> None:
    assert blocked_keys(tmp_path / "missing", tmp_path) == ()


@pytest.mark.usefixtures("nobody", "plug")
def test_using_keys_says_that_permission_is_missing_and_what_to_do(computer: Computer, plug: object) -> None:
    plug()  # type: ignore[operator]
    computer.plug("hidraw3")
    keys = SecurityKeys(sysfs=computer.sysfs, dev=computer.dev, platform="linux")
    with pytest.raises(NoPermission, match='"Maker Key 5" is plugged in') as caught:
        keys.describe(Someone())
    assert "libu2f-udev" in caught.value.hint


@pytest.mark.usefixtures("nobody")
def test_the_list_shows_blocked_keys_too(computer: Computer, plug: object) -> None:
    plug()  # type: ignore[operator]
    computer.plug("hidraw3")
    [state] = SecurityKeys(sysfs=computer.sysfs, dev=computer.dev, platform="linux").list_keys()
    assert (state.id, state.name, state.problem) == ("hidraw3", "Maker Key 5", "no-permission")
    assert state.udev_rule is not None


def test_long_items_in_a_report_descriptor_are_skipped() -> None:
    assert is_fido(bytes.fromhex("fe03aa010203") + FIDO)
    assert not is_fido(bytes.fromhex("fe"))


@given(st.binary(max_size=200))
def test_any_report_descriptor_is_answered(descriptor: bytes) -> None:
    assert is_fido(descriptor) in (True, False)
