import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fido2 import cbor, webauthn
from hypothesis import given
from hypothesis import strategies as st

from passless.credentials import passkey_sign_in
from passless.credentials.cose_keys import BadResponse
from passless.credentials.passkey_sign_in import (
    NOBODYS_KEY,
    BegunSignIn,
    PossibleClone,
    SignInExpected,
    begin_sign_in,
    finish_sign_in,
    read_sign_in,
)
from passless.credentials.passkeys import UserVerification, embedded_relying_party
from passless.credentials.proofs import WrongProof
from tests.credentials.authenticator import AT, BE, BS, ED, UP, USER_HANDLE, UV, Authenticator, client_data, entropy

HERE = embedded_relying_party("s1a2b3")
KEY = Authenticator()
KNOWN = KEY.known(HERE.id)


def begin(**changed: Any) -> BegunSignIn:
    asked: dict[str, Any] = {"origin": HERE.terminal_origin, "allowed": [KNOWN.credential], "entropy": entropy}
    return begin_sign_in(HERE, **(asked | changed))


EXPECTED = begin().expected
ANYBODY = begin(allowed=[]).expected


def refusal(response: bytes, *, expected: SignInExpected = EXPECTED, known: Any = (KNOWN,)) -> str:
    with pytest.raises(WrongProof) as refused:
        finish_sign_in(expected, known, response)
    return refused.value.reason


def test_the_options_are_those_of_the_standard() -> None:
    options = begin(user_verification=UserVerification.REQUIRED).options
    assert json.loads(msgspec.json.encode(options)) == {
        "challenge": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "timeout": 300_000,
        "rpId": "s1a2b3.passless.localhost",
        "userVerification": "required",
        "allowCredentials": [{"type": "public-key", "id": "Y3JlZGVudGlhbC0x"}],
    }


def test_options_for_anybody_name_no_credential() -> None:
    assert "allowCredentials" not in json.loads(msgspec.json.encode(begin(allowed=[]).options))


def test_fido2_understands_the_options() -> None:
    options = webauthn.PublicKeyCredentialRequestOptions.from_dict(json.loads(msgspec.json.encode(begin().options)))
    assert options.challenge == EXPECTED.challenge


def test_the_expectations_survive_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(EXPECTED), type=SignInExpected) == EXPECTED


@pytest.mark.parametrize(
    "key",
    [ec.derive_private_key(9, ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)],
    ids=["ES256", "EdDSA", "RS256"],
)
def test_a_good_answer_says_which_credential_signed(key: Any) -> None:
    authenticator = Authenticator(key=key, flags=UP | UV | BE | BS)
    known = authenticator.known(HERE.id, counter=4)
    signed = finish_sign_in(EXPECTED, [known], authenticator.sign_in(EXPECTED))
    assert signed.credential == known.credential
    assert (signed.counter, signed.user_verified, signed.backed_up, signed.user_handle) == (5, True, True, USER_HANDLE)


def test_an_answer_may_be_read_first_to_find_its_credential() -> None:
    read = read_sign_in(KEY.sign_in(ANYBODY).decode())
    assert (read.credential_id, read.user_handle) == (b"credential-1", USER_HANDLE)
    assert finish_sign_in(ANYBODY, [KNOWN], read).credential == KNOWN.credential


@pytest.mark.parametrize("handle", [None, b""])
def test_the_user_handle_may_be_missing_where_the_account_is_known(handle: bytes | None) -> None:
    assert finish_sign_in(EXPECTED, [KNOWN], KEY.sign_in(EXPECTED, user_handle=handle)).user_handle == USER_HANDLE


def test_the_user_handle_must_be_there_where_the_account_is_not_known() -> None:
    assert refusal(KEY.sign_in(ANYBODY, user_handle=None), expected=ANYBODY) == "unknown credential"


@pytest.mark.parametrize("expected", [EXPECTED, ANYBODY])
def test_the_user_handle_of_another_account_is_refused(expected: SignInExpected) -> None:
    assert refusal(KEY.sign_in(expected, user_handle=b"other"), expected=expected) == "unknown credential"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"type": "webauthn.create"}, "another kind of ceremony"),
        ({"challenge": "AAAA"}, "challenge"),
        ({"challenge": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}, "challenge"),
        ({"origin": "https://s1a2b3.passless.localhost:443"}, "origin"),
        ({"origin": "https://S1a2b3.passless.localhost"}, "origin"),
        ({"origin": "https://evil.s1a2b3.passless.localhost"}, "origin"),
        ({"crossOrigin": True}, "inside a page of another origin"),
        ({"topOrigin": "https://evil.example"}, "inside a page of another origin"),
    ],
)
def test_an_answer_to_something_else_is_refused(said: dict[str, Any], reason: str) -> None:
    assert refusal(KEY.sign_in(EXPECTED, said=client_data(EXPECTED, "webauthn.get", **said))) == reason


