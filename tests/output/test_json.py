"""JSON: the keys that scripts rely on, and no secret but where one is shown once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from passless.domain.secret import Secret
from passless.domain.views import (
    Applied,
    Begun,
    Ended,
    FreshnessView,
    MadeAppPassword,
    MadePass,
    MadeRecoveryCode,
    MadeToken,
    PlanView,
    SignedIn,
    StateView,
)
from passless.output.json import encode

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATE = StateView(passwordless=True, two_step=False, methods=(), ways_in=(), state="ok")
PLAN = PlanView(change={"type": "x"}, accepted=True, problems=(), effects=(), before=STATE, after=STATE)


def document(result: Any) -> Any:
    """Return what a program reads."""
    return json.loads(encode(result))


@pytest.mark.parametrize(
    ("made", "keys"),
    [
        (
            MadeAppPassword(id="a", name="Mail", secret=Secret("s3"), services=("imap",), expires_at=None),
            {"id", "name", "secret", "for", "expires_at", "shown_once"},
        ),
        (MadeRecoveryCode(code=Secret("s3")), {"code", "saved", "shown_once"}),
        (
            MadePass(id="a", secret=Secret("s3"), expires_at=NOW, once=True),
            {"id", "secret", "expires_at", "once", "shown_once"},
        ),
        (
            MadeToken(id="a", name="n", secret=Secret("s3"), may=("status",), expires_at=NOW),
            {"id", "name", "secret", "may", "expires_at", "shown_once"},
        ),
    ],
)
def test_a_new_secret_is_shown_beside_the_plan(made: Any, keys: set[str]) -> None:
    shown = document(Applied(plan=PLAN, made=made))
    assert set(shown) == {"applied", "plan"} | keys
    assert (shown["applied"], shown["shown_once"]) == (True, True)
    assert "s3" in shown.values()


def test_what_ended_is_named_without_a_plan() -> None:
    assert document(Applied(plan=None, made=Ended(ended=("a", "b")))) == {"applied": True, "plan": None, "ended": ["a", "b"]}


def test_a_plan_was_not_applied() -> None:
    assert document(PLAN)["applied"] is False
    assert set(document(PLAN)["plan"]) >= {"change", "accepted", "problems", "effects", "before", "after"}


def test_the_options_of_a_key_are_an_object() -> None:
    begun = Begun(ceremony="c", expires_at=NOW, origin="https://x", public_key=b'{"challenge":"abc"}')
    assert document(begun) == {
        "ceremony": "c",
        "expires_at": "2026-03-01T12:00:00Z",
        "origin": "https://x",
        "publicKey": {"challenge": "abc"},
    }


def test_a_session_token_is_left_out() -> None:
    session = FreshnessView(expires_at=NOW, fresh_until=None, strength=1)
    signed_in = SignedIn(account="anna", account_id="a", token=Secret("s3"), session=session, kind="direct")
    assert "s3" not in encode(signed_in).decode()
    assert "token" not in document(signed_in)


@pytest.mark.parametrize("value", [Secret("s3"), {"a": Secret("s3")}, [Secret("s3")]])
def test_any_other_secret_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)
