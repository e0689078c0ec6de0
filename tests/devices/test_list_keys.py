"""What keys say about themselves."""

from __future__ import annotations

import msgspec
import pytest

from passless.devices.errors import KeyBusy
from passless.devices.keys import SecurityKeys
from passless.devices.lines import Line
from passless.devices.states import model_name
from tests.devices.conftest import Plug
from tests.devices.someone import Someone
from tests.software_key import FINGERPRINT_MODEL, Model, SoftwareKey


def test_without_keys_the_list_is_empty(keys: SecurityKeys, plug: Plug) -> None:
    plug()
    assert keys.list_keys() == ()


def test_a_key_tells_what_it_is_and_can(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    plug(key)
    [state] = keys.list_keys()
    assert (state.id, state.name, state.serial) == (f"software-key-{key.serial}", "Software Key", key.serial)
    assert (state.firmware, state.transports, state.versions) == ("5.0.0", ("usb",), ("FIDO_2_0", "FIDO_2_1"))
    assert (state.has_pin, state.pin_tries_left, state.pin_locked, state.min_pin_length) == (True, 8, False, 4)
    assert (state.takes_fingerprints, state.always_verifies, state.lists_credentials) == (False, False, True)
    assert (state.credential_slots_left, state.problem) == (25, None)


def test_a_key_without_a_pin_has_no_tries(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    [state] = keys.list_keys()
    assert (state.has_pin, state.pin_tries_left) == (False, None)


def test_a_fingerprint_key_tells_whether_it_knows_fingers(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(model=FINGERPRINT_MODEL), SoftwareKey(model=FINGERPRINT_MODEL, pin="1234", fingerprints=["thumb"]))
    without, with_finger = keys.list_keys()
    assert (without.takes_fingerprints, without.has_fingerprints, without.finger_tries_left) == (True, False, None)
    assert (with_finger.has_fingerprints, with_finger.finger_tries_left) == (True, 3)


def test_the_list_asks_for_nothing(keys: SecurityKeys, plug: Plug) -> None:
    key = SoftwareKey(pin="1234")
    plug(key, SoftwareKey(model=Model(product_name="Other Key")))
    assert [state.name for state in keys.list_keys()] == ["Software Key", "Other Key"]
    assert key.memory.pin_retries == 8


def test_a_state_is_json(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey())
    assert b'"has_pin":false' in msgspec.json.encode(keys.describe(Someone()))


def test_a_name_from_the_key_cannot_draw_on_the_terminal(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(model=Model(product_name="Key\x1b[2J\u202e")))
    assert keys.list_keys()[0].name == "Key\ufffd[2J\ufffd"


def test_known_models_have_a_name() -> None:
    assert model_name("bada5566-a7aa-401f-bd96-45619a55120d") == "1Password"
    assert model_name("70617373-6c65-7373-0000-736f66746b79") is None


def test_a_key_in_use_elsewhere_is_listed_with_the_problem(
    keys: SecurityKeys, plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug(SoftwareKey())

    def busy(line: Line) -> None:
        raise KeyBusy(f'"{line.name}" is busy')

    monkeypatch.setattr(Line, "ctap2", busy)
    [state] = keys.list_keys()
    assert (state.name, state.problem, state.hint) == ("Software Key", "key-busy", KeyBusy.hint)
