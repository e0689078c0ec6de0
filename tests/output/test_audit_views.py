"""The audit trail for people: who helped and why, and points in time as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from passless.domain.audit import AuditEvent, Outcome
from passless.output.drawing import Look
from passless.output.machine_views import events

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANY = {"once": "yes", "operator": "2a9d6ym3", "pass": "hmmxnhfv", "until": "2026-11-30T13:36:52.343463+00:00"}


def drawn(details: dict[str, str]) -> str:
    event = AuditEvent(
        seq=1,
        at=NOW,
        actor="ada",
        account="bob",
        account_id="k3m9x2pq",
        event="issue-temporary-pass",
        outcome=Outcome.DONE,
        place="",
        details=details,
        hash="",
    )
    paper = Console(file=StringIO(), width=200, color_system=None)
    paper.print(events([event], Look(now=NOW, is_terminal=False, width=200)))
    return str(paper.file.getvalue())  # type: ignore[attr-defined]


def test_reason_and_ticket_of_an_operator_are_shown_however_much_else_there_is() -> None:
    shown = drawn(MANY | {"reason": "forgot phone", "ticket": "T-12"})
    assert "reason forgot phone" in shown
    assert "ticket T-12" in shown


def test_a_point_in_time_is_shown_to_the_minute() -> None:
    shown = drawn({"until": MANY["until"]})
    assert "until 2026-11-30 13:36 UTC" in shown
    assert "343463" not in shown


def test_what_only_looks_like_a_time_is_left_as_it_is() -> None:
    assert "until 2026-99-30T13:36:52Z" in drawn({"until": "2026-99-30T13:36:52Z"})
