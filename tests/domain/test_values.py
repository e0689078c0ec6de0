"""Sessions, recoveries, accounts and errors: small values and what they say of themselves."""

from __future__ import annotations

from datetime import timedelta

from passless.domain.account import AccountId
from passless.domain.errors import NotFound, PasslessError, Unavailable, WrongUse
from passless.domain.recovery import RECOVERY_PERIOD
from passless.domain.sessions import SESSION_IDLE, STEP_UP, Session, SessionId, SessionKind
from tests.builders import NOW, OLD, a_password, a_proof, a_recovery, a_security_key, a_totp, an_account

HOUR = timedelta(hours=1)


def a_session(kind: SessionKind = SessionKind.DIRECT, **more: object) -> Session:
    fields = {"created_at": NOW, "seen_at": NOW, "expires_at": NOW + 24 * HOUR} | more
    return Session(id=SessionId("s"), account_id="ada", token_hash=b"", kind=kind, **fields)


def test_a_session_ends_after_its_life_or_an_idle_hour() -> None:
    assert not a_session().is_expired(NOW)
    assert a_session().is_expired(NOW + SESSION_IDLE)
    assert a_session(seen_at=NOW + 24 * HOUR).is_expired(NOW + 24 * HOUR)


def test_a_machine_may_be_idle() -> None:
    assert not a_session(SessionKind.TOKEN).is_expired(NOW + 2 * HOUR)


def test_a_proof_is_fresh_for_ten_minutes() -> None:
    proof = a_proof(a_totp())
    session = a_session(proofs=(proof,))
    assert session.fresh_proofs(NOW) == (proof,)
    assert session.fresh_proofs(NOW + STEP_UP - timedelta(seconds=1)) == (proof,)
    assert session.fresh_proofs(NOW + STEP_UP) == ()


def test_a_proof_from_the_future_is_none() -> None:
    assert a_session(proofs=(a_proof(a_totp(), at=NOW + HOUR),)).fresh_proofs(NOW) == ()


def test_a_recovery_holds_until_a_day_after_it_was_finished() -> None:
    assert a_recovery().holds(NOW + 100 * HOUR)
    assert a_recovery(finished_at=NOW).holds(NOW + RECOVERY_PERIOD - timedelta(seconds=1))
    assert not a_recovery(finished_at=NOW).holds(NOW + RECOVERY_PERIOD)


def test_an_account_knows_its_state() -> None:
    assert an_account(finished=False).state(NOW) == "unfinished"
    assert an_account(recovery=a_recovery()).state(NOW) == "in-recovery"
    assert an_account(recovery=a_recovery(finished_at=NOW - RECOVERY_PERIOD)).state(NOW) == "ok"


def test_an_account_knows_its_age_devices_and_methods() -> None:
    account = an_account(methods=[a_password(), a_totp(), a_security_key(), a_totp("second")])
    assert account.id == AccountId("ada")
    assert account.age(NOW) == NOW - OLD
    assert account.devices == ("phone", "blue key")
    assert account.method(a_totp("none").id) is None


def test_an_error_is_a_sentence_a_hint_and_a_code() -> None:
    error = NotFound("there is no method “x”", hint="passless method list", code="no-such-method")
    assert (error.message, error.hint, error.code) == ("there is no method “x”", "passless method list", "no-such-method")
    assert PasslessError().message == "something went wrong"
    assert [kind.code for kind in (WrongUse, Unavailable)] == ["wrong-use", "unavailable"]
