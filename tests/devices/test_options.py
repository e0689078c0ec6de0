"""WebAuthn options as anybody may send them: parsed, or refused with our own error."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passless.devices.errors import BadOptions, WrongOrigin
from passless.devices.options import host_of, read_creation_options, read_request_options
from passless.domain.errors import PasslessError

ORIGIN = "https://s1a2b3.passless.localhost"
CREATION: dict[str, Any] = {
    "rp": {"id": "s1a2b3.passless.localhost", "name": "passless"},
    "user": {"id": "YWRh", "name": "ada", "displayName": "Ada"},
    "challenge": "MDEyMzQ1Njc4OWFiY2RlZg",
    "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
}
REQUEST: dict[str, Any] = {"challenge": "MDEyMzQ1Njc4OWFiY2RlZg", "rpId": "s1a2b3.passless.localhost"}
PATHS = ["rp", "rp.id", "rp.name", "user", "user.id", "user.name", "challenge", "pubKeyCredParams", "timeout"]
PATHS += ["excludeCredentials", "authenticatorSelection", "authenticatorSelection.residentKey", "attestation", "extensions"]
PATHS += ["extensions.credProps", "publicKey"]
NO_ORIGINS = ["", "one.example", "https://", "https://one.example/", "https://One.example", "https://me@one.example"]
NO_ORIGINS += ["ftp://one.example", "https://one.example:99999", "https://[", "https://one.example?a", "HTTPS://one.example"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


def test_the_publickey_member_of_what_begin_printed_is_found() -> None:
    document = {"ceremony": "c1", "origin": ORIGIN, "publicKey": CREATION}
    assert read_creation_options(json.dumps(document), ORIGIN).user.name == "ada"


def test_without_a_relying_party_id_it_is_the_host_of_the_origin() -> None:
    options = read_creation_options(json.dumps({**CREATION, "rp": {"name": "passless"}}), "https://one.example:8443")
    assert options.rp.id == "one.example"
    assert read_request_options(json.dumps({"challenge": "AAAA"}), "https://one.example:8443").rp_id == "one.example"


def test_without_algorithms_the_two_of_the_standard_are_meant() -> None:
    options = read_creation_options(json.dumps({**CREATION, "pubKeyCredParams": []}), ORIGIN)
    assert [one.alg for one in options.pub_key_cred_params] == [-7, -257]


def test_verification_words_of_tomorrow_mean_the_default() -> None:
    options = read_creation_options(
        json.dumps({**CREATION, "authenticatorSelection": {"userVerification": "telepathic"}}), ORIGIN
    )
    assert options.verification == "preferred"


def test_old_options_may_require_a_resident_key_by_a_boolean() -> None:
    options = read_creation_options(json.dumps({**CREATION, "authenticatorSelection": {"requireResidentKey": True}}), ORIGIN)
    assert options.needs_resident_key


def test_a_time_out_is_at_most_ten_minutes() -> None:
    assert read_request_options(json.dumps({**REQUEST, "timeout": 4_000_000_000}), ORIGIN).timeout == 600_000


def test_credentials_of_unknown_types_are_skipped() -> None:
    known, unknown = {"type": "public-key", "id": "AAAA"}, {"type": "other", "id": "BBBB"}
    options = read_request_options(json.dumps({**REQUEST, "allowCredentials": [known, unknown]}), ORIGIN)
    assert [one.id for one in options.allow_credentials or ()] == ["AAAA"]


@pytest.mark.parametrize(
    "changed",
    [
        {"challenge": "not base64!"},
        {"challenge": "AAAAA"},
        {"challenge": "AAA="},
        {"user": {"id": "", "name": "ada"}},
        {"user": {"id": "A" * 120, "name": "ada"}},
        {"excludeCredentials": [{"type": "public-key", "id": "A" * 1400}]},
        {"pubKeyCredParams": [{"type": "other", "alg": -7}]},
        {"pubKeyCredParams": [{"type": "public-key", "alg": 2**40}]},
        {"extensions": {"credentialProtectionPolicy": "none at all"}},
        {"timeout": -1},
        {"rp": None},
    ],
)
def test_wrong_creation_options_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(BadOptions):
        read_creation_options(json.dumps({**CREATION, **changed}), ORIGIN)


def test_options_that_allow_only_unknown_types_are_refused() -> None:
    with pytest.raises(BadOptions, match="allow no public key"):
        read_request_options(json.dumps({**REQUEST, "allowCredentials": [{"type": "other", "id": "AAAA"}]}), ORIGIN)


def test_text_nested_without_end_is_refused() -> None:
    with pytest.raises(BadOptions):
        read_request_options('{"challenge":' + "[" * 100_000, ORIGIN)


@given(text=st.text() | st.binary())
def test_any_text_is_parsed_or_refused(text: str | bytes) -> None:
    for read in (read_creation_options, read_request_options):
        with pytest.raises(PasslessError):
            read(text, ORIGIN)


@given(path=st.sampled_from(PATHS), value=json_values)
def test_options_with_one_odd_member_are_parsed_or_refused(path: str, value: object) -> None:
    for whole, read in ((CREATION, read_creation_options), (REQUEST, read_request_options)):
        try:
            options = read(json.dumps(_changed(whole, path, value)), ORIGIN)
        except BadOptions:
            continue
        assert options.challenge


@given(document=json_values)
def test_any_json_is_parsed_or_refused(document: object) -> None:
    with pytest.raises(PasslessError):
        read_creation_options(json.dumps(document), ORIGIN)


@pytest.mark.parametrize("origin", ["https://one.example", "https://one.example:8443", "http://s1.passless.localhost:8000"])
def test_an_origin_is_scheme_host_and_port(origin: str) -> None:
    assert host_of(origin) in origin


@pytest.mark.parametrize("origin", NO_ORIGINS)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(WrongOrigin):
        host_of(origin)


@given(st.text())
def test_any_origin_is_understood_or_refused(origin: str) -> None:
    with suppress(WrongOrigin):
        assert host_of(origin)


def test_a_wrong_origin_cannot_forge_a_line() -> None:
    with pytest.raises(WrongOrigin) as caught:
        host_of("https://one.example\npassless: done")
    assert "\n" not in caught.value.message


def _changed(whole: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    first, _, rest = path.partition(".")
    inner = whole.get(first)
    return {**whole, first: _changed(inner if isinstance(inner, dict) else {}, rest, value) if rest else value}
