"""Faults that the searches found in the rules, each kept away by an example (docs/decisions/0004)."""

from __future__ import annotations

from datetime import timedelta

from passless.domain.account import Pending
from passless.domain.applying import apply
from passless.domain.changes import (
    AddMethod,
    CancelPending,
    CancelRecovery,
    ConfirmRecoveryCode,
    DeleteAccount,
    RemoveMethod,
    RenameMethod,
    ReplacePassword,
    StartRecovery,
    TakeBackLoss,
    TurnPasswordlessOff,
    TurnPasswordlessOn,
    TurnTwoStepOn,
)
from passless.domain.methods import Password
from passless.domain.recovery import Reporter
from passless.domain.safety.planning import plan
from passless.domain.sessions import SessionKind
from tests.builders import (
    LATER,
    NOW,
    RULES,
    YOUNG,
    a_lost_device,
    a_password,
    a_phone,
    a_recovery,
    a_saved_code,
    a_security_key,
    a_totp,
    accepted,
    an_account,
    codes_of,
    lost_methods,
    proven_with,
    refusals_of,
    warnings_of,
)

PASSWORD, APP, NUMBER = a_password(), a_totp(), a_phone()
KEY = a_security_key("blue key", verified=False)
NEW_PASSWORD = a_password("new password", added=NOW)


def test_a_code_that_opens_alone_for_a_while_does_not_count_as_the_way_back_for_good() -> None:
    account = an_account(methods=[a_security_key()], codes=[a_saved_code()])
    assert "one-device-away" in refusals_of(account, TurnTwoStepOn(), proven_with(*account.methods))


def test_a_code_that_was_replaced_does_not_count_as_the_way_back_for_good() -> None:
    account = an_account(methods=[a_totp(), KEY], codes=[a_saved_code(valid_until=LATER)])
    assert "one-device-away" in refusals_of(account, RemoveMethod(id=KEY.id), proven_with(*account.methods))


def test_the_password_is_not_removed_past_rule_3() -> None:
    account = an_account(methods=[PASSWORD, APP, KEY])
    asked = proven_with(PASSWORD)
    assert refusals_of(account, RemoveMethod(id=PASSWORD.id), asked) == {"unproven-method"}
    assert "legacy-app" in warnings_of(account, RemoveMethod(id=PASSWORD.id), asked)


def test_a_replaced_password_counts_as_removed_even_under_the_same_id() -> None:
    account = an_account(methods=[PASSWORD, KEY])
    same = Password(id=PASSWORD.id, name="password", device=PASSWORD.device, added_at=NOW, hash="other", stands_alone=True)
    assert refusals_of(account, ReplacePassword(password=same), proven_with()) == {"weak-proof"}
    assert codes_of(account, ReplacePassword(password=same), proven_with(KEY)) == {"weak-proof"}


def test_turning_passwordless_off_where_it_is_off_replaces_no_password_with_one_factor() -> None:
    account = an_account(methods=[PASSWORD, NUMBER])
    found = plan(account, TurnPasswordlessOff(password=NEW_PASSWORD), proven_with(NUMBER), RULES)
    assert found.due_at is not None


def test_an_account_has_one_password() -> None:
    account = an_account(methods=[PASSWORD])
    assert refusals_of(account, AddMethod(method=NEW_PASSWORD), proven_with(PASSWORD)) == {"too-many"}


def test_one_stolen_factor_does_not_delete_an_old_account_at_once() -> None:
    account = an_account(methods=[PASSWORD, NUMBER])
    assert codes_of(account, DeleteAccount(), proven_with(NUMBER)) == {"all-at-once"}
    assert codes_of(account, DeleteAccount(), proven_with(PASSWORD, NUMBER)) == set()


def test_one_factor_turns_two_step_on_only_after_the_wait() -> None:
    """Who found the phone would else shut out the owner, who has the password alone."""
    account = an_account(methods=[PASSWORD, APP])
    assert codes_of(account, TurnTwoStepOn(), proven_with(APP)) >= {"weak-proof"}
    assert refusals_of(an_account(methods=[PASSWORD, APP, KEY]), TurnTwoStepOn(), proven_with(APP)) == set()
    assert accepted(an_account(methods=[PASSWORD, APP, KEY]), TurnTwoStepOn(), proven_with(PASSWORD, APP)).two_step


def test_a_report_with_one_factor_leaves_an_old_password() -> None:
    account = an_account(methods=[PASSWORD, APP])
    after = accepted(account, lost_methods(PASSWORD.id, APP.id), proven_with(APP))
    assert after.methods == (PASSWORD,)


def test_a_report_takes_a_password_that_was_set_lately() -> None:
    stranger = a_password(added=YOUNG)
    account = an_account(methods=[stranger, APP])
    assert accepted(account, lost_methods(stranger.id), proven_with(APP)).passwordless


def test_a_report_with_two_factors_takes_an_old_password() -> None:
    account = an_account(methods=[PASSWORD, APP])
    assert accepted(account, lost_methods(PASSWORD.id), proven_with(PASSWORD, APP)).passwordless


def test_a_report_proven_by_what_one_stolen_factor_added_is_taken_back_by_one_old_factor() -> None:
    """A thief of the password replaces it and reports the key; the owner has the key."""
    stranger = a_password(added=YOUNG)
    account = an_account(methods=[stranger, KEY])
    reported = accepted(account, a_lost_device("blue key"), proven_with(stranger))
    assert KEY in accepted(reported, TakeBackLoss(id="loss"), proven_with(KEY)).methods


