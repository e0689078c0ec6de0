"""What to do next: the first step, then ask again, until nothing is left."""

from __future__ import annotations

from passless.domain.account import Account
from passless.domain.methods import Kind
from passless.domain.safety.next_steps import Action, AtHand, Goal, Step, next_steps
from tests.builders import (
    NOW,
    RULES,
    YOUNG,
    a_lost_device,
    a_passkey,
    a_password,
    a_recovery,
    a_saved_code,
    a_security_key,
    a_temporary_pass,
    a_totp,
    accepted,
    an_account,
    an_email,
    an_unsaved_code,
    proven_with,
)

PASSWORD, APP, KEY, CODE = a_password(), a_totp(), a_security_key(), a_saved_code()
PLAIN_KEY = a_security_key("plain key", verified=False)
NOTHING = AtHand()
A_KEY = AtHand(security_key=True)


def steps(account: Account, goal: Goal | None = None, at_hand: AtHand = NOTHING) -> list[Step]:
    return list(next_steps(account, goal, at_hand, RULES, NOW))


def words(account: Account, goal: Goal | None = None, at_hand: AtHand = NOTHING) -> list[str]:
    return [step.code for step in steps(account, goal, at_hand)]


def test_a_password_alone_begins_with_an_app() -> None:
    found = words(an_account(methods=[PASSWORD]), Goal.PASSWORDLESS)
    assert found == ["enrol-totp", "make-recovery-code", "turn-passwordless-on"]


def test_with_a_key_in_the_hand_it_begins_with_the_key() -> None:
    assert words(an_account(methods=[PASSWORD]), Goal.PASSWORDLESS, A_KEY)[0] == "enrol-security-key"


def test_where_no_app_is_offered_it_is_the_key() -> None:
    at_hand = AtHand(kinds=(Kind.SECURITY_KEY,))
    assert words(an_account(finished=False), None, at_hand)[0] == "enrol-security-key"


def test_a_code_that_was_shown_is_typed_back_next() -> None:
    account = an_account(methods=[PASSWORD, APP], codes=[an_unsaved_code()])
    assert words(account, Goal.PASSWORDLESS)[0] == "confirm-recovery-code"


def test_two_step_is_offered_on_the_way_where_both_work() -> None:
    account = an_account(methods=[PASSWORD, KEY, APP], codes=[CODE])
    found = steps(account, Goal.PASSWORDLESS)
    assert [(step.code, step.optional) for step in found] == [("turn-two-step-on", True), ("turn-passwordless-on", False)]


def test_with_two_step_on_one_app_is_not_enough_without_a_password() -> None:
    account = an_account(methods=[PASSWORD, APP], codes=[CODE], two_step=True)
    assert words(account, Goal.PASSWORDLESS) == ["enrol-security-key", "turn-passwordless-on"]


def test_the_goal_reached_leaves_nothing() -> None:
    assert words(an_account(methods=[KEY, APP], codes=[CODE]), Goal.PASSWORDLESS) == []
    assert words(an_account(methods=[KEY, APP], codes=[CODE], two_step=True), Goal.TWO_STEP) == []
    assert words(an_account(methods=[KEY, APP], codes=[CODE])) == []


def test_two_step_first_needs_something_to_hold() -> None:
    assert words(an_account(methods=[PASSWORD], codes=[CODE]), Goal.TWO_STEP)[:2] == ["enrol-totp", "enrol-totp"]
    assert words(an_account(methods=[PASSWORD, APP], codes=[CODE]), Goal.TWO_STEP) == ["turn-two-step-on"]


def test_a_recovery_is_finished_before_anything_else() -> None:
    recovery = a_recovery(enrolled=["new key"])
    account = an_account(methods=[a_security_key("new key", added=NOW)], codes=[CODE], recovery=recovery)
    assert words(account, Goal.PASSWORDLESS) == ["make-recovery-code", "finish-recovery"]
    fresh = a_saved_code("new", added=NOW)
    saved = an_account(methods=account.methods, codes=[fresh], recovery=recovery)
    assert words(saved, Goal.TWO_STEP) == ["finish-recovery"]
    shown = an_account(methods=account.methods, codes=[CODE, an_unsaved_code(added=YOUNG)], recovery=recovery)
    assert words(shown)[0] == "confirm-recovery-code"


def test_after_it_the_code_is_there_already() -> None:
    done = a_recovery(finished_at=NOW)
    assert words(an_account(methods=[KEY, APP], codes=[CODE], recovery=done)) == []


def test_advice_is_a_second_device_where_one_loss_would_lock_out() -> None:
    account = an_account(methods=[KEY], codes=[CODE], two_step=True)
    first = steps(account)[0]
    assert (first.code, first.optional) == ("add-second-device", False)


def test_advice_is_passwordless_where_everything_is_there() -> None:
    found = steps(an_account(methods=[PASSWORD, KEY, APP], codes=[CODE]))
    assert [(step.action, step.optional) for step in found] == [(Action.PASSWORDLESS, True)]


def test_advice_is_a_key_where_everything_can_be_phished() -> None:
    account = an_account(methods=[PASSWORD, APP], codes=[CODE], two_step=True)
    assert words(account) == ["enrol-security-key"]
    assert words(an_account(methods=[APP, PLAIN_KEY], codes=[CODE])) == ["enrol-security-key"]


def test_advice_is_something_for_the_day_the_only_device_is_away() -> None:
    found = steps(an_account(methods=[a_passkey()], codes=[CODE]))
    assert [(step.code, step.kind, step.optional) for step in found] == [("add-second-device", Kind.TOTP, True)]


def test_a_mailbox_alone_is_no_way_in() -> None:
    assert "enrol-totp" in words(an_account(methods=[an_email()], codes=[CODE]))


def test_without_a_way_in_it_says_what_brings_the_person_back() -> None:
    """With two-step on the paper alone is not enough (must hold 4), so an operator is asked."""
    told = [
        (an_account(codes=[CODE]), "start a recovery with your recovery code"),
        (an_account(methods=[APP], codes=[CODE], two_step=True), "start a recovery with your recovery code and one more proof"),
        (an_account(codes=[CODE], two_step=True), "ask an operator to start a recovery"),
        (an_account(), "ask an operator to start a recovery"),
        (
            an_account(codes=[CODE], temporary_pass=a_temporary_pass()),
            "sign in with the temporary pass that an operator issued",
        ),
    ]
    for account, message in told:
        assert steps(account)[0].message == message


def test_after_a_loss_the_saved_code_is_the_way_back_and_stays_good() -> None:
    lost = accepted(an_account(methods=[APP], codes=[CODE]), a_lost_device("phone"), proven_with(APP))
    found = steps(lost)
    assert [step.code for step in found] == ["start-recovery", "enrol-totp", "make-recovery-code"]
    assert "with your recovery code" in found[0].message
    assert "the one you have stays good" in found[2].message


def test_without_a_saved_code_a_loss_asks_for_the_first_one() -> None:
    lost = accepted(an_account(methods=[APP], codes=[]), a_lost_device("phone"), proven_with(APP))
    assert "stays good" not in steps(lost)[-1].message
