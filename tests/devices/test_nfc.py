"""Keys on an NFC reader, where fido2's `pcsc` is replaced by the software key; the real card service is not involved."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from threading import Event
from types import ModuleType
from typing import Any

import fido2.hid
import pytest
from fido2.ctap import STATUS, CtapDevice
from fido2.hid import CtapHidDevice

from passless.devices.errors import KeyCannot, KeyGone
from passless.devices.keys import SecurityKeys
from tests.devices.conftest import Plug
from tests.devices.relying_party import ORIGIN, Site
from tests.devices.someone import Someone
from tests.software_key import SoftwareKey


class CardError(Exception):
    """As `smartcard.Exceptions.SmartcardException`."""


class ServiceError(Exception):
    """As `smartcard.pcsc.PCSCExceptions.BaseSCardException`."""


class Card(CtapDevice):
    """As `fido2.pcsc.CtapPcscDevice`, with a software key for the card."""

    key: SoftwareKey
    service_runs = True
    is_lifted = False

    def __init__(self) -> None:
        self.connect()

    def connect(self) -> None:
        self.key.plug()
        self._device = CtapHidDevice(self.key.descriptor, Ports.open_connection(self.key.descriptor))

    def __repr__(self) -> str:
        return "CtapPcscDevice(Desk Reader 00)"

    @property
    def capabilities(self) -> int:
        return self._device.capabilities

    def call(
        self, cmd: int, data: bytes = b"", event: Event | None = None, on_keepalive: Callable[[STATUS], None] | None = None
    ) -> bytes:
        if self.is_lifted:
            raise CardError("no card")
        return self._device.call(cmd, data, event, on_keepalive)

    def close(self) -> None:
        """Taking the power away is what an NFC reader does."""
        self._device.close()
        self.key.unplug()
        assert not self.key.is_plugged_in

    @classmethod
    def list_devices(cls) -> Iterator[Card]:
        if not cls.service_runs:
            raise ServiceError("no service")
        yield cls()


class Ports:
    """How the card is reached, while the computer sees no key in its ports."""

    open_connection: Any = None


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, plug: Plug) -> type[Card]:
    """A card with a PIN on the reader."""

    class ThisCard(Card):
        key = SoftwareKey(pin="1234")

    plug(ThisCard.key)
    Ports.open_connection = staticmethod(fido2.hid.open_connection)
    monkeypatch.setattr(fido2.hid, "list_descriptors", list)
    modules: dict[str, dict[str, object]] = {
        "fido2.pcsc": {"CtapPcscDevice": ThisCard},
        "smartcard.Exceptions": {"SmartcardException": CardError},
        "smartcard.pcsc.PCSCExceptions": {"BaseSCardException": ServiceError},
    }
    for name, members in modules.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    for package in ("smartcard", "smartcard.pcsc"):
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
    return ThisCard


def test_a_key_on_a_reader_enrols_and_signs_in(keys: SecurityKeys, card: type[Card]) -> None:
    site, me = Site(), Someone(pins=["1234"])
    site.register(keys.register(site.creation(), ORIGIN, me))
    site.sign_in(keys.assertion(site.request(), ORIGIN, me))


def test_it_is_listed_with_its_reader(keys: SecurityKeys, card: type[Card]) -> None:
    [state] = keys.list_keys()
    assert state.name == "key on Desk Reader 00"
    assert state.id.startswith("nfc-")
    assert "nfc" in state.transports


def test_without_the_card_service_there_are_no_such_keys(keys: SecurityKeys, card: type[Card]) -> None:
    card.service_runs = False
    assert keys.list_keys() == ()


def test_lifting_the_card_half_way_is_said(keys: SecurityKeys, card: type[Card]) -> None:
    def lift() -> None:
        card.is_lifted = True

    with pytest.raises(KeyGone):
        keys.register(Site().creation(), ORIGIN, Someone(pins=["1234"], on={"pin": lift}))


def test_a_card_lets_go_of_a_pin_lock_when_it_is_selected_again(keys: SecurityKeys, card: type[Card]) -> None:
    me = Someone(pins=["9999", "8888", "7777", "1234"])
    keys.register(Site().creation(), ORIGIN, me)
    assert me.said[:4] == ["pin 8 needed", "pin 7 wrong", "pin 6 wrong", "pin 5 wrong"]


def test_a_key_on_a_reader_is_not_erased(keys: SecurityKeys, card: type[Card]) -> None:
    with pytest.raises(KeyCannot, match="over USB"):
        keys.reset(Someone())
