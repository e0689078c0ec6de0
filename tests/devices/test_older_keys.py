"""U2F keys and CTAP 2 keys that can little."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator
from threading import Event

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.ctap import STATUS, CtapDevice, CtapError
from fido2.hid import CAPABILITY, CTAPHID

from passless.devices.errors import AlreadyEnrolled, KeyCannot, KeyFault, NotEnrolled, NoUserVerification
from passless.devices.keys import SecurityKeys
from passless.devices.lines import Line
from tests.devices.conftest import Plug
from tests.devices.relying_party import ORIGIN, Site
from tests.devices.someone import Someone
from tests.software_key import SoftwareKey

OK, TOUCH_ME, UNKNOWN = b"\x90\x00", b"\x69\x85", b"\x6a\x80"
CERTIFICATE = bytes.fromhex("30023000")  # has the length of one; nobody verifies it


class U2fKey(CtapDevice):
    """A key of the first kind (FIDO U2F Raw Message Formats 1.2): no PIN, no names, one key pair is enough here."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._handle = b"handle"
        self._blinked = 0

    @property
    def capabilities(self) -> int:
        return 0

    def call(
        self, cmd: int, data: bytes = b"", event: Event | None = None, on_keepalive: Callable[[STATUS], None] | None = None
    ) -> bytes:
        if cmd != CTAPHID.MSG:
            raise CtapError(CtapError.ERR.INVALID_COMMAND)
        instruction, control, body = data[1], data[2], data[7 : 7 + int.from_bytes(data[4:7], "big")]
        if instruction == 1:
            return self._touched() or self._register(body)
        if body[65:] != self._handle:
            return UNKNOWN
        return TOUCH_ME if control == 7 else self._touched() or self._authenticate(body)

    def _touched(self) -> bytes:
        """Blink once before the touch."""
        self._blinked += 1
        return TOUCH_ME if self._blinked % 2 else b""

    def _register(self, body: bytes) -> bytes:
        encoding, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        point = self._private.public_key().public_bytes(encoding, form)
        signature = self._sign(b"\0" + body[32:64] + body[:32] + self._handle + point)
        return b"\x05" + point + bytes([len(self._handle)]) + self._handle + CERTIFICATE + signature + OK

    def _authenticate(self, body: bytes) -> bytes:
        state = struct.pack(">BI", 1, 7)
        return state + self._sign(body[32:64] + state + body[:32]) + OK

    def _sign(self, message: bytes) -> bytes:
        return self._private.sign(message, ec.ECDSA(hashes.SHA256()))

    @classmethod
    def list_devices(cls) -> Iterator[U2fKey]:
        yield cls()


