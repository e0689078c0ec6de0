"""The commands that README and docs/ show do what is shown."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.docs.console import Command, commands, matches, pages, run
from tests.strangers.needing import need


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_what_a_page_shows_is_what_happens(page: Path) -> None:
    need("oathtool", install="apt-get install oathtool")
    with TemporaryDirectory(prefix="p") as folder:  # a short name: what is shown breaks its lines where the page does
        wrong = [ran for ran in run(page.read_text(encoding="utf-8"), Path(folder)) if not ran.agrees]
    shown = "\n\n".join(f"$ {ran.command.text}[{ran.status}]\n" + "\n".join(ran.printed) for ran in wrong)
    assert not wrong, f"{page.name} says something else (python -m tests.docs writes it anew):\n{shown}"


def test_commands_are_found_with_their_output_and_status() -> None:
    page = "text\n```console\n$ one \\\n> more\nline\n[exit status 4]\n$ two\n```\n<!-- run: three -->\n```\n$ four\n```\n"
    found = [(one.text, one.expected, one.status) for one in commands(page)]
    assert found == [("one \\\nmore\n", ("line",), 4), ("two\n", (), 0), ("three", None, 0)]


@pytest.mark.parametrize(
    ("expected", "printed", "agree"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a"], ["a", "b"], False),
        (["a", "…"], ["a", "b", "c"], True),
        (["…", "c"], ["a", "b"], False),
        (["a … c"], ["a b c"], True),
        (["id k8qyztdb"], ["id 48r33rqc"], True),
        (["made 2026-11-23"], ["made   2027-01-01"], True),
        (["made 2026-11-23"], ["made yesterday"], False),
    ],
)
def test_only_what_differs_from_run_to_run_may_differ(expected: list[str], printed: list[str], agree: bool) -> None:
    assert matches(expected, printed) is agree


def test_a_command_that_is_not_shown_must_still_work(tmp_path: Path) -> None:
    assert [ran.agrees for ran in run("<!-- run: false -->\n<!-- run: true -->", tmp_path)] == [False, True]
    assert Command(text="true", expected=None).status == 0
