import math
import secrets
import string
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passless.credentials import random_codes
from passless.credentials.random_codes import (
    CROCKFORD,
    ID_ALPHABET,
    LETTERS,
    NOBODYS_RECOVERY_CODE,
    PASS_LENGTHS,
    TOKEN_PREFIX,
    WrongLength,
    as_typed,
    check_recovery_code,
    choose,
    hash_recovery_code,
    hash_temporary_pass,
    in_groups,
    new_app_password,
    new_id,
    new_recovery_code,
    new_temporary_pass,
    new_token,
    spellings,
    verify_temporary_pass,
)
from passless.domain.secret import Secret
from tests.credentials.authenticator import entropy

CODE = Secret("0123456789ABCDEFGHJKMNPQR")
STORED = hash_recovery_code(CODE, entropy)


def counting() -> Callable[[int], bytes]:
    """Entropy that gives every byte equally often: 0 to 255 over and over."""
    given_out = 0

    def next_bytes(size: int) -> bytes:
        nonlocal given_out
        given_out += size
        return bytes(at % 256 for at in range(given_out - size, given_out))

    return next_bytes


@pytest.mark.parametrize("alphabet", [LETTERS, CROCKFORD, ID_ALPHABET, "01", string.digits, "x"])
def test_every_character_is_as_likely_as_any_other(alphabet: str) -> None:
    rounds = 256 // len(alphabet)  # of the alphabet in the 256 values of a byte, the remainder thrown away
    counts = Counter(choose(alphabet, 3 * rounds * len(alphabet), counting()))
    assert counts == dict.fromkeys(alphabet, 3 * rounds)


def test_no_character_is_favoured_by_real_entropy() -> None:
    drawn = 26_000
    counts = Counter(choose(LETTERS, drawn, secrets.token_bytes))
    expected = drawn / len(LETTERS)
    chi_squared = sum((counts[letter] - expected) ** 2 / expected for letter in LETTERS)
    assert chi_squared < 90  # 25 degrees of freedom: passed wrongly once in 10^8


@given(st.integers(0, 60), st.text(min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_choices_have_the_length_and_come_from_the_alphabet(length: int, alphabet: str, random: object) -> None:
    chosen = choose(alphabet, length, random.randbytes)  # type: ignore[attr-defined]
    assert len(chosen) == length
    assert set(chosen) <= set(alphabet)


@pytest.mark.parametrize(
    ("secret", "bits"),
    [
        (new_recovery_code(secrets.token_bytes), 25 * math.log2(32)),
        (new_app_password(secrets.token_bytes), 24 * math.log2(26)),
    ],
)
def test_what_has_a_fast_hash_has_112_bits(secret: Secret, bits: float) -> None:
    assert bits >= 112
    assert len(secret) in (24, 25)


def test_a_recovery_code_is_shown_in_fives() -> None:
    assert in_groups(CODE, 5).reveal() == "01234-56789-ABCDE-FGHJK-MNPQR"


@pytest.mark.parametrize(
    "typed",
    [
        "0123456789ABCDEFGHJKMNPQR",
        "01234-56789-ABCDE-FGHJK-MNPQR",
        "01234 56789 abcde fghjk mnpqr\n",
        "oi234-56789-abcde-fghjk-mnpqr",
        "OL234\u201356789\u00a0ABCDE FGHJK\tMNPQR",
    ],
)
def test_a_recovery_code_is_read_as_people_type_it(typed: str) -> None:
    assert check_recovery_code(STORED, Secret(typed))


@pytest.mark.parametrize("typed", ["", "0123456789ABCDEFGHJKMNPQ", "0123456789ABCDEFGHJKMNPQS", "\ud800", "u" * 10_000])
def test_another_recovery_code_is_refused(typed: str) -> None:
    assert not check_recovery_code(STORED, Secret(typed))


@pytest.mark.parametrize("stored", [NOBODYS_RECOVERY_CODE, "", "sha256$xx$", "sha256$00$" + "é", "md5" + STORED[6:]])
def test_no_recovery_code_fits_what_is_none(stored: str) -> None:
    assert not check_recovery_code(stored, CODE)


def test_a_recovery_code_is_kept_salted_and_out_of_sight() -> None:
    assert STORED.startswith("sha256$000102030405060708090a0b0c0d0e0f$")
    assert CODE.reveal() not in STORED
    assert hash_recovery_code(CODE, secrets.token_bytes) != STORED


@given(st.text())
def test_what_is_typed_is_read_the_same_twice(text: str) -> None:
    once = as_typed(Secret(text))
    assert as_typed(once).reveal() == once.reveal().upper().translate(random_codes._READ_AS)


@given(st.text(CROCKFORD, min_size=25, max_size=25), st.sampled_from(["-", " ", ""]), st.booleans())
def test_every_code_is_read_back_as_shown(text: str, between: str, lower: bool) -> None:
    shown = in_groups(Secret(text), 5, between=between).reveal()
    assert as_typed(Secret(shown.lower() if lower else shown)).reveal() == text


@pytest.mark.parametrize(("short", "length"), [(False, 24), (True, 16)])
def test_an_app_password_is_small_letters_and_no_more(short: bool, length: int) -> None:
    made = new_app_password(secrets.token_bytes, short=short).reveal()
    assert len(made) == length
    assert set(made) <= set(LETTERS)


def test_an_app_password_has_two_spellings() -> None:
    made = Secret("abcdefghijklmnopqrstuvwx")
    assert [one.reveal() for one in spellings(made)] == ["abcdefghijklmnopqrstuvwx", "abcd efgh ijkl mnop qrst uvwx"]


@pytest.mark.parametrize("length", [8, 12, 48])
def test_a_temporary_pass_has_the_length_that_was_asked(length: int) -> None:
    assert len(new_temporary_pass(secrets.token_bytes, length=length)) == length


@pytest.mark.parametrize("length", [-1, 0, 7, 49])
def test_a_temporary_pass_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(WrongLength) as refused:
        new_temporary_pass(secrets.token_bytes, length=length)
    assert refused.value.hint == "choose 8 to 48 characters"
    assert length not in PASS_LENGTHS


def test_a_temporary_pass_is_read_as_people_type_it() -> None:
    stored = hash_temporary_pass(Secret("ABCD01234567"), entropy)
    assert stored.startswith("$argon2id$")
    assert verify_temporary_pass(stored, Secret("abcd-oi23 4567"))
    assert not verify_temporary_pass(stored, Secret("abcd-oi23 4568"))


def test_a_token_has_256_bits_and_tells_what_it_is() -> None:
    assert new_token(entropy).reveal() == "pls_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert new_token(entropy, prefix=TOKEN_PREFIX).reveal().startswith("plt_")


def test_an_id_is_short_and_nothing_in_it_looks_like_something_else() -> None:
    made = new_id(secrets.token_bytes)
    assert len(made) == 8
    assert set(made).isdisjoint("01ilou" + string.ascii_uppercase)
    assert len(new_id(secrets.token_bytes, length=6)) == 6
