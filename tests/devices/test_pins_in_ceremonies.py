"""Wrong PINs while enrolling or signing in: asked again, counted, and never into blocking the key."""

from __future__ import annotations

import traceback

import pytest

from passless.devices.errors import PinBlocked, PinChangeNeeded, PinLastTry, PinLocked, PinNeeded, WrongPin
from passless.devices.keys import SecurityKeys
from passless.domain.errors import PasslessError
from tests.devices.conftest import Plug
from tests.devices.relying_party import ORIGIN, Site
from tests.devices.someone import Someone
from tests.software_key import SoftwareKey


def test_a_wrong_pin_is_asked_for_again_with_the_tries_that_are_left(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    me = Someone(pins=["9999", "8888", "1234"])
    keys.register(Site().creation(), ORIGIN, me)
    assert me.said == ["pin 8 needed", "pin 7 wrong", "pin 6 wrong", "touch Software Key"]


def test_the_same_wrong_pin_is_never_tried_twice(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    plug(key)
    with pytest.raises(WrongPin, match="tries left: 7"):
        keys.register(Site().creation(), ORIGIN, Someone(pins=["9999"]))
    assert key.memory.pin_retries == 7


def test_a_pin_too_short_to_be_one_costs_no_try(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    plug(key)
    me = Someone(pins=["1", "ø" * 40, "1234"])
    keys.register(Site().creation(), ORIGIN, me)
    assert me.said[:3] == ["pin 8 needed", "pin 8 impossible", "pin 8 impossible"]


def test_three_wrong_pins_lock_the_key_until_it_is_pulled_out(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    plug(key)
    with pytest.raises(PinLocked) as caught:
        keys.register(Site().creation(), ORIGIN, Someone(pins=["9999", "8888", "7777"]))
    assert caught.value.hint == "pull the key out, plug it in and try again"
    with pytest.raises(PinLocked):
        keys.register(Site().creation(), ORIGIN, Someone(pins=["1234"]))


def test_before_the_last_try_it_stops_and_says_so(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    key.memory.pin_retries = 1
    plug(key)
    me = Someone(pins=["1234"])
    with pytest.raises(PinLastTry, match="would block"):
        keys.register(Site().creation(), ORIGIN, me)
    assert me.said == ["last-try"]
    assert key.memory.pin_retries == 1


def test_the_last_try_is_the_persons_to_take(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    key.memory.pin_retries = 1
    plug(key)
    keys.register(Site().creation(), ORIGIN, Someone(pins=["1234"], risks_the_last_try=True))
    assert key.memory.pin_retries == 8


def test_a_blocked_pin_is_not_asked_for(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    key.memory.pin_retries = 0
    plug(key)
    me = Someone(pins=["1234"])
    with pytest.raises(PinBlocked) as caught:
        keys.register(Site().creation(), ORIGIN, me)
    assert me.said == []
    assert "passless key reset" in caught.value.hint


def test_a_last_try_that_fails_blocks_and_is_told_as_such(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    key.memory.pin_retries = 1
    plug(key)
    with pytest.raises(PinBlocked):
        keys.register(Site().creation(), ORIGIN, Someone(pins=["9999"], risks_the_last_try=True))


def test_no_answer_is_no_pin(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    plug(key)
    with pytest.raises(PinNeeded, match="was not given"):
        keys.register(Site().creation(), ORIGIN, Someone())


def test_a_key_that_wants_a_new_pin_says_so_before_asking(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    key.memory.must_change_pin = True
    plug(key)
    me = Someone(pins=["1234"])
    with pytest.raises(PinChangeNeeded):
        keys.register(Site().creation(), ORIGIN, me)
    assert me.said == []


def test_a_pin_is_compared_in_one_form_of_unicode(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="\u00e5\u00e5\u00e5\u00e5"))
    keys.register(Site().creation(), ORIGIN, Someone(pins=["a\u030aa\u030aa\u030aa\u030a"]))


def test_no_error_and_no_traceback_shows_a_pin(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    wrong = str(97_000 + 531)  # not as one piece in the source, which a traceback shows
    with pytest.raises(PasslessError) as caught:
        keys.register(Site().creation(), ORIGIN, Someone(pins=[wrong]))
    shown = "".join(traceback.TracebackException.from_exception(caught.value).format())
    assert wrong not in shown + repr(caught.value) + caught.value.hint
