"""Nobody is locked out, and no thief of one factor ends up alone: the searches, as far as a test has time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.domain.search import moves
from tests.domain.search.attackers_table import BEGIN, END, PAGE, section
from tests.domain.search.every_theft import follow_every_theft
from tests.domain.search.model import KEY, NOW, OLD, RULES, Slot, a_method, a_password, an_account, canonical, small_alphabet
from tests.domain.search.moves import Limits
from tests.domain.search.search import Fault, Report, judge, search


def test_no_account_of_three_methods_on_two_devices_is_locked_out_or_one_device_away() -> None:
    """Exhaustive: every kind that differs, both settings, with and without codes, young and old."""
    report = search(Limits(alphabet=small_alphabet(), methods=3, devices=2))
    assert (report.left, report.faults) == (0, [])
    assert report.visited > 20_000


def test_nor_is_the_first_thousand_with_reported_losses_and_recoveries() -> None:
    limits = Limits(alphabet=small_alphabet(), methods=3, devices=2, losses=1, recoveries=True)
    report = search(limits, at_most=1_000)
    assert (report.visited, report.faults) == (1_000, [])


def test_a_step_that_takes_the_last_way_in_would_be_noted() -> None:
    before = canonical(an_account(a_password(added_at=OLD), made=OLD, finished=True))
    after = canonical(an_account(made=OLD, finished=True))
    report = Report()
    judge(before, moves.Move(what="made up", plan=None, after=after), report)
    assert [fault.what for fault in report.faults] == ["locked out", "one device away"]
    assert isinstance(report.faults[0], Fault)


def test_accounts_that_the_rules_treat_alike_are_one_state() -> None:
    key = a_method(Slot("key", KEY), added_at=NOW)
    one = an_account(key, a_password(added_at=OLD), made=OLD)
    other = an_account(a_password(added_at=OLD - RULES.wait), key, made=OLD - RULES.wait)
    assert canonical(one) == canonical(other)


def test_no_thief_of_one_factor_ends_up_alone_on_an_account_of_one_method() -> None:
    seen = follow_every_theft(methods=1)
    assert (seen.alone, seen.ties, seen.left) == ([], [], 0)
    assert seen.followed > 20


@pytest.fixture(scope="module")
def generated() -> str:
    return section()


def test_the_page_about_thieves_is_what_the_search_gives_now(generated: str) -> None:
    written = Path(__file__).parents[3] / PAGE
    assert written.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0] == generated


def test_no_thief_of_one_factor_ends_up_alone_on_any_account_of_the_page(generated: str) -> None:
    assert "**yes**" not in generated
    assert generated.count("*tie*") == 3  # the word itself, and the one kind of account it happens to
