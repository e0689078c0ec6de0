"""Results for people: every type has a picture, nothing from outside draws, and no line is too long."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from rich.console import Console

from passless.domain.secret import Secret
from passless.domain.views import (
    AccountSummary,
    AccountView,
    Begun,
    FreshnessView,
    LossView,
    MadeEnrolLink,
    MethodView,
    NoticeView,
    ProblemView,
    RecoveryCodeView,
    SessionView,
    StepView,
    WhatIfView,
)
from passless.output import human
from passless.output.drawing import Look, spoken

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NASTY = "[bold red]x[/] \x1b[31m\u202e\x07"


def a_method(name: str = "blue key", **more: Any) -> MethodView:
    fields = {
        "id": "k3m9x2pq",
        "kind": "security-key",
        "name": name,
        "device": name,
        "added_at": NOW - timedelta(days=41),
        "last_used_at": None,
        "phishing_resistant": True,
        "two_factor": True,
        "default": True,
        "usable": True,
    }
    return MethodView(**(fields | more))


def an_account(name: str = "blue key") -> AccountView:
    return AccountView(
        profile="local",
        account=name,
        display_name=name,
        state="ok",
        passwordless=True,
        two_step=False,
        methods=(a_method(name),),
        app_passwords=0,
        ways_in=(("k3m9x2pq",),),
        losses=(LossView(device=name, survives=False, ways_in=()),),
        recovery_code=RecoveryCodeView(exists=True, saved=False, created_at=NOW),
        problems=(ProblemView(code="c", message=name, hint=name, severity="refusal"),),
        next_steps=(StepView(code="c", message=name, command="passless x"),),
        notices=(),
        session=FreshnessView(expires_at=NOW + timedelta(hours=3), fresh_until=NOW + timedelta(minutes=7), strength=2),
        id="abc",
        created_at=NOW,
    )


def drawn(result: Any, *, width: int = 80, is_terminal: bool = True) -> str:
    """Return a picture as the characters that reach the terminal."""
    out = Console(file=StringIO(), width=width, markup=False, highlight=False, emoji=False, force_terminal=is_terminal)
    out.print(human.picture(result, Look(now=NOW, is_terminal=is_terminal, width=width)))
    return out.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_an_account_fits(width: int) -> None:
    plain = drawn(an_account(), width=width, is_terminal=False)
    assert max(len(line) for line in plain.splitlines()) <= width


def test_names_from_outside_draw_nothing() -> None:
    shown = drawn(an_account(NASTY), width=200)
    assert "[bold red]x[/]" in shown
    assert "\x1b[31m\ufffd" not in shown
    assert "\u202e" not in shown
    assert "\x07" not in shown


def test_what_was_only_made_is_not_called_proven() -> None:
    proven = an_account()
    assert proven.session is not None
    made = replace(proven, session=replace(proven.session, made=True, strength=1))
    assert "two factors proven" in drawn(proven, width=120)
    assert "just made, which counts for changes for 7 minutes" in drawn(made, width=120)
    assert "proven" not in drawn(made, width=120)


def test_the_same_advice_for_several_problems_in_a_row_is_said_once() -> None:
    several = [("a", "do one"), ("b", "do one"), ("c", "do two")]
    problems = tuple(ProblemView(code="c", message=word, hint=hint, severity="warning") for word, hint in several)
    shown = drawn(replace(an_account(), problems=problems))
    assert (shown.count("do one"), shown.count("do two")) == (1, 1)


def test_a_loss_that_locks_out_is_said() -> None:
    assert "you would be locked out" in drawn(an_account(), width=120)


@pytest.mark.parametrize("of", [AccountSummary, MethodView, WhatIfView])
def test_an_empty_list_is_a_sentence(of: type[Any]) -> None:
    shown = drawn(human.Listing(of=of, items=()), is_terminal=False).strip()
    assert shown
    assert "None" not in shown


def test_a_type_without_a_view_is_drawn_as_its_fields() -> None:
    shown = drawn(RecoveryCodeView(exists=True, saved=False, created_at=NOW), is_terminal=False)
    assert "exists" in shown
    assert "just now" in shown


def test_an_app_is_shown_as_picture_and_as_letters() -> None:
    begun = Begun(
        ceremony="c", expires_at=NOW, otpauth_uri=Secret("otpauth://totp/x?secret=ABCDEFGH"), secret=Secret("ABCDEFGH")
    )
    shown = drawn(begun)
    assert "█" in shown
    assert "ABCD EFGH" in shown


def the_news(count: int) -> str:
    """Return how that many notices are drawn, the last one the newest."""
    told = "; if this was not you: passless session end --all"
    made = [
        NoticeView(id=str(at), at=NOW - timedelta(minutes=60 - at), code="c", message=f"it happened ({at}){told}")
        for at in range(count)
    ]
    return drawn(msgspec.structs.replace(an_account(), notices=tuple(made)), width=120, is_terminal=False)


def test_news_says_once_what_helps_if_it_was_somebody_else() -> None:
    shown = the_news(3)
    assert shown.count("not you") == 1
    assert "if that was not you: passless session end --all" in shown
    assert "more: passless audit list" not in shown


def test_only_the_newest_news_is_shown() -> None:
    shown = the_news(8)
    assert re.findall(r"it happened \((\d)\)", shown) == ["7", "6", "5", "4", "3"]
    assert "and 3 more: passless audit list" in shown


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=-50), "1 minute ago"),
        (timedelta(minutes=-3), "3 minutes ago"),
        (timedelta(hours=1), "in 1 hour"),
        (timedelta(days=30), "in 30 days"),
        (timedelta(days=90), "in 90 days"),
        (timedelta(days=-400), "1 year ago"),
    ],
)
def test_times_are_said_as_people_say_them(away: timedelta, words: str) -> None:
    assert spoken(NOW + away, NOW) == words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"kind": "direct", "through": "browser"}, "browser"),
        ({"kind": "direct", "through": "terminal"}, "terminal"),
        ({"kind": "browser", "through": "terminal"}, "terminal, let in by a browser"),
        ({"kind": "device-code", "through": "terminal"}, "device code"),
        ({"kind": "recovery-code", "through": "browser"}, "browser, by a recovery code"),
        ({"kind": "temporary-pass", "through": "terminal"}, "terminal, by a temporary pass"),
        ({"kind": "client", "through": "program", "name": "Wiki"}, "program Wiki"),
        ({"kind": "offline", "through": "program", "name": "Wiki"}, "program Wiki, while you are away"),
    ],
    ids=str,
)
def test_a_session_says_what_it_is_of(said: dict[str, str], words: str) -> None:
    one = SessionView(
        id="s1", created_at=NOW, last_seen_at=NOW, expires_at=NOW, place="desk", current=False, **{"name": "", **said}
    )
    assert f" {words} " in drawn(human.Listing(of=SessionView, items=(one,)), width=140)


@pytest.mark.parametrize(("height", "is_said"), [(24, True), (80, False), (0, False)])
def test_a_picture_that_is_higher_than_the_terminal_says_so(height: int, is_said: bool) -> None:
    link = MadeEnrolLink(link=Secret("https://passless.example/enrol#" + "x" * 60), expires_at=NOW)
    paper = Console(file=StringIO(), width=80, color_system=None)
    paper.print(human.picture(link, Look(now=NOW, is_terminal=True, width=80, height=height)))
    assert isinstance(paper.file, StringIO)
    assert ("larger than 24 lines" in paper.file.getvalue()) is is_said
