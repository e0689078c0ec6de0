"""Rules 10 and 11, and who may stop something, take a report back, or act as an operator."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from passless.domain.account import Pending
from passless.domain.changes import (
    AddMethod,
    AddRecoveryCode,
    CancelPending,
    CancelRecovery,
    Change,
    ConfirmRecoveryCode,
    FinishRecovery,
    IssueTemporaryPass,
    LoseDevice,
    RemoveMethod,
    RenameAccount,
    RenameMethod,
    RevokeTemporaryPass,
    SetDefaultMethod,
    StartRecovery,
    TakeBackLoss,
    TurnPasswordlessOff,
    TurnTwoStepOn,
)
from passless.domain.methods import Strength
from passless.domain.recovery import Loss, Reporter
from passless.domain.safety.context import Context, Severity
from passless.domain.safety.planning import plan
from passless.domain.safety.proofs import report_strength
from passless.domain.sessions import SessionKind
from tests.builders import (
    LATER,
    NOW,
    OLD,
    RULES,
    YOUNG,
    a_lost_device,
    a_password,
    a_phone,
    a_recovery,
    a_saved_code,
    a_security_key,
    a_temporary_pass,
    a_totp,
    a_young_account,
    accepted,
    an_account,
    an_email,
    an_operator,
    an_unsaved_code,
    codes_of,
    lost_methods,
    proven_with,
    refusals_of,
)

PASSWORD, APP, NUMBER, MAIL = a_password(), a_totp(), a_phone(), an_email()
KEY = a_security_key("blue key")
PLAIN_KEY = a_security_key("plain key", verified=False)
NEW_APP = a_totp("new app", device="tablet", added=NOW)
NEW_KEY = a_security_key("new key", added=NOW)
NEW_PASSWORD = a_password("new password", added=NOW)
SHOWN = RenameAccount(name="ada", display_name="Eve")


class TestCancelling:
    """Old methods that are not reported lost cancel what waits, and a recovery; who asked may cancel too."""

    WAITS = Pending(
        id="p", change=RemoveMethod(id="app"), asked_at=YOUNG, due_at=LATER, asked_by=Reporter.SELF, proven_by=(NEW_KEY.id,)
    )
    ACCOUNT = an_account(methods=[PASSWORD, APP, NEW_KEY, NEW_APP], pending=(WAITS,))

    @pytest.mark.parametrize("method", [PASSWORD, APP, NEW_KEY], ids=["old", "what goes", "who asked"])
    def test_these_cancel(self, method: object) -> None:
        assert accepted(self.ACCOUNT, CancelPending(id="p"), proven_with(method)).pending == ()

    def test_others_do_not(self) -> None:
        assert refusals_of(self.ACCOUNT, CancelPending(id="p"), proven_with(NEW_APP)) == {"weak-proof"}
        assert refusals_of(self.ACCOUNT, CancelPending(id="p"), proven_with()) == {"weak-proof"}

    def test_on_a_young_account_everything_does(self) -> None:
        account = a_young_account(methods=[PASSWORD, NEW_APP], pending=(self.WAITS,))
        assert codes_of(account, CancelPending(id="p"), proven_with(NEW_APP)) == set()

    def test_an_old_method_stops_a_recovery_and_what_came_with_it(self) -> None:
        since = a_recovery(enrolled=["new key"], since=YOUNG)
        fresh = a_saved_code("fresh", added=NOW)
        account = an_account(methods=[APP, NEW_KEY], codes=[a_saved_code(valid_until=LATER), fresh], recovery=since)
        after = accepted(account, CancelRecovery(), proven_with(APP))
        assert (after.methods, after.recovery) == ((APP,), None)
        assert after.recovery_codes == (a_saved_code(),)

    def test_what_was_enrolled_in_it_does_not(self) -> None:
        account = an_account(methods=[APP, NEW_KEY], recovery=a_recovery(enrolled=["new key"]))
        assert refusals_of(account, CancelRecovery(), proven_with(NEW_KEY)) == {"weak-proof"}


class TestRule10:
    """`in-recovery`: for a day, who came in through a recovery may enrol, and remove only what was named lost."""

    ACCOUNT = an_account(
        methods=[KEY, APP, PLAIN_KEY, NEW_KEY],
        codes=[a_saved_code()],
        recovery=a_recovery(enrolled=["new key"], lost=("phone",)),
    )
    CODE = proven_with(session=SessionKind.RECOVERY_CODE)
    PASS = proven_with(session=SessionKind.TEMPORARY_PASS)
    ENROLLED = proven_with(NEW_KEY)

    @pytest.mark.parametrize("asked", [CODE, PASS, ENROLLED], ids=["code", "pass", "enrolled"])
    @pytest.mark.parametrize(
        "change",
        [
            AddMethod(method=NEW_APP),
            AddRecoveryCode(code=an_unsaved_code()),
            ConfirmRecoveryCode(id="screen"),
            SetDefaultMethod(id=NEW_KEY.id),
            LoseDevice(id="loss", device=KEY.device, until=LATER),
            RevokeTemporaryPass(),
        ],
        ids=lambda change: type(change).__name__,
    )
    def test_they_may_enrol_make_a_code_and_report(self, change: Change, asked: Context) -> None:
        assert codes_of(self.ACCOUNT, change, asked) == set()

    @pytest.mark.parametrize("asked", [CODE, PASS, ENROLLED], ids=["code", "pass", "enrolled"])
    def test_they_remove_what_was_named_lost(self, asked: Context) -> None:
        assert codes_of(self.ACCOUNT, RemoveMethod(id="app"), asked) == set()

    @pytest.mark.parametrize("asked", [CODE, PASS, ENROLLED], ids=["code", "pass", "enrolled"])
    @pytest.mark.parametrize(
        "change",
        [RemoveMethod(id=KEY.id), TurnTwoStepOn(), TurnPasswordlessOff(password=NEW_PASSWORD), SHOWN],
        ids=lambda change: type(change).__name__,
    )
    def test_anything_else_waits(self, change: Change, asked: Context) -> None:
        found = plan(self.ACCOUNT, change, asked, RULES)
        assert "in-recovery" in {one.code for one in found.problems if one.severity is Severity.PENDING}

    @pytest.mark.parametrize("asked", [CODE, PASS, ENROLLED], ids=["code", "pass", "enrolled"])
    def test_they_give_the_account_no_other_name(self, asked: Context) -> None:
        assert "in-recovery" in refusals_of(self.ACCOUNT, RenameAccount(name="eve"), asked)

    def test_they_enrol_no_password(self) -> None:
        assert refusals_of(self.ACCOUNT, AddMethod(method=NEW_PASSWORD), self.CODE) == {"in-recovery"}

    def test_what_they_enrol_is_known_and_not_vouched_for(self) -> None:
        after = accepted(self.ACCOUNT, AddMethod(method=NEW_APP), self.CODE)
        assert after.recovery is not None
        assert after.recovery.enrolled == ("new key", "new app")
        assert after.methods[-1].added_with is Strength.NOTHING

    def test_a_method_from_before_is_not_bound(self) -> None:
        assert codes_of(self.ACCOUNT, RemoveMethod(id="app"), proven_with(KEY)) == set()
        assert codes_of(self.ACCOUNT, TurnPasswordlessOff(password=NEW_PASSWORD), proven_with(KEY, NEW_KEY)) == set()

    STALE = Context(now=NOW, opened_with=frozenset({NEW_KEY.id}))

    def test_waiting_until_the_proof_is_stale_frees_nobody(self) -> None:
        assert refusals_of(self.ACCOUNT, RenameAccount(name="eve"), self.STALE) == {"in-recovery", "weak-proof"}
        for change in (RenameMethod(id=KEY.id, name="phone"), SHOWN):
            found = plan(self.ACCOUNT, change, self.STALE, RULES)
            assert "in-recovery" in {one.code for one in found.problems if one.severity is Severity.PENDING}

    def test_a_stale_proof_of_what_was_enrolled_adds_nothing(self) -> None:
        for change in (AddMethod(method=NEW_APP), AddRecoveryCode(code=an_unsaved_code()), RemoveMethod(id="app")):
            assert refusals_of(self.ACCOUNT, change, self.STALE) == {"weak-proof"}

    def test_a_session_opened_with_a_method_from_before_is_not_bound(self) -> None:
        rename = RenameMethod(id=KEY.id, name="phone")
        assert codes_of(self.ACCOUNT, rename, Context(now=NOW, opened_with=frozenset({KEY.id, NEW_KEY.id}))) == set()
        both = replace(proven_with(KEY, NEW_KEY), opened_with=frozenset({KEY.id, NEW_KEY.id}))
        assert codes_of(self.ACCOUNT, rename, both) == set()

    def test_what_was_enrolled_alone_is_bound_in_any_session(self) -> None:
        """Who sits down in the owner's session, and proves it with what they enrolled, has proven nothing from before."""
        asked = replace(self.ENROLLED, opened_with=frozenset({KEY.id, NEW_KEY.id}))
        assert codes_of(self.ACCOUNT, RemoveMethod(id=KEY.id), asked) == {"in-recovery"}

    def test_a_method_with_the_name_of_a_lost_device_is_not_named_lost(self) -> None:
        account = replace(self.ACCOUNT, methods=(replace(KEY, name="phone"), PLAIN_KEY, NEW_KEY))
        assert codes_of(account, RemoveMethod(id=KEY.id), self.ENROLLED) == {"in-recovery"}

    def test_it_ends_a_day_after_the_recovery(self) -> None:
        yesterday = a_recovery(enrolled=["new key"], finished_at=NOW - timedelta(hours=25))
        account = an_account(methods=[KEY, APP, NEW_KEY], recovery=yesterday)
        assert "in-recovery" not in codes_of(account, TurnPasswordlessOff(password=NEW_PASSWORD), self.ENROLLED)

    def test_what_waited_is_not_asked_again(self) -> None:
        due = Context(now=NOW, session=SessionKind.RECOVERY_CODE, waited=True)
        assert codes_of(self.ACCOUNT, RemoveMethod(id=APP.id), due) == set()

    def test_a_reported_loss_names_the_device(self) -> None:
        after = accepted(self.ACCOUNT, a_lost_device("plain key"), self.CODE)
        assert after.recovery is not None
        assert after.recovery.lost == ("phone", "plain key")


