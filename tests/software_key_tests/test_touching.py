"""Who touches the key, when, and what happens if nobody does."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from fido2.client import ClientError
from fido2.ctap import CtapError

from tests.software_key import AutomaticTouch, FileTouch, NoTouch, SoftwareKey, plugged_in
from tests.software_key_tests.ceremonies import Interaction, register, the_ctap, the_device


class Clock:
    """Time that passes when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_test_itself_touches_the_key() -> None:
    key = SoftwareKey(touch=NoTouch())
    with plugged_in(key):
        register(the_device(), Interaction(prompted=key.touch))
    assert len(key.credentials) == 1


def test_a_touch_counts_only_while_the_key_blinks() -> None:
    key = SoftwareKey(touch=NoTouch())
    with plugged_in(key), pytest.raises(TimeoutError, match="did not ask"):
        key.touch(within=0)


def test_a_cancelled_key_works_again() -> None:
    key = SoftwareKey(touch=NoTouch())
    cancelled = Event()
    with plugged_in(key):
        with pytest.raises(ClientError) as caught:
            register(the_device(), Interaction(prompted=cancelled.set), event=cancelled)
        assert caught.value.cause.code == CtapError.ERR.KEEPALIVE_CANCEL
        assert not key.is_blinking
        register(the_device(), Interaction(prompted=key.touch))
    assert len(key.credentials) == 1


def test_a_key_that_nobody_touches_gives_up() -> None:
    clock = Clock()
    key = SoftwareKey(touch=NoTouch(), clock=clock)

    def let_time_pass(status: int) -> None:
        clock.now += 31

    with plugged_in(key), pytest.raises(CtapError, match="USER_ACTION_TIMEOUT"):
        the_ctap().selection(on_keepalive=let_time_pass)


def test_a_touch_may_come_later() -> None:
    clock = Clock()
    key = SoftwareKey(touch=AutomaticTouch(after=5), clock=clock)

    def let_time_pass(status: int) -> None:
        clock.now += 6

    with plugged_in(key):
        the_ctap().selection(on_keepalive=let_time_pass)


def test_a_file_touches_the_key_once(tmp_path: Path) -> None:
    finger = tmp_path / "finger"
    with plugged_in(SoftwareKey(touch=FileTouch(finger))):
        the_ctap().selection(on_keepalive=lambda status: finger.touch())
        assert not finger.exists()


def test_a_file_may_hold_the_key(tmp_path: Path) -> None:
    finger = tmp_path / "finger"
    finger.write_text("hold\n")
    with plugged_in(SoftwareKey(touch=FileTouch(finger))):
        the_ctap().selection()
        the_ctap().selection()
    assert finger.exists()


def test_a_key_is_reset_only_just_after_it_was_plugged_in() -> None:
    clock = Clock()
    key = SoftwareKey(pin="1234", clock=clock)
    with plugged_in(key):
        clock.now += 11
        with pytest.raises(CtapError, match="NOT_ALLOWED"):
            the_ctap().reset()
        key.unplug()
        key.plug()
        the_ctap().reset()
    assert key.memory.pin_hash == b""
