"""Listing and deleting what a key keeps itself."""

from __future__ import annotations

import pytest

from passless.devices.errors import KeyCannot, NoSuchCredential, PinChangeNeeded, PinLocked, PinNeeded, WrongPin
from passless.devices.keys import SecurityKeys
from tests.devices.conftest import Plug
from tests.devices.relying_party import ORIGIN, Site
from tests.devices.someone import Someone
from tests.software_key import Model, SoftwareKey


@pytest.fixture
def key(keys: SecurityKeys, plug: Plug) -> SoftwareKey:
    """A key with three passkeys at two sites."""
    key = SoftwareKey(pin="1234")
    plug(key)
    for rp_id, user in (("two.example", "eve"), ("one.example", "bob"), ("one.example", "ada")):
        options = Site(rp_id).creation(user=user, resident="required", excludeCredentials=[])
        keys.register(options, f"https://{rp_id}", Someone(pins=["1234"]))
    return key


def test_credentials_are_listed_by_site_and_user(keys: SecurityKeys, key: SoftwareKey) -> None:
    listed = keys.list_credentials(Someone(pins=["1234"]))
    assert [(one.rp_id, one.user_name, one.display_name) for one in listed] == [
        ("one.example", "ada", "Ada"),
        ("one.example", "bob", "Bob"),
        ("two.example", "eve", "Eve"),
    ]
    assert (listed[0].user_id, listed[0].rp_name, listed[0].protection) == ("YWRh", "A site", "optional")


def test_a_key_that_keeps_nothing_lists_nothing(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    assert keys.list_credentials(Someone(pins=["1234"])) == ()


def test_a_credential_is_deleted_by_its_id(keys: SecurityKeys, key: SoftwareKey) -> None:
    me = Someone(pins=["1234"])
    wanted = keys.list_credentials(me)[1]
    assert keys.delete_credential(wanted.id, me) == wanted
    assert [one.user_name for one in keys.list_credentials(me)] == ["ada", "eve"]


def test_the_beginning_of_an_id_is_enough(keys: SecurityKeys, key: SoftwareKey) -> None:
    me = Someone(pins=["1234"])
    wanted = keys.list_credentials(me)[0]
    assert keys.delete_credential(wanted.id[:8], me) == wanted


@pytest.mark.parametrize("wanted", ["nothing-like-it", "", "abc"])
def test_an_id_that_the_key_does_not_have_is_refused(keys: SecurityKeys, key: SoftwareKey, wanted: str) -> None:
    with pytest.raises(NoSuchCredential):
        keys.delete_credential(wanted, Someone(pins=["1234"]))
    assert len(key.credentials) == 3


def test_an_ambiguous_beginning_is_refused(keys: SecurityKeys, key: SoftwareKey) -> None:
    for place, credential in enumerate(key.credentials):
        credential.id = b"\0" * 31 + bytes([place])
    with pytest.raises(NoSuchCredential, match="several"):
        keys.delete_credential("AAAAA", Someone(pins=["1234"]))
    assert len(key.credentials) == 3


def test_a_wrong_pin_is_asked_for_again(keys: SecurityKeys, key: SoftwareKey) -> None:
    me = Someone(pins=["9999", "1234"])
    assert len(keys.list_credentials(me)) == 3
    assert me.said == ["pin 8 needed", "pin 7 wrong"]


def test_a_wrong_pin_from_a_file_costs_one_try(keys: SecurityKeys, key: SoftwareKey) -> None:
    with pytest.raises(WrongPin, match="tries left: 7"):
        keys.list_credentials(Someone(pins=["9999"]))


def test_three_wrong_pins_lock_the_key(keys: SecurityKeys, key: SoftwareKey) -> None:
    with pytest.raises(PinLocked):
        keys.list_credentials(Someone(pins=["9999", "8888", "7777"]))


def test_a_key_without_a_pin_is_offered_one(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    me = Someone(sets_a_pin=True, new_pins=["4711"], pins=["4711"])
    assert keys.list_credentials(me) == ()
    assert me.said == ["no-pin required", "new-pin 4 needed", "pin 8 needed"]


def test_without_a_pin_nothing_is_listed(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    with pytest.raises(PinNeeded):
        keys.list_credentials(Someone())


def test_a_key_that_wants_a_new_pin_says_so(keys: SecurityKeys, key: SoftwareKey) -> None:
    key.memory.must_change_pin = True
    with pytest.raises(PinChangeNeeded):
        keys.list_credentials(Someone(pins=["1234"]))


def test_an_older_key_cannot_list(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(model=Model(credential_management=False), pin="1234"))
    with pytest.raises(KeyCannot, match="does not say which credentials"):
        keys.list_credentials(Someone(pins=["1234"]))


def test_names_from_the_key_cannot_draw_on_the_terminal(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    me = Someone(pins=["1234"])
    keys.register(Site().creation(user="ada\u202e\x1b", resident="required"), ORIGIN, me)
    assert keys.list_credentials(me)[0].user_name == "ada\ufffd\ufffd"