class TestRule11:
    """`code-not-saved`: a code stays valid until its replacement is typed back."""

    def test_a_new_code_leaves_the_saved_one(self) -> None:
        account = an_account(methods=[KEY, APP], codes=[a_saved_code(), an_unsaved_code("first try")])
        after = accepted(account, AddRecoveryCode(code=an_unsaved_code("second try")), proven_with(KEY))
        assert [code.id for code in after.recovery_codes] == ["paper", "second try"]

    def test_typing_it_back_ends_the_one_before(self) -> None:
        made = an_unsaved_code(created_with=Strength.TWO_FACTORS)
        account = an_account(methods=[KEY, APP], codes=[a_saved_code(), made])
        after = accepted(account, ConfirmRecoveryCode(id="screen"), proven_with(KEY))
        assert [(code.id, code.saved) for code in after.recovery_codes] == [("screen", True)]

    def test_one_made_with_less_than_two_factors_leaves_the_old_one_for_the_wait(self) -> None:
        account = an_account(methods=[PASSWORD, APP], codes=[a_saved_code(), an_unsaved_code()])
        after = accepted(account, ConfirmRecoveryCode(id="screen"), proven_with(APP))
        assert [(code.id, code.valid_until) for code in after.recovery_codes] == [("paper", LATER), ("screen", None)]

    def test_and_never_longer_than_before(self) -> None:
        sooner = NOW + timedelta(days=3)
        account = an_account(methods=[PASSWORD, APP], codes=[a_saved_code(valid_until=sooner), an_unsaved_code()])
        after = accepted(account, ConfirmRecoveryCode(id="screen"), proven_with(APP))
        assert after.recovery_codes[0].valid_until == sooner

    def test_on_a_young_account_the_old_one_ends_at_once(self) -> None:
        account = a_young_account(methods=[PASSWORD, APP], codes=[a_saved_code(), an_unsaved_code()])
        after = accepted(account, ConfirmRecoveryCode(id="screen"), proven_with(APP))
        assert [code.id for code in after.recovery_codes] == ["screen"]

    def test_two_step_after_the_wait_leaves_the_old_code_alone_for_another(self) -> None:
        account = an_account(methods=[PASSWORD, APP, PLAIN_KEY], codes=[a_saved_code()])
        due = Context(now=NOW, waited=True)
        assert accepted(account, TurnTwoStepOn(), due).recovery_codes[0].alone_until == LATER
        assert accepted(account, TurnTwoStepOn(), proven_with(PASSWORD, APP)).recovery_codes[0].alone_until is None

    def test_a_recovery_is_finished_only_with_a_new_saved_code_and_a_way_in(self) -> None:
        recovery = a_recovery(enrolled=["new key"])
        without = an_account(methods=[NEW_KEY], codes=[a_saved_code()], recovery=recovery)
        assert refusals_of(without, FinishRecovery(), proven_with()) == {"code-not-saved"}
        shown = an_account(methods=[NEW_KEY], codes=[an_unsaved_code("new", added=NOW)], recovery=recovery)
        assert refusals_of(shown, FinishRecovery(), proven_with()) == {"code-not-saved"}
        saved = an_account(methods=[NEW_KEY], codes=[a_saved_code("new", added=NOW)], recovery=recovery)
        assert accepted(saved, FinishRecovery(), proven_with()).state(NOW) == "in-recovery"
        nothing = an_account(codes=[a_saved_code("new", added=NOW)], recovery=recovery)
        assert refusals_of(nothing, FinishRecovery(), proven_with()) == {"no-way-in"}

    def test_without_a_recovery_there_is_nothing_to_finish(self) -> None:
        account = an_account(methods=[KEY, APP])
        assert accepted(account, FinishRecovery(), proven_with()) == account


