"""What each change does to an account, whether or not the rules allow it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from passless.domain.account import Account, Pending
from passless.domain.applying import apply, is_timeless, postpone
from passless.domain.changes import (
    AddAppPassword,
    AddMethod,
    AddRecoveryCode,
    CancelPending,
    CancelRecovery,
    Change,
    ConfirmRecoveryCode,
    DeleteAccount,
    FinishRecovery,
    IssueTemporaryPass,
    RemoveMethod,
    RenameAccount,
    RenameMethod,
    ReplacePassword,
    RevokeAppPasswords,
    RevokeTemporaryPass,
    SetDefaultMethod,
    Settle,
    StartRecovery,
    TakeBackLoss,
    TurnPasswordlessOff,
    TurnPasswordlessOn,
    TurnTwoStepOff,
    TurnTwoStepOn,
    type_of,
)
from passless.domain.recovery import Approval, Reporter
from tests.builders import (
    LATER,
    NOW,
    YOUNG,
    a_lost_device,
    a_passkey,
    a_password,
    a_phone,
    a_recovery,
    a_saved_code,
    a_security_key,
    a_temporary_pass,
    a_totp,
    an_account,
    an_app_password,
    an_unsaved_code,
    lost_methods,
)

PASSWORD, APP, NUMBER, KEY = a_password(), a_totp(), a_phone(), a_security_key()
NEW_PASSWORD = a_password("new password", added=NOW)
ACCOUNT = an_account(methods=[PASSWORD, APP, NUMBER, KEY], default_method="app")
WAITS = Pending(id="p", change=RemoveMethod(id="app"), asked_at=YOUNG, due_at=LATER, asked_by=Reporter.SELF)


def after(change: Change, account: Account = ACCOUNT) -> Account:
    return apply(account, change, now=NOW)


def names(account: Account) -> list[str]:
    return [method.name for method in account.methods]


def test_an_added_method_is_the_last() -> None:
    assert names(after(AddMethod(method=a_passkey()))) == ["password", "app", "number", "blue key", "Touch ID"]


def test_one_added_in_a_recovery_is_remembered_there() -> None:
    account = after(AddMethod(method=a_passkey(), in_recovery=True), an_account(recovery=a_recovery()))
    assert account.recovery is not None
    assert account.recovery.enrolled == ("Touch ID",)
    assert after(AddMethod(method=a_passkey(), in_recovery=True), an_account()).recovery is None


def test_a_renamed_method_keeps_its_id() -> None:
    assert after(RenameMethod(id="app", name="codes")).method(APP.id) == msgspec.structs.replace(APP, name="codes")


def test_the_default_method_is_set_and_goes_with_its_method() -> None:
    assert after(SetDefaultMethod(id=KEY.id)).default_method == KEY.id
    assert after(RemoveMethod(id="app")).default_method is None
    assert after(RemoveMethod(id="number")).default_method == "app"


def test_a_removed_method_is_gone() -> None:
    assert names(after(RemoveMethod(id="app"))) == ["password", "number", "blue key"]


def test_passwordless_deletes_the_password_and_back_sets_a_new_one() -> None:
    without = after(TurnPasswordlessOn())
    assert (without.passwordless, without.password) == (True, None)
    assert after(TurnPasswordlessOff(password=NEW_PASSWORD), without).password == NEW_PASSWORD


def test_a_replaced_password_leaves_one() -> None:
    assert names(after(ReplacePassword(password=NEW_PASSWORD))) == ["app", "number", "blue key", "new password"]


def test_two_step_on_writes_how_long_the_saved_codes_open_alone() -> None:
    account = an_account(methods=[APP, KEY], codes=[a_saved_code(), an_unsaved_code()])
    on = after(TurnTwoStepOn(old_code_alone_until=LATER), account)
    assert on.two_step
    assert [code.alone_until for code in on.recovery_codes] == [LATER, None]
    off = after(TurnTwoStepOff(), on)
    assert not off.two_step
    assert [code.alone_until for code in off.recovery_codes] == [None, None]


def test_two_step_off_takes_a_new_password_along() -> None:
    off = after(TurnTwoStepOff(password=NEW_PASSWORD), an_account(methods=[PASSWORD, APP, KEY], two_step=True))
    assert off.password == NEW_PASSWORD


def test_app_passwords_come_and_go() -> None:
    made = after(AddAppPassword(app_password=an_app_password("Mail")))
    both = after(AddAppPassword(app_password=an_app_password("TV")), made)
    assert [one.name for one in both.app_passwords] == ["Mail", "TV"]
    assert after(RevokeAppPasswords(ids=("Mail", "TV")), both).app_passwords == ()


def test_a_code_is_made_beside_the_saved_one_and_typed_back() -> None:
    account = an_account(codes=[a_saved_code()])
    shown = after(AddRecoveryCode(code=an_unsaved_code()), account)
    assert [code.saved for code in shown.recovery_codes] == [True, False]
    kept = after(ConfirmRecoveryCode(id="screen", old_codes_until=LATER), shown)
    assert [code.id for code in kept.recovery_codes] == ["paper", "screen"]
    assert [code.id for code in after(ConfirmRecoveryCode(id="screen"), shown).recovery_codes] == ["screen"]


def test_a_lost_device_takes_everything_on_it_and_keeps_it_for_the_wait() -> None:
    lost = after(a_lost_device("phone"))
    assert names(lost) == ["password", "blue key"]
    assert lost.default_method is None
    assert [(loss.what, loss.methods, loss.until) for loss in lost.losses] == [("device:phone", (APP, NUMBER), LATER)]


def test_a_lost_device_ends_its_app_passwords_and_those_that_may_be_anywhere() -> None:
    programs = tuple(an_app_password(name, device=device) for name, device in (("a", "phone"), ("b", "laptop"), ("c", None)))
    account = an_account(methods=[APP, KEY], two_step=True, app_passwords=programs)
    assert [one.name for one in after(a_lost_device("phone"), account).app_passwords] == ["b"]
    assert [one.name for one in after(lost_methods("app"), account).app_passwords] == ["a", "b", "c"]


def test_that_was_not_me_takes_methods_by_name() -> None:
    lost = after(lost_methods("password", "blue key"))
    assert (names(lost), lost.losses[0].what) == (["app", "number"], "methods")


def test_a_report_taken_back_brings_everything_back() -> None:
    back = after(TakeBackLoss(id="loss"), after(a_lost_device("phone")))
    assert sorted(names(back)) == sorted(names(ACCOUNT))
    assert back.losses == ()


def test_but_no_second_password() -> None:
    lost = after(lost_methods("password"))
    replaced = after(TurnPasswordlessOff(password=NEW_PASSWORD), lost)
    assert after(TakeBackLoss(id="loss"), replaced).password == NEW_PASSWORD
    assert after(TakeBackLoss(id="loss"), lost).password == PASSWORD


def test_a_temporary_pass_is_replaced_and_revoked() -> None:
    first = after(IssueTemporaryPass(temporary_pass=a_temporary_pass("first")))
    second = after(IssueTemporaryPass(temporary_pass=a_temporary_pass("second")), first)
    assert second.temporary_pass == a_temporary_pass("second")
    assert after(RevokeTemporaryPass(), second).temporary_pass is None


def test_a_recovery_begins_and_is_finished_without_its_pass() -> None:
    begun = after(StartRecovery(by=Reporter.OPERATOR, lost=("phone",)), an_account(temporary_pass=a_temporary_pass()))
    assert begun.recovery is not None
    assert (begun.recovery.started_at, begun.recovery.lost, begun.recovery.finished_at) == (NOW, ("phone",), None)
    done = after(FinishRecovery(), begun)
    assert done.recovery is not None
    assert (done.recovery.finished_at, done.temporary_pass) == (NOW, None)
    assert after(FinishRecovery()).recovery is None


def test_a_cancelled_recovery_takes_along_what_came_with_it() -> None:
    recovery = a_recovery(enrolled=["blue key"], since=YOUNG)
    later = Pending(id="q", change=TurnTwoStepOn(), asked_at=NOW, due_at=LATER, asked_by=Reporter.SELF)
    before = Pending(id="p", change=TurnTwoStepOn(), asked_at=YOUNG - timedelta(1), due_at=LATER, asked_by=Reporter.SELF)
    account = an_account(
        methods=[APP, KEY], recovery=recovery, pending=(before, later), temporary_pass=a_temporary_pass(), default_method=KEY.id
    )
    left = after(CancelRecovery(), account)
    assert (names(left), left.pending, left.temporary_pass, left.default_method) == (["app"], (before,), None, None)
    assert after(CancelRecovery()) == ACCOUNT


def test_a_change_that_waits_is_kept_and_asked_again_it_is_kept_once() -> None:
    waiting = postpone(ACCOUNT, WAITS)
    again = postpone(waiting, msgspec.structs.replace(WAITS, id="q"))
    other = postpone(again, msgspec.structs.replace(WAITS, id="r", change=RemoveMethod(id="number")))
    assert [[one.id for one in account.pending] for account in (waiting, again, other)] == [["p"], ["q"], ["q", "r"]]
    assert [one.id for one in after(CancelPending(id="q"), other).pending] == ["r"]


def test_an_account_is_renamed() -> None:
    renamed = after(RenameAccount(name="lovelace", display_name="Ada"))
    assert (renamed.name, renamed.display_name) == ("lovelace", "Ada")


def test_a_deleted_account_has_nothing() -> None:
    gone = after(DeleteAccount(), an_account(methods=[APP], codes=[a_saved_code()], temporary_pass=a_temporary_pass()))
    assert (gone.methods, gone.recovery_codes, gone.temporary_pass, gone.app_passwords) == ((), (), None, ())


def test_time_clears_away_what_expired() -> None:
    account = an_account(
        methods=[APP],
        codes=[a_saved_code(valid_until=NOW), a_saved_code("other", valid_until=LATER), a_saved_code("third")],
        recovery=a_recovery(finished_at=NOW - timedelta(hours=24)),
        app_passwords=(an_app_password("a", expires_at=NOW), an_app_password("b", expires_at=LATER), an_app_password("c")),
        temporary_pass=a_temporary_pass(expires_at=NOW),
        losses=after(a_lost_device("phone")).losses,
    )
    settled = after(Settle(at=NOW), account)
    assert [code.id for code in settled.recovery_codes] == ["other", "third"]
    assert [one.id for one in settled.app_passwords] == ["b", "c"]
    assert (settled.recovery, settled.temporary_pass, len(settled.losses)) == (None, None, 1)
    assert after(Settle(at=LATER), account).losses == ()


@pytest.mark.parametrize(
    "timed",
    [
        {"codes": [a_saved_code(valid_until=NOW)]},
        {"recovery": a_recovery(finished_at=NOW - timedelta(hours=24))},
        {"app_passwords": (an_app_password("a", expires_at=NOW),)},
        {"temporary_pass": a_temporary_pass(expires_at=NOW)},
        {"losses": after(a_lost_device("phone")).losses},
        {"approval": Approval(id="a", asked="it", asked_by="eve", asked_name="eve", asked_at=NOW - timedelta(days=99))},
    ],
    ids=lambda timed: next(iter(timed)),
)
def test_an_account_that_time_does_nothing_to_is_told_from_one_that_it_does(timed: dict[str, Any]) -> None:
    account = an_account(methods=[APP], **timed)
    assert after(Settle(at=NOW + timedelta(days=999)), account) != account
    assert not is_timeless(account)
    plain = an_account(methods=[APP], codes=[a_saved_code("third")], app_passwords=(an_app_password("c"),))
    assert is_timeless(plain)
    assert after(Settle(at=NOW + timedelta(days=999)), plain) == plain


def test_time_leaves_what_has_not() -> None:
    account = an_account(recovery=a_recovery(), temporary_pass=a_temporary_pass(), methods=[APP])
    assert after(Settle(at=NOW), account) == account


def test_a_change_has_a_word() -> None:
    assert type_of(RemoveMethod(id="app")) == "remove-method"
