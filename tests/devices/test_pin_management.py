"""Setting and changing a key's PIN."""

from __future__ import annotations

import pytest

from passless.devices.errors import KeyGone, PinAlreadySet, PinBlocked, PinLocked, PinNeeded, PinRefused, WrongPin
from passless.devices.keys import SecurityKeys
from tests.devices.conftest import Plug
from tests.devices.relying_party import ORIGIN, Site
from tests.devices.someone import Someone
from tests.software_key import SoftwareKey


def test_a_first_pin_is_set(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    assert keys.set_pin(Someone(new_pins=["4711"])).has_pin
    keys.register(Site().creation(verification="required"), ORIGIN, Someone(pins=["4711"]))


def test_a_second_first_pin_is_refused_before_asking(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    me = Someone(new_pins=["4711"])
    with pytest.raises(PinAlreadySet):
        keys.set_pin(me)
    assert me.said == []


def test_a_new_pin_that_is_too_short_or_long_is_asked_for_again(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey()
    key.memory.min_pin_length = 6
    plug(key)
    me = Someone(new_pins=["4711", "ø" * 40, "471147"])
    keys.set_pin(me)
    assert me.said == ["new-pin 6 needed", "new-pin 6 too-short", "new-pin 6 too-long"]


@pytest.mark.parametrize(("pin", "why"), [("471", "at least 4 characters"), ("ø" * 40, "at most 63 bytes")])
def test_the_same_bad_pin_twice_is_the_end(keys: SecurityKeys, plug: Plug, pin: str, why: str) -> None:
    plug(SoftwareKey())
    with pytest.raises(PinRefused, match=why):
        keys.set_pin(Someone(new_pins=[pin]))


def test_a_first_pin_that_the_key_refuses_is_asked_for_again(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey()
    plug(key)

    def raise_the_bar() -> None:
        key.memory.min_pin_length = 8

    me = Someone(new_pins=["4711", "47114711"], on={"new-pin": raise_the_bar})
    keys.set_pin(me)
    assert me.said == ["new-pin 4 needed", "new-pin 4 refused"]


def test_a_key_pulled_out_while_setting_a_pin_is_said(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey()
    plug(key)
    with pytest.raises(KeyGone):
        keys.set_pin(Someone(new_pins=["4711"], on={"new-pin": key.unplug}))


def test_no_new_pin_changes_nothing(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey()
    plug(key)
    with pytest.raises(PinNeeded):
        keys.set_pin(Someone())
    assert not key.memory.pin_hash


def test_a_pin_is_changed(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    keys.change_pin(Someone(pins=["1234"], new_pins=["4711"]))
    keys.register(Site().creation(), ORIGIN, Someone(pins=["4711"]))


def test_a_wrong_old_pin_is_asked_for_again_and_the_new_one_kept(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    me = Someone(pins=["9999", "1234"], new_pins=["4711"])
    state = keys.change_pin(me)
    assert me.said == ["pin 8 needed", "new-pin 4 needed", "pin 7 wrong"]
    assert state.pin_tries_left == 8


def test_a_wrong_old_pin_from_a_file_costs_one_try(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    plug(key)
    with pytest.raises(WrongPin, match="tries left: 7"):
        keys.change_pin(Someone(pins=["9999"], new_pins=["4711"]))
    assert key.memory.pin_retries == 7


def test_wrong_old_pins_lock_the_key(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    with pytest.raises(PinLocked):
        keys.change_pin(Someone(pins=["9999", "8888", "7777"], new_pins=["4711"]))


def test_a_blocked_pin_cannot_be_changed(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    key.memory.pin_retries = 0
    plug(key)
    with pytest.raises(PinBlocked):
        keys.change_pin(Someone(pins=["1234"], new_pins=["4711"]))


def test_a_pin_that_must_change_refuses_the_old_one_as_the_new(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    key.memory.must_change_pin = True
    plug(key)
    me = Someone(pins=["1234"], new_pins=["1234", "4711"])
    assert not keys.change_pin(me).pin_change_needed
    assert me.said == ["pin 8 needed", "new-pin 4 needed", "new-pin 4 refused"]


def test_a_pin_refused_by_the_key_twice_is_the_end(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    key.memory.must_change_pin = True
    plug(key)
    with pytest.raises(PinRefused, match="does not take this PIN"):
        keys.change_pin(Someone(pins=["1234"], new_pins=["1234"]))


def test_without_a_pin_there_is_nothing_to_change(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    with pytest.raises(PinNeeded, match="has no PIN yet"):
        keys.change_pin(Someone(new_pins=["4711"]))