class TestTakingBack:
    """For the wait a report is taken back by a stronger proof that includes what it named."""

    ACCOUNT = an_account(methods=[PASSWORD, APP, PLAIN_KEY, NUMBER])

    def test_a_report_with_nothing_by_one_factor(self) -> None:
        lost = accepted(self.ACCOUNT, a_lost_device("plain key"), proven_with())
        assert set(accepted(lost, TakeBackLoss(id="loss"), proven_with(PLAIN_KEY)).methods) == set(self.ACCOUNT.methods)

    def test_a_report_by_sms_counts_as_one_with_nothing(self) -> None:
        assert report_strength(self.ACCOUNT, proven_with(NUMBER), RULES) is Strength.NOTHING
        assert report_strength(self.ACCOUNT, proven_with(NUMBER, APP), RULES) is Strength.ONE_FACTOR

    def test_a_report_with_one_factor_by_two(self) -> None:
        lost = accepted(self.ACCOUNT, a_lost_device("plain key"), proven_with(APP))
        assert refusals_of(lost, TakeBackLoss(id="loss"), proven_with(PLAIN_KEY)) == {"weak-proof"}
        assert refusals_of(lost, TakeBackLoss(id="loss"), proven_with(PLAIN_KEY, PASSWORD)) == set()

    def test_an_operators_report_counts_as_one_factor(self) -> None:
        assert report_strength(self.ACCOUNT, an_operator(), RULES) is Strength.ONE_FACTOR
        lost = accepted(self.ACCOUNT, a_lost_device("plain key"), an_operator())
        assert refusals_of(lost, TakeBackLoss(id="loss"), proven_with(PLAIN_KEY)) == {"weak-proof"}
        assert lost.losses[0].by is Reporter.OPERATOR

    def test_a_report_with_two_factors_by_nobody(self) -> None:
        lost = accepted(self.ACCOUNT, a_lost_device("plain key"), proven_with(PASSWORD, APP))
        assert refusals_of(lost, TakeBackLoss(id="loss"), proven_with(PLAIN_KEY, PASSWORD, APP)) == {"weak-proof"}

    def test_a_proof_without_what_it_named_takes_nothing_back(self) -> None:
        lost = accepted(self.ACCOUNT, a_lost_device("plain key"), proven_with())
        assert refusals_of(lost, TakeBackLoss(id="loss"), proven_with(PASSWORD, APP)) == {"weak-proof"}

    def test_a_code_by_sms_takes_nothing_back(self) -> None:
        lost = accepted(self.ACCOUNT, a_lost_device("phone"), proven_with())
        assert refusals_of(lost, TakeBackLoss(id="loss"), proven_with(NUMBER)) == {"weak-proof"}

    def test_after_the_wait_it_is_too_late(self) -> None:
        loss = Loss(
            id="loss",
            what="device:x",
            methods=(APP,),
            reported_at=OLD,
            until=NOW,
            reported_with=Strength.NOTHING,
            by=Reporter.SELF,
        )
        account = an_account(methods=[KEY], losses=(loss,))
        assert refusals_of(account, TakeBackLoss(id="loss"), proven_with(APP)) == {"too-late"}
        assert refusals_of(account, TakeBackLoss(id="unknown"), proven_with(APP)) == {"too-late"}

    def test_that_was_not_me_is_taken_back_alike(self) -> None:
        lost = accepted(self.ACCOUNT, lost_methods("app"), proven_with())
        assert accepted(lost, TakeBackLoss(id="loss"), proven_with(APP)).method(APP.id) == APP


