"""An authenticator of other people's making registers and signs in through `--begin` and `--finish`, as a script would do it.

The npm package `nid-webauthn-emulator` makes the answers (`createJSON`, `getJSON`); passless and node only exchange JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.docs.running import Passless
from tests.strangers.emulated_key import Key, key

__all__ = ["key"]


@pytest.fixture
def passless(tmp_path: Path) -> Passless:
    passless = Passless(tmp_path / "home")
    passless.account("ada")
    return passless


def enrol(passless: Passless, key: Key, kind: str = "security-key", name: str = "blue key") -> Mapping[str, Any]:
    begun = passless("method", "add", kind, "--begin")
    finish = ("method", "add", kind, "--finish", begun["ceremony"], "--response-file", "-", "--name", name)
    method: Mapping[str, Any] = passless(*finish, typed=key.answer(begun))["method"]
    return method


def sign_in(passless: Passless, key: Key, kind: str = "security-key", *, status: int = 0, **other: str) -> Mapping[str, Any]:
    begun = passless("sign-in", "--account", "ada", "--with", kind, "--begin")
    finish = ("sign-in", "--account", "ada", "--with", kind, "--finish", begun["ceremony"], "--response-file", "-")
    outcome: Mapping[str, Any] = passless(*finish, typed=key.answer(begun, **other), status=status)
    return outcome


@pytest.mark.parametrize("kind", ["security-key", "passkey"])
@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_it_registers_and_signs_in(passless: Passless, key: Key, kind: str, algorithm: str) -> None:
    key = replace(key, algorithm=algorithm)
    method = enrol(passless, key, kind)
    assert (method["kind"], method["name"], method["phishing_resistant"], method["two_factor"]) == (
        kind,
        "blue key",
        True,
        True,
    )
    passless("sign-out")
    assert sign_in(passless, key, kind)["session"]["strength"] == 2


def test_a_key_that_verifies_nobody_is_one_factor(passless: Passless, key: Key) -> None:
    key = replace(key, verifies=False)
    assert not enrol(passless, key)["two_factor"]
    passless("sign-out")
    assert sign_in(passless, key)["session"]["strength"] == 1


def test_a_passkey_that_verifies_nobody_is_refused(passless: Passless, key: Key) -> None:
    begun = passless("method", "add", "passkey", "--begin")
    answer = replace(key, verifies=False).answer(begun)
    passless("method", "add", "passkey", "--finish", begun["ceremony"], "--response-file", "-", typed=answer, status=5)


def test_it_goes_from_nothing_to_passwordless_without_a_password_ever(tmp_path: Path, key: Key) -> None:
    passless = Passless(tmp_path / "another home")
    passless("account", "create", "grace", "--no-password")
    enrol(passless, key)
    passless("recovery-code", "new", "--yes")
    status = passless("status")
    assert (status["passwordless"], status["state"], status["problems"]) == (True, "ok", [])


def test_its_proof_is_what_deletes_the_password(passless: Passless, key: Key) -> None:
    enrol(passless, key)
    passless("recovery-code", "new", "--yes")
    passless("sign-out")
    sign_in(passless, key)
    assert passless("passwordless", "on", "--yes")["applied"]
    assert passless("status")["passwordless"]


def test_one_key_with_a_pin_is_enough_for_two_step(passless: Passless, key: Key) -> None:
    enrol(passless, key)
    passless("recovery-code", "new", "--yes")
    passless("two-step", "on", "--yes")
    passless("sign-out")
    assert sign_in(passless, key)["session"]["strength"] == 2


def test_a_ceremony_is_finished_once(passless: Passless, key: Key) -> None:
    """Must hold 5: every ceremony is used once."""
    enrol(passless, key)
    begun = passless("sign-in", "--with", "security-key", "--begin")
    finish = ("sign-in", "--with", "security-key", "--finish", begun["ceremony"], "--response-file", "-")
    answer = key.answer(begun)
    passless(*finish, typed=answer)
    assert passless(*finish, typed=answer, status=5)["code"] == "no-such-ceremony"


def test_the_answer_to_another_challenge_is_refused(passless: Passless, key: Key) -> None:
    """Must hold 5: every ceremony is bound to what it was begun for."""
    enrol(passless, key)
    one, other = (passless("sign-in", "--with", "security-key", "--begin") for _ in range(2))
    finish = ("sign-in", "--with", "security-key", "--finish", one["ceremony"], "--response-file", "-")
    passless(*finish, typed=key.answer(other), status=5)


def test_an_answer_for_another_origin_is_refused(passless: Passless, key: Key) -> None:
    enrol(passless, key)
    begun = passless("sign-in", "--with", "security-key", "--begin")
    elsewhere = begun["origin"].replace("https://", "https://login.")
    finish = ("sign-in", "--with", "security-key", "--finish", begun["ceremony"], "--response-file", "-")
    assert passless(*finish, typed=key.answer(begun, origin=elsewhere), status=5)["code"]
    assert passless(*finish, typed=key.answer(begun))["account"] == "ada"


def test_a_copied_key_is_noticed_by_its_counter(passless: Passless, key: Key) -> None:
    enrol(passless, key)
    copies = [(file, file.read_bytes()) for file in Path(key.folder).iterdir()]
    sign_in(passless, key)
    sign_in(passless, key)
    for file, content in copies:
        file.write_bytes(content)
    refused = sign_in(passless, key, status=5)
    assert refused["code"] == "possible-clone"
    assert "possible-clone" in [problem["code"] for problem in passless("status")["problems"]]


def test_a_key_that_is_enrolled_already_says_so_itself(passless: Passless, key: Key) -> None:
    enrol(passless, key)
    begun = passless("method", "add", "security-key", "--begin")
    with pytest.raises(AssertionError, match="NotAllowedError"):
        key.answer(begun)


def test_several_keys_stand_side_by_side(passless: Passless, key: Key, tmp_path: Path) -> None:
    enrol(passless, key, name="blue key")
    spare = replace(key, folder=str(tmp_path / "spare"))
    Path(spare.folder).mkdir()
    enrol(passless, spare, name="spare key")
    for one in (key, spare):
        passless("sign-out")
        begun = passless("sign-in", "--account", "ada", "--with", "security-key", "--begin")
        assert len(begun["publicKey"]["allowCredentials"]) == 2
        finish = ("sign-in", "--account", "ada", "--with", "security-key", "--finish", begun["ceremony"])
        assert passless(*finish, "--response-file", "-", typed=one.answer(begun))["session"]["strength"] == 2
