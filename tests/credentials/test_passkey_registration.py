import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fido2 import cbor, cose, webauthn
from hypothesis import given
from hypothesis import strategies as st

from passless.credentials.cose_keys import BadResponse
from passless.credentials.passkey_registration import (
    Attachment,
    BegunRegistration,
    RegistrationExpected,
    ResidentKey,
    begin_registration,
    finish_registration,
)
from passless.credentials.passkeys import UserVerification, embedded_relying_party, name_of
from passless.credentials.proofs import WrongProof
from passless.domain.errors import ProofNeeded, WrongUse
from tests.credentials.authenticator import AAGUID, AT, BE, BS, ED, UP, USER_HANDLE, UV, Authenticator, client_data, entropy

HERE = embedded_relying_party("s1a2b3")
NO_STATEMENT: dict[str, Any] = {}


def begin(**changed: Any) -> BegunRegistration:
    asked: dict[str, Any] = {"origin": HERE.page_origin(8123), "user_handle": USER_HANDLE, "account": "ada", "entropy": entropy}
    return begin_registration(HERE, **(asked | changed))


EXPECTED = begin().expected


def with_key(public_key: Any) -> bytes:
    """Authenticator data with another public key in it."""
    key = Authenticator()
    encoded = public_key if isinstance(public_key, bytes) else cbor.encode(public_key)
    return key.header(HERE.id, flags=UP | UV | AT) + key.new_credential(public_key=encoded)


def test_the_options_are_those_of_the_standard() -> None:
    known = Authenticator().known(HERE.id).credential
    known = msgspec.structs.replace(known, transports=("usb", "nfc"))
    begun = begin(known=[known], resident_key=ResidentKey.REQUIRED, attachment=Attachment.CROSS_PLATFORM)
    assert json.loads(msgspec.json.encode(begun.options)) == {
        "rp": {"id": "s1a2b3.passless.localhost", "name": "passless"},
        "user": {"id": "aGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGg", "name": "ada", "displayName": "ada"},
        "challenge": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (-7, -8, -257)],
        "timeout": 300_000,
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "preferred",
            "authenticatorAttachment": "cross-platform",
        },
        "attestation": "direct",
        "extensions": {"credProps": True},
        "excludeCredentials": [{"type": "public-key", "id": "Y3JlZGVudGlhbC0x", "transports": ["usb", "nfc"]}],
    }


def test_fido2_understands_the_options() -> None:
    options = webauthn.PublicKeyCredentialCreationOptions.from_dict(json.loads(msgspec.json.encode(begin().options)))
    assert options.challenge == EXPECTED.challenge


def test_the_expectations_survive_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(EXPECTED), type=RegistrationExpected) == EXPECTED


@pytest.mark.parametrize(
    "key",
    [ec.derive_private_key(9, ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)],
    ids=["ES256", "EdDSA", "RS256"],
)
def test_a_new_credential_is_kept_with_what_its_key_said(key: Any) -> None:
    authenticator = Authenticator(key=key, flags=UP | UV | BE | BS)
    new = finish_registration(EXPECTED, authenticator.register(EXPECTED))
    assert (new.counter, new.user_verified, new.backed_up, new.attestation_format) == (5, True, True, "none")
    assert new.attachment is Attachment.CROSS_PLATFORM
    assert new.credential.id == b"credential-1"
    assert new.credential.public_key == authenticator.public_key
    assert new.credential.rp_id == HERE.id
    assert new.credential.transports == ("usb", "nfc")
    assert new.credential.backup_eligible
    assert name_of(new.credential.aaguid) is not None


def test_a_key_that_hides_its_model_has_no_name() -> None:
    hidden = with_key(cbor.decode(Authenticator().public_key)).replace(AAGUID, bytes(16))
    new = finish_registration(EXPECTED, Authenticator().register(EXPECTED, authenticator_data=hidden))
    assert new.credential.aaguid == ""
    assert name_of(new.credential.aaguid) is None


@pytest.mark.parametrize(
    ("asked", "answered", "discoverable"),
    [
        (ResidentKey.REQUIRED, {}, True),
        (ResidentKey.PREFERRED, {}, False),
        (ResidentKey.PREFERRED, {"credProps": {"rk": True}}, True),
        (ResidentKey.REQUIRED, {"credProps": {"rk": False}}, False),
        (ResidentKey.REQUIRED, {"credProps": {}}, True),
    ],
)
def test_a_passkey_is_known_to_be_one(asked: ResidentKey, answered: dict[str, Any], discoverable: bool) -> None:
    expected = begin(resident_key=asked).expected
    new = finish_registration(expected, Authenticator().register(expected, clientExtensionResults=answered))
    assert new.credential.discoverable is discoverable


