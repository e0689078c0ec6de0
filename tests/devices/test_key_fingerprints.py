"""Listing, enrolling, renaming and removing fingers."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from passless.devices.errors import FingerprintsFull, KeyCannot, KeyGone, NoSuchFingerprint, NoTouch
from passless.devices.keys import SecurityKeys
from passless.domain.names import BadName
from tests.devices.conftest import Plug
from tests.devices.someone import Someone
from tests.software_key import FINGERPRINT_MODEL, Finger, SoftwareKey


@pytest.fixture
def key(plug: Plug) -> SoftwareKey:
    """A key that knows two fingers."""
    key = SoftwareKey(model=FINGERPRINT_MODEL, pin="1234", fingerprints=["left thumb", "forefinger"])
    plug(key)
    return key


@pytest.fixture
def me() -> Someone:
    """Somebody who knows the PIN."""
    return Someone(pins=["1234"])


def names(key: SoftwareKey) -> list[str]:
    return [finger.name for finger in key.memory.fingerprints]


def test_fingers_are_listed(keys: SecurityKeys, key: SoftwareKey, me: Someone) -> None:
    assert [one.name for one in keys.list_fingerprints(me)] == ["left thumb", "forefinger"]


def test_a_key_that_knows_no_finger_lists_none(keys: SecurityKeys, plug: Plug, me: Someone) -> None:
    plug(SoftwareKey(model=FINGERPRINT_MODEL, pin="1234"))
    assert keys.list_fingerprints(me) == ()


def test_enrolling_says_how_many_samples_are_left(keys: SecurityKeys, key: SoftwareKey, me: Someone) -> None:
    added = keys.add_fingerprint("ring finger", me)
    assert me.said == ["pin 8 needed", "sample first None", "sample good 2", "sample good 1"]
    assert added in keys.list_fingerprints(me)
    assert names(key)[-1] == "ring finger"


def test_a_finger_needs_no_name(keys: SecurityKeys, key: SoftwareKey, me: Someone) -> None:
    assert keys.add_fingerprint(None, me).name is None
    assert keys.list_fingerprints(me)[-1].name is None


def test_a_bad_sample_is_taken_again(keys: SecurityKeys, key: SoftwareKey, me: Someone) -> None:
    key.next_fingers(Finger.TOO_FAST, Finger.GOOD, Finger.POOR_QUALITY)
    keys.add_fingerprint("ring finger", me)
    assert me.said[1:] == [
        "sample first None",
        "sample too-fast 3",
        "sample good 2",
        "sample unclear 2",
        "sample good 1",
    ]


def test_when_nobody_comes_the_enrolment_is_dropped(
    keys: SecurityKeys, key: SoftwareKey, me: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("passless.devices.key_fingerprints.SAMPLE_LIMIT", 30)
    key.usual_finger(Finger.NONE)
    with pytest.raises(NoTouch, match="nobody put a finger"):
        keys.add_fingerprint("ring finger", me)
    assert me.said[2:] == ["sample no-finger 3", "sample no-finger 3"]
    assert names(key) == ["left thumb", "forefinger"]


def test_a_key_pulled_out_while_enrolling_is_said(keys: SecurityKeys, key: SoftwareKey) -> None:
    def unplug_at_the_second() -> None:
        if len(me.said) > 2:
            key.unplug()

    me = Someone(pins=["1234"], on={"sample": unplug_at_the_second})
    with pytest.raises(KeyGone):
        keys.add_fingerprint("ring finger", me)


def test_an_error_from_a_prompt_drops_the_enrolment(keys: SecurityKeys, key: SoftwareKey) -> None:
    def fail_at_the_second() -> None:
        if len(me.said) > 2:
            raise BadName("no")

    me = Someone(pins=["1234"], on={"sample": fail_at_the_second})
    with pytest.raises(BadName):
        keys.add_fingerprint("ring finger", me)
    assert names(key) == ["left thumb", "forefinger"]


def test_a_full_key_takes_no_more_fingers(keys: SecurityKeys, plug: Plug, me: Someone) -> None:
    plug(SoftwareKey(model=replace(FINGERPRINT_MODEL, max_fingerprints=1), pin="1234", fingerprints=["thumb"]))
    with pytest.raises(FingerprintsFull):
        keys.add_fingerprint("ring finger", me)


@pytest.mark.parametrize("name", ["", "a name too long for keys", "\x1b"])
def test_a_bad_name_is_refused_before_any_sample(keys: SecurityKeys, key: SoftwareKey, me: Someone, name: str) -> None:
    with pytest.raises(BadName):
        keys.add_fingerprint(name, me)
    assert "sample first None" not in me.said


def test_a_name_that_only_the_key_finds_bad_is_said(
    keys: SecurityKeys, key: SoftwareKey, me: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.software_key.fingerprints.MAX_NAME", 5)
    monkeypatch.setattr("passless.devices.key_fingerprints._check_name", lambda bio, name: None)
    with pytest.raises(BadName, match="does not take this name"):
        keys.rename_fingerprint("forefinger", "index finger", me)


def test_a_finger_is_renamed(keys: SecurityKeys, key: SoftwareKey, me: Someone) -> None:
    keys.rename_fingerprint("Left Thumb", "big finger", me)
    assert names(key) == ["big finger", "forefinger"]


def test_a_finger_is_removed_by_its_id(keys: SecurityKeys, key: SoftwareKey, me: Someone) -> None:
    wanted = keys.list_fingerprints(me)[0]
    assert keys.remove_fingerprint(wanted.id, me) == wanted
    assert names(key) == ["forefinger"]


def test_an_unknown_finger_is_refused(keys: SecurityKeys, key: SoftwareKey, me: Someone) -> None:
    with pytest.raises(NoSuchFingerprint, match='no finger "toe"'):
        keys.remove_fingerprint("toe", me)


def test_two_fingers_of_one_name_need_the_id(keys: SecurityKeys, key: SoftwareKey, me: Someone) -> None:
    for finger in key.memory.fingerprints:
        finger.name = "thumb"
    with pytest.raises(NoSuchFingerprint, match="several"):
        keys.remove_fingerprint("thumb", me)


def test_a_key_without_a_reader_cannot(keys: SecurityKeys, plug: Plug, me: Someone) -> None:
    plug(SoftwareKey(pin="1234"))
    with pytest.raises(KeyCannot, match="has no fingerprint reader"):
        keys.list_fingerprints(me)