def test_client_data_may_say_more_and_less_than_today() -> None:
    said = client_data(EXPECTED, "webauthn.get", crossOrigin=None, later="addition")
    assert finish_sign_in(EXPECTED, [KNOWN], KEY.sign_in(EXPECTED, said=said)).counter == 5


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (UV, "nobody present"),
        (UP, "user not verified"),
        (UP | UV | BS, "backed up but not to be backed up"),
        (UP | UV | BE, "backup eligibility changed"),
    ],
)
def test_flags_that_do_not_do_are_refused(flags: int, reason: str) -> None:
    expected = begin(user_verification=UserVerification.REQUIRED).expected
    answer = KEY.sign_in(expected, authenticator_data=KEY.header(HERE.id, flags=flags))
    assert refusal(answer, expected=expected) == reason


def test_a_credential_that_may_no_longer_be_backed_up_is_refused() -> None:
    synced = Authenticator(flags=UP | BE).known(HERE.id)
    assert refusal(KEY.sign_in(EXPECTED), known=[synced]) == "backup eligibility changed"


def test_a_signature_for_another_relying_party_is_refused() -> None:
    answer = KEY.sign_in(EXPECTED, authenticator_data=KEY.header("passless.localhost"))
    assert refusal(answer) == "relying party"


def test_a_credential_of_another_relying_party_is_refused() -> None:
    assert refusal(KEY.sign_in(EXPECTED), known=[KEY.known("other.passless.localhost")]) == "unknown credential"


def test_a_wrong_signature_is_refused() -> None:
    other = Authenticator(key=ec.derive_private_key(8, ec.SECP256R1()))
    assert refusal(other.sign_in(EXPECTED)) == "signature"


def test_a_credential_that_was_not_allowed_is_refused() -> None:
    other = Authenticator(credential_id=b"credential-2")
    assert refusal(other.sign_in(EXPECTED), known=[KNOWN, other.known(HERE.id)]) == "unknown credential"


def test_an_unknown_credential_costs_a_signature_check_like_a_wrong_one(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bytes] = []
    monkeypatch.setattr(passkey_sign_in, "verify_signature", lambda key, message, signature: checked.append(key))
    assert refusal(KEY.sign_in(EXPECTED), known=[]) == "unknown credential"
    assert checked == [NOBODYS_KEY]


def test_nobodys_key_signs_nobody_in() -> None:
    anybody_can_sign = Authenticator(key=ec.derive_private_key(1, ec.SECP256R1()))
    assert anybody_can_sign.public_key == NOBODYS_KEY
    assert refusal(anybody_can_sign.sign_in(EXPECTED), known=[]) == "unknown credential"


@pytest.mark.parametrize(("last", "counter"), [(0, 0), (0, 1), (4, 5), (1, 2**32 - 1)])
def test_a_counter_that_moves_on_or_stays_unused_is_accepted(last: int, counter: int) -> None:
    key = Authenticator(counter=counter)
    assert finish_sign_in(EXPECTED, [key.known(HERE.id, counter=last)], key.sign_in(EXPECTED)).counter == counter


@pytest.mark.parametrize(("last", "counter"), [(5, 5), (6, 5), (1, 0)])
def test_a_counter_that_repeats_or_goes_back_may_be_a_clone(last: int, counter: int) -> None:
    key = Authenticator(counter=counter)
    with pytest.raises(PossibleClone) as refused:
        finish_sign_in(EXPECTED, [key.known(HERE.id, counter=last)], key.sign_in(EXPECTED))
    found = refused.value
    assert (found.credential_id, found.counter, found.last_counter) == (b"credential-1", counter, last)


