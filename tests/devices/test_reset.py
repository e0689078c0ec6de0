"""Erasing a key, which must be pulled out and put back first. Time is made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from passless.devices.errors import NoTouch, NotReplugged, ResetTooLate
from passless.devices.keys import SecurityKeys
from tests.devices.conftest import Plug
from tests.devices.someone import Someone
from tests.software_key import AutomaticTouch, Model, SoftwareKey
from tests.software_key import NoTouch as NobodyTouches


class Time:
    """A clock that moves when somebody waits, and things that happen then."""

    def __init__(self) -> None:
        self.now = 0.0
        self.plans: list[tuple[float, Callable[[], None]]] = []

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for plan in [plan for plan in self.plans if plan[0] <= self.now]:
            self.plans.remove(plan)
            plan[1]()

    def after(self, seconds: float, happening: Callable[[], None]) -> Callable[[], None]:
        return lambda: self.plans.append((self.now + seconds, happening))


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def keys(tmp_path: Path, time: Time) -> SecurityKeys:
    """A reader that lives in made-up time."""
    return SecurityKeys(sysfs=tmp_path, dev=tmp_path, platform="linux", clock=time.clock, wait=time.wait)


def replugging(key: SoftwareKey, time: Time) -> Someone:
    return Someone(on={"unplug": time.after(3, key.unplug), "plug-in": time.after(2, key.plug)})


def test_a_key_is_erased_after_replugging_and_a_touch(keys: SecurityKeys, plug: Plug, time: Time) -> None:
    key = SoftwareKey(pin="1234", clock=time.clock)
    plug(key)
    me = replugging(key, time)
    assert keys.reset(me).has_pin is False
    assert me.said == ["unplug", "plug-in", "touch Software Key"]


def test_a_key_that_stays_in_is_not_erased(keys: SecurityKeys, plug: Plug, time: Time) -> None:
    key = SoftwareKey(pin="1234", clock=time.clock)
    plug(key)
    with pytest.raises(NotReplugged, match="not pulled out in time"):
        keys.reset(Someone())
    assert key.memory.pin_hash


def test_a_key_that_stays_out_is_not_erased(keys: SecurityKeys, plug: Plug, time: Time) -> None:
    key = SoftwareKey(pin="1234", clock=time.clock)
    plug(key)
    with pytest.raises(NotReplugged, match="not plugged in again in time"):
        keys.reset(Someone(on={"unplug": key.unplug}))


def test_another_key_plugged_in_instead_is_left_alone(keys: SecurityKeys, plug: Plug, time: Time) -> None:
    key, other = SoftwareKey(pin="1234", clock=time.clock), SoftwareKey(pin="1234", clock=time.clock)
    plug(key, other)
    other.unplug()
    with pytest.raises(NotReplugged):
        keys.reset(Someone(on={"unplug": key.unplug, "plug-in": time.after(1, other.plug)}))
    assert other.memory.pin_hash


def test_keys_that_were_there_before_are_left_alone(keys: SecurityKeys, plug: Plug, time: Time) -> None:
    key, other = SoftwareKey(pin="1234", clock=time.clock), SoftwareKey(pin="1234", clock=time.clock)
    plug(key, other)
    me = replugging(key, time)
    keys.reset(me, on=key.serial)
    assert (bool(key.memory.pin_hash), bool(other.memory.pin_hash)) == (False, True)


def test_a_key_chosen_by_touch_is_found_again(keys: SecurityKeys, plug: Plug, time: Time) -> None:
    key, other = SoftwareKey(pin="1234", clock=time.clock), SoftwareKey(clock=lambda: 0.0, touch=NobodyTouches())
    key.touched_by(AutomaticTouch())
    plug(key, other)
    keys.reset(replugging(key, time))
    assert not key.memory.pin_hash


def test_a_touch_that_never_comes_erases_nothing(keys: SecurityKeys, plug: Plug, time: Time) -> None:
    key = SoftwareKey(model=Model(touch_timeout=-1.0), pin="1234", touch=NobodyTouches(), clock=time.clock)
    plug(key)
    with pytest.raises(NoTouch):
        keys.reset(replugging(key, time))
    assert key.memory.pin_hash


def test_too_late_says_what_to_do(keys: SecurityKeys, plug: Plug, time: Time) -> None:
    key = SoftwareKey(pin="1234", clock=time.clock)
    plug(key)

    def dawdle() -> None:
        key.plug()
        assert key.is_plugged_in
        time.now += 11

    me = Someone(on={"unplug": time.after(1, key.unplug), "plug-in": time.after(1, dawdle)})
    with pytest.raises(ResetTooLate) as caught:
        keys.reset(me)
    assert "right after plugging it in" in caught.value.hint
    assert key.memory.pin_hash
