"""Names that people give: what is allowed, and when two are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import characters, text

from passless.domain import names
from passless.domain.names import NAME_LENGTH, BadName, are_same, clean, key, printable


@pytest.mark.parametrize(
    "name", ["blue key", "YubiKey 5 (work)", "Ærlig Øl", "鍵", "clé de Zoé", "0", "🔑", "key 🔑 2", "ada@example.org"]
)
def test_these_names_are_kept_as_they_are(name: str) -> None:
    assert clean(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  blue key \t", "blue key"),
        ("ﬁle", "file"),
        ("ＡＤＡ", "ADA"),
        ("e\u0301t\u00e9", "été"),
        ("blue\u00a0key", "blue key"),
    ],
    ids=["space around", "ligature", "full width", "decomposed", "no-break space"],
)
def test_these_are_brought_to_their_normal_form(text: str, name: str) -> None:
    assert clean(text) == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("\u00a0", "is empty"),
        ("a\u202eb", "direction-changing"),
        ("a\u2066b", "direction-changing"),
        ("a\u200bb", "invisible"),
        ("👩\u200d💻", "invisible"),
        ("a\x1b[2Jb", "control"),
        ("a\nb", "control"),
        ("a\rb", "control"),
        ("a\x00b", "control"),
        ("a\x85b", "control"),
        ("a\u2028b", "line breaks"),
        ("a\u2029b", "line breaks"),
        ("a\ud800b", "broken"),
        ("a\ue000b", "private-use"),
        ("a\uffffb", "mean nothing"),
        ("x" * (NAME_LENGTH + 1), "too long: 65"),
        ("ﷺ" * 10, "too long"),
        ("x" * 10_240, "too long: 10240"),
    ],
)
def test_these_are_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadName, match=why) as refused:
        clean(text)
    assert refused.value.code == "bad-name"


def test_a_refused_name_is_not_in_the_message() -> None:
    with pytest.raises(BadName) as refused:
        clean("evil\x1b]0;title\x07")
    assert refused.value.message == "the name has control characters (U+001B)"


def test_the_message_names_what_was_given() -> None:
    with pytest.raises(BadName, match="the device is empty"):
        clean("", what="device")


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ada", "ada"), ("ＡＤＡ", "ada"), ("Straße", "STRASSE"), (" ada", "ada "), ("é", "e\u0301"), ("ﬁn", "FIN"), ("K", "k")],
)
def test_these_are_the_same(one: str, other: str) -> None:
    assert are_same(one, other)


@pytest.mark.parametrize(("one", "other"), [("ada", "ad a"), ("ada", "аda"), ("key", "keys")])
def test_these_are_not(one: str, other: str) -> None:
    assert not are_same(one, other)


def test_the_longest_name_is_allowed_and_its_key_is_stable() -> None:
    name = "ẞ" * NAME_LENGTH
    assert clean(name) == name
    assert key(key(name)) == key(name)


def test_text_from_outside_is_printed_without_what_moves_the_cursor() -> None:
    assert printable("a\x1b[2J\u202eb\nc") == "a\ufffd[2J\ufffdb\ufffdc"
    assert printable("plain") == "plain"


def test_and_not_longer_than_a_line() -> None:
    assert printable("x" * 10_240) == "x" * 79 + "…"
    assert printable("x" * 9, at_most=8) == "x" * 7 + "…"


def test_what_is_too_long_to_be_a_name_is_looked_up_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Putting 16,000 accents in order takes seconds, and anybody may type them where a name is asked."""
    brought: list[int] = []

    def counted(form: str, text: str) -> str:
        brought.append(len(text))
        return unicodedata_normalize(form, text)

    unicodedata_normalize = names.unicodedata.normalize
    monkeypatch.setattr(names.unicodedata, "normalize", counted)
    endless = "a" + "\u0345\u0334" * 16_000
    assert key(endless) == endless
    assert not are_same("ada", "ada" + " " * 16_000)
    with pytest.raises(BadName, match="too long"):
        clean(endless)
    assert max(brought, default=0) <= names.LONGEST_TYPED
    longest = "\u1f82" * NAME_LENGTH  # each of four characters, typed apart
    assert are_same(longest, unicodedata_normalize("NFD", longest))


@given(text(alphabet=characters(max_codepoint=127), max_size=20))
def test_plain_letters_are_the_same_without_being_normalized(name: str) -> None:
    normalized = names.unicodedata.normalize("NFKC", name).strip().casefold()
    assert key(name) == names.unicodedata.normalize("NFKC", normalized)


@pytest.mark.parametrize("name", ["\u00c5se O'Brien-\u0928\u093f\u0936\u093e 2", "ada_l.ovelace+x@example.org", "\u7530\u4e2d"])
def test_names_of_people_are_plain(name: str) -> None:
    assert names.is_plain(names.clean(name))


@pytest.mark.parametrize("name", ["admin,x", "a;b", 'a"b', "admin\uff0cx", "a=b", "a\\b", "a/b", "a:b", "<a>", "a(b)"])
def test_signs_that_programs_split_lists_at_are_not(name: str) -> None:
    assert not names.is_plain(names.clean(name))
