"""What the core says to a terminal, in a browser's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from passless.server.pages import wording
from tests.docs.running import REPOSITORY

SPOKEN = ("domain/safety", "actions", "credentials", "ports", "stores", "vault")
HINT = re.compile(r"\bhint\s*(?::\s*ClassVar\[str\]\s*)?=\s*f?\"((?:[^\"\\]|\\.)*)\"|case\.problem\(([^)]*)\)", re.DOTALL)
QUOTED = re.compile(r'f?"((?:[^"\\]|\\.)*)"')


def hints() -> Iterator[str]:
    """Return every hint and sentence of a problem as it is written in the code."""
    for folder in SPOKEN:
        place = REPOSITORY / "passless" / folder
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]:
            for found in HINT.finditer(file.read_text(encoding="utf-8")):
                yield from [found[1]] if found[1] is not None else QUOTED.findall(found[2])


@pytest.mark.parametrize("text", sorted(set(hints())))
def test_no_page_tells_a_command(text: str) -> None:
    for said in (wording.hint(text), wording.sentence(text)):
        assert "passless " not in said or "passless says" in said, said
        assert " --" not in said, said
        assert "()" not in said
        assert not re.search(r"\b(NAME|FILE|KIND|TEXT|URL)\b", said), said


@pytest.mark.parametrize(
    ("text", "said", "path"),
    [
        ("add one: passless method add totp", "", "/enrol/totp"),
        ("make a recovery code (passless recovery-code new) or add a method on another device",
         "Make a recovery code or add a method on another device.", "/change/new-recovery-code"),
        ("add a key, a passkey or an app", "Add a key, a passkey or an app.", None),
        ("prove it with two factors, or with what it removes, to do it now: passless sign-in",
         "Prove it with two factors, or with what it removes, to do it now.", "/sign-in?fresh=600"),
        ("see what the account has: passless method list", "See what the account has.", "/#methods"),
    ],
)  # fmt: skip
def test_commands_become_pages(text: str, said: str, path: str | None) -> None:
    assert wording.hint(text) == said
    found = wording.link(text)
    assert (found.path if found else None) == path


def test_every_page_that_is_named_is_there() -> None:
    from passless.server.pages import routing
    from passless.server.pages.offers import OFFERS

    ours = {path for handler in routing.ALL for path in handler.paths} | {f"/change/{what}" for what in OFFERS}
    ours |= {f"/enrol/{kind}" for kind in ("passkey", "security-key", "totp")}
    named = {link.path.partition("?")[0].partition("#")[0] for link in wording.PAGES.values() if link.path}
    assert named <= ours
    templates = Path(wording.__file__).parent / "templates"
    for file in templates.glob("*.html"):
        for address in re.findall(r'(?:href|action)="(/[a-z][a-z/-]*[a-z])["?#]', file.read_text(encoding="utf-8")):
            assert address in ours | {"/device", "/oauth/authorize"} or address.startswith("/oauth"), (file.name, address)


def test_a_notice_is_told_without_its_commands() -> None:
    text = 'a sign-in method was added: "blue"; if this was not you: passless session end --all, then passless device lost NAME'
    assert wording.message(text) == 'A sign-in method was added: "blue".'
