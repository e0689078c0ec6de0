"""The pictures show what passless prints now, and nothing of them is fetched from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.docs.pictures import FOLDER, TITLES, as_seen, pictures, words

FILES = [FOLDER / f"{name}.svg" for name in TITLES]


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return pictures(tmp_path_factory.mktemp("pictures"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_picture_shows_what_is_printed_now(file: Path, now: dict[str, str]) -> None:
    shown = words(file.read_text(encoding="utf-8"))
    assert len(shown) > 3
    assert shown == words(now[file.stem]), "draw it anew: python -m tests.docs.pictures"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_picture_is_whole_and_needs_nothing_else(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    ElementTree.fromstring(text)
    addresses = set(re.findall(r"https?://[^\"' )<]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "https://www.textualize.io"}
    assert "url(#" in text
    assert "url(http" not in text


def test_there_is_no_picture_that_nobody_draws() -> None:
    assert sorted(FOLDER.glob("*.*")) == sorted(FILES)  # those of pages have a folder and a command of their own


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("one\r\ntwo\r\n", "one\ntwo"),
        ("one\r\ntwo\r\n\x1b[1A\x1b[Jthree", "one\nthree"),
        ("one\r\ntwo\r\nthree\r\n\x1b[2A\x1b[J", "one"),
    ],
)
def test_what_was_taken_off_the_screen_is_not_seen(written: str, seen: str) -> None:
    assert as_seen(written) == seen
