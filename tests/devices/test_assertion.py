"""Signing in with a key, judged by fido2's own server."""

from __future__ import annotations

import json

import pytest

from passless.devices.errors import BadOptions, NotEnrolled, NoTouch, PinNeeded, WrongOrigin
from passless.devices.keys import SecurityKeys
from tests.devices.conftest import Plug
from tests.devices.relying_party import ORIGIN, Site
from tests.devices.someone import Someone
from tests.software_key import Model, SoftwareKey
from tests.software_key import NoTouch as NobodyTouches


def test_an_enrolled_key_signs_in(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    site, me = Site(), Someone(pins=["1234"])
    enrolled = site.register(keys.register(site.creation(), ORIGIN, me))
    assert site.sign_in(keys.assertion(site.request(verification="required"), ORIGIN, me)) == enrolled
    assert me.said[-2:] == ["pin 8 needed", "touch Software Key"]


def test_a_key_without_a_pin_is_not_offered_one_at_every_sign_in(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    site, me = Site(), Someone()
    site.register(keys.register(site.creation(verification="discouraged"), ORIGIN, me))
    site.sign_in(keys.assertion(site.request(verification="preferred"), ORIGIN, me))
    assert me.said == ["touch Software Key", "touch Software Key"]


def test_a_key_without_a_pin_cannot_verify(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    site, me = Site(), Someone()
    site.register(keys.register(site.creation(verification="discouraged"), ORIGIN, me))
    with pytest.raises(PinNeeded):
        keys.assertion(site.request(verification="required"), ORIGIN, me)


def test_a_key_of_somebody_else_does_not_sign_in(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    site = Site()
    options = site.request(verification="discouraged", allowCredentials=[{"type": "public-key", "id": "AAAA"}])
    with pytest.raises(NotEnrolled, match='"Software Key" is no key of this account') as caught:
        keys.assertion(options, ORIGIN, Someone())
    assert caught.value.code == "not-enrolled"


def test_a_key_without_credentials_signs_nobody_in(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    with pytest.raises(NotEnrolled):
        keys.assertion(Site().request(usernameless=True), ORIGIN, Someone(pins=["1234"]))


def test_among_several_accounts_on_the_key_the_person_chooses(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    site, me = Site(), Someone(pins=["1234"], account=1)
    for user in ("ada", "bob"):
        site.register(keys.register(site.creation(user=user, resident="required", excludeCredentials=[]), ORIGIN, me))
    answer = keys.assertion(site.request(usernameless=True), ORIGIN, me)
    assert me.said[-1] == "account Bob, Ada"
    assert json.loads(answer)["response"]["userHandle"] == "YWRh"
    site.sign_in(answer)


def test_a_place_outside_the_list_is_the_first(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    site, me = Site(), Someone(account=7)
    for user in ("ada", "bob"):
        options = site.creation(user=user, verification="discouraged", resident="required", excludeCredentials=[])
        site.register(keys.register(options, ORIGIN, me))
    keys.assertion(site.request(usernameless=True, verification="discouraged"), ORIGIN, me)
    assert me.said[-1] == "account 626f62, 616461"


def test_a_key_that_nobody_touches_gives_up(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(model=Model(touch_timeout=0.05), touch=NobodyTouches()))
    options = Site().request(verification="discouraged", allowCredentials=[{"type": "public-key", "id": "AAAA"}])
    with pytest.raises(NoTouch):
        keys.assertion(options, ORIGIN, Someone())


def test_a_strange_origin_is_refused(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    with pytest.raises(WrongOrigin):
        keys.assertion(Site().request(), "https://passless.example", Someone())


def test_options_that_are_none_are_refused(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    with pytest.raises(BadOptions):
        keys.assertion("{}", ORIGIN, Someone())
