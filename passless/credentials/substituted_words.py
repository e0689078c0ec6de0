"""Words in a password that are written with other characters, such as `p4$$w0rd`: found in bounded time.

zxcvbn lists every way in which all such characters of a password can stand for letters, up to 736, and looks up every part of
it in each: 2.4 seconds for 72 characters that somebody chose for it. Here each part is read on only while a known word begins
so, which is a few steps for each character. Every character may stand for itself or for any of its letters, each time anew;
zxcvbn lets it stand for one thing throughout, and only one character for each letter. So all that zxcvbn finds is found, and
more, and no password scores higher for it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from msgspec import Struct

Ranked = Mapping[str, Mapping[str, int]]  # the rank of each word, by the name of its dictionary
Match = dict[str, Any]  # as zxcvbn's own matchers make it
OWN_WORDS = "user_inputs"  # zxcvbn's dictionary of the words of one call


class Reading(Struct, frozen=True):
    """A part of a password from where it began up to `end`, as it is read, and what stands for what in it."""

    end: int
    text: str
    substituted: Mapping[str, str]


def take_over(matching: Any) -> None:
    """Stand in for the matcher of zxcvbn's module; `AttributeError` where a later version has no such matcher."""
    assert callable(matching.l33t_match)
    letters: dict[str, tuple[str, ...]] = {}
    for letter, characters in matching.L33T_TABLE.items():
        for character in characters:
            letters[character] = (*letters.get(character, ()), letter)

    def l33t_match(password: str, _ranked_dictionaries: Ranked) -> list[Match]:
        return sorted(matches(password, _ranked_dictionaries, letters), key=lambda one: (one["i"], one["j"]))

    matching.l33t_match = l33t_match


def matches(password: str, ranked: Ranked, letters: Mapping[str, Sequence[str]]) -> Iterator[Match]:
    """Find the words with at least one character for a letter."""
    characters = [one.lower() for one in password]
    if not any(one in letters for one in characters):
        return
    fixed, own = _fixed_words(), sorted(ranked.get(OWN_WORDS, ()))
    for start in range(len(characters)):
        for words in (fixed, own):
            for found in readings(characters, start, words, letters):
                yield from _matches(password, start, found, ranked)


def readings(
    characters: Sequence[str], start: int, words: Sequence[str], letters: Mapping[str, Sequence[str]]
) -> Iterator[Reading]:
    """Read from a place on while one of the sorted words begins so; return what is a whole word, with a substitution in it."""
    waiting = [Reading(start, "", {})]
    while waiting:
        before = waiting.pop()
        if before.end == len(characters):
            continue
        character = characters[before.end]
        for letter in (character, *letters.get(character, ())):
            text = before.text + letter
            found = first_from(words, text)
            if not found.startswith(text):
                continue
            substituted = before.substituted if letter == character else {**before.substituted, character: letter}
            reading = Reading(before.end + 1, text, substituted)
            waiting.append(reading)
            if substituted and found == text and reading.end > start + 1:
                yield reading


def first_from(words: Sequence[str], text: str) -> str:
    """Return the first of the sorted words that is not before a text; an empty one where there is none."""
    place = bisect_left(words, text)
    return words[place] if place < len(words) else ""


@cache
def _fixed_words() -> list[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return sorted({word for listed in FREQUENCY_LISTS.values() for word in listed})


def _matches(password: str, start: int, found: Reading, ranked: Ranked) -> Iterator[Match]:
    """Write a reading as zxcvbn does, once for each dictionary that has the word."""
    for name, ranks in ranked.items():
        if found.text in ranks:
            yield {
                "pattern": "dictionary",
                "i": start,
                "j": found.end - 1,
                "token": password[start : found.end],
                "matched_word": found.text,
                "rank": ranks[found.text],
                "dictionary_name": name,
                "reversed": False,
                "l33t": True,
                "sub": dict(found.substituted),
                "sub_display": ", ".join(f"{one} -> {other}" for one, other in found.substituted.items()),
            }