def test_an_unknown_attachment_is_left_out() -> None:
    assert finish_registration(EXPECTED, Authenticator().register(EXPECTED, authenticatorAttachment="x")).attachment is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"type": "webauthn.get"}, "another kind of ceremony"),
        ({"challenge": "AAAA"}, "challenge"),
        ({"origin": "https://s1a2b3.passless.localhost"}, "origin"),
        ({"origin": "http://s1a2b3.passless.localhost:8124"}, "origin"),
        ({"origin": "http://evil.s1a2b3.passless.localhost:8123"}, "origin"),
        ({"crossOrigin": True}, "inside a page of another origin"),
        ({"topOrigin": "http://s1a2b3.passless.localhost:8123"}, "inside a page of another origin"),
    ],
)
def test_an_answer_to_something_else_is_refused(said: dict[str, Any], reason: str) -> None:
    answer = Authenticator().register(EXPECTED, said=client_data(EXPECTED, "webauthn.create", **said))
    with pytest.raises(WrongProof) as refused:
        finish_registration(EXPECTED, answer)
    assert refused.value.reason == reason
    assert isinstance(refused.value, ProofNeeded)


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (UV, "nobody present"),
        (UP, "user not verified"),
        (UP | UV | BS, "backed up but not to be backed up"),
    ],
)
def test_flags_that_do_not_do_are_refused(flags: int, reason: str) -> None:
    expected = begin(user_verification=UserVerification.REQUIRED).expected
    with pytest.raises(WrongProof) as refused:
        finish_registration(expected, Authenticator(flags=flags).register(expected))
    assert refused.value.reason == reason


@pytest.mark.parametrize("asked", [UserVerification.PREFERRED, UserVerification.DISCOURAGED])
def test_user_verification_that_was_not_required_may_be_missing(asked: UserVerification) -> None:
    expected = begin(user_verification=asked).expected
    assert not finish_registration(expected, Authenticator(flags=UP).register(expected)).user_verified


def test_a_credential_for_another_relying_party_is_refused() -> None:
    key = Authenticator()
    elsewhere = key.header("other.passless.localhost", flags=UP | AT) + key.new_credential()
    with pytest.raises(WrongProof) as refused:
        finish_registration(EXPECTED, key.register(EXPECTED, authenticator_data=elsewhere))
    assert refused.value.reason == "relying party"


def test_the_credential_id_must_be_the_one_in_the_signed_part() -> None:
    with pytest.raises(WrongProof):
        finish_registration(EXPECTED, Authenticator().register(EXPECTED, id="AAAA", rawId="AAAA"))


@pytest.mark.parametrize(
    "public_key",
    [
        cose.ES384.from_cryptography_key(ec.derive_private_key(7, ec.SECP384R1()).public_key()),
        {1: 2, 3: -65535, -1: b"", -2: b""},
        {1: 1, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)},
    ],
    ids=["ES384", "RS1", "ES256 of the wrong type"],
)
def test_an_algorithm_that_was_not_offered_is_refused(public_key: Any) -> None:
    answer = Authenticator().register(EXPECTED, authenticator_data=with_key(public_key))
    with pytest.raises(WrongProof) as refused:
        finish_registration(EXPECTED, answer)
    assert refused.value.reason == "unknown algorithm"


@pytest.mark.parametrize(
    "public_key",
    [
        {1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)},
        {1: 2, 3: -7, -1: 1, -2: bytes(31), -3: bytes(32)},
        {1: 2, 3: -7, -1: 2, -2: bytes(32), -3: bytes(32)},
        {1: 2, 3: -7, -1: 1},
        {1: 1, 3: -8, -1: 7, -2: bytes(32)},
        {1: 1, 3: -8, -1: 6, -2: bytes(31)},
        {1: 3, 3: -257, -1: b"\xff" * 128, -2: b"\1\0\1"},
        {1: 3, 3: -257, -1: b"\xff" * 256, -2: b"\2"},
        {1: 3, 3: -257, -1: "text", -2: b"\1\0\1"},
        {1: 3, 3: -257, -1: b"\xff" * 256, -2: b"\1\0\1", 99: bytes(1024)},
        {1: [], 3: -7},
        [],
        0,
        b"\xa1",
        b"",
    ],
)
def test_a_public_key_that_is_none_is_refused(public_key: Any) -> None:
    with pytest.raises(BadResponse):
        finish_registration(EXPECTED, Authenticator().register(EXPECTED, authenticator_data=with_key(public_key)))


