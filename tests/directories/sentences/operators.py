"""Operators, and the temporary passes they issue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from passless.domain.methods import Kind
from passless.domain.requests import (
    Answer,
    CancelWaiting,
    Delete,
    EndRecovery,
    EndSessions,
    Enrol,
    IssuePass,
    MakeDefault,
    NewAppPassword,
    NewRecoveryCode,
    NewToken,
    PasswordlessOn,
    RemoveMethodNamed,
    RenameAccountTo,
    ReportLostDevice,
    Request,
    RevokePass,
    RevokeToken,
    SetPassword,
    StartRecoveryOf,
    StopRecovery,
    TwoStepOn,
)
from passless.domain.secret import Secret
from passless.domain.views import Applied, MadePass, SignedIn, Waits
from tests.directories.person import Person
from tests.directories.place import PASSWORD, Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.directories.sentences.recovering import long_ago
from tests.directories.sentences.tokens import A_DAY, a_token

AN_HOUR = timedelta(hours=1)


def issued(place: Place, name: str = "ada", **more: object) -> str:
    """Have an operator issue a pass."""
    request = IssuePass(lifetime=more.pop("lifetime", AN_HOUR), **more)  # type: ignore[arg-type]
    return shown(place, place.directory.apply(place.operator(), name, request))


def shown(place: Place, outcome: Applied | Waits) -> str:
    """Return the pass that an operator is shown."""
    assert isinstance(outcome, Applied)
    assert isinstance(outcome.made, MadePass)
    return place.keep_secret(outcome.made.secret)


class OperatorSentences:
    """What helpdesk may do, and what it may not."""

    def test_a_one_time_pass_signs_in_once_and_for_ten_minutes(self, place: Place) -> None:
        ada, _, _ = long_ago(place)
        secret = issued(place)
        with refused("wrong-proof"):
            ada.with_pass("0000-0000-0000")
        signed_in = ada.with_pass(secret.lower().replace("-", " "))
        assert isinstance(signed_in, SignedIn)
        assert (signed_in.kind, signed_in.session.strength) == ("temporary-pass", 0)
        assert signed_in.session.expires_at == place.clock.now + timedelta(minutes=10)
        with refused("wrong-proof"):
            ada.elsewhere().with_pass(secret)
        (listed,) = place.directory.passes(ada.actor, "ada")
        assert (listed.once, listed.used_at) == (True, place.clock.now)
        place.clock.move(minutes=10)
        with refused("sign-in-needed"):
            ada.add_app()

    def test_a_pass_enrols_and_nothing_else_and_the_person_finishes(self, place: Place) -> None:
        ada, old, _ = long_ago(place)
        ada.with_pass(issued(place))
        assert ada.view.state == "in-recovery"
        key = SecurityKey()
        ada.add_key(key)
        assert isinstance(ada.ask(RemoveMethodNamed(method=old.method)), Waits)
        with refused("weak-proof"):
            ada.do(NewToken(name="ci", rights=("status",), lifetime=A_DAY))
        ada.new_code()
        ada.do(EndRecovery())
        assert place.directory.passes(ada.actor, "ada") == ()
        assert isinstance(ada.elsewhere().with_key(key), SignedIn)
        assert "start-recovery" in {one.code for one in ada.view.notices}

    def test_a_pass_is_over_when_it_expires_is_replaced_or_revoked(self, place: Place) -> None:
        ada, _, _ = long_ago(place)
        first = issued(place, lifetime=timedelta(minutes=10))
        place.clock.move(minutes=10)
        with refused("wrong-proof"):
            ada.with_pass(first)
        second, third = issued(place), issued(place)
        with refused("wrong-proof"):
            ada.with_pass(second)
        place.directory.apply(place.operator(), "ada", RevokePass())
        with refused("wrong-proof"):
            ada.with_pass(third)
        with refused("nothing-there"):
            place.directory.apply(place.operator(), "ada", RevokePass())

    def test_a_pass_for_several_times_lasts_until_it_expires_and_its_session_ends_with_it(self, place: Place) -> None:
        ada, _, _ = long_ago(place)
        secret = issued(place, once=False, lifetime=timedelta(hours=2))
        ada.with_pass(secret)
        place.clock.move(minutes=50)
        there = ada.elsewhere()
        signed_in = there.with_pass(secret)
        assert isinstance(signed_in, SignedIn)
        assert signed_in.session.expires_at == place.clock.now + timedelta(minutes=70)
        assert ada.view.session is None  # one recovery at a time
        place.directory.apply(place.operator(), "ada", RevokePass())
        assert there.view.session is None

    @pytest.mark.parametrize("lifetime", [timedelta(minutes=9), timedelta(days=31), timedelta(0)])
    def test_a_pass_lives_ten_minutes_to_thirty_days(self, place: Place, lifetime: timedelta) -> None:
        Person(place).create(password=None)
        with refused("bad-duration"):
            issued(place, lifetime=lifetime)

    def test_a_pass_has_eight_to_forty_eight_characters(self, place: Place) -> None:
        Person(place).create(password=None)
        assert len(issued(place, length=48).replace("-", "")) == 48
        for length in (7, 49):
            with refused("wrong-length"):
                issued(place, length=length)

    def test_nobody_issues_a_pass_to_themselves(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        with refused("operator-only"):
            ada.do(IssuePass(lifetime=AN_HOUR))
        with refused("operator-only"):
            ada.do(StartRecoveryOf())

    def test_an_operator_starts_a_recovery_and_the_person_goes_on(self, place: Place) -> None:
        ada, app, code = long_ago(place)
        secret = shown(place, place.directory.apply(place.operator(), "ada", StartRecoveryOf(lost=("phone",))))
        with refused("wrong-code"):
            ada.with_code(app)
        ada.with_pass(secret)
        ada.add_key(SecurityKey())
        assert isinstance(ada.elsewhere().recover(code), SignedIn)
        told = [(event.event, event.actor, event.details.get("reason")) for event in place.trail]
        for event in ("lose-device", "issue-temporary-pass", "start-recovery"):
            assert (event, place.helper, "lost everything") in told

    def test_somebody_in_two_steps_who_lost_everything_can_be_let_in(self, place: Place) -> None:
        ada = Person(place).create()
        ada.add_app()
        ada.new_code()
        ada.do(TwoStepOn())
        secret = shown(place, place.directory.apply(place.operator(), "ada", StartRecoveryOf(lost=("phone",))))
        assert ada.elsewhere().with_pass(secret)
        assert ada.view.state == "in-recovery"

    def test_an_operator_says_why_and_under_which_ticket(self, place: Place) -> None:
        Person(place).create(password=None)
        for reason in ("", "  ", "a" * 501):
            with refused("reason-needed"):
                place.directory.apply(place.operator(reason), "ada", StartRecoveryOf())
        place.change(ticket_pattern="HD-[0-9]+")
        with refused("reason-needed"):
            place.directory.apply(place.operator("lost", "HD-12x"), "ada", StartRecoveryOf())
        shown(place, place.directory.apply(place.operator("lost\nphone", "HD-12"), "ada", StartRecoveryOf()))
        assert place.trail[-1].details["reason"] == "lost\ufffdphone [HD-12]"

    def test_an_operator_reports_losses_and_revokes(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        machine = a_token(ada, "status")
        there = place.operator()
        for request in (RevokeToken(token="ci"), EndSessions(all=True), ReportLostDevice(device="phone")):
            assert isinstance(place.directory.apply(there, "ada", request), Applied)
        assert machine.view.session is None
        assert {event.details.get("reason") for event in place.trail if event.actor == place.helper} == {"lost everything"}

    def test_an_operator_does_nothing_that_is_the_persons(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app = ada.add_app()
        ada.new_code()
        theirs: tuple[Request, ...] = (
            SetPassword(password=Secret(PASSWORD)),
            RemoveMethodNamed(method=app.method),
            MakeDefault(method=app.method),
            TwoStepOn(),
            NewRecoveryCode(),
            RenameAccountTo(name="eve"),
            Delete(),
            NewToken(name="ci", rights=("status",), lifetime=A_DAY),
        )
        for request in theirs:
            with refused("operator-may-not", "weak-proof"):
                place.directory.apply(place.operator(), "ada", request)
        with refused("operator-may-not"):
            place.directory.begin(place.operator(), "ada", Enrol(kind=Kind.TOTP))
        for nothing in (PasswordlessOn(), EndRecovery(), StopRecovery(), CancelWaiting()):
            with refused("operator-may-not", "already-so", "nothing-there"):
                place.directory.apply(place.operator(), "ada", nothing)
        with refused("operator-may-not", "app-passwords-need-two-step"):
            place.directory.apply(place.operator(), "ada", NewAppPassword(name="Mail"))

    def test_an_operators_new_recovery_leaves_what_was_enrolled_in_the_last_one_bound(self, place: Place) -> None:
        ada, old, code = long_ago(place)
        eve = ada.elsewhere("far away")
        eve.recover(code)
        hers = eve.add_app(name="hers")
        shown(place, place.directory.apply(place.operator(), "ada", StartRecoveryOf()))
        assert eve.view.session is None
        eve.with_code(hers)
        assert isinstance(eve.ask(RemoveMethodNamed(method=old.method)), Waits)
        ada.with_code(old)
        ada.do(StopRecovery())
        assert [one.id for one in ada.view.methods] == [old.method]

    def test_where_two_operators_must_agree_one_alone_does_nothing(self, place: Place) -> None:
        ada, app, _ = long_ago(place)
        place.change(rules=replace(place.parts.rules, second_operator=True))
        with refused("second-operator"):
            place.directory.apply(place.operator(), "ada", StartRecoveryOf(lost=("phone",)))
        place.clock.move(days=90)
        assert ada.view.state == "ok"
        assert isinstance(ada.with_code(app), SignedIn)

    def test_a_wrong_pass_is_a_wrong_proof_where_there_is_none(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        with refused("wrong-proof"):
            ada.elsewhere().prove(Answer(kind=Kind.TEMPORARY_PASS, text=Secret("0000")))