@pytest.mark.parametrize("public_key", [b"", b"\xa0", KEY.public_key + b"\0", b"\x80"])
def test_a_stored_key_that_is_none_signs_nobody_in(public_key: bytes) -> None:
    broken = msgspec.structs.replace(KNOWN.credential, public_key=public_key)
    with pytest.raises((BadResponse, WrongProof)):
        finish_sign_in(EXPECTED, [msgspec.structs.replace(KNOWN, credential=broken)], KEY.sign_in(EXPECTED))


def test_a_wrong_signature_is_no_clone() -> None:
    answer = Authenticator(key=ec.derive_private_key(8, ec.SECP256R1())).sign_in(EXPECTED)
    assert refusal(answer, known=[KEY.known(HERE.id, counter=9)]) == "signature"


@pytest.mark.parametrize("known", [(), (KNOWN,), (KEY.known(HERE.id, counter=9),), (KEY.known("other"),)])
def test_every_wrong_proof_looks_the_same_from_outside(known: Any) -> None:
    other = Authenticator(key=ec.derive_private_key(1, ec.SECP256R1()))
    seen = set()
    for key in (KEY, other):
        try:
            finish_sign_in(EXPECTED, known, key.sign_in(EXPECTED))
        except WrongProof as error:
            outside = error.outside()
            seen.add((type(outside), outside.message, outside.hint, outside.code, outside.reason))
    assert seen == {(WrongProof, WrongProof.default, WrongProof.hint, "wrong-proof", "wrong-proof")}


@pytest.mark.parametrize(
    "authenticator_data",
    [
        b"",
        KEY.header(HERE.id)[:36],
        KEY.header(HERE.id) + b"\0",
        KEY.header(HERE.id, flags=UP | ED),
        KEY.header(HERE.id, flags=UP | ED) + cbor.encode([]),
        KEY.header(HERE.id, flags=UP | ED) + cbor.encode({}) + b"\0",
        KEY.header(HERE.id, flags=UP | AT) + KEY.new_credential(),
    ],
)
def test_authenticator_data_of_another_shape_is_refused(authenticator_data: bytes) -> None:
    with pytest.raises(BadResponse):
        finish_sign_in(EXPECTED, [KNOWN], KEY.sign_in(EXPECTED, authenticator_data=authenticator_data))


def test_extensions_are_read_over() -> None:
    made = KEY.header(HERE.id, flags=UP | ED) + cbor.encode({"hmac-secret": bytes(32)})
    assert finish_sign_in(EXPECTED, [KNOWN], KEY.sign_in(EXPECTED, authenticator_data=made)).counter == 5


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "password"},
        {"id": "AAAA"},
        {"id": ...},
        {"rawId": ...},
        {"response": {"signature": 5}},
        {"response": {"signature": "AAA+"}},
        {"response": {"userHandle": "A"}},
        {"said": b"\xff"},
        {"said": b'{"type":"webauthn.get"}'},
    ],
)
def test_json_of_another_shape_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(BadResponse):
        finish_sign_in(EXPECTED, [KNOWN], KEY.sign_in(EXPECTED, **changed))


@given(st.binary() | st.text() | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
def test_no_input_gets_past_our_errors(response: bytes | str) -> None:
    with pytest.raises(BadResponse):
        finish_sign_in(EXPECTED, [KNOWN], response)


def test_text_that_is_none_is_refused() -> None:
    for broken in (KEY.sign_in(EXPECTED).replace(b"cross-platform", b"\xff"), "\ud800"):
        with pytest.raises(BadResponse):
            finish_sign_in(EXPECTED, [KNOWN], broken)


def test_json_as_deep_as_it_likes_is_refused() -> None:
    with pytest.raises(BadResponse):
        finish_sign_in(EXPECTED, [KNOWN], '{"id":' + "[" * 30_000)


@given(st.binary(max_size=100), st.binary(max_size=100), st.binary(max_size=100), st.binary(max_size=100))
def test_no_parts_get_past_our_errors(said: bytes, made: bytes, signature: bytes, handle: bytes) -> None:
    answer = KEY.sign_in(EXPECTED, said=said, authenticator_data=made, signature=signature, user_handle=handle)
    with pytest.raises((BadResponse, WrongProof)):
        finish_sign_in(EXPECTED, [KNOWN], answer)


@given(st.binary(max_size=100))
def test_no_signature_gets_past_our_errors(signature: bytes) -> None:
    with pytest.raises(WrongProof):
        finish_sign_in(EXPECTED, [KNOWN], KEY.sign_in(EXPECTED, signature=signature))
