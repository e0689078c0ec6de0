"""Our parser of sign-ins against fido2's: what one accepts the other accepts, but for the cases listed in `stricter`."""

import json
import re
from hashlib import sha256
from typing import Any

import pytest
from fido2.server import Fido2Server
from fido2.utils import websafe_decode
from fido2.webauthn import Aaguid, AttestedCredentialData, PublicKeyCredentialRpEntity, UserVerificationRequirement
from hypothesis import event, given, settings
from hypothesis import strategies as st

from passless.credentials.cose_keys import BadResponse
from passless.credentials.passkey_sign_in import SignInExpected, begin_sign_in, finish_sign_in
from passless.credentials.passkeys import UserVerification, embedded_relying_party, to_base64
from passless.credentials.proofs import WrongProof
from tests.credentials.authenticator import AT, BE, BS, ED, UP, USER_HANDLE, UV, Authenticator, client_data, entropy

HERE = embedded_relying_party("s1a2b3")
KEY = Authenticator()
KNOWN = KEY.known(HERE.id, counter=3)
SERVER = Fido2Server(PublicKeyCredentialRpEntity(id=HERE.id, name="x"), verify_origin=lambda it: it == HERE.terminal_origin)
KEPT = AttestedCredentialData(Aaguid.NONE + len(KEY.credential_id).to_bytes(2) + KEY.credential_id + KEY.public_key)


def expect(user_verification: UserVerification) -> SignInExpected:
    begun = begin_sign_in(
        HERE,
        origin=HERE.terminal_origin,
        allowed=[KNOWN.credential],
        user_verification=user_verification,
        entropy=entropy,
    )
    return begun.expected


def we_accept(expected: SignInExpected, response: bytes) -> bool:
    try:
        finish_sign_in(expected, [KNOWN], response)
    except (BadResponse, WrongProof):
        return False
    return True


def fido2_accepts(expected: SignInExpected, response: bytes) -> bool:
    state = {
        "challenge": to_base64(expected.challenge),
        "user_verification": UserVerificationRequirement(expected.user_verification.value),
    }
    try:
        SERVER.authenticate_complete(state, [KEPT], json.loads(response))
    except Exception:  # noqa: BLE001 - it raises whatever its parsers raise
        return False
    return True


def stricter(expected: SignInExpected, response: bytes) -> bool:
    """Where fido2 accepts and we knowingly do not; docs/decisions/0003 gives the reasons."""
    answer = json.loads(response)
    parts = answer["response"]
    said = json.loads(loosely(parts["clientDataJSON"]))
    made = loosely(parts["authenticatorData"])
    return (
        answer.get("id") != answer["rawId"]
        or answer.get("type") != "public-key"
        or any(not is_plain(text) for text in (answer["rawId"], *parts.values()) if text is not None)
        or said["challenge"] != to_base64(expected.challenge)
        or said.get("crossOrigin", False) is not False
        or said.get("topOrigin") is not None
        or (parts.get("userHandle") is not None and loosely(parts["userHandle"]) not in (b"", USER_HANDLE))
        or bool(made[32] & (AT | BE | BS))
        or (bool(made[32] & ED) and made[37] >> 5 != 5)  # extensions are a CBOR map
        or int.from_bytes(made[33:37]) <= KNOWN.counter
    )


def loosely(text: str) -> bytes:
    return websafe_decode(text)


def is_plain(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9_-]*", text) is not None


SMALL = st.integers(-9, 99)  # fido2 makes as many bytes as a number in the place of a text says
ANY_JSON = st.none() | st.booleans() | SMALL | st.text(max_size=5) | st.lists(SMALL, max_size=2)
CBOR_TAILS = st.sampled_from([b"", b"\xa0", b"\x80", b"\xa1aa\1", b"\xa1a", b"\xa2aa\1ab\x43ab", b"\xf6", b"\0", b"\xa0\xa0"])
FLAGS = st.sampled_from([UP, UP | UV, UV, UP | ED, UP | UV | ED, UP | BE, UP | BE | BS, UP | AT]) | st.integers(0, 255)


@st.composite
def client_datas(draw: st.DrawFn, expected: SignInExpected) -> bytes:
    fields: dict[str, st.SearchStrategy[Any]] = {
        "type": st.sampled_from(["webauthn.create", "Webauthn.get"]) | ANY_JSON,
        "challenge": st.sampled_from([to_base64(expected.challenge) + "=", "AA"]) | ANY_JSON,
        "origin": st.sampled_from([HERE.terminal_origin, HERE.terminal_origin + "/"]) | ANY_JSON,
        "crossOrigin": ANY_JSON,
        "topOrigin": ANY_JSON,
        "other": ANY_JSON,
    }
    changed = {name: draw(fields[name]) for name in draw(st.sets(st.sampled_from(sorted(fields)), max_size=2))}
    said = client_data(expected, "webauthn.get", **changed)
    return draw(st.just(said) | mutations(said))


