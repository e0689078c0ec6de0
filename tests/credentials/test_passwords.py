from collections.abc import Sequence
from typing import Any
from unicodedata import normalize

import pytest
from argon2 import PasswordHasher, extract_parameters, profiles
from hypothesis import given, settings
from hypothesis import strategies as st

from passless.credentials import passwords
from passless.credentials.passwords import (
    NOBODYS_HASH,
    BrokenHash,
    WeakPassword,
    check_new_password,
    hash_password,
    needs_rehash,
    stands_alone,
    verify_nothing,
    verify_password,
)
from passless.domain.errors import WrongUse
from passless.domain.secret import Secret
from tests.credentials.authenticator import entropy

GOOD = Secret("violet tractor hums sideways")
STORED = hash_password(GOOD, entropy)


def reasons(text: str, *, alone: bool = False, context_words: Sequence[str] = ()) -> tuple[str, ...]:
    try:
        check_new_password(Secret(text), stands_alone=alone, context_words=context_words)
    except WeakPassword as error:
        return error.reasons
    return ()


def test_a_password_is_kept_as_argon2id_with_the_profile_of_rfc_9106() -> None:
    assert extract_parameters(STORED) == profiles.RFC_9106_LOW_MEMORY
    assert not needs_rehash(STORED)


def test_the_right_password_is_accepted_and_another_is_not() -> None:
    assert verify_password(STORED, GOOD)
    assert not verify_password(STORED, Secret("violet tractor hums sidewayz"))


def test_the_salt_comes_from_the_entropy() -> None:
    assert hash_password(GOOD, entropy) == STORED
    assert hash_password(GOOD, bytes) != STORED


@pytest.mark.parametrize(("typed", "kept"), [("pa\u0301ss", "p\u00e1ss"), ("\ufb01sh", "fish"), ("\uff41b", "ab")])
def test_the_same_password_from_another_keyboard_is_the_same(typed: str, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", lambda: PasswordHasher.from_parameters(profiles.CHEAPEST))
    assert verify_password(hash_password(Secret(kept), entropy), Secret(typed))


def test_bytes_that_are_no_text_are_only_a_wrong_password() -> None:
    assert not verify_password(NOBODYS_HASH, Secret("\udcff"))


def test_nobodys_hash_costs_what_todays_hashes_cost() -> None:
    assert extract_parameters(NOBODYS_HASH) == extract_parameters(STORED)


def test_work_is_done_where_there_is_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Any] = []
    monkeypatch.setattr(passwords, "verify_password", lambda *arguments: checked.append(arguments))
    verify_nothing(GOOD)
    assert checked == [(NOBODYS_HASH, GOOD)]


def test_a_hash_of_another_profile_is_to_be_made_again() -> None:
    assert needs_rehash(PasswordHasher.from_parameters(profiles.CHEAPEST).hash("x"))


@pytest.mark.parametrize("stored", ["", "text", "$argon2id$", "$argon2id$v=19$m=1,t=0,p=1$AAAA$AAAA", "$2b$12$abc"])
def test_a_broken_hash_is_said_to_be_one(stored: str) -> None:
    with pytest.raises(BrokenHash):
        verify_password(stored, GOOD)


def test_a_broken_hash_is_not_just_an_old_one() -> None:
    with pytest.raises(BrokenHash):
        needs_rehash("text")


@pytest.mark.parametrize(("size", "alone"), [(14, False), (15, True)])
def test_fifteen_characters_stand_alone(size: int, alone: bool) -> None:
    assert stands_alone(Secret("x" * size)) is alone


@pytest.mark.parametrize(
    ("text", "alone", "wrong"),
    [
        ("kvZ7#qf", False, ("is shorter than 8 characters",)),
        ("kvZ7#qfp", False, ("is easily guessed",)),
        ("kvZ7#qfpw", False, ()),
        ("kvZ7#qfpW2m!xb", True, ("is shorter than 15 characters",)),
        ("kvZ7#qfpW2m!xbT", True, ()),
        ("n\u0301a\u0301u\u0301y\u0301o\u0301i\u0301e\u0301", False, ("is shorter than 8 characters",)),
        ("violet tractor hums sideways", True, ()),
        ("k9!Z" + "violet tractor hums sideways" * 9, True, ()),
        ("k9!Z" + "violet tractor hums sideways" * 9 + "x", True, ("is longer than 256 characters",)),
    ],
)
def test_length_is_counted_in_characters_of_the_normal_form(text: str, alone: bool, wrong: tuple[str, ...]) -> None:
    assert reasons(text, alone=alone) == wrong


@pytest.mark.parametrize("text", ["password", "PassWord", "iloveyou", "trustno1", "\uff50assword"])
def test_common_passwords_are_refused(text: str) -> None:
    assert reasons(text) == ("is one of the most common ones",)