def test_the_last_old_method_goes_at_once_only_with_proof_of_what_was_reported_lost_too() -> None:
    """A thief of the password reports the key with it, and then would delete the only proof that outranks the report."""
    account = an_account(methods=[PASSWORD, KEY])
    reported = accepted(account, a_lost_device("blue key"), proven_with(PASSWORD))
    assert codes_of(reported, ReplacePassword(password=NEW_PASSWORD), proven_with(PASSWORD)) == {"all-at-once"}
    assert KEY in accepted(reported, TakeBackLoss(id="loss"), proven_with(PASSWORD, KEY)).methods


def test_a_loss_long_after_a_recovery_begins_a_new_one() -> None:
    finished = a_recovery(since=NOW - timedelta(days=9), finished_at=NOW - timedelta(days=8))
    account = an_account(methods=[KEY], recovery=finished)
    after = accepted(account, a_lost_device("blue key"), proven_with())
    assert after.recovery is not None
    assert after.recovery.started_at == NOW
    assert after.state(NOW + timedelta(days=3)) == "in-recovery"


def test_a_loss_of_the_last_way_in_right_after_a_recovery_opens_it_again() -> None:
    account = an_account(methods=[KEY], recovery=a_recovery(enrolled=["blue key"], finished_at=YOUNG, lost=("phone",)))
    after = accepted(account, a_lost_device("blue key"), proven_with())
    assert after.recovery is not None
    assert (after.recovery.finished_at, after.recovery.lost) == (None, ("phone", "blue key"))


def test_in_a_recovery_no_method_is_renamed_into_one_that_was_named_lost() -> None:
    account = an_account(methods=[KEY, APP], recovery=a_recovery(enrolled=["app"], lost=("gone",)))
    asked = proven_with(session=SessionKind.RECOVERY_CODE)
    assert codes_of(account, RenameMethod(id=KEY.id, name="gone"), asked) == {"in-recovery"}
    assert codes_of(account, RenameMethod(id=APP.id, name="gone"), asked) == set()


def test_starting_a_recovery_again_frees_nobody_from_it() -> None:
    running = an_account(methods=[KEY, APP], recovery=a_recovery(enrolled=["app"], lost=("phone",)))
    finished = an_account(methods=[KEY, APP], recovery=a_recovery(enrolled=["app"], finished_at=YOUNG))
    for account in (running, finished):
        again = apply(account, StartRecovery(by=Reporter.OPERATOR, lost=("laptop",)), now=NOW)
        assert again.recovery is not None
        assert again.recovery.enrolled == ("app",)
        assert "laptop" in again.recovery.lost


def test_confirming_what_is_no_new_code_ends_no_code() -> None:
    account = an_account(methods=[KEY], codes=[a_saved_code("paper"), a_saved_code("other")])
    for name in ("paper", "unknown"):
        assert apply(account, ConfirmRecoveryCode(id=name), now=NOW) == account


def test_a_method_that_is_gone_cancels_nothing() -> None:
    gone = a_security_key("gone", added=YOUNG)
    waits = Pending(
        id="p", change=RemoveMethod(id=KEY.id), asked_at=YOUNG, due_at=LATER, asked_by=Reporter.SELF, proven_by=(gone.id,)
    )
    account = an_account(methods=[PASSWORD, KEY], pending=(waits,))
    assert refusals_of(account, CancelPending(id="p"), proven_with(gone)) == {"weak-proof"}


def test_a_thief_s_recovery_is_cancelled_though_the_account_is_one_device_away_again() -> None:
    """Else what a thief enrolled would be protected by the rules that protect the owner."""
    strange = a_security_key("strange", added=YOUNG)
    account = an_account(methods=[APP, strange], recovery=a_recovery(enrolled=["strange"]))
    after = accepted(account, CancelRecovery(), proven_with(APP))
    assert after.methods == (APP,)
    assert "one-device-away" in warnings_of(account, CancelRecovery(), proven_with(APP))


def test_what_was_found_again_is_no_longer_named_lost() -> None:
    """In a recovery a thief would else report a device, let the owner take it back, and then remove what is on it for good."""
    account = an_account(methods=[PASSWORD, APP, KEY], recovery=a_recovery(enrolled=["stranger"]))
    in_it = proven_with(session=SessionKind.RECOVERY_CODE)
    reported = accepted(account, a_lost_device("phone"), in_it)
    back = accepted(reported, TakeBackLoss(id="loss"), proven_with(APP))
    assert codes_of(back, RemoveMethod(id=APP.id), in_it) == {"in-recovery"}


def test_the_password_that_is_all_there_is_stays_though_it_opens_nothing_alone() -> None:
    """After a loss, with two-step on, it is half of a way in."""
    account = an_account(methods=[PASSWORD], two_step=True, recovery=a_recovery(lost=("phone",)))
    due = proven_with(waited=True)
    assert "one-device-away" in refusals_of(account, TurnPasswordlessOn(), due)


def test_a_recovery_is_not_cancelled_where_nothing_else_opens_the_account() -> None:
    """Without a way in an account is in recovery; half of a way in does not end that."""
    account = an_account(methods=[PASSWORD, KEY], two_step=True)
    lost = accepted(account, a_lost_device("blue key"), proven_with(PASSWORD, KEY))
    assert refusals_of(lost, CancelRecovery(), proven_with(PASSWORD)) == {"no-way-in"}
