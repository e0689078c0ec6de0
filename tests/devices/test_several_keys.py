"""Several keys at once: all blink, one is touched, the others stop."""

from __future__ import annotations

import pytest

from passless.devices.errors import KeyGone, NoSuchKey, NoTouch
from passless.devices.keys import SecurityKeys
from tests.devices.conftest import Plug
from tests.devices.relying_party import ORIGIN, Site
from tests.devices.someone import Someone
from tests.software_key import AutomaticTouch, Model, SoftwareKey
from tests.software_key import NoTouch as NobodyTouches

OLDER = ("FIDO_2_0",)  # such a key has no command for choosing it


def an_untouched_key(name: str = "Left Key", **model: object) -> SoftwareKey:
    return SoftwareKey(model=Model(product_name=name, **model), touch=NobodyTouches())  # type: ignore[arg-type]


def test_the_key_that_is_touched_is_used(keys: SecurityKeys, plug: Plug) -> None:
    left, right = an_untouched_key(), SoftwareKey(model=Model(product_name="Right Key"))
    plug(left, right)
    site, me = Site(), Someone()
    site.register(keys.register(site.creation(verification="discouraged", resident="required"), ORIGIN, me))
    assert me.said == ["choose Left Key, Right Key", "touch Right Key"]
    assert (len(left.credentials), len(right.credentials)) == (0, 1)


def test_the_other_keys_stop_blinking(keys: SecurityKeys, plug: Plug) -> None:
    left = an_untouched_key()
    plug(left, SoftwareKey())
    still_blinking = []
    me = Someone(on={"touch": lambda: still_blinking.append(left.is_blinking)})
    keys.register(Site().creation(verification="discouraged"), ORIGIN, me)
    assert still_blinking == [False]


def test_older_keys_are_chosen_by_touch_too(keys: SecurityKeys, plug: Plug) -> None:
    plug(an_untouched_key(), SoftwareKey(model=Model(product_name="Right Key", versions=OLDER)))
    me = Someone()
    keys.register(Site().creation(verification="discouraged"), ORIGIN, me)
    assert me.said[-1] == "touch Right Key"


def test_keys_of_one_make_are_told_apart(keys: SecurityKeys, plug: Plug) -> None:
    one, other = an_untouched_key("Key"), SoftwareKey(model=Model(product_name="Key"))
    plug(one, other)
    me = Someone()
    keys.describe(me)
    assert me.said == [f"choose Key (software-key-{one.serial}), Key (software-key-{other.serial})"]


@pytest.mark.parametrize("by", ["serial", "id", "name"])
def test_a_key_can_be_named_instead(keys: SecurityKeys, plug: Plug, by: str) -> None:
    left = an_untouched_key()
    plug(left, SoftwareKey())
    names = {"serial": left.serial, "id": f"software-key-{left.serial}", "name": "left key"}
    me = Someone()
    assert keys.describe(me, on=names[by]).serial == left.serial
    assert me.said == []


def test_a_name_that_no_key_has_is_refused(keys: SecurityKeys, plug: Plug) -> None:
    plug(an_untouched_key(), SoftwareKey())
    with pytest.raises(NoSuchKey):
        keys.describe(Someone(), on="blue")


def test_when_none_is_touched_it_gives_up(keys: SecurityKeys, plug: Plug) -> None:
    plug(an_untouched_key(touch_timeout=0.05), an_untouched_key("Right Key", touch_timeout=0.05))
    with pytest.raises(NoTouch, match="none of the keys"):
        keys.describe(Someone())


def test_pulling_one_out_leaves_the_choice_to_the_others(keys: SecurityKeys, plug: Plug) -> None:
    left, right = an_untouched_key(), SoftwareKey(touch=AutomaticTouch(0.1))
    plug(left, right)
    assert keys.describe(Someone(on={"choose": left.unplug})).serial == right.serial


def test_pulling_all_out_is_said(keys: SecurityKeys, plug: Plug) -> None:
    left, right = an_untouched_key(), an_untouched_key("Right Key")
    plug(left, right)

    def pull_both() -> None:
        left.unplug()
        right.unplug()

    with pytest.raises(KeyGone):
        keys.describe(Someone(on={"choose": pull_both}))
