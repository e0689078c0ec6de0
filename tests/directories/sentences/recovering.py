"""Recovery codes, and coming back with one."""

from __future__ import annotations

from passless.domain.methods import Kind
from passless.domain.requests import (
    Answer,
    ConfirmCode,
    Delete,
    EndRecovery,
    NewAppPassword,
    NewRecoveryCode,
    NewToken,
    RemoveMethodNamed,
    RenameAccountTo,
    RenameMethodTo,
    ReportLostDevice,
    SetPassword,
    SignInWith,
    StopRecovery,
    TwoStepOn,
)
from passless.domain.secret import Secret
from passless.domain.views import SignedIn, Waits
from passless.ports.directory import Actor
from tests.directories.person import App, Person, key_answer
from tests.directories.place import PASSWORD, Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.directories.sentences.settings import in_two_steps
from tests.directories.sentences.tokens import A_DAY


def long_ago(place: Place, name: str = "ada") -> tuple[Person, App, str]:
    """Somebody with an app and a saved code, both older than any wait; signed out."""
    person = Person(place, name).create(password=None)
    app = person.add_app()
    code = person.new_code()
    place.clock.move(days=400)
    return person.elsewhere("laptop"), app, code


class RecoverySentences:
    """How people come back, and what they may do then."""

    def test_a_recovery_code_counts_once_it_was_typed_back(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        code = ada.new_code(saved=False)
        shown = ada.view.recovery_code
        assert (shown.exists, shown.saved) == (True, False)
        with refused("wrong-proof"):
            ada.elsewhere().recover(code)
        with refused("code-differs"):
            ada.do(ConfirmCode(code=Secret("00000-00000-00000-00000-00000")))
        ada.do(ConfirmCode(code=Secret(code.lower().replace("-", " "))))
        assert ada.view.recovery_code.saved
        with refused("nothing-there"):
            ada.do(ConfirmCode(code=None))
        assert len(code.replace("-", "")) == 25

    def test_a_saved_code_can_be_checked_without_using_it(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        code = ada.new_code(saved=False)
        assert not place.directory.is_recovery_code(ada.actor, "ada", Secret(code))
        ada.do(ConfirmCode(code=Secret(code)))
        assert place.directory.is_recovery_code(ada.actor, "ada", Secret(code.lower()))
        assert not place.directory.is_recovery_code(ada.actor, "ada", Secret("0" * 25))
        with refused("sign-in-needed"):
            place.directory.is_recovery_code(Actor(), "ada", Secret(code))
        assert isinstance(ada.elsewhere().recover(code), SignedIn)

    def test_a_code_is_good_until_its_replacement_is_typed_back(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        first = ada.new_code()
        second = ada.new_code(saved=False)
        assert isinstance(ada.elsewhere().recover(first), SignedIn)
        with refused("wrong-proof"):
            ada.elsewhere().recover(second)
        ada.do(ConfirmCode(code=Secret(second)))
        with refused("wrong-proof"):
            ada.elsewhere().recover(first)
        assert isinstance(ada.elsewhere().recover(second), SignedIn)

    def test_a_code_replaced_with_one_factor_on_an_old_account_works_for_the_wait(self, place: Place) -> None:
        ada, app, first = long_ago(place)
        ada.with_code(app)
        second = ada.new_code()
        assert isinstance(ada.elsewhere().recover(first), SignedIn)
        place.clock.move(days=30)
        with refused("wrong-proof"):
            ada.elsewhere().recover(first)
        assert isinstance(ada.elsewhere().recover(second), SignedIn)

    def test_a_recovery_enrols_makes_a_code_and_finishes(self, place: Place) -> None:
        ada, _, code = long_ago(place)
        signed_in = ada.recover(code)
        assert signed_in.kind == "recovery-code"
        assert ada.view.state == "in-recovery"
        key = SecurityKey()
        ada.add_key(key)
        with refused("code-not-saved"):
            ada.do(EndRecovery())
        ada.new_code()
        ada.do(EndRecovery())
        with refused("nothing-there"):
            ada.do(EndRecovery())
        assert ada.view.state == "in-recovery"  # for a day more
        place.clock.move(hours=24)
        assert ada.view.state == "ok"
        assert isinstance(ada.elsewhere().with_key(key), SignedIn)

    def test_a_recovery_does_nothing_else_at_once(self, place: Place) -> None:
        ada, app, code = long_ago(place)
        ada.recover(code)
        ada.add_app(name="new")
        assert isinstance(ada.ask(SetPassword(password=Secret(place.keep_secret(PASSWORD)))), Waits)
        assert isinstance(ada.ask(RemoveMethodNamed(method=app.method)), Waits)
        assert isinstance(ada.ask(RenameAccountTo(display_name="eve")), Waits)
        assert isinstance(ada.ask(Delete()), Waits)
        with refused("in-recovery"):
            ada.ask(RenameAccountTo(name="eve"))  # it never comes later: by then it may be somebody else's
        with refused("weak-proof"):
            ada.do(NewToken(name="ci", rights=("status",), lifetime=A_DAY))
        assert len(ada.view.methods) == 2
        assert len(ada.view.pending) == 4

    def test_a_method_enrolled_in_a_recovery_is_bound_like_it(self, place: Place) -> None:
        ada, old, code = long_ago(place)
        ada.recover(code)
        app = ada.add_app(name="new")
        there = ada.elsewhere()
        assert there.with_code(app).kind == "direct"  # type: ignore[union-attr]
        assert isinstance(there.ask(RemoveMethodNamed(method=old.method)), Waits)
        assert isinstance(there.ask(SetPassword(password=Secret(place.keep_secret(PASSWORD)))), Waits)
        with refused("in-recovery"):
            there.do(NewToken(name="ci", rights=("status",), lifetime=A_DAY))
        there.add_key(SecurityKey())

    def test_who_came_in_through_a_recovery_is_bound_for_as_long_as_the_session_lasts(self, place: Place) -> None:
        """A thief of the paper would else wait 11 minutes, name the owner's key after a lost device, and remove it."""
        ada, key = Person(place).create(password=None), SecurityKey()
        ada.add_key(key, name="blue key")
        ada.add_app()
        code = ada.new_code()
        place.clock.move(days=400)
        thief = ada.elsewhere("thief")
        thief.recover(code)
        app = thief.add_app(name="mine", device="thief's phone")
        thief.new_code()
        thief = ada.elsewhere("thief")
        thief.with_code(app)
        thief.do(ReportLostDevice(device="phone"))
        place.clock.move(minutes=11)
        assert isinstance(thief.ask(RenameMethodTo(method="blue key", name="phone")), Waits)
        assert isinstance(thief.ask(RenameAccountTo(display_name="eve")), Waits)
        with refused("in-recovery"):
            thief.ask(RenameAccountTo(name="eve"))
        with refused("weak-proof"):
            thief.add_app(name="another")
        thief.with_code(app)
        assert isinstance(thief.ask(RemoveMethodNamed(method="blue key")), Waits)
        assert isinstance(ada.elsewhere().with_key(key), SignedIn)

    def test_what_was_named_lost_is_removed_in_a_recovery(self, place: Place) -> None:
        ada, _, code = long_ago(place)
        ada.recover(code)
        key = SecurityKey()
        ada.add_key(key)
        ada.do(ReportLostDevice(device="phone"))
        assert [one.kind for one in ada.view.methods] == ["security-key"]

    def test_a_second_recovery_ends_the_session_of_the_first(self, place: Place) -> None:
        ada, _, code = long_ago(place)
        ada.recover(code)
        there = ada.elsewhere()
        there.recover(code)
        assert ada.view.session is None
        with refused("sign-in-needed"):
            ada.do(NewRecoveryCode())
        there.do(NewRecoveryCode())

    def test_who_recovers_again_stays_bound_and_replaces_the_code_again(self, place: Place) -> None:
        ada, old, code = long_ago(place)
        ada.recover(code)
        app = ada.add_app(name="new")
        second = ada.new_code()
        ada.do(EndRecovery())
        place.clock.move(hours=1)
        ada.recover(second)
        with refused("code-not-saved"):
            ada.do(EndRecovery())
        there = ada.elsewhere()
        there.with_code(app)
        assert isinstance(there.ask(RemoveMethodNamed(method=old.method)), Waits)
        ada.new_code()
        ada.do(EndRecovery())

    def test_a_cancel_undoes_every_recovery_that_went_on(self, place: Place) -> None:
        ada, app, code = long_ago(place)
        eve = ada.elsewhere()
        eve.recover(code)
        eve.add_app(name="hers")
        second = eve.new_code()
        eve.do(EndRecovery())
        place.clock.move(hours=1)
        eve.recover(second)
        ada.with_code(app)
        ada.do(StopRecovery())
        assert [one.id for one in ada.view.methods] == [app.method]
        assert ada.view.state == "ok"
        assert eve.view.session is None
        with refused("wrong-proof"):
            eve.recover(second)
        assert isinstance(ada.elsewhere().recover(code), SignedIn)

    def test_a_recovery_is_not_cancelled_by_what_was_enrolled_in_it(self, place: Place) -> None:
        ada, _, code = long_ago(place)
        ada.recover(code)
        app = ada.add_app(name="new")
        with refused("weak-proof"):
            ada.do(StopRecovery())
        there = ada.elsewhere()
        there.with_code(app)
        with refused("weak-proof"):
            there.do(StopRecovery())
        bob, app, _ = long_ago(place, "bob")
        bob.with_code(app)
        with refused("nothing-there"):
            bob.do(StopRecovery())

    def test_with_two_step_a_recovery_needs_one_more_proof(self, place: Place) -> None:
        ada, app, key = in_two_steps(place)
        code = ada.new_code()
        there = ada.elsewhere()
        with refused("second-proof"):
            there.recover(code)
        with refused("wrong-code"):
            there.recover(code, Answer(kind=Kind.TOTP, text=app.wrong))
        with refused("wrong-proof"):
            there.recover("00000-00000-00000-00000-00000", Answer(kind=Kind.TOTP, text=app.fresh))
        assert isinstance(there.recover(code, Answer(kind=Kind.TOTP, text=app.fresh)), SignedIn)
        begun = place.directory.begin(there.actor, "ada", SignInWith(kind=Kind.SECURITY_KEY))
        answer = Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, begun), ceremony=begun.ceremony)
        assert isinstance(there.recover(code, answer), SignedIn)
        with refused("no-such-ceremony"):
            there.recover(code, answer)
        failed = [event.details["reason"] for event in place.trail if event.outcome == "failed"]
        assert failed[0] == "second-proof"

    def test_two_step_asked_for_with_one_factor_on_an_old_account_waits(self, place: Place) -> None:
        ada = Person(place).create()
        app = ada.add_app()
        code = ada.new_code()
        place.clock.move(days=400)
        ada.with_code(app)
        assert isinstance(ada.ask(TwoStepOn()), Waits)
        assert isinstance(ada.elsewhere().recover(code), SignedIn)
        place.clock.move(days=30)
        assert ada.view.two_step
        place.clock.move(days=30)
        with refused("second-proof"):
            ada.elsewhere().recover(code)

    def test_an_app_password_is_refused_in_a_recovery_because_its_secret_cannot_wait(self, place: Place) -> None:
        ada, _, key = in_two_steps(place)
        code = ada.new_code()
        place.clock.move(days=400)
        begun = place.directory.begin(ada.actor, "ada", SignInWith(kind=Kind.SECURITY_KEY))
        ada.recover(code, Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, begun), ceremony=begun.ceremony))
        with refused("in-recovery"):
            ada.do(NewAppPassword(name="Mail"))
        assert ada.view.pending == ()

    def test_everybody_on_the_account_is_told_of_a_recovery(self, place: Place) -> None:
        ada, app, code = long_ago(place)
        ada.elsewhere().recover(code)
        ada.with_code(app)
        assert "start-recovery" in {one.code for one in ada.view.notices}