class TalkingKey(CtapDevice):
    """A key that answers every CBOR command with the same bytes."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    @property
    def capabilities(self) -> int:
        return CAPABILITY.CBOR

    def call(
        self, cmd: int, data: bytes = b"", event: Event | None = None, on_keepalive: Callable[[STATUS], None] | None = None
    ) -> bytes:
        return self._answer

    @classmethod
    def list_devices(cls) -> Iterator[TalkingKey]:
        yield cls(b"")


Insert = Callable[[CtapDevice], None]


@pytest.fixture
def insert(monkeypatch: pytest.MonkeyPatch) -> Insert:
    """Return what makes a device the only key of this computer."""

    def insert(device: CtapDevice) -> None:
        monkeypatch.setattr("passless.devices.choosing.open_lines", lambda: [Line(device, key_id="hidraw0", name="Old Key")])
        monkeypatch.setattr("passless.devices.states.open_lines", lambda: [Line(device, key_id="hidraw0", name="Old Key")])

    return insert


def test_a_u2f_key_enrols_and_signs_in(keys: SecurityKeys, insert: Insert) -> None:
    insert(U2fKey())
    site, me = Site(), Someone()
    site.register(keys.register(site.creation(), ORIGIN, me))
    site.sign_in(keys.assertion(site.request(), ORIGIN, me))
    assert me.said == ["touch Old Key", "touch Old Key"]


def test_a_u2f_key_is_enrolled_once(keys: SecurityKeys, insert: Insert) -> None:
    insert(U2fKey())
    site = Site()
    site.register(keys.register(site.creation(), ORIGIN, Someone()))
    with pytest.raises(AlreadyEnrolled):
        keys.register(site.creation(), ORIGIN, Someone())


def test_a_u2f_key_of_somebody_else_does_not_sign_in(keys: SecurityKeys, insert: Insert) -> None:
    insert(U2fKey())
    options = Site().request(allowCredentials=[{"type": "public-key", "id": "AAAA"}])
    with pytest.raises(NotEnrolled):
        keys.assertion(options, ORIGIN, Someone())


def test_a_u2f_key_finds_nobody_without_a_name(keys: SecurityKeys, insert: Insert) -> None:
    insert(U2fKey())
    with pytest.raises(NotEnrolled, match="keeps no credentials itself"):
        keys.assertion(Site().request(usernameless=True), ORIGIN, Someone())


def test_a_u2f_key_cannot_verify(keys: SecurityKeys, insert: Insert) -> None:
    insert(U2fKey())
    with pytest.raises(NoUserVerification, match="checks neither PIN nor finger"):
        keys.register(Site().creation(verification="required"), ORIGIN, Someone())


def test_a_u2f_key_keeps_no_credentials(keys: SecurityKeys, insert: Insert) -> None:
    insert(U2fKey())
    with pytest.raises(KeyCannot, match="cannot keep a credential"):
        keys.register(Site().creation(resident="required"), ORIGIN, Someone())


def test_a_u2f_key_makes_only_one_kind_of_key_pair(keys: SecurityKeys, insert: Insert) -> None:
    insert(U2fKey())
    with pytest.raises(KeyCannot):
        keys.register(Site().creation(pubKeyCredParams=[{"type": "public-key", "alg": -8}]), ORIGIN, Someone())


def test_a_u2f_key_has_nothing_to_manage(keys: SecurityKeys, insert: Insert) -> None:
    insert(U2fKey())
    with pytest.raises(KeyCannot, match="older U2F key"):
        keys.set_pin(Someone())


def test_a_u2f_key_is_listed(keys: SecurityKeys, insert: Insert) -> None:
    insert(U2fKey())
    [state] = keys.list_keys()
    assert (state.versions, state.has_pin, state.stores_credentials) == (("U2F_V2",), None, False)


def a_key_without_pins() -> TalkingKey:
    return TalkingKey(
        b"\0" + cbor.encode({1: ["FIDO_2_0"], 3: hashlib.md5(b"", usedforsecurity=False).digest(), 4: {"up": True}})
    )


def test_a_key_without_pins_cannot_verify(keys: SecurityKeys, insert: Insert) -> None:
    insert(a_key_without_pins())
    with pytest.raises(NoUserVerification):
        keys.register(Site().creation(verification="required"), ORIGIN, Someone())


def test_a_key_without_pins_is_not_asked_for_one(keys: SecurityKeys, insert: Insert) -> None:
    insert(a_key_without_pins())
    me = Someone()
    with pytest.raises(KeyFault):  # this one has no credential to give either
        keys.register(Site().creation(verification="preferred"), ORIGIN, me)
    assert me.said == []


@pytest.mark.parametrize("manage", [SecurityKeys.set_pin, SecurityKeys.change_pin])
def test_a_key_without_pins_gets_none(keys: SecurityKeys, insert: Insert, manage: Callable[..., object]) -> None:
    insert(a_key_without_pins())
    with pytest.raises(KeyCannot, match="has no PIN"):
        manage(keys, Someone())


@pytest.mark.parametrize("answer", [b"", b"\0", b"\0\xff", b"\0\x01", b"\x7f", b"\0" + cbor.encode({1: 7})])
def test_an_answer_that_cannot_be_read_is_the_keys_fault(keys: SecurityKeys, insert: Insert, answer: bytes) -> None:
    insert(TalkingKey(answer))
    with pytest.raises(KeyFault):
        keys.describe(Someone())
    [state] = keys.list_keys()
    assert state.problem == "key-fault"


def test_a_key_that_cannot_be_opened_is_no_key(keys: SecurityKeys, plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: object) -> None:
        raise PermissionError("read only")

    plug(SoftwareKey())
    monkeypatch.setattr("fido2.hid.open_connection", refuse)
    assert keys.list_keys() == ()


def test_a_key_that_does_not_even_say_hello_is_no_key(keys: SecurityKeys, plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        is_closed = False

        def __init__(self, descriptor: object) -> None:
            pass

        def write_packet(self, packet: bytes) -> None:
            pass

        def read_packet(self) -> bytes:
            return b""

        def close(self) -> None:
            Silent.is_closed = True

    plug(SoftwareKey())
    monkeypatch.setattr("fido2.hid.open_connection", Silent)
    assert keys.list_keys() == ()
    assert Silent.is_closed
