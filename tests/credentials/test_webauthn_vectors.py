"""The published test vectors of WebAuthn Level 3."""

import json
from pathlib import Path
from typing import Any

import pytest

from passless.credentials.passkey_registration import NewCredential, RegistrationExpected, ResidentKey, finish_registration
from passless.credentials.passkey_sign_in import KnownCredential, SignInExpected, finish_sign_in
from passless.credentials.passkeys import UserVerification, to_base64
from passless.credentials.proofs import WrongProof
from passless.domain.methods import RpId

PUBLISHED = json.loads((Path(__file__).parents[1] / "vectors" / "webauthn-level-3.json").read_text())["vectors"]
EMBEDDED = {"none-es256-crossOrigin", "none-es256-topOrigin"}  # made in a page of another origin, which we refuse
ACCEPTED = [vector for vector in PUBLISHED if vector["name"] not in EMBEDDED]
REFUSED = [vector for vector in PUBLISHED if vector["name"] in EMBEDDED]
WITHOUT_CROSS_ORIGIN = pytest.mark.parametrize("vector", ACCEPTED, ids=lambda vector: vector["name"])


def register(vector: dict[str, Any]) -> NewCredential:
    part = vector["registration"]
    expected = RegistrationExpected(
        challenge=bytes.fromhex(part["challenge"]),
        rp_id=RpId(vector["rp_id"]),
        origin=vector["origin"],
        user_verification=UserVerification.PREFERRED,
        user_handle=b"handle",
        resident_key=ResidentKey.PREFERRED,
    )
    return finish_registration(expected, answer(vector, part, "clientDataJSON", "attestationObject"))


def sign_in(vector: dict[str, Any], new: NewCredential) -> bool:
    part = vector["authentication"]
    expected = SignInExpected(
        challenge=bytes.fromhex(part["challenge"]),
        rp_id=RpId(vector["rp_id"]),
        origin=vector["origin"],
        user_verification=UserVerification.PREFERRED,
        allowed=(new.credential.id,),
    )
    known = KnownCredential(credential=new.credential, user_handle=b"handle", counter=new.counter)
    signed = finish_sign_in(expected, [known], answer(vector, part, "clientDataJSON", "authenticatorData", "signature"))
    return signed.credential == new.credential


def answer(vector: dict[str, Any], part: dict[str, str], *names: str) -> str:
    name = to_base64(bytes.fromhex(vector["registration"]["credential_id"]))
    response = {name: to_base64(bytes.fromhex(part[name])) for name in names}
    return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}})


@WITHOUT_CROSS_ORIGIN
def test_a_published_registration_and_its_sign_in_are_accepted(vector: dict[str, Any]) -> None:
    new = register(vector)
    assert new.credential.id.hex() == vector["registration"]["credential_id"]
    assert new.credential.aaguid.replace("-", "") == vector["registration"]["aaguid"]
    assert sign_in(vector, new)


@WITHOUT_CROSS_ORIGIN
def test_a_published_sign_in_with_one_bit_changed_is_refused(vector: dict[str, Any]) -> None:
    signature = bytearray.fromhex(vector["authentication"]["signature"])
    signature[-1] ^= 1
    changed = vector | {"authentication": vector["authentication"] | {"signature": signature.hex()}}
    with pytest.raises(WrongProof, match=WrongProof.default):
        sign_in(changed, register(vector))


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["name"])
def test_a_published_registration_inside_another_page_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(WrongProof) as refused:
        register(vector)
    assert refused.value.reason == "inside a page of another origin"