@st.composite
def mutations(draw: st.DrawFn, whole: bytes) -> bytes:
    """Replace a stretch of bytes with others."""
    start = draw(st.integers(0, len(whole)))
    end = draw(st.integers(start, min(len(whole), start + 4)))
    return whole[:start] + draw(st.binary(max_size=4)) + whole[end:]


@st.composite
def authenticator_datas(draw: st.DrawFn) -> bytes:
    rp_id = draw(st.sampled_from([HERE.id, HERE.id, HERE.id, "passless.localhost"]))
    counter = draw(st.sampled_from([4, 4, 4, 0, 3, 2**32 - 1]))
    made = sha256(rp_id.encode()).digest() + bytes([draw(FLAGS)]) + counter.to_bytes(4) + draw(CBOR_TAILS)
    return made[: draw(st.sampled_from([len(made), len(made), 37, 36, 33]))]


def texts(right: str | None) -> st.SearchStrategy[Any]:
    """Spell a base64url value in other ways, and replace it with something else."""
    plain = right or ""
    return st.sampled_from([plain + "=", plain + "==", plain + "A", plain[:-1], " " + plain, "+" + plain]) | ANY_JSON


@st.composite
def answers(draw: st.DrawFn, expected: SignInExpected) -> bytes:
    """Make an answer that is right in most places: signed after its parts were changed, and changed after it was signed."""
    places = draw(st.sets(st.sampled_from(["said", "authenticator_data", "signature", "user_handle", "json"]), max_size=2))
    wrong: dict[str, st.SearchStrategy[Any]] = {
        "said": client_datas(expected),
        "authenticator_data": authenticator_datas(),
        "signature": st.binary(max_size=8),
        "user_handle": st.sampled_from([None, b"", b"other"]),
    }
    answer = json.loads(KEY.sign_in(expected, **{name: draw(wrong[name]) for name in sorted(places - {"json"})}))
    if "json" in places:
        inner = draw(st.sampled_from(["clientDataJSON", "authenticatorData", "signature", "userHandle", None]))
        place, name = (answer["response"], inner) if inner else (answer, draw(st.sampled_from(["id", "rawId", "type"])))
        removed = place.pop(name)
        if draw(st.booleans()):
            place[name] = draw(texts(removed))
    return json.dumps(answer).encode()


@given(st.data(), st.sampled_from(UserVerification))
@settings(max_examples=300)
def test_both_accept_or_both_refuse(data: st.DataObject, user_verification: UserVerification) -> None:
    expected = expect(user_verification)
    response = data.draw(answers(expected))
    ours, theirs = we_accept(expected, response), fido2_accepts(expected, response)
    event(f"we {ours}, fido2 {theirs}")
    assert theirs or not ours
    assert ours or not theirs or stricter(expected, response)


@given(st.data())
@settings(max_examples=200)
def test_both_refuse_what_was_changed_on_the_way(data: st.DataObject) -> None:
    expected = expect(UserVerification.PREFERRED)
    response = data.draw(mutations(KEY.sign_in(expected)))
    ours, theirs = we_accept(expected, response), fido2_accepts(expected, response)
    assert theirs or not ours
    assert ours or not theirs or stricter(expected, response)


@pytest.mark.parametrize("place", ["challenge", "crossOrigin", "flags", "counter", "userHandle", "id"])
def test_we_are_stricter_than_fido2_where_it_is_said(place: str) -> None:
    expected = expect(UserVerification.PREFERRED)
    changed: dict[str, dict[str, Any]] = {
        "challenge": {"said": client_data(expected, "webauthn.get", challenge=to_base64(expected.challenge) + "=")},
        "crossOrigin": {"said": client_data(expected, "webauthn.get", crossOrigin=True)},
        "flags": {"authenticator_data": KEY.header(HERE.id, flags=UP | BS)},
        "counter": {"authenticator_data": Authenticator(counter=3).header(HERE.id)},
        "userHandle": {"user_handle": b"other"},
        "id": {"id": ...},
    }
    response = KEY.sign_in(expected, **changed[place])
    assert fido2_accepts(expected, response)
    assert stricter(expected, response)
    assert not we_accept(expected, response)
