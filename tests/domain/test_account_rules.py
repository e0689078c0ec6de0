"""Rules 1 to 7 and 12: what the account would be after a change (design.md, "Rules")."""

from __future__ import annotations

import pytest

from passless.domain.account import Account
from passless.domain.app_passwords import MAXIMUM_APP_PASSWORDS
from passless.domain.changes import (
    AddAppPassword,
    AddMethod,
    Change,
    IssueTemporaryPass,
    RemoveMethod,
    RenameAccount,
    RenameMethod,
    ReplacePassword,
    RevokeAppPasswords,
    SetDefaultMethod,
    StartRecovery,
    TurnPasswordlessOff,
    TurnPasswordlessOn,
    TurnTwoStepOff,
    TurnTwoStepOn,
)
from passless.domain.recovery import Reporter
from passless.domain.safety.context import Context, Rules, Severity
from passless.domain.safety.planning import plan
from tests.builders import (
    MAIL_SIGNS_IN,
    NOW,
    RULES,
    a_lost_device,
    a_password,
    a_phone,
    a_saved_code,
    a_security_key,
    a_temporary_pass,
    a_totp,
    a_young_account,
    accepted,
    an_account,
    an_app_password,
    an_email,
    an_operator,
    an_other,
    codes_of,
    proven_with,
    refusals_of,
    the_making,
    warnings_of,
)

PASSWORD, APP, NUMBER, MAIL = a_password(), a_totp(), a_phone(), an_email()
KEY = a_security_key("blue key")
PLAIN_KEY = a_security_key("plain key", verified=False)
CODE = a_saved_code()
NEW_APP = a_totp("new app", device="tablet", added=NOW)


class TestRule1:
    """`no-way-in`: a way in remains."""

    def test_the_last_way_in_cannot_be_removed(self) -> None:
        account = an_account(methods=[KEY])
        assert "no-way-in" in refusals_of(account, RemoveMethod(id="blue key"), proven_with(KEY))

    def test_a_recovery_code_is_no_way_in(self) -> None:
        account = an_account(methods=[KEY], codes=[CODE])
        assert "no-way-in" in refusals_of(account, RemoveMethod(id="blue key"), proven_with(KEY))

    def test_without_one_rules_2_and_4_are_broken_as_well(self) -> None:
        account = an_account(methods=[KEY, MAIL], two_step=True, codes=[CODE])
        found = refusals_of(account, RemoveMethod(id="blue key"), proven_with(KEY))
        assert found == {"no-way-in", "one-device-away", "two-recovery-methods"}

    def test_the_last_way_in_is_not_taken_by_a_setting(self) -> None:
        account = an_account(methods=[PASSWORD])
        assert "no-way-in" in refusals_of(account, TurnTwoStepOn(), proven_with(PASSWORD))
        assert "no-way-in" in refusals_of(account, TurnPasswordlessOn(), proven_with(PASSWORD))

    @pytest.mark.parametrize(
        "change",
        [
            AddMethod(method=a_phone("number", added=NOW)),
            RenameMethod(id=MAIL.id, name="post"),
            RenameAccount(name="lovelace"),
            SetDefaultMethod(id=MAIL.id),
            TurnPasswordlessOff(password=a_password(added=NOW)),
        ],
        ids=lambda change: type(change).__name__,
    )
    def test_a_change_that_only_adds_is_never_refused_for_1_2_or_4(self, change: Change) -> None:
        account = an_account(methods=[MAIL], two_step=True)
        assert refusals_of(account, change, proven_with(MAIL)) == set()

    def test_what_was_already_so_before_is_a_warning(self) -> None:
        account = an_account(methods=[MAIL, an_other()])
        found = warnings_of(account, RemoveMethod(id="voice call"), proven_with(MAIL, *account.methods))
        assert "no-way-in" in found

    def test_a_reported_loss_of_the_last_way_in_acts_and_puts_the_account_in_recovery(self) -> None:
        account = an_account(methods=[KEY, PLAIN_KEY], two_step=True)
        after = accepted(account, a_lost_device("blue key"), proven_with())
        assert after.state(NOW) == "in-recovery"
        assert after.recovery is not None
        assert after.recovery.lost == ("blue key",)
        assert warnings_of(account, a_lost_device("blue key"), proven_with()) == {
            "no-way-in",
            "one-device-away",
            "two-recovery-methods",
        }


