"""Rules 8 and 9: what may happen at once, what waits, what is refused; and what makes a proof count."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from passless.domain.changes import (
    AddAppPassword,
    AddMethod,
    AddRecoveryCode,
    Change,
    DeleteAccount,
    RemoveMethod,
    RenameAccount,
    ReplacePassword,
    RevokeAppPasswords,
    RevokeTemporaryPass,
    SetDefaultMethod,
    Settle,
    TurnPasswordlessOff,
    TurnPasswordlessOn,
    TurnTwoStepOff,
    TurnTwoStepOn,
)
from passless.domain.methods import SignInMethod, Strength
from passless.domain.safety.context import READS_ONLY, Context, Rules, Severity
from passless.domain.safety.planning import plan
from passless.domain.safety.proof_rules import token_problems
from passless.domain.safety.proofs import covered, is_old, is_vouched_for, is_young, strongest_way_in
from passless.domain.sessions import Proof, SessionKind
from tests.builders import (
    NOW,
    RULES,
    YOUNG,
    a_lost_device,
    a_password,
    a_phone,
    a_saved_code,
    a_security_key,
    a_totp,
    a_young_account,
    accepted,
    an_account,
    an_app_password,
    an_email,
    an_unsaved_code,
    codes_of,
    lost_methods,
    proven_with,
    refusals_of,
    the_making,
    warnings_of,
)

PASSWORD, APP, NUMBER, MAIL = a_password(), a_totp(), a_phone(), an_email()
KEY = a_security_key("blue key")
PLAIN_KEY = a_security_key("plain key", verified=False)
NEW_APP = a_totp("new app", device="tablet", added=NOW)
NEW_KEY = a_security_key("new key", added=NOW)
NEW_PASSWORD = a_password("new password", added=NOW)
MADE = Context(now=NOW, proofs=(the_making(),))


class TestOldAndVouchedFor:
    """What the wait makes trustworthy, and what else does."""

    def test_old_is_longer_than_the_wait(self) -> None:
        assert not is_old(NOW - RULES.wait, RULES, NOW)
        assert is_old(NOW - RULES.wait - timedelta(seconds=1), RULES, NOW)

    def test_young_is_shorter_than_the_wait(self) -> None:
        assert is_young(an_account(made=NOW - RULES.wait + timedelta(seconds=1)), RULES, NOW)
        assert not is_young(an_account(made=NOW - RULES.wait), RULES, NOW)

    def test_the_wait_is_what_the_policy_says(self) -> None:
        week = Rules(wait=timedelta(days=7))
        assert is_old(NOW - timedelta(days=8), week, NOW)

    def test_a_method_is_vouched_for_by_age_by_two_factors_or_by_a_young_account(self) -> None:
        old, young = an_account(), a_young_account()
        assert is_vouched_for(APP, old, RULES, NOW)
        assert not is_vouched_for(NEW_APP, old, RULES, NOW)
        assert is_vouched_for(a_totp(added=NOW, added_with=Strength.TWO_FACTORS), old, RULES, NOW)
        assert is_vouched_for(NEW_APP, young, RULES, NOW)

    def test_proofs_cover_two_factors_only_through_methods_vouched_for(self) -> None:
        stolen_and_added = an_account(methods=[PASSWORD, NEW_APP])
        assert covered(stolen_and_added, proven_with(PASSWORD, NEW_APP).proofs, RULES, NOW) is Strength.ONE_FACTOR
        own = an_account(methods=[PASSWORD, APP])
        assert covered(own, proven_with(PASSWORD, APP).proofs, RULES, NOW) is Strength.TWO_FACTORS

    def test_a_key_added_with_one_factor_is_no_two_factors_before_the_wait_is_over(self) -> None:
        account = an_account(methods=[PASSWORD, NEW_KEY])
        assert covered(account, proven_with(NEW_KEY).proofs, RULES, NOW) is Strength.ONE_FACTOR
        later = NOW + RULES.wait + timedelta(days=1)
        assert covered(account, proven_with(NEW_KEY).proofs, RULES, later) is Strength.TWO_FACTORS

    def test_two_proofs_from_one_device_are_one_factor(self) -> None:
        account = an_account(methods=[APP, NUMBER, MAIL])
        assert covered(account, proven_with(APP, NUMBER, MAIL).proofs, RULES, NOW) is Strength.ONE_FACTOR

    def test_proofs_with_what_is_gone_count_for_nothing(self) -> None:
        assert covered(an_account(methods=[APP]), proven_with(KEY).proofs, RULES, NOW) is Strength.NOTHING

    def test_the_making_of_an_account_counts_as_one_factor(self) -> None:
        assert covered(a_young_account(), MADE.proofs, RULES, NOW) is Strength.ONE_FACTOR

    def test_the_strongest_way_in_is_the_measure(self) -> None:
        assert strongest_way_in(an_account(), RULES, NOW) is Strength.NOTHING
        assert strongest_way_in(an_account(methods=[PASSWORD, APP]), RULES, NOW) is Strength.ONE_FACTOR
        assert strongest_way_in(an_account(methods=[PASSWORD, KEY]), RULES, NOW) is Strength.TWO_FACTORS
        assert strongest_way_in(an_account(methods=[PASSWORD, APP], two_step=True), RULES, NOW) is Strength.TWO_FACTORS


class TestRule8:
    """`weak-proof`: a fresh proof, as strong as the change asks."""

    STRONG = an_account(methods=[PASSWORD, KEY, APP, PLAIN_KEY], two_step=True)

    @pytest.mark.parametrize(
        "change",
        [TurnTwoStepOff(), AddAppPassword(app_password=an_app_password())],
        ids=lambda change: type(change).__name__,
    )
    def test_some_changes_need_proofs_as_strong_as_the_strongest_way_in(self, change: Change) -> None:
        assert refusals_of(self.STRONG, change, proven_with(APP)) == {"weak-proof"}
        assert refusals_of(self.STRONG, change, proven_with(KEY)) == set()
        assert refusals_of(self.STRONG, change, proven_with(PASSWORD, APP)) == set()

    def test_turning_two_step_on_needs_them_too(self) -> None:
        account = an_account(methods=[PASSWORD, KEY, APP])
        assert refusals_of(account, TurnTwoStepOn(), proven_with(APP)) == {"weak-proof"}
        assert refusals_of(account, TurnTwoStepOn(), proven_with(KEY)) == set()

    def test_adding_needs_what_is_added_if_that_is_lower(self) -> None:
        assert refusals_of(self.STRONG, AddMethod(method=NEW_APP), proven_with(APP)) == set()
        assert refusals_of(self.STRONG, AddMethod(method=NEW_KEY), proven_with(APP)) == {"weak-proof"}

    def test_adding_needs_no_more_than_the_strongest_way_in(self) -> None:
        account = an_account(methods=[PASSWORD])
        assert refusals_of(account, AddMethod(method=NEW_KEY), proven_with(PASSWORD)) == set()

    def test_adding_never_needs_less_than_one_factor(self) -> None:
        assert refusals_of(an_account(), AddMethod(method=NEW_APP), proven_with()) == {"weak-proof"}
        assert refusals_of(a_young_account(finished=False), AddMethod(method=NEW_APP), MADE) == set()

    def test_a_method_remembers_what_it_was_added_with(self) -> None:
        weak = accepted(self.STRONG, AddMethod(method=NEW_APP), proven_with(APP))
        strong = accepted(self.STRONG, AddMethod(method=NEW_APP), proven_with(KEY))
        assert [one.methods[-1].added_with for one in (weak, strong)] == [Strength.ONE_FACTOR, Strength.TWO_FACTORS]

    def test_removing_needs_a_proof_with_it(self) -> None:
        account = an_account(methods=[PASSWORD, APP, PLAIN_KEY])
        assert codes_of(account, RemoveMethod(id="app"), proven_with(APP)) == set()

    def test_or_two_factors(self) -> None:
        account = an_account(methods=[PASSWORD, APP, PLAIN_KEY])
        assert codes_of(account, RemoveMethod(id="app"), proven_with(PASSWORD, PLAIN_KEY)) == set()

    def test_with_one_other_factor_it_waits(self) -> None:
        account = an_account(methods=[PASSWORD, APP, PLAIN_KEY])
        found = plan(account, RemoveMethod(id="app"), proven_with(PASSWORD), RULES)
        assert (found.is_accepted, found.due_at) == (True, NOW + RULES.wait)

    def test_without_any_it_is_refused(self) -> None:
        account = an_account(methods=[PASSWORD, APP, PLAIN_KEY])
        assert refusals_of(account, RemoveMethod(id="app"), proven_with()) == {"weak-proof"}

    def test_on_a_young_account_one_factor_is_enough(self) -> None:
        account = a_young_account(methods=[PASSWORD, APP, PLAIN_KEY])
        assert codes_of(account, RemoveMethod(id="app"), proven_with(PASSWORD)) == set()

    def test_the_password_is_removed_with_itself_and_what_replaces_it(self) -> None:
        account = an_account(methods=[PASSWORD, APP, PLAIN_KEY])
        assert codes_of(account, TurnPasswordlessOn(), proven_with(PASSWORD, APP)) == set()

    def test_passwordless_with_an_app_as_the_only_proof_waits(self) -> None:
        """Known and accepted; adding the password as a second proof makes it immediate."""
        account = an_account(methods=[PASSWORD, APP, PLAIN_KEY])
        assert codes_of(account, TurnPasswordlessOn(), proven_with(APP)) == {"weak-proof"}
        assert plan(account, TurnPasswordlessOn(), proven_with(APP), RULES).due_at == NOW + RULES.wait

    def test_replacing_the_password_removes_it(self) -> None:
        account = an_account(methods=[PASSWORD, APP, PLAIN_KEY])
        assert codes_of(account, ReplacePassword(password=NEW_PASSWORD), proven_with(APP)) == {"weak-proof"}
        assert codes_of(account, ReplacePassword(password=NEW_PASSWORD), proven_with(PASSWORD)) == set()

    @pytest.mark.parametrize(
        "change",
        [TurnPasswordlessOff(password=NEW_PASSWORD), AddRecoveryCode(code=an_unsaved_code())],
        ids=lambda change: type(change).__name__,
    )
    def test_setting_a_password_again_and_making_a_code_need_one_factor(self, change: Change) -> None:
        account = an_account(methods=[KEY, APP])
        assert refusals_of(account, change, proven_with()) == {"weak-proof"}
        assert refusals_of(account, change, proven_with(APP)) == set()

    @pytest.mark.parametrize(
        "session",
        [SessionKind.DEVICE_CODE, SessionKind.TEMPORARY_PASS, SessionKind.RECOVERY_CODE, SessionKind.TOKEN],
    )
    def test_some_sessions_give_no_proof_for_changes(self, session: SessionKind) -> None:
        account = an_account(methods=[PASSWORD, KEY])
        asked = proven_with(KEY, session=session)
        assert refusals_of(account, AddMethod(method=NEW_APP), asked) - {"session-may-not"} == {"weak-proof"}

    @pytest.mark.parametrize("session", [SessionKind.DIRECT, SessionKind.BROWSER])
    def test_a_browser_on_the_same_machine_does(self, session: SessionKind) -> None:
        account = an_account(methods=[PASSWORD, KEY])
        assert refusals_of(account, AddMethod(method=NEW_APP), proven_with(KEY, session=session)) == set()

    def test_names_and_defaults_need_no_proof(self) -> None:
        account = an_account(methods=[KEY, APP])
        assert codes_of(account, SetDefaultMethod(id="app"), proven_with()) == set()
        assert codes_of(account, RenameAccount(name="ada", display_name="Ada Lovelace"), proven_with()) == set()

    def test_another_name_of_the_account_needs_what_two_step_needs(self) -> None:
        """Whoever sits down in an open session would else take the name that its owner types, and programs know them by."""
        for name in ("lovelace", "Ada"):
            rename = RenameAccount(name=name)
            assert refusals_of(an_account(methods=[KEY, APP]), rename, proven_with()) == {"weak-proof"}
            assert refusals_of(an_account(methods=[KEY, APP]), rename, proven_with(APP)) == {"weak-proof"}
            assert codes_of(an_account(methods=[KEY, APP]), rename, proven_with(KEY)) == set()
            assert codes_of(an_account(methods=[PASSWORD]), rename, proven_with(PASSWORD)) == set()
            assert codes_of(a_young_account(finished=False), rename, Context(now=NOW, proofs=(the_making(),))) == set()

    def test_another_name_never_comes_later(self) -> None:
        """It may be somebody else's by then."""
        account = an_account(methods=[KEY])
        due = Context(now=NOW, waited=True)
        assert refusals_of(account, RenameAccount(name="lovelace"), due) == {"name-cannot-wait"}
        assert refusals_of(account, RenameAccount(name="ada", display_name="Ada"), due) == set()

    @pytest.mark.parametrize("session", sorted(READS_ONLY))
    def test_what_could_be_phished_or_is_no_persons_changes_nothing(self, session: SessionKind) -> None:
        """Decision 0016: neither reports nor revoking nor names, whatever was proven and whatever else is never refused."""
        account = an_account(methods=[PASSWORD, KEY, APP], two_step=True, app_passwords=(an_app_password(),))
        asked = proven_with(PASSWORD, KEY, APP, session=session)
        for change in (
            a_lost_device("phone"),
            lost_methods("app"),
            RevokeAppPasswords(ids=("Mail",)),
            RevokeTemporaryPass(),
            RenameAccount(name="lovelace"),
            RenameAccount(name="ada", display_name="Ada"),
            SetDefaultMethod(id="app"),
            RemoveMethod(id="app"),
            DeleteAccount(),
        ):
            assert "session-may-not" in refusals_of(account, change, asked)
        assert refusals_of(account, Settle(at=NOW), asked) == set()  # time passing is nobody's wish

    def test_a_token_for_a_machine_needs_what_an_app_password_needs(self) -> None:
        def problems(*proven: SignInMethod, **more: Any) -> set[str]:
            return {one.code for one in token_problems(self.STRONG, proven_with(*proven, **more), RULES)}

        assert problems() == problems(PASSWORD) == problems(APP) == {"weak-proof"}
        assert problems(PASSWORD, APP) == problems(KEY) == set()
        assert problems(KEY, session=SessionKind.DEVICE_CODE) == {"weak-proof"}

    def test_the_hint_names_what_is_strong_enough(self) -> None:
        found = plan(self.STRONG, TurnTwoStepOff(), proven_with(APP), RULES).refusals
        assert [one.hint for one in found] == ["prove it again: passless sign-in --with security-key"]
        empty = plan(an_account(methods=[MAIL]), AddMethod(method=NEW_APP), proven_with(), RULES).refusals
        assert [one.hint for one in empty] == ["prove it again: passless sign-in"]