@pytest.mark.parametrize(
    "text", ["aaaaaaaaaaaaaaaa", "qwertyuiopasdfgh", "abcdefghijklmnop", "password12345678", "19840101198401011984"]
)
def test_easily_guessed_passwords_are_refused(text: str) -> None:
    assert reasons(text, alone=True) == ("is easily guessed",)


def test_every_reason_is_said_at_once() -> None:
    assert reasons("12345678", alone=True) == ("is shorter than 15 characters", "is one of the most common ones")


@pytest.mark.parametrize("words", [["Xyqvornbla"], ["xyqvornbla@zzkkpp.example"], ["Dr Xyqvornbla Jones"]])
def test_words_about_the_person_do_not_make_a_password_stronger(words: list[str]) -> None:
    assert reasons("xyqvornbla-1") == ()
    assert reasons("xyqvornbla-1", context_words=words) == ("is easily guessed",)


def test_the_programs_own_name_does_not_make_a_password_stronger() -> None:
    assert reasons("passless2026") == ("is easily guessed",)


def test_the_error_says_why_and_what_to_do_and_not_the_password() -> None:
    with pytest.raises(WeakPassword) as refused:
        check_new_password(Secret("hunter2"), stands_alone=False, context_words=[])
    assert refused.value.code == "weak-password"
    assert refused.value.message == "this password is shorter than 8 characters and is one of the most common ones"
    assert "password manager" in refused.value.hint
    assert isinstance(refused.value, WrongUse)
    assert "hunter2" not in repr(refused.value)


@given(st.text(st.characters(), max_size=300), st.lists(st.text(max_size=10), max_size=3), st.booleans())
@settings(max_examples=50)
def test_no_password_gets_past_our_errors(text: str, words: list[str], alone: bool) -> None:
    found = reasons(text, alone=alone, context_words=words)
    assert found or 8 <= len(normalize("NFKC", text)) <= 256


def test_sign_ins_with_keys_never_wait_behind_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of those that wait for a hash has an end; whoever comes then is asked to try again."""
    line = passwords.Line(1, waiting=0)
    monkeypatch.setattr(passwords, "_hashing", line)
    with line.turn(), pytest.raises(passwords.TooManyPasswords, match="at once"):
        passwords.verify_nothing(Secret("any"))
    passwords.verify_nothing(Secret("any"))
    passwords.verify_nothing(Secret("the turn was given back"))


def test_sign_ins_never_wait_behind_new_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    line = passwords.Line(1, waiting=0)
    monkeypatch.setattr(passwords, "_scoring", line)
    with line.turn():
        with pytest.raises(passwords.TooManyPasswords, match="at once"):
            check_new_password(GOOD, stands_alone=True, context_words=[])
        assert verify_password(STORED, GOOD)
    check_new_password(GOOD, stands_alone=True, context_words=[])


def test_few_new_passwords_wait() -> None:
    assert passwords.SCORE_LINE < passwords.LINE
    with (
        passwords._scoring.place(),
        passwords._scoring.place(),
        passwords._scoring.place(),
        pytest.raises(passwords.TooManyPasswords),
    ):
        check_new_password(GOOD, stands_alone=True, context_words=[])


def test_what_is_not_scored_is_still_looked_at() -> None:
    with pytest.raises(WeakPassword, match="shorter than 8 characters and is one of the most common"):
        check_new_password(Secret("hunter2"), stands_alone=False, context_words=[], scored=False)
    check_new_password(Secret("aaaaaaaaaaaaaaaa"), stands_alone=True, context_words=[], scored=False)


def test_an_account_has_one_new_password_at_a_time() -> None:
    with passwords.one_at_a_time("ada"):
        with passwords.one_at_a_time("bob"):
            pass
        with pytest.raises(passwords.TooManyPasswords, match="another new password"), passwords.one_at_a_time("ada"):
            pass
    with pytest.raises(WeakPassword), passwords.one_at_a_time("ada"):
        raise WeakPassword(["is easily guessed"])
    with passwords.one_at_a_time("ada"):
        pass


def test_of_what_is_too_long_to_be_a_password_only_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Putting 128,000 accents in order takes minutes, and anybody may send them for a password."""
    brought: list[int] = []

    def counted(form: str, text: str) -> str:
        brought.append(len(text))
        return normalize(form, text)

    monkeypatch.setattr(passwords, "normalize", counted)
    endless = Secret("a" + "\u0345\u0334" * 64_000)
    assert not verify_password(STORED, endless)
    assert "is longer than 256 characters" in reasons(endless.reveal())
    assert stands_alone(endless)
    assert max(brought) <= passwords.LONGEST_TYPED + 1
    longest = "\u1f82" * passwords.LONGEST  # each of four characters, typed apart
    assert verify_password(hash_password(Secret(longest), entropy), Secret(normalize("NFD", longest)))
    assert not verify_password(STORED, Secret(GOOD.reveal() + " " * 64_000))