@pytest.mark.parametrize(
    "authenticator_data",
    [
        b"",
        Authenticator().header(HERE.id),
        Authenticator().header(HERE.id, flags=UP | AT),
        with_key(cbor.decode(Authenticator().public_key)) + b"more",
        Authenticator().header(HERE.id, flags=UP | AT | ED) + Authenticator().new_credential(),
        Authenticator().header(HERE.id, flags=UP | AT) + Authenticator(credential_id=b"").new_credential(),
        Authenticator().header(HERE.id, flags=UP | AT) + Authenticator(credential_id=bytes(1024)).new_credential(),
    ],
)
def test_authenticator_data_of_another_shape_is_refused(authenticator_data: bytes) -> None:
    with pytest.raises(BadResponse):
        finish_registration(EXPECTED, Authenticator().register(EXPECTED, authenticator_data=authenticator_data))


@pytest.mark.parametrize(
    "attestation",
    [
        b"",
        b"\xff",
        b"\x9f" * 3000,
        b"\x81" * 3000,
        b"\xa0more",
        [],
        {},
        {"fmt": 1, "authData": with_key({}), "attStmt": {}},
        {"fmt": "none", "authData": 2**40, "attStmt": {}},
        {"fmt": "none", "authData": with_key(cbor.decode(Authenticator().public_key))},
    ],
)
def test_an_attestation_of_another_shape_is_refused(attestation: Any) -> None:
    with pytest.raises(BadResponse):
        finish_registration(EXPECTED, Authenticator().register(EXPECTED, attestation=attestation))


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "password"},
        {"id": "AAAA"},
        {"id": ...},
        {"rawId": 5, "id": 5},
        {"id": "A", "rawId": "A"},
        {"id": "AA==", "rawId": "AA=="},
        {"id": "é", "rawId": "é"},
        {"response": {"clientDataJSON": 5}},
        {"response": {"clientDataJSON": "e30"}},
        {"said": b"\xff"},
        {"said": b"[]"},
        {"response": {"transports": ["usb"] * 9}},
        {"response": {"transports": ["u" * 33]}},
    ],
)
def test_json_of_another_shape_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(BadResponse):
        finish_registration(EXPECTED, Authenticator().register(EXPECTED, **changed))


def test_a_refused_answer_exits_as_wrong_use() -> None:
    with pytest.raises(WrongUse, match="too long"):
        finish_registration(EXPECTED, " " * 40_000)


@given(st.binary() | st.text() | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
def test_no_input_gets_past_our_errors(response: bytes | str) -> None:
    with pytest.raises(BadResponse):
        finish_registration(EXPECTED, response)


@given(st.binary(max_size=300))
def test_no_attestation_gets_past_our_errors(attestation: bytes) -> None:
    with pytest.raises(BadResponse):
        finish_registration(EXPECTED, Authenticator().register(EXPECTED, attestation=attestation))


@given(st.binary(max_size=300), st.integers(0, 255))
def test_no_authenticator_data_gets_past_our_errors(tail: bytes, flags: int) -> None:
    made = Authenticator().header(HERE.id, flags=flags) + tail
    with pytest.raises((BadResponse, WrongProof)):
        finish_registration(EXPECTED, Authenticator().register(EXPECTED, authenticator_data=made))


@given(st.data())
def test_no_public_key_gets_past_our_errors(data: st.DataObject) -> None:
    leaf = st.integers(-300, 300) | st.binary(max_size=300) | st.text() | st.booleans()
    public_key = data.draw(
        st.dictionaries(st.sampled_from([1, 3, -1, -2, -3]), leaf | st.sampled_from([1, 2, 3, 6, -7, -8, -257]), min_size=1)
    )
    with pytest.raises((BadResponse, WrongProof)):
        finish_registration(EXPECTED, Authenticator().register(EXPECTED, authenticator_data=with_key(public_key)))
