"""Lost devices, sign-ins that were somebody else's, and what waits."""

from __future__ import annotations

from datetime import timedelta

from passless.domain.methods import Kind
from passless.domain.requests import (
    Answer,
    CancelWaiting,
    Delete,
    RemoveMethodNamed,
    RenameAccountTo,
    ReportLostDevice,
    ReportNotMe,
    SetPassword,
    SignInWith,
    TakeBackReport,
)
from passless.domain.secret import Secret
from passless.domain.views import Applied, MadeReport, SecondProofNeeded, SignedIn, Waits
from tests.directories.person import App, Person, key_answer
from tests.directories.place import ANOTHER_PASSWORD, Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.directories.sentences.recovering import long_ago
from tests.directories.sentences.settings import in_two_steps


class ReportSentences:
    """What happens when something is gone."""

    def test_a_lost_device_is_off_at_once_with_its_sessions_and_app_passwords(self, place: Place) -> None:
        ada, app, key = in_two_steps(place)
        mail = ada.new_app_password("Mail", device="Phone")
        anywhere = ada.new_app_password("Calendar")
        files = ada.new_app_password("Files", device="laptop")
        ada.token = None
        ada.with_key(key)
        place.clock.move(minutes=30)  # no proof is fresh, and none is asked
        report = ada.make(ReportLostDevice(device="device:PHONE"), MadeReport)
        assert report.report.what == "device:phone"
        assert report.report.methods == ("authenticator app",)
        assert report.app_passwords_ended == ("Mail", "Calendar")
        assert [place.owner_of(one) is None for one in (mail, anywhere, files)] == [True, True, False]
        with refused("wrong-code"):
            ada.elsewhere().with_code(app)
        assert {step.code for step in report.next_steps}

    def test_sessions_with_a_proof_of_the_lost_device_end(self, place: Place) -> None:
        ada, app, key = in_two_steps(place)
        ada.token = None
        ada.with_key(key)
        there = ada.elsewhere()
        half = there.with_code(app)
        assert isinstance(half, SecondProofNeeded)
        there.finish(half.ceremony, Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, half)))
        made = ada.make(ReportLostDevice(device="phone"), MadeReport)
        assert made.sessions_ended == 2  # the one where the account was made as well
        assert there.view.session is None
        assert ada.view.session is not None

    def test_the_last_device_may_be_lost_and_the_account_is_in_recovery_then(self, place: Place) -> None:
        ada, app, code = long_ago(place)
        ada.with_code(app)
        ada.do(ReportLostDevice(device="phone"))
        assert ada.view.state == "in-recovery"
        assert ada.view.ways_in == ()
        assert "no-way-in" in {one.code for one in ada.view.problems}
        assert isinstance(ada.elsewhere().recover(code), SignedIn)

    def test_a_device_nobody_knows_is_not_lost(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        with refused("no-such-device"):
            ada.do(ReportLostDevice(device="tablet"))

    def test_a_report_is_taken_back_with_a_stronger_proof_that_has_what_was_lost(self, place: Place) -> None:
        ada, app, _ = _with_a_password(place)
        ada.do(ReportLostDevice(device="phone"))
        with refused("nothing-there"):
            ada.do(TakeBackReport(device="tablet"))
        with refused("weak-proof"):
            ada.do(TakeBackReport(device="phone"))
        with refused("wrong-code"):
            ada.do(TakeBackReport(device="phone", proofs=(Answer(kind=Kind.TOTP, text=app.wrong),)))
        ada.with_password()
        taken = TakeBackReport(device="phone", proofs=(Answer(kind=Kind.TOTP, text=app.fresh),))
        assert isinstance(ada.do(taken), Applied)
        with refused("nothing-there"):
            ada.do(taken)
        assert isinstance(ada.elsewhere().with_code(app), SignedIn)
        failed = [event for event in place.trail if event.outcome == "failed"]
        assert [(event.event, event.details["kind"]) for event in failed] == [("take-back-loss", "totp")]

    def test_a_lost_key_proves_that_it_was_found(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey()
        app = ada.add_app()
        ada.add_key(key, name="blue")
        ada.new_code()
        ada.token = None
        ada.with_code(app)
        ada.do(ReportLostDevice(device="blue"))
        with refused("wrong-proof"):
            ada.elsewhere().with_key(key)
        begun = place.directory.begin(ada.actor, "ada", SignInWith(kind=Kind.SECURITY_KEY))
        answer = Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, begun), ceremony=begun.ceremony)
        with refused("one-challenge"):
            ada.do(TakeBackReport(device="blue", proofs=(answer, Answer(kind=Kind.TOTP, text=app.code, ceremony="x"))))
        ada.do(TakeBackReport(device="blue", proofs=(answer,)))
        assert isinstance(ada.elsewhere().with_key(key), SignedIn)
        with refused("nothing-there"):
            ada.do(TakeBackReport(device="blue", proofs=(answer,)))

    def test_a_report_cannot_be_taken_back_after_the_wait(self, place: Place) -> None:
        ada, app, _ = _with_a_password(place)
        ada.do(ReportLostDevice(device="phone"))
        assert len(ada.view.reports) == 1
        place.clock.move(days=30)
        ada.with_password()
        assert ada.view.reports == ()
        with refused("nothing-there"):
            ada.do(TakeBackReport(device="phone", proofs=(Answer(kind=Kind.TOTP, text=app.fresh),)))

    def test_a_sign_in_that_was_somebody_elses_ends_with_the_methods_that_opened_it(self, place: Place) -> None:
        ada, app, key = in_two_steps(place)
        ada.add_key(SecurityKey(serial=5), name="copied")
        ada.token = None
        ada.with_key(key)
        eve = ada.elsewhere("far away")
        eve.prove(Answer(kind=Kind.TOTP, text=app.fresh))
        half = eve.with_code(app)
        assert isinstance(half, SecondProofNeeded)
        eve.finish(half.ceremony, Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, half)))
        hers = next(one.id for one in place.directory.sessions(ada.actor, "ada") if one.place == "far away")
        ada.do(ReportNotMe(session=hers))
        assert eve.view.session is None
        assert [one.name for one in ada.view.methods] == ["copied"]
        with refused("sign-in-needed"):
            ada.do(ReportNotMe(session="nothing"))  # her own key was copied: this session ended too
        there = Person(place, "bob").create(password=None)
        with refused("no-such-session"):
            there.do(ReportNotMe(session=hers))

    def test_replacing_everything_on_an_old_account_waits_and_an_older_method_cancels_it(self, place: Place) -> None:
        ada, app, eve = _thief_with_one_factor(place)
        outcome = eve.ask(RemoveMethodNamed(method=app.method))
        assert isinstance(outcome, Waits)
        assert outcome.pending.due_at == place.clock.now + timedelta(days=30)
        assert outcome.plan.due_at == outcome.pending.due_at
        assert isinstance(ada.with_code(app), SignedIn)  # it works meanwhile
        (pending,) = ada.view.pending
        with refused("nothing-there"):
            ada.do(CancelWaiting(id="nothing"))
        ada.do(CancelWaiting(id=pending.id))
        assert ada.view.pending == ()
        place.clock.move(days=30)
        assert app.method in {one.id for one in ada.view.methods}

    def test_what_waited_happens_when_its_time_comes_and_ends_the_sessions(self, place: Place) -> None:
        ada, app, eve = _thief_with_one_factor(place)
        eve.ask(RemoveMethodNamed(method=app.method))
        place.clock.move(days=29, hours=23, minutes=45)
        ada.with_code(app)
        assert ada.view.session is not None
        place.clock.move(minutes=15)
        assert app.method not in {one.id for one in ada.view.methods}
        assert ada.view.session is None  # the method that opened it is gone
        with refused("wrong-code"):
            ada.elsewhere().with_code(app)
        eve = eve.elsewhere()
        eve.with_password()
        done = [event for event in place.trail if event.actor == "passless"]
        assert [(event.event, event.outcome) for event in done] == [("remove-method", "done")]
        assert "remove-method" in {one.code for one in eve.view.notices}

    def test_what_waited_is_checked_again_and_refused_when_it_would_lock_out(self, place: Place) -> None:
        ada, app, eve = _thief_with_one_factor(place)
        eve.ask(RemoveMethodNamed(method=app.method))
        place.clock.move(days=1)
        ada.with_code(app)
        ada.with_password()
        ada.go_passwordless()
        assert ada.view.passwordless
        place.clock.move(days=30)
        assert app.method in {one.id for one in ada.view.methods}
        ada.elsewhere().with_code(app)
        done = [event for event in place.trail if event.actor == "passless"]
        assert [(event.event, event.outcome) for event in done] == [("remove-method", "refused")]

    def test_a_deletion_that_waits_deletes_when_its_time_comes(self, place: Place) -> None:
        ada, _, code = long_ago(place)
        bob = Person(place, "bob").create(password=None)
        bob.add_app()
        bob.new_code()
        ada.recover(code)
        assert isinstance(ada.ask(Delete()), Waits)
        place.clock.move(days=30)
        assert place.found() == ["bob"]
        with refused("no-such-account"):
            assert ada.view
        assert [event.event for event in place.trail][-1] == "delete-account"

    def test_notices_of_what_waits_come_at_the_start_half_way_and_before_the_end(self, place: Place) -> None:
        ada, app, eve = _thief_with_one_factor(place)
        eve.ask(RemoveMethodNamed(method=app.method))
        told = [_waiting(ada)]
        for days in (14, 1, 13, 1):
            place.clock.move(days=days)
            told.append(_waiting(ada))
        assert told == [1, 1, 2, 2, 3]
        ada.with_code(app)
        ada.do(CancelWaiting())
        assert _waiting(ada) == 0

    def test_no_more_than_twenty_changes_wait(self, place: Place) -> None:
        ada, app, code = long_ago(place)
        ada.recover(code)
        for number in range(20):
            assert isinstance(ada.ask(RenameAccountTo(display_name=f"name {number}")), Waits)
        with refused("too-many"):
            ada.ask(RenameAccountTo(display_name="one more"))
        ada.with_code(app)
        ada.do(CancelWaiting())
        assert ada.view.pending == ()

    def test_the_password_that_waits_is_not_the_password_yet(self, place: Place) -> None:
        ada, _, code = long_ago(place)
        ada.recover(code)
        assert isinstance(ada.ask(SetPassword(password=Secret(place.keep_secret(ANOTHER_PASSWORD)))), Waits)
        with refused("wrong-proof"):
            ada.elsewhere().with_password(ANOTHER_PASSWORD)


def _waiting(ada: Person) -> int:
    return sum(one.code.startswith("pending:") for one in ada.view.notices)


def _with_a_password(place: Place) -> tuple[Person, App, str]:
    ada = Person(place).create()
    app = ada.add_app()
    code = ada.new_code()
    ada.token = None
    ada.with_password()
    place.clock.move(minutes=20)
    return ada, app, code


def _thief_with_one_factor(place: Place) -> tuple[Person, App, Person]:
    """An old account with a password and an app, and somebody who knows the password only."""
    ada, app, _ = _with_a_password(place)
    place.clock.move(days=400)
    ada.token = None
    eve = ada.elsewhere("far away")
    eve.with_password()
    return ada, app, eve