class TestRule2:
    """`one-device-away`: when passwordless is on, no single loss shuts the person out."""

    def test_the_last_but_one_device_stays(self) -> None:
        account = an_account(methods=[KEY, APP])
        assert refusals_of(account, RemoveMethod(id="app"), proven_with(KEY)) == {"one-device-away"}

    def test_passwordless_does_not_turn_on_with_one_device(self) -> None:
        account = an_account(methods=[PASSWORD, APP])
        assert refusals_of(account, TurnPasswordlessOn(), proven_with(PASSWORD, APP)) == {"one-device-away"}

    def test_a_saved_code_is_enough_beside_one_device(self) -> None:
        account = an_account(methods=[PASSWORD, APP], codes=[CODE])
        assert accepted(account, TurnPasswordlessOn(), proven_with(PASSWORD, APP)).passwordless

    def test_with_two_step_a_code_needs_whatever_else_recovery_needs(self) -> None:
        """After the key is lost, the code would need one more proof."""
        account = an_account(methods=[PASSWORD, KEY], codes=[CODE], two_step=True)
        assert refusals_of(account, TurnPasswordlessOn(), proven_with(KEY)) == {"one-device-away"}

    def test_with_a_password_one_device_is_enough(self) -> None:
        account = an_account(methods=[PASSWORD, KEY, APP])
        assert refusals_of(account, RemoveMethod(id="app"), proven_with(KEY)) == set()

    def test_who_is_one_device_away_already_is_warned_only(self) -> None:
        account = an_account(methods=[APP, NUMBER])
        assert refusals_of(account, RemoveMethod(id="number"), proven_with(APP, NUMBER)) == set()
        assert "one-device-away" in warnings_of(account, RemoveMethod(id="number"), proven_with(APP, NUMBER))

    def test_until_an_account_is_finished_it_only_warns(self) -> None:
        account = a_young_account(methods=[APP, KEY], finished=False)
        assert refusals_of(account, RemoveMethod(id="app"), proven_with(KEY)) == set()

    def test_an_account_made_without_a_password_is_finished_when_rules_1_and_2_hold(self) -> None:
        made = Context(now=NOW, proofs=(the_making(),))
        first = accepted(a_young_account(finished=False), AddMethod(method=a_totp(added=NOW)), made)
        assert (first.finished, first.state(NOW)) == (False, "unfinished")
        second = accepted(first, AddMethod(method=a_security_key(added=NOW)), proven_with(APP))
        assert (second.finished, second.state(NOW)) == (True, "ok")


class TestRule3:
    """`unproven-method`, and the warning `one-factor`."""

    ACCOUNT = an_account(methods=[PASSWORD, APP, PLAIN_KEY, MAIL])

    def test_the_password_alone_does_not_turn_passwordless_on(self) -> None:
        assert refusals_of(self.ACCOUNT, TurnPasswordlessOn(), proven_with(PASSWORD)) == {"unproven-method"}

    @pytest.mark.parametrize("method", [APP, PLAIN_KEY, KEY, NUMBER], ids=lambda method: method.name)
    def test_a_method_that_can_replace_it_does(self, method: object) -> None:
        account = an_account(methods=[PASSWORD, APP, PLAIN_KEY, KEY, NUMBER])
        assert refusals_of(account, TurnPasswordlessOn(), proven_with(PASSWORD, method)) == set()

    def test_email_does_only_where_the_policy_says_so(self) -> None:
        asked = proven_with(PASSWORD, MAIL)
        assert refusals_of(self.ACCOUNT, TurnPasswordlessOn(), asked) == {"unproven-method"}
        assert refusals_of(self.ACCOUNT, TurnPasswordlessOn(), asked, MAIL_SIGNS_IN) == set()

    def test_where_nothing_can_replace_it_the_hint_adds_something(self) -> None:
        found = plan(an_account(methods=[PASSWORD]), TurnPasswordlessOn(), proven_with(PASSWORD), RULES).problems
        assert next(one for one in found if one.code == "unproven-method").hint.startswith("add one")

    def test_one_factor_left_is_a_warning(self) -> None:
        assert "one-factor" in warnings_of(self.ACCOUNT, TurnPasswordlessOn(), proven_with(PASSWORD, APP))

    def test_two_factors_left_are_none(self) -> None:
        account = an_account(methods=[PASSWORD, KEY, APP])
        assert "one-factor" not in warnings_of(account, TurnPasswordlessOn(), proven_with(KEY))


