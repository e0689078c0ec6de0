"""Ctrl-C, errors from prompts, and keys pulled out half-way."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

import pytest

from passless.devices.errors import KeyBusy, KeyGone
from passless.devices.keys import SecurityKeys
from passless.domain.errors import WrongUse
from tests.devices.conftest import Plug
from tests.devices.relying_party import ORIGIN, Site
from tests.devices.someone import Someone
from tests.software_key import Model, SoftwareKey
from tests.software_key import NoTouch as NobodyTouches

PATIENCE = 60.0  # seconds; a busy machine is slow
NEVER = 3600.0  # seconds after which the key itself would give up


def an_untouched_key(name: str = "Software Key") -> SoftwareKey:
    return SoftwareKey(model=Model(product_name=name, touch_timeout=NEVER), touch=NobodyTouches())


def press_ctrl_c() -> None:
    raise KeyboardInterrupt


def press_ctrl_c_while_blinking(key: SoftwareKey) -> Callable[[], None]:
    """Send the real signal from another thread, so that it meets the program while it waits for the key."""
    program = threading.main_thread().ident
    assert program is not None

    def wait_and_press() -> None:
        key.wait_until_blinking()
        signal.pthread_kill(program, signal.SIGINT)

    return lambda: threading.Thread(target=wait_and_press, daemon=True).start()


def until_dark(key: SoftwareKey) -> bool:
    """Tell whether the key stops blinking."""
    ends = time.monotonic() + PATIENCE
    while key.is_blinking and time.monotonic() < ends:
        threading.Event().wait(0.01)
    return not key.is_blinking


def test_ctrl_c_while_the_key_blinks_cancels_it(keys: SecurityKeys, plug: Plug) -> None:
    key = an_untouched_key()
    plug(key)
    with pytest.raises(KeyboardInterrupt):
        keys.register(
            Site().creation(verification="discouraged"), ORIGIN, Someone(on={"touch": press_ctrl_c_while_blinking(key)})
        )
    assert until_dark(key)


def test_ctrl_c_in_a_prompt_cancels_the_key(keys: SecurityKeys, plug: Plug) -> None:
    key = an_untouched_key()
    plug(key)
    with pytest.raises(KeyboardInterrupt):
        keys.register(Site().creation(verification="discouraged"), ORIGIN, Someone(on={"touch": press_ctrl_c}))
    assert until_dark(key)


def test_ctrl_c_while_choosing_cancels_all_keys(keys: SecurityKeys, plug: Plug) -> None:
    left, right = an_untouched_key("Left"), an_untouched_key("Right")
    plug(left, right)
    with pytest.raises(KeyboardInterrupt):
        keys.describe(Someone(on={"choose": press_ctrl_c_while_blinking(left)}))
    assert until_dark(left)
    assert until_dark(right)


def test_ctrl_c_at_the_pin_changes_nothing(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    plug(key)
    with pytest.raises(KeyboardInterrupt):
        keys.register(Site().creation(), ORIGIN, Someone(on={"pin": press_ctrl_c}))
    assert key.memory.pin_retries == 8


def test_an_error_from_a_prompt_stops_the_key_and_arrives_as_it_is(keys: SecurityKeys, plug: Plug) -> None:
    key = an_untouched_key()
    plug(key)
    mine = WrongUse("there is no terminal")

    def fail() -> None:
        raise mine

    with pytest.raises(WrongUse) as caught:
        keys.register(Site().creation(verification="discouraged"), ORIGIN, Someone(on={"touch": fail}))
    assert caught.value is mine
    assert not key.is_blinking


def test_the_key_can_be_used_again_after_that(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey()
    plug(key)
    with pytest.raises(KeyboardInterrupt):
        keys.register(Site().creation(verification="discouraged"), ORIGIN, Someone(on={"touch": press_ctrl_c}))
    assert until_dark(key)
    keys.register(Site().creation(verification="discouraged"), ORIGIN, Someone())


@pytest.mark.parametrize("moment", ["touch", "pin"])
def test_a_key_pulled_out_half_way_is_said(keys: SecurityKeys, plug: Plug, moment: str) -> None:
    key = SoftwareKey(pin="1234", touch=NobodyTouches())
    plug(key)
    with pytest.raises(KeyGone, match='"Software Key" was unplugged') as caught:
        keys.register(Site().creation(), ORIGIN, Someone(pins=["1234"], on={moment: key.unplug}))
    assert caught.value.hint == "plug it in and start again"


def test_a_key_that_another_program_uses_is_busy(
    keys: SecurityKeys, plug: Plug, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("passless.devices.lines.ANSWER_LIMIT", 0.05)
    key = an_untouched_key()
    plug(key)
    busy: list[Exception] = []

    def another_program() -> None:
        try:
            SecurityKeys(platform="linux").describe(Someone())
        except KeyBusy as error:
            busy.append(error)
        key.touch()

    me = Someone(on={"touch": lambda: threading.Thread(target=another_program, daemon=True).start()})
    keys.register(Site().creation(verification="discouraged"), ORIGIN, me)
    assert [str(error) for error in busy] == ['"Software Key" is busy with another program']
    assert capfd.readouterr() == ("", "")


def test_nothing_is_printed(keys: SecurityKeys, plug: Plug, capfd: pytest.CaptureFixture[str]) -> None:
    plug(SoftwareKey(pin="1234"))
    keys.register(Site().creation(), ORIGIN, Someone(pins=["1234"]))
    assert capfd.readouterr() == ("", "")
