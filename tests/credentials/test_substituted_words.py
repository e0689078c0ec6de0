"""Words that are written with other characters are found as zxcvbn finds them, and more, with little work for any password."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from zxcvbn import matching

from passless.credentials import passwords, substituted_words
from passless.credentials.passwords import SCORED, WeakPassword, check_new_password
from passless.domain.secret import Secret

SUBSTITUTES = "4@8({[<369&#!1/|0$5+7%2"  # each of them made zxcvbn look everything up again
WORST = [
    (SUBSTITUTES * 4)[:SCORED],
    SUBSTITUTES * 2,
    "1" * SCORED,
    "1|" * 36,
    "1|7" * 24,
    ("1|" * 11 + "7") * 3,
    "1i!|l17" * 10,
    "0" * SCORED,
    "p4$$w0rd" * 9,
]
STEPS = 250  # for each character, at most; the worst that was found takes 165


@pytest.fixture(scope="module")
def as_it_was() -> Iterator[Any]:
    """zxcvbn's matchers, in a copy that nobody took over."""
    found = importlib.util.find_spec("zxcvbn.matching")
    assert found is not None
    assert found.origin is not None
    spec = importlib.util.spec_from_file_location("zxcvbn.matching_as_it_was", found.origin)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def score(text: str) -> None:
    try:
        check_new_password(Secret(text), stands_alone=False, context_words=["ada lovelace"])
    except WeakPassword:
        return


class Counted:
    """A function, and how often it was called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.times = 0
        self._function = function

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.times += 1
        return self._function(*arguments, **named)


@pytest.mark.parametrize("text", WORST)
def test_the_worst_passwords_are_looked_up_a_few_times_only(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    score("a first one, which loads everything")
    looked_up, steps = Counted(matching.dictionary_match), Counted(substituted_words.first_from)
    monkeypatch.setattr(matching, "dictionary_match", looked_up)
    monkeypatch.setattr(substituted_words, "first_from", steps)
    score(text)
    assert looked_up.times <= 8  # forwards and backwards, of the whole and of what is repeated in it
    assert steps.times <= STEPS * SCORED


@given(st.text(st.sampled_from(SUBSTITUTES + "aceilost"), min_size=SCORED, max_size=SCORED))
@settings(max_examples=30)
def test_no_password_takes_many_steps(text: str) -> None:
    letters: dict[str, tuple[str, ...]] = {}
    for letter, characters in matching.L33T_TABLE.items():
        for character in characters:
            letters[character] = (*letters.get(character, ()), letter)
    words = _Words(substituted_words._fixed_words())
    for start in range(len(text)):
        list(substituted_words.readings(text, start, words, letters))
    assert words.looked_at <= 20 * STEPS * SCORED  # a search among 90,000 sorted words looks at 17


class _Words(list[str]):
    """Words that count how often one is looked at."""

    looked_at = 0

    def __getitem__(self, place: Any) -> Any:
        self.looked_at += 1
        return super().__getitem__(place)


WRITTEN = st.lists(st.sampled_from(["password", "dragon", "letmein", "trustno1", "iloveyou", "abc123", "patrick1"]), max_size=3)


@given(WRITTEN, st.text(st.sampled_from(SUBSTITUTES), max_size=6), st.randoms(use_true_random=False))
@example(["patrick1", "phoenix"], "7<(!", None)
@settings(max_examples=60, deadline=None)
def test_all_that_zxcvbn_finds_is_found(as_it_was: Any, words: list[str], end: str, chance: Any) -> None:
    passwords._scorer()
    table: dict[str, list[str]] = matching.L33T_TABLE
    plain = "".join(words)
    written = "".join(chance.choice(table[one]) if chance and one in table and chance.random() < 0.6 else one for one in plain)
    ranked = dict(as_it_was.RANKED_DICTIONARIES)

    def found(matches: list[dict[str, Any]]) -> set[Any]:
        keys = ("i", "j", "matched_word", "dictionary_name", "rank")
        return {(*(one[key] for key in keys), tuple(sorted(one["sub"].items()))) for one in matches}

    theirs = found(as_it_was.l33t_match(written + end, ranked))
    assert theirs <= found(matching.l33t_match(written + end, ranked))


@pytest.mark.parametrize("text", ["p4$$w0rd", "P@SSW0RD!!", "tru$tn0!", "4@a4@a4@a", "1l0v3y0u"])
def test_substitutes_make_no_password_strong(text: str) -> None:
    with pytest.raises(WeakPassword):
        check_new_password(Secret(text), stands_alone=False, context_words=[])


def test_words_about_the_person_are_found_in_other_characters_too() -> None:
    check_new_password(Secret("xyqv0rnbl4-1"), stands_alone=False, context_words=[])
    with pytest.raises(WeakPassword, match="easily guessed"):
        check_new_password(Secret("xyqv0rnbl4-1"), stands_alone=False, context_words=["Xyqvornbla"])