class TestRule4:
    """`two-recovery-methods`: with two-step on, two methods on two devices, a saved code counting as one."""

    def test_two_step_does_not_turn_on_with_one_device(self) -> None:
        account = an_account(methods=[PASSWORD, APP, NUMBER])
        assert refusals_of(account, TurnTwoStepOn(), proven_with(PASSWORD, APP)) == {"two-recovery-methods"}

    def test_a_saved_code_counts_as_one(self) -> None:
        account = an_account(methods=[PASSWORD, APP], codes=[CODE])
        assert accepted(account, TurnTwoStepOn(), proven_with(PASSWORD, APP)).two_step

    def test_two_devices_are_enough(self) -> None:
        account = an_account(methods=[PASSWORD, APP, PLAIN_KEY])
        assert accepted(account, TurnTwoStepOn(), proven_with(PASSWORD, APP)).two_step

    def test_a_mailbox_beside_the_phone_is_not_enough(self) -> None:
        account = an_account(methods=[PASSWORD, APP, MAIL])
        assert refusals_of(account, TurnTwoStepOn(), proven_with(PASSWORD, APP)) == {"two-recovery-methods"}

    def test_a_second_method_stays_while_two_step_is_on(self) -> None:
        account = an_account(methods=[PASSWORD, APP, PLAIN_KEY], two_step=True)
        assert refusals_of(account, RemoveMethod(id="app"), proven_with(PASSWORD, APP)) == {"two-recovery-methods"}

    def test_one_more_than_before_is_no_worse(self) -> None:
        account = an_account(methods=[PASSWORD, APP, NUMBER], two_step=True)
        assert refusals_of(account, RemoveMethod(id="number"), proven_with(PASSWORD, APP)) == set()


class TestRule5:
    """`needs-password`: what stands alone is long enough for it."""

    def test_turning_two_step_off_with_a_short_password_sets_a_new_one(self) -> None:
        account = an_account(methods=[a_password(short=True), KEY, APP], two_step=True)
        assert refusals_of(account, TurnTwoStepOff(), proven_with(KEY)) == {"needs-password"}
        after = accepted(account, TurnTwoStepOff(password=a_password("long", added=NOW)), proven_with(KEY))
        assert after.password is not None
        assert (after.two_step, after.password.stands_alone) == (False, True)

    def test_a_long_one_stays(self) -> None:
        account = an_account(methods=[PASSWORD, KEY, APP], two_step=True)
        assert accepted(account, TurnTwoStepOff(), proven_with(KEY)).password == PASSWORD

    def test_turning_passwordless_off_with_a_short_one_needs_two_step(self) -> None:
        short = TurnPasswordlessOff(password=a_password(short=True, added=NOW))
        assert refusals_of(an_account(methods=[KEY, APP]), short, proven_with(KEY)) == {"needs-password"}
        assert refusals_of(an_account(methods=[KEY, APP], two_step=True), short, proven_with(KEY)) == set()

    def test_a_short_password_that_was_there_is_a_warning(self) -> None:
        account = an_account(methods=[a_password(short=True), KEY])
        assert "needs-password" in warnings_of(account, RenameMethod(id="blue key", name="key"), proven_with(KEY))

    def test_a_short_one_does_not_replace_another_short_one(self) -> None:
        account = an_account(methods=[a_password(short=True), KEY])
        change = ReplacePassword(password=a_password("new", short=True, added=NOW))
        assert refusals_of(account, change, proven_with(KEY)) == {"needs-password"}


class TestRule6:
    """`app-passwords-need-two-step`."""

    def test_none_is_made_while_two_step_is_off(self) -> None:
        change = AddAppPassword(app_password=an_app_password())
        account = an_account(methods=[KEY, APP])
        assert refusals_of(account, change, proven_with(KEY)) == {"app-passwords-need-two-step"}
        assert refusals_of(an_account(methods=[KEY, APP], two_step=True), change, proven_with(KEY)) == set()

    @pytest.mark.parametrize(
        ("account", "hint"),
        [
            (an_account(methods=[APP, a_password()]), "make and save a recovery code"),
            (an_account(methods=[APP], codes=[a_saved_code()]), "add a method on another device: passless method add"),
            (an_account(methods=[APP, a_password()], codes=[a_saved_code()]), "turn it on first: passless two-step on"),
        ],
    )
    def test_the_hint_names_the_very_next_command_and_ends_with_two_step(self, account: Account, hint: str) -> None:
        made = plan(account, AddAppPassword(app_password=an_app_password()), proven_with(APP), RULES)
        (said,) = (one.hint for one in made.problems if one.code == "app-passwords-need-two-step")
        assert said.startswith(hint)
        assert said.endswith("passless two-step on")

    def test_turning_two_step_off_revokes_them(self) -> None:
        account = an_account(methods=[KEY, APP], two_step=True, app_passwords=(an_app_password(),))
        assert accepted(account, TurnTwoStepOff(), proven_with(KEY)).app_passwords == ()

    def test_those_that_an_import_brought_are_a_warning(self) -> None:
        account = an_account(methods=[KEY, APP], app_passwords=(an_app_password(),))
        found = warnings_of(account, RenameMethod(id="app", name="codes"), proven_with(KEY))
        assert found == {"app-passwords-need-two-step"}

    def test_revoking_acts_at_once_and_needs_nothing(self) -> None:
        account = an_account(methods=[KEY, APP], two_step=True, app_passwords=(an_app_password("Mail"), an_app_password("TV")))
        after = accepted(account, RevokeAppPasswords(ids=("Mail",)), proven_with())
        assert [one.name for one in after.app_passwords] == ["TV"]