class TestOperators:
    """Helpdesk reports, revokes, issues a pass and starts a recovery; nothing else (features.md, "operators")."""

    ACCOUNT = an_account(methods=[KEY, APP], temporary_pass=a_temporary_pass())

    @pytest.mark.parametrize(
        "change",
        [
            a_lost_device("phone"),
            RevokeTemporaryPass(),
            IssueTemporaryPass(temporary_pass=a_temporary_pass()),
            StartRecovery(by=Reporter.OPERATOR),
        ],
        ids=lambda change: type(change).__name__,
    )
    def test_they_may(self, change: Change) -> None:
        assert codes_of(self.ACCOUNT, change, an_operator()) == set()

    @pytest.mark.parametrize(
        "change",
        [AddMethod(method=NEW_APP), RemoveMethod(id="app"), TurnTwoStepOn(), AddRecoveryCode(code=an_unsaved_code())],
        ids=lambda change: type(change).__name__,
    )
    def test_they_may_not(self, change: Change) -> None:
        assert "operator-may-not" in refusals_of(self.ACCOUNT, change, an_operator())

    def test_nobody_issues_a_pass_to_themselves(self) -> None:
        change = IssueTemporaryPass(temporary_pass=a_temporary_pass())
        assert refusals_of(self.ACCOUNT, change, proven_with(KEY)) == {"operator-only"}

    def test_the_recovery_says_who_started_it(self) -> None:
        after = accepted(self.ACCOUNT, StartRecovery(by=Reporter.SELF), an_operator())
        assert after.recovery is not None
        assert after.recovery.by is Reporter.OPERATOR


def test_a_loss_that_leaves_only_the_saved_code_says_so() -> None:
    app = a_totp()
    found = plan(an_account(methods=[app], codes=[a_saved_code()]), a_lost_device("phone"), proven_with(app), RULES).problems
    assert {one.code for one in found} >= {"no-way-in", "one-device-away"}
    assert all("passless recover start" in one.hint for one in found if one.code in ("no-way-in", "one-device-away"))
    assert not any("nothing would be left to come back with" in one.message for one in found)


def test_a_loss_without_a_saved_code_leaves_nothing() -> None:
    app = a_totp()
    found = plan(an_account(methods=[app], codes=[]), a_lost_device("phone"), proven_with(app), RULES).problems
    assert "nothing would be left to come back with" in [one.message for one in found]