class TestRule9:
    """`all-at-once`: nothing takes the last old way back at once."""

    ACCOUNT = an_account(methods=[PASSWORD, NEW_APP, NEW_KEY])

    def test_the_last_old_method_waits(self) -> None:
        found = plan(self.ACCOUNT, TurnPasswordlessOn(), proven_with(NEW_APP), RULES)
        assert {one.code for one in found.problems if one.severity is Severity.PENDING} == {"all-at-once", "weak-proof"}
        assert found.due_at == NOW + RULES.wait

    def test_with_a_proof_of_everything_removed_it_does_not(self) -> None:
        assert codes_of(self.ACCOUNT, TurnPasswordlessOn(), proven_with(PASSWORD, NEW_APP)) == set()

    def test_two_factors_without_an_old_one_wait(self) -> None:
        strong = a_security_key("strong", added=YOUNG, added_with=Strength.TWO_FACTORS)
        account = an_account(methods=[PLAIN_KEY, strong, NEW_APP])
        assert codes_of(account, RemoveMethod(id="plain key"), proven_with(strong)) == {"all-at-once"}

    def test_two_factors_with_an_old_one_do_not(self) -> None:
        strong = a_security_key("strong", added=YOUNG, added_with=Strength.TWO_FACTORS)
        account = an_account(methods=[PLAIN_KEY, strong, NEW_APP])
        assert codes_of(account, RemoveMethod(id="plain key"), proven_with(strong, PLAIN_KEY)) == set()

    def test_sms_and_email_are_no_old_way_back(self) -> None:
        account = an_account(methods=[PASSWORD, NUMBER, NEW_KEY])
        assert "all-at-once" in codes_of(account, TurnPasswordlessOn(), proven_with(NEW_KEY))

    def test_an_old_saved_code_is(self) -> None:
        account = an_account(methods=[PASSWORD, NEW_APP, NEW_KEY], codes=[a_saved_code()])
        assert "all-at-once" not in codes_of(account, TurnPasswordlessOn(), proven_with(NEW_APP))

    def test_a_young_account_does_not_wait(self) -> None:
        young = a_young_account(methods=[a_password(added=YOUNG), NEW_APP, NEW_KEY])
        assert codes_of(young, TurnPasswordlessOn(), proven_with(NEW_APP)) == set()

    def test_a_reported_loss_never_waits(self) -> None:
        account = an_account(methods=[KEY, NEW_APP])
        assert accepted(account, a_lost_device("blue key"), proven_with()).methods == (NEW_APP,)

    def test_what_waited_is_done_when_its_time_comes(self) -> None:
        due = Context(now=NOW + RULES.wait, waited=True)
        assert codes_of(self.ACCOUNT, TurnPasswordlessOn(), due) == set()

    def test_and_is_checked_again(self) -> None:
        due = Context(now=NOW + RULES.wait, waited=True)
        only_the_password = an_account(methods=[PASSWORD])
        assert refusals_of(only_the_password, TurnPasswordlessOn(), due) >= {"no-way-in"}

    def test_nothing_old_before_is_no_reason_to_wait(self) -> None:
        account = an_account(methods=[NEW_APP, NEW_KEY, a_totp("third", device="laptop", added=NOW)])
        assert codes_of(account, RemoveMethod(id="third"), proven_with(account.methods[2])) == set()


def test_a_proof_of_the_account_s_making_brings_no_method() -> None:
    assert Proof(kind=None, at=NOW).method is None
    assert warnings_of(a_young_account(finished=False), AddMethod(method=NEW_APP), MADE) == {"one-device-away"}
