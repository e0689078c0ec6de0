"""Fingers that are not recognised: asked for again, then the PIN."""

from __future__ import annotations

import pytest

from passless.devices.errors import FingerprintFailed, NoTouch
from passless.devices.keys import SecurityKeys
from tests.devices.conftest import Plug
from tests.devices.relying_party import ORIGIN, Site
from tests.devices.someone import Someone
from tests.software_key import FINGERPRINT_MODEL, Finger, SoftwareKey


def a_fingerprint_key(*, pin: str | None = "1234") -> SoftwareKey:
    return SoftwareKey(model=FINGERPRINT_MODEL, pin=pin, fingerprints=["thumb"])


def test_a_finger_may_be_tried_again(keys: SecurityKeys, plug: Plug) -> None:
    key = a_fingerprint_key()
    key.next_fingers(Finger.WRONG)
    plug(key)
    me = Someone()
    keys.register(Site().creation(), ORIGIN, me)
    assert me.said == ["finger 3", "finger 2"]


def test_after_three_fingers_the_pin_is_asked_for(keys: SecurityKeys, plug: Plug) -> None:
    key = a_fingerprint_key()
    key.usual_finger(Finger.WRONG)
    plug(key)
    me = Someone(pins=["9999", "1234"])
    keys.register(Site().creation(), ORIGIN, me)
    expected = ["finger 3", "finger 2", "finger 1", "pin 8 fingerprint-failed", "pin 7 wrong"]
    assert me.said == [*expected, "touch Software Fingerprint Key"]


def test_a_key_that_takes_no_more_fingers_is_asked_for_none(keys: SecurityKeys, plug: Plug) -> None:
    key = a_fingerprint_key()
    key.memory.uv_retries = 0
    plug(key)
    me = Someone(pins=["1234"])
    keys.register(Site().creation(), ORIGIN, me)
    assert me.said[0] == "pin 8 fingerprint-failed"


def test_without_a_pin_to_fall_back_to_that_is_the_end(keys: SecurityKeys, plug: Plug) -> None:
    key = a_fingerprint_key(pin=None)
    key.usual_finger(Finger.WRONG)
    plug(key)
    with pytest.raises(FingerprintFailed):
        keys.register(Site().creation(), ORIGIN, Someone())
    with pytest.raises(FingerprintFailed, match="takes no more fingers"):
        keys.register(Site().creation(), ORIGIN, Someone())


def test_a_finger_that_never_comes_is_a_missing_touch(keys: SecurityKeys, plug: Plug) -> None:
    from msgspec.structs import replace

    key = SoftwareKey(model=replace(FINGERPRINT_MODEL, touch_timeout=0.05), pin="1234", fingerprints=["thumb"])
    key.usual_finger(Finger.NONE)
    plug(key)
    with pytest.raises(NoTouch):
        keys.register(Site().creation(), ORIGIN, Someone())


def test_a_finger_signs_in(keys: SecurityKeys, plug: Plug) -> None:
    plug(a_fingerprint_key())
    site, me = Site(), Someone()
    site.register(keys.register(site.creation(), ORIGIN, me))
    site.sign_in(keys.assertion(site.request(verification="required"), ORIGIN, me))
    assert me.said == ["finger 3", "finger 3"]
