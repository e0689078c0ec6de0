"""Looking: what-if, devices, checks, plans, notices and the audit trail."""

from __future__ import annotations

from datetime import timedelta

from passless.domain.methods import Kind
from passless.domain.policy import Policy, Requirements
from passless.domain.requests import (
    Answer,
    ConfirmCode,
    IssuePass,
    MakeDefault,
    NewAppPassword,
    NewRecoveryCode,
    PasswordlessOn,
    RemoveMethodNamed,
    ReportLostDevice,
    RevokeAppPasswordsNamed,
    SetPassword,
    StartRecoveryOf,
    TakeBackReport,
    TwoStepOff,
)
from passless.domain.safety.next_steps import AtHand, Goal
from passless.domain.secret import Secret
from passless.ports.directory import Actor
from tests.directories.person import Person
from tests.directories.place import ANOTHER_PASSWORD, HELPER, Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.directories.sentences.recovering import long_ago
from tests.directories.sentences.settings import in_two_steps


class ReadingSentences:
    """What people see."""

    def test_what_if_tells_what_each_loss_and_each_two_would_do(self, place: Place) -> None:
        ada, app, _ = in_two_steps(place)
        directory = place.directory
        (lost,) = directory.what_if(ada.actor, "ada", ("phone",))
        assert (lost.lost, lost.survives) == (("device:phone",), True)
        (lost,) = directory.what_if(ada.actor, "ada", ("device:phone", "method:blue"))
        assert lost.ways_in == ()
        assert lost.recovery == ("operator",)  # with two-step the code needs one more proof
        assert "no-way-in" in {one.code for one in lost.problems}
        (lost,) = directory.what_if(ada.actor, "ada", (app.method,))
        assert lost.lost == ("method:authenticator app",)
        assert len(directory.what_if(ada.actor, "ada", ())) == 3
        with refused("no-such-method"):
            directory.what_if(ada.actor, "ada", ("tablet",))
        assert len(ada.view.methods) == 2

    def test_devices_are_listed_with_what_is_on_them(self, place: Place) -> None:
        ada, _, _ = in_two_steps(place)
        listed = place.directory.devices(ada.actor, "ada")
        assert [(one.name, [method.name for method in one.methods], one.survives) for one in listed] == [
            ("phone", ["authenticator app"], True),
            ("blue", ["blue"], True),
        ]

    def test_accounts_are_held_against_a_policy(self, place: Place) -> None:
        ada, _, _ = in_two_steps(place)
        Person(place, "bob").create(password=None)
        policy = Policy(require=Requirements(two_step=True, recovery_code=True))
        assert list(place.directory.check(ada.actor, policy, ("ada",))) == []
        found = list(place.directory.check(place.onlooker, policy, ()))
        assert {one.account for one in found} - {HELPER} == {"bob"}

    def test_next_steps_lead_to_a_goal(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        steps = place.directory.next_steps(ada.actor, "ada", Goal.TWO_STEP, AtHand())
        assert steps[0].code == "enrol-totp"

    def test_a_plan_changes_nothing_needs_no_fresh_proof_and_says_what_would_happen(self, place: Place) -> None:
        ada, app, _ = in_two_steps(place)
        place.clock.move(minutes=50)
        asker = ada.actor if place.serves else Actor()  # on an embedded store not even a session
        before = place.store.read(ada.view.id), len(place.trail)
        for request in (
            SetPassword(password=Secret(ANOTHER_PASSWORD)),
            TwoStepOff(),
            NewAppPassword(name="Mail"),
            NewRecoveryCode(),
            MakeDefault(method=app.method),
            ReportLostDevice(device="phone"),
            RevokeAppPasswordsNamed(all=True),
        ):
            plan = place.directory.plan(asker, "ada", request)
            assert plan.accepted, plan.problems
            assert plan.change["type"]
        for request in (IssuePass(lifetime=timedelta(hours=1)), StartRecoveryOf(lost=("phone",))):
            assert not place.directory.plan(asker, "ada", request).accepted
            assert place.directory.plan(place.operator(), "ada", request).accepted
        assert (place.store.read(ada.view.id), len(place.trail)) == before

    def test_a_plan_says_what_is_refused_and_what_would_wait(self, place: Place) -> None:
        ada, app, _ = long_ago(place)
        ada.with_code(app)
        plan = place.directory.plan(ada.actor, "ada", RemoveMethodNamed(method=app.method))
        assert not plan.accepted
        assert "no-way-in" in {one.code for one in plan.problems}
        with refused("already-so"):
            place.directory.plan(ada.actor, "ada", PasswordlessOn())
        with refused("nothing-there"):
            place.directory.plan(ada.actor, "ada", ConfirmCode(code=None))

    def test_a_plan_checks_no_proof_so_nothing_can_be_guessed_with_it(self, place: Place) -> None:
        ada, app, _ = long_ago(place)
        ada.with_code(app)
        ada.add_key(SecurityKey())  # which keeps her signed in
        asker = ada.actor if place.serves else Actor()
        ada.do(ReportLostDevice(device="phone"))
        answers = [Answer(kind=Kind.TOTP, text=text) for text in (app.wrong, app.fresh)]
        plans = [place.directory.plan(asker, "ada", TakeBackReport(device="phone", proofs=(one,))) for one in answers]
        assert plans[0] == plans[1]
        assert "weak-proof" in {one.code for one in plans[0].problems}

    def test_effects_are_said_in_words(self, place: Place) -> None:
        ada, _, _ = in_two_steps(place)
        ada.new_app_password()
        effects = {one.code for one in place.directory.plan(ada.actor, "ada", TwoStepOff()).effects}
        assert effects == {"two-step-off", "app-password-ended"}
        effects = {one.code for one in place.directory.plan(ada.actor, "ada", ReportLostDevice(device="blue")).effects}
        assert {"method-removed", "app-password-ended"} <= effects

    def test_notices_are_shown_until_the_person_has_seen_them(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app = ada.add_app()
        (notice,) = ada.view.notices
        assert notice.code == "add-method"
        assert "authenticator app" in notice.message
        assert "if this was not you" in notice.message
        for nobody in (place.onlooker, place.operator()):
            place.directory.seen(nobody, "ada", [notice.id])
        assert len(ada.view.notices) == 1
        there = ada.elsewhere()
        assert [one.id for one in there.with_code(app).notices] == [notice.id]  # type: ignore[union-attr]
        place.directory.seen(ada.actor, "ada", [notice.id, "nothing"])
        assert ada.view.notices == ()

    def test_notices_of_somebody_else_stay(self, place: Place) -> None:
        ada, eve = Person(place).create(password=None), Person(place, "eve").create(password=None)
        ada.add_app()
        place.directory.seen(eve.actor, "eve", [one.id for one in ada.view.notices])
        assert len(ada.view.notices) == 1

    def test_who_came_in_through_a_recovery_hides_no_notice(self, place: Place) -> None:
        ada, app, code = long_ago(place)
        eve = ada.elsewhere()
        eve.recover(code)
        told = [one.id for one in eve.view.notices]
        place.directory.seen(eve.actor, "ada", told)
        ada.with_code(app)
        assert [one.id for one in ada.view.notices] == told

    def test_every_change_and_sign_in_is_in_the_trail_with_who_what_when_and_where(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app = ada.add_app(name="Aegis")
        place.clock.move(minutes=5)
        with refused("wrong-code"):
            ada.elsewhere("far\naway").prove(Answer(kind=Kind.TOTP, text=app.wrong))
        with refused("no-way-in"):
            ada.do(RemoveMethodNamed(method="Aegis"))
        trail = list(place.directory.events(ada.actor, "ada"))
        assert [(one.event, one.outcome, one.actor, one.place) for one in trail] == [
            ("create-account", "done", "ada", "laptop"),
            ("add-method", "done", "ada", "laptop"),
            ("sign-in", "failed", "ada", "far\ufffdaway"),
            ("remove-method", "refused", "ada", "laptop"),
        ]
        assert trail[1].details["name"] == "Aegis"
        assert trail[2].details == {"kind": "totp", "reason": "no step matches"}
        assert "no-way-in" in trail[3].details["problems"]
        assert [one.seq for one in trail] == [1, 2, 3, 4]
        assert trail[3].at == place.clock.now
        since = place.directory.events(place.onlooker, None, since=place.clock.now)
        assert [one.event for one in since if one.account == "ada"] == ["sign-in", "remove-method"]
        key = SecurityKey()
        ada.add_key(key)
        assert list(place.directory.events(ada.actor, "ada"))[-1].details["kind"] == "security-key"