class TestRule7:
    """`legacy-app`: a warning that lists the programs."""

    def test_turning_passwordless_on_names_every_program_of_the_page(self) -> None:
        account = an_account(methods=[PASSWORD, KEY, APP])
        found = plan(account, TurnPasswordlessOn(), proven_with(KEY), RULES).problems
        warning = next(one for one in found if one.code == "legacy-app")
        assert warning.severity is Severity.WARNING
        for name in ("Xbox 360", "Office 2010", "Office for Mac 2011", "IMAP", "Windows 8.1", "Remote Desktop"):
            assert name in warning.message

    def test_other_changes_say_nothing_about_them(self) -> None:
        account = an_account(methods=[PASSWORD, KEY, APP])
        assert "legacy-app" not in warnings_of(account, RemoveMethod(id="app"), proven_with(KEY))


class TestRule12:
    """A second operator, where the policy asks for one."""

    ONE_DEVICE = an_account(methods=[APP, NUMBER])
    ASKS = Rules(second_operator=True)

    @pytest.mark.parametrize(
        "change",
        [StartRecovery(by=Reporter.OPERATOR), IssueTemporaryPass(temporary_pass=a_temporary_pass())],
        ids=lambda change: type(change).__name__,
    )
    def test_a_recovery_of_one_device_waits_for_the_second(self, change: Change) -> None:
        assert codes_of(self.ONE_DEVICE, change, an_operator(), self.ASKS) == {"second-operator"}
        assert codes_of(self.ONE_DEVICE, change, an_operator("grace"), self.ASKS) == set()

    def test_two_devices_need_no_second(self) -> None:
        two = an_account(methods=[APP, KEY])
        assert codes_of(two, StartRecovery(by=Reporter.OPERATOR), an_operator(), self.ASKS) == set()

    def test_without_such_a_policy_nobody_is_asked(self) -> None:
        assert codes_of(self.ONE_DEVICE, StartRecovery(by=Reporter.OPERATOR), an_operator()) == set()


class TestBounds:
    """features.md: at most 5 authenticator apps, 40 app passwords."""

    def test_a_sixth_authenticator_app_is_refused(self) -> None:
        account = an_account(methods=[a_totp(f"app {number}", device=f"tablet {number}") for number in range(5)])
        assert refusals_of(account, AddMethod(method=NEW_APP), proven_with(account.methods[0])) == {"too-many"}

    def test_a_fifth_is_not(self) -> None:
        account = an_account(methods=[a_totp(f"app {number}", device=f"tablet {number}") for number in range(4)])
        assert refusals_of(account, AddMethod(method=NEW_APP), proven_with(account.methods[0])) == set()

    def test_a_65th_method_is_refused(self) -> None:
        account = an_account(methods=[a_security_key(f"key {number}") for number in range(64)])
        assert refusals_of(account, AddMethod(method=NEW_APP), proven_with(account.methods[0])) == {"too-many"}

    def test_a_41st_app_password_is_refused(self) -> None:
        many = tuple(an_app_password(f"program {number}") for number in range(MAXIMUM_APP_PASSWORDS))
        account = an_account(methods=[KEY, APP], two_step=True, app_passwords=many)
        assert refusals_of(account, AddAppPassword(app_password=an_app_password()), proven_with(KEY)) == {"too-many"}


def test_turning_two_step_on_says_that_the_code_alone_is_no_longer_enough() -> None:
    """Must hold 4: with two-step on a recovery needs two proofs, which is said before and not after."""
    methods, proofs = [a_password(), a_totp()], proven_with(a_password(), a_totp())
    assert "code-needs-proof" in warnings_of(an_account(methods=methods, codes=[a_saved_code()]), TurnTwoStepOn(), proofs)
    keys = [*methods, a_security_key()]
    assert "code-needs-proof" not in warnings_of(an_account(methods=keys), TurnTwoStepOn(), proofs)
