"""Enrolling a key, judged by fido2's own server."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from passless.devices.errors import AlreadyEnrolled, KeyCannot, KeyFull, NoKey, NoSuchKey, NoTouch, PinNeeded, WrongOrigin
from passless.devices.keys import SecurityKeys
from tests.devices.conftest import Plug
from tests.devices.relying_party import ORIGIN, RP_ID, Site
from tests.devices.someone import Someone
from tests.software_key import EDDSA, Finger, Model, SoftwareKey
from tests.software_key import NoTouch as NobodyTouches


def test_a_key_is_enrolled_with_a_touch(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    site, me = Site(), Someone()
    site.register(keys.register(site.creation(verification="discouraged"), ORIGIN, me))
    assert me.said == ["touch Software Key"]


@pytest.mark.parametrize("origin", [f"http://{RP_ID}:8321", f"https://{RP_ID}:8443", f"https://login.{RP_ID}"])
def test_every_origin_of_the_store_will_do(keys: SecurityKeys, plug: Plug, origin: str) -> None:
    plug(SoftwareKey())
    answer = json.loads(keys.register(Site().creation(verification="discouraged"), origin, Someone()))
    assert json.loads(_bytes(answer["response"]["clientDataJSON"]))["origin"] == origin


@pytest.mark.parametrize("origin", ["https://other.localhost", f"http://{RP_ID}.example", f"https://{RP_ID}.evil.example"])
def test_a_strange_origin_is_refused_before_any_key_blinks(keys: SecurityKeys, plug: Plug, origin: str) -> None:
    plug(SoftwareKey())
    me = Someone()
    with pytest.raises(WrongOrigin):
        keys.register(Site().creation(), origin, me)
    assert me.said == []


def test_the_answer_has_all_members_of_the_standard(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    answer = json.loads(keys.register(Site().creation(extensions={"credProps": True}), ORIGIN, Someone()))
    response = answer["response"]
    assert answer["clientExtensionResults"] == {"credProps": {"rk": False}}
    assert response["transports"] == ["usb"]
    assert response["publicKeyAlgorithm"] == -7
    assert load_der_public_key(_bytes(response["publicKey"])).key_size == 256  # type: ignore[union-attr]
    assert _bytes(response["authenticatorData"]) in _bytes(response["attestationObject"])


def test_a_key_pair_of_another_kind_is_given_as_der_too(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    options = Site().creation(pubKeyCredParams=[{"type": "public-key", "alg": EDDSA}])
    response = json.loads(keys.register(options, ORIGIN, Someone()))["response"]
    assert response["publicKeyAlgorithm"] == EDDSA
    assert load_der_public_key(_bytes(response["publicKey"]))


def test_without_a_key_it_says_so(keys: SecurityKeys, plug: Plug) -> None:
    plug()
    with pytest.raises(NoKey, match="no security key is plugged in"):
        keys.register(Site().creation(), ORIGIN, Someone())


def test_a_key_that_is_not_there_cannot_be_chosen(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    with pytest.raises(NoSuchKey, match='"blue key"'):
        keys.register(Site().creation(), ORIGIN, Someone(), on="blue key")


def test_a_key_is_enrolled_once(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    site, me = Site(), Someone(pins=["1234"])
    site.register(keys.register(site.creation(), ORIGIN, me))
    with pytest.raises(AlreadyEnrolled, match='"Software Key" is already enrolled'):
        keys.register(site.creation(), ORIGIN, me)


def test_a_key_that_nobody_touches_gives_up(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(model=Model(touch_timeout=0.05), touch=NobodyTouches()))
    with pytest.raises(NoTouch, match="not touched in time"):
        keys.register(Site().creation(), ORIGIN, Someone())


def test_the_time_of_the_options_ends_the_ceremony_on_the_key(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(touch=NobodyTouches())
    plug(key)
    with pytest.raises(NoTouch):
        keys.register(Site().creation(timeout=50), ORIGIN, Someone())
    assert not key.is_blinking


def test_a_full_key_says_what_to_do(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(model=Model(capacity=0), pin="1234"))
    with pytest.raises(KeyFull) as caught:
        keys.register(Site().creation(resident="required"), ORIGIN, Someone(pins=["1234"]))
    assert "credential list" in caught.value.hint


def test_a_key_that_knows_none_of_the_algorithms_cannot_be_enrolled(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    with pytest.raises(KeyCannot):
        keys.register(Site().creation(pubKeyCredParams=[{"type": "public-key", "alg": -257}]), ORIGIN, Someone())


def test_options_too_long_for_the_key_are_refused(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    options = Site().creation(verification="discouraged", rp={"id": RP_ID, "name": "x" * 4000})
    with pytest.raises(KeyCannot, match="takes no request that long"):
        keys.register(options, ORIGIN, Someone())


def test_a_key_without_a_pin_is_offered_one_and_then_verifies(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    site, me = Site(), Someone(sets_a_pin=True, new_pins=["4711"], pins=["4711"])
    site.register(keys.register(site.creation(verification="required"), ORIGIN, me))
    assert me.said == ["no-pin required", "new-pin 4 needed", "pin 8 needed", "touch Software Key"]


def test_where_a_pin_is_only_preferred_the_person_may_go_on_without(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    site, me = Site(), Someone()
    site.register(keys.register(site.creation(verification="preferred"), ORIGIN, me))
    assert me.said == ["no-pin preferred", "touch Software Key"]


def test_where_a_pin_is_preferred_one_can_be_set_on_the_way(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    me = Someone(sets_a_pin=True, new_pins=["4711"], pins=["4711"])
    keys.register(Site().creation(verification="preferred"), ORIGIN, me)
    assert "pin 8 needed" in me.said


def test_where_a_pin_is_required_there_is_no_way_without(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    with pytest.raises(PinNeeded, match='"Software Key" has no PIN yet') as caught:
        keys.register(Site().creation(verification="required"), ORIGIN, Someone())
    assert caught.value.hint == "set one: passless key pin set"


def test_a_key_that_always_verifies_needs_its_pin_whatever_the_options_say(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey()
    key.memory.always_uv = True
    plug(key)
    with pytest.raises(PinNeeded):
        keys.register(Site().creation(verification="discouraged"), ORIGIN, Someone())


def test_a_finger_is_enough(keys: SecurityKeys, plug: Plug) -> None:
    from tests.software_key import FINGERPRINT_MODEL

    key = SoftwareKey(model=FINGERPRINT_MODEL, pin="1234", fingerprints=["thumb"])
    key.usual_finger(Finger.GOOD)
    plug(key)
    site, me = Site(), Someone()
    site.register(keys.register(site.creation(verification="required"), ORIGIN, me))
    assert me.said == ["finger 3"]


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
