"""From what is stored to what is shown: enough to act on, and nothing secret (security.md, "Must hold" 1)."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from passless.domain.account import Account, Pending
from passless.domain.audit import Notice
from passless.domain.changes import RemoveMethod
from passless.domain.recovery import Reporter
from passless.domain.refused import Refused
from passless.domain.requests import SetPassword
from passless.domain.safety.planning import plan
from passless.domain.secret import Secret
from passless.domain.sessions import STEP_UP, Session, SessionId, SessionKind
from passless.domain.showing import account_view, device_views, state_view
from passless.domain.use_state import UseState
from passless.domain.views import AccountView
from tests.builders import (
    LATER,
    NOW,
    RULES,
    YOUNG,
    a_lost_device,
    a_password,
    a_phone,
    a_proof,
    a_recovery,
    a_saved_code,
    a_security_key,
    a_totp,
    accepted,
    an_account,
    an_unsaved_code,
    proven_with,
    the_making,
)

PASSWORD, APP, NUMBER, KEY = a_password(), a_totp(), a_phone(), a_security_key()
WAITS = Pending(id="p", change=RemoveMethod(id="app"), asked_at=YOUNG, due_at=LATER, asked_by=Reporter.SELF)


def a_notice(code: str, at: object = NOW) -> Notice:
    return Notice(id=code, account_id="ada", at=at, code=code, message="something was changed")


def shown(account: Account, **more: object) -> AccountView:
    given = {"profile": "local", "version": 3, "uses": {}, "notices": (), "session": None} | more
    return account_view(account, rules=RULES, now=NOW, **given)


def test_no_hash_seal_key_or_salt_is_shown() -> None:
    account = an_account(methods=[PASSWORD, APP, NUMBER, KEY], codes=[a_saved_code()])
    text = msgspec.json.encode(shown(account)).decode()
    for secret in ("argon2id", "sealed seed", "cose key", "salted-sha256", "credential", "+4790000000"):
        assert secret not in text


def test_methods_say_what_they_are_worth_and_when_they_were_used() -> None:
    uses = {"app": UseState(item="app", last_used_at=YOUNG)}
    view = shown(an_account(methods=[PASSWORD, APP, KEY], default_method="app"), uses=uses)
    assert [(one.name, one.device, one.two_factor, one.phishing_resistant) for one in view.methods] == [
        ("password", None, False, False),
        ("app", "phone", False, False),
        ("blue key", "blue key", True, True),
    ]
    assert [(one.default, one.last_used_at, one.usable) for one in view.methods[1:]] == [
        (True, YOUNG, True),
        (False, None, True),
    ]


def test_losses_waiting_changes_and_reports_are_listed() -> None:
    account = accepted(an_account(methods=[APP, NUMBER, KEY], pending=(WAITS,)), a_lost_device("blue key"), proven_with())
    view = shown(account)
    assert [(loss.device, loss.survives) for loss in view.losses] == [("phone", False)]
    assert [(one.change, one.message) for one in view.pending] == [
        ("remove-method", "remove method happens on 2026-04-13 unless it is cancelled")
    ]
    assert [(one.what, one.methods) for one in view.reports] == [("device:blue key", ("blue key",))]


def test_devices_carry_their_methods() -> None:
    found = device_views(an_account(methods=[PASSWORD, APP, NUMBER, KEY]), {}, RULES, NOW)
    assert [(one.name, len(one.methods), one.survives) for one in found] == [("phone", 2, True), ("blue key", 1, True)]


def test_what_is_broken_is_said() -> None:
    def codes(account: Account, **more: object) -> list[str]:
        return [one.code for one in shown(account, **more).problems]

    assert codes(an_account(methods=[APP, KEY])) == []
    assert codes(an_account()) == ["no-way-in"]
    assert codes(an_account(methods=[APP])) == ["one-device-away"]
    assert codes(an_account(methods=[PASSWORD, APP], two_step=True)) == ["two-recovery-methods"]
    assert codes(an_account(methods=[APP, KEY]), uses={"app": UseState(item="app", cloned=True)}) == ["possible-clone"]


@pytest.mark.parametrize(
    ("codes", "exists", "saved"),
    [((), False, False), ((an_unsaved_code(),), True, False), ((a_saved_code(), an_unsaved_code()), True, True)],
)
def test_the_recovery_code_is_there_or_saved(codes: tuple, exists: bool, saved: bool) -> None:
    view = shown(an_account(methods=[APP], codes=codes)).recovery_code
    assert (view.exists, view.saved) == (exists, saved)


def test_an_account_that_was_just_made_is_sent_to_no_recovery() -> None:
    """Nobody ever got in with anything, so there is nothing to come back to."""
    (new,) = shown(an_account(made=NOW, finished=False)).problems
    assert (new.code, "recover" in new.hint, "method add totp" in new.hint) == ("no-way-in", False, True)
    (lost,) = shown(an_account()).problems
    assert "recover start" in lost.hint


def test_a_notice_is_shown_when_its_time_comes_and_while_its_change_waits() -> None:
    account = an_account(methods=[APP, KEY], pending=(WAITS,))
    notices = (a_notice("added"), a_notice("later", at=LATER), a_notice("pending:p"), a_notice("pending:gone"))
    assert [one.code for one in shown(account, notices=notices).notices] == ["added", "pending:p"]


def test_a_session_says_how_long_it_is_fresh_and_how_strong() -> None:
    def session(*proofs: object) -> Session:
        return Session(
            id=SessionId("s"),
            account_id="ada",
            token_hash=b"",
            kind=SessionKind.DIRECT,
            created_at=YOUNG,
            seen_at=NOW,
            expires_at=LATER,
            proofs=proofs,
        )

    account = an_account(methods=[APP, KEY])
    fresh = shown(account, session=session(a_proof(KEY))).session
    stale = shown(account, session=session(a_proof(KEY, at=NOW - timedelta(hours=1)))).session
    assert fresh is not None
    assert (fresh.fresh_until, fresh.strength) == (NOW + STEP_UP, 2)
    assert stale is not None
    assert (stale.fresh_until, stale.strength) == (None, 0)
    made = shown(account, session=session(the_making())).session
    assert made is not None
    assert (made.strength, made.made, fresh.made, stale.made) == (1, True, False, False)


def test_a_plan_compares_two_states() -> None:
    view = state_view(an_account(methods=[APP, KEY], two_step=True), RULES, NOW)
    assert (view.passwordless, view.two_step, view.methods, view.state) == (True, True, ("app", "blue key"), "ok")


def test_a_refusal_carries_every_problem_and_says_whether_a_proof_helps() -> None:
    account = an_account(methods=[APP, KEY])
    last = Refused(plan(account, RemoveMethod(id="app"), proven_with(KEY), RULES).problems)
    weak = Refused(plan(an_account(methods=[PASSWORD, APP, KEY]), RemoveMethod(id="app"), proven_with(), RULES).problems)
    assert (last.code, last.is_about_proofs) == ("one-device-away", False)
    assert (weak.code, weak.is_about_proofs) == ("weak-proof", True)
    assert weak.message == "this needs a proof from the last 10 minutes"


def test_a_request_with_a_secret_hides_it() -> None:
    assert "staple" not in repr(SetPassword(password=Secret("correct horse battery staple")))


def test_until_when_a_recovery_binds_is_shown() -> None:
    finished = an_account(methods=[APP], recovery=a_recovery(finished_at=NOW - timedelta(hours=1)))
    assert shown(finished).recovery_until == NOW + timedelta(hours=23)
    assert shown(an_account(methods=[APP], recovery=a_recovery())).recovery_until is None
    assert shown(an_account(methods=[APP], recovery=a_recovery(finished_at=NOW - timedelta(days=2)))).recovery_until is None
