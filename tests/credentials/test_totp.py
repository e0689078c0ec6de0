import json
from base64 import b32decode, b32encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passless.credentials.proofs import WrongCode, WrongProof
from passless.credentials.totp import STEP, CodeReused, new_seed, otpauth_uri, step_at, verify
from passless.domain.secret import Secret
from tests.credentials.authenticator import entropy

VECTORS = Path(__file__).parents[1] / "vectors"
HOTP = json.loads((VECTORS / "rfc-4226.json").read_text())
TOTP = json.loads((VECTORS / "rfc-6238.json").read_text())
SEED = Secret(b32encode(TOTP["seed_ascii"].encode()).decode())
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = EPOCH + timedelta(seconds=59)  # step 1 of the vectors: 287082


def check(code: str, *, at: datetime = NOW, last_step: int | None = None) -> int:
    return verify(SEED, Secret(code), at=at, last_step=last_step)


@pytest.mark.parametrize("vector", TOTP["vectors"], ids=lambda vector: str(vector["time"]))
def test_the_codes_of_rfc_6238_are_accepted(vector: dict[str, Any]) -> None:
    at = EPOCH + timedelta(seconds=vector["time"])
    assert check(vector["code"][-6:], at=at) == vector["time"] // 30


@pytest.mark.parametrize(("counter", "code"), [*enumerate(HOTP["vectors"])])
def test_the_codes_of_rfc_4226_are_those_of_the_steps(counter: int, code: str) -> None:
    assert check(code, at=EPOCH + counter * STEP) == counter


def test_a_new_seed_has_160_bits() -> None:
    assert b32decode(new_seed(entropy).reveal()) == bytes(range(20))


def test_the_uri_says_what_an_app_needs() -> None:
    uri = urlsplit(otpauth_uri(SEED, account="ada@example.org", issuer="Ada & co").reveal())
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Ada%20%26%20co:ada%40example.org")
    assert parse_qs(uri.query) == {"secret": [SEED.reveal()], "issuer": ["Ada & co"]}


@pytest.mark.parametrize("code", ["287082", "287 082", " 28 70 82\n", "287\u00a0082"])
def test_spaces_in_a_code_are_ignored(code: str) -> None:
    assert check(code) == 1


def test_the_code_of_the_step_before_is_accepted() -> None:
    assert check("287082", at=NOW + STEP) == 1


@pytest.mark.parametrize("steps", [2, -1])
def test_older_and_later_codes_are_refused(steps: int) -> None:
    with pytest.raises(WrongCode, match="not the right code"):
        check("287082", at=NOW + steps * STEP)


@pytest.mark.parametrize("last_step", [1, 2])
def test_a_code_is_accepted_once(last_step: int) -> None:
    with pytest.raises(CodeReused) as refused:
        check("287082", last_step=last_step)
    assert refused.value.code == "code-reused"


def test_the_next_code_is_accepted_after_the_last() -> None:
    assert check("287082", last_step=0) == 1


@pytest.mark.parametrize("code", ["", "28708", "2870821", "28708a", "٢٨٧٠٨٢", "²87082", "-87082", "287.82"])
def test_what_is_not_six_digits_is_refused_with_a_hint(code: str) -> None:
    with pytest.raises(WrongCode) as refused:
        check(code)
    assert "six digits" in refused.value.hint


def test_a_reused_code_looks_like_a_wrong_one_from_outside() -> None:
    seen = [error.outside() for error in (CodeReused(), WrongCode("no step matches"))]
    assert {(type(error), error.message, error.hint, error.code) for error in seen} == {
        (WrongProof, WrongProof.default, WrongProof.hint, "wrong-proof")
    }


def test_a_time_step_has_30_seconds() -> None:
    assert [step_at(EPOCH + timedelta(seconds=second)) for second in (0, 29, 30, 59, 60)] == [0, 0, 1, 1, 2]


@given(st.text(), st.datetimes(min_value=datetime(1971, 1, 1), timezones=st.just(UTC)), st.none() | st.integers(0))
def test_no_code_gets_past_our_errors(code: str, at: datetime, last_step: int | None) -> None:
    with suppress(WrongProof):
        assert check(code, at=at, last_step=last_step) > (last_step or 0)
