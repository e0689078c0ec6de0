"""What two operators of a server must agree to (rule 12), and who counts as the second."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from passless.domain.methods import Kind
from passless.domain.refused import Refused
from passless.domain.requests import (
    Answer,
    ApproveRecovery,
    GrantOperator,
    IssuePass,
    NewInvitation,
    RevokeOperator,
    StartRecoveryOf,
)
from passless.domain.secret import Secret
from passless.domain.views import Applied, MadePass
from passless.ports.directory import Actor
from tests.directories.helper import Helper
from tests.directories.person import Person
from tests.directories.place import HELPER, Place
from tests.directories.sentences import refused
from tests.directories.sentences.rights import AN_HOUR, the_first

A_DAY = timedelta(hours=24)


class AgreeingSentences:
    """Where the policy asks two, one person is not enough, however many accounts they have."""

    def test_where_two_must_agree_another_operator_approves_and_it_is_used_once(self, place: Place) -> None:
        """Must hold 9, and rule 12."""
        ada, first, second, _ = two_agree(place)
        start = StartRecoveryOf(lost=("phone",))
        with refused("nothing-there"):
            second.agree("ada")
        with refused("second-operator"):
            first.ask_for("ada", start)
        asked = place.directory.read(place.onlooker, "ada").approval
        assert asked is not None
        assert (asked.asked_by, asked.approved_by) == (HELPER, None)
        assert '"phone"' in asked.asked
        with refused("second-operator"):
            first.agree("ada")
        with refused("operator-only"):
            ada.ask(ApproveRecovery(id=asked.id))
        second.agree("ada")
        with refused("second-operator"):
            first.ask_for("ada", IssuePass(lifetime=AN_HOUR))  # something else than was approved, so the wish is a new one
        with refused("second-operator"):
            first.ask_for("ada", start)
        second.agree("ada")
        done = first.ask_for("ada", start)
        assert isinstance(done, Applied)
        assert isinstance(done.made, MadePass)
        told = [one for one in place.trail if one.event == "start-recovery" and one.outcome == "done"]
        assert (told[-1].actor, told[-1].details["approved_by"]) == (HELPER, "second")
        assert "approve-recovery" in {one.event for one in place.trail if one.actor == "second"}
        with refused("second-operator"):
            first.ask_for("ada", start if place.directory.read(place.onlooker, "ada").methods else IssuePass(lifetime=AN_HOUR))
        thief = ada.elsewhere()
        assert thief.prove(Answer(kind=Kind.TEMPORARY_PASS, text=Secret(place.keep_secret(done.made.secret))))

    def test_an_approval_ends_after_a_day_or_when_who_gave_it_may_no_more(self, place: Place) -> None:
        _, first, second, _ = two_agree(place)
        issue = IssuePass(lifetime=AN_HOUR)
        for undo in (lambda: place.clock.move(hours=24), lambda: first.ask_for("second", RevokeOperator())):
            with refused("second-operator"):
                first.ask_for("ada", issue)
            second.agree("ada")
            undo()
            with refused("second-operator"):
                first.ask_for("ada", issue)
        with refused("not-an-operator"):
            second.agree("ada")

    def test_an_approval_is_for_who_asked(self, place: Place) -> None:
        ada, first, second, third = two_agree(place)
        issue = IssuePass(lifetime=AN_HOUR)
        with refused("second-operator"):
            first.ask_for("ada", issue)
        second.agree("ada")
        with refused("second-operator"):
            third.ask_for("ada", issue)
        assert {"ask-approval", "approve-recovery"} <= {one.code for one in ada.view.notices}

    def test_an_approval_is_for_the_wish_that_was_looked_at(self, place: Place) -> None:
        """Rule 12: what stands there now may be another one."""
        ada, first, second, _ = two_agree(place)
        with refused("second-operator"):
            first.ask_for("ada", StartRecoveryOf(lost=("phone",)))
        seen = place.directory.read(second.helping(), "ada").approval
        assert seen is not None
        swapped = IssuePass(lifetime=timedelta(days=30), once=False, length=8)
        with refused("second-operator"):
            first.ask_for("ada", swapped)
        for wish in (seen.id, "", "x"):
            with refused("another-wish"):
                second.ask_for("ada", ApproveRecovery(id=wish))
        with refused("second-operator"):
            first.ask_for("ada", swapped)
        assert ada.view.approval.approved_by is None

    def test_who_is_to_agree_reads_everything_that_is_asked_for(self, place: Place) -> None:
        ada, first, second, _ = two_agree(place)
        with refused("second-operator"):
            place.directory.apply(first.helping("lost it all", "HD-7"), "ada", StartRecoveryOf(lost=("phone",)))
        asked = place.directory.read(second.helping(), "ada").approval
        assert asked is not None
        assert (asked.asked_by, asked.reason, asked.kind) == (HELPER, "lost it all [HD-7]", "start-recovery")
        assert (asked.minutes, asked.length, asked.once) == (60, 12, True)
        names = tuple(one.name for one in ada.view.methods)
        assert (asked.lost, asked.lost_methods, asked.over) == (("phone",), names, None)
        with refused("second-operator"):
            second.ask_for("ada", IssuePass(lifetime=timedelta(days=1), once=False, length=8))
        asked = place.directory.read(first.helping(), "ada").approval
        assert asked is not None
        assert (asked.kind, asked.minutes, asked.length, asked.once) == ("issue-temporary-pass", 1440, 8, False)
        with refused("second-operator"):
            second.ask_for("third", GrantOperator())
        asked = place.directory.read(first.helping(), "third").approval
        assert asked is not None
        assert (asked.kind, asked.over, asked.minutes) == ("grant-operator", (), None)

    def test_nobody_agrees_with_who_made_them_an_operator_nor_the_other_way_round(self, place: Place) -> None:
        """Rule 12: one operator who appoints another is still one person, at any distance."""
        ada, first, second, third = two_agree(place)
        far = Helper(place, "far")
        first.put("far", "sales")
        place.change(rules=replace(place.parts.rules, second_operator=False))
        third.ask_for("far", GrantOperator(over=("sales",)))
        place.change(rules=replace(place.parts.rules, second_operator=True))
        place.clock.move(hours=24)
        for asks, agrees in ((first, third), (third, first), (third, far), (far, third), (first, far), (far, first)):
            with refused("second-operator"):
                asks.ask_for("ada", IssuePass(lifetime=AN_HOUR))
            with pytest.raises(Refused, match="made them an operator"):
                agrees.agree("ada")
        with refused("second-operator"):
            far.ask_for("ada", IssuePass(lifetime=AN_HOUR))
        second.agree("ada")
        assert isinstance(far.ask_for("ada", IssuePass(lifetime=AN_HOUR)), Applied)
        assert ada.view.approval is None

    def test_nobody_agrees_with_who_invited_them_nor_the_other_way_round(self, place: Place) -> None:
        """Rule 12: the invitation may have been used by who made it."""
        _, first, second, _ = two_agree(place)
        made = place.directory.invite(first.helping(), NewInvitation(name="puppet"))
        puppet = Helper(place, "puppet", invitation=made.secret)
        with refused("second-operator"):
            second.ask_for("puppet", GrantOperator())
        first.agree("puppet")
        second.ask_for("puppet", GrantOperator())
        place.clock.move(hours=24)
        for asks, agrees in ((first, puppet), (puppet, first)):
            with refused("second-operator"):
                asks.ask_for("ada", IssuePass(lifetime=AN_HOUR))
            with pytest.raises(Refused, match="invited the other"):
                agrees.agree("ada")

    def test_nobody_agrees_in_their_first_day_as_an_operator(self, place: Place) -> None:
        """Rule 12: whoever is told of a new operator has a day to say that it is wrong."""
        _, first, second, _ = two_agree(place)
        place.change(rules=replace(place.parts.rules, second_operator=False))
        fresh = second.appoint("fresh")
        place.change(rules=replace(place.parts.rules, second_operator=True))
        place.clock.move(hours=23)
        with refused("second-operator"):
            first.ask_for("ada", IssuePass(lifetime=AN_HOUR))
        with pytest.raises(Refused, match="at least 24 hours"):
            fresh.agree("ada")
        place.clock.move(hours=1)
        with refused("second-operator"):
            first.ask_for("ada", IssuePass(lifetime=AN_HOUR))
        fresh.agree("ada")
        assert isinstance(first.ask_for("ada", IssuePass(lifetime=AN_HOUR)), Applied)

    def test_two_agree_to_a_new_operator_as_well(self, place: Place) -> None:
        """Rule 12: else who wants a second opinion makes their own second."""
        ada, first, second, third = two_agree(place)
        grant = GrantOperator(over=("sales",))
        with refused("second-operator"):
            first.ask_for("ada", grant)
        assert ada.view.operator_over is None
        with refused("second-operator"):
            first.agree("ada")
        with refused("second-operator"):
            third.agree("ada")  # made an operator by the first
        second.agree("ada")
        with refused("second-operator"):
            first.ask_for("ada", GrantOperator())  # more than was agreed to
        with refused("second-operator"):
            first.ask_for("ada", grant)
        second.agree("ada")
        first.ask_for("ada", grant)
        assert (ada.view.operator_over, ada.view.approval) == (("sales",), None)
        done = [one for one in place.trail if one.event == "grant-operator" and one.outcome == "done"][-1]
        assert (done.account, done.actor, done.details["approved_by"]) == ("ada", HELPER, "second")

    def test_nobody_agrees_to_rights_that_they_have_not_themselves(self, place: Place) -> None:
        """Must hold 9."""
        _, first, second, _ = two_agree(place)
        place.change(rules=replace(place.parts.rules, second_operator=False))
        sue = second.appoint("sue", "sales", "oslo")
        first.put("ada", "sales")
        place.change(rules=replace(place.parts.rules, second_operator=True))
        place.clock.move(hours=24)
        with refused("second-operator"):
            first.ask_for("ada", GrantOperator(over=("bergen",)))
        with refused("beyond-rights"):
            sue.agree("ada")
        with refused("second-operator"):
            first.ask_for("ada", GrantOperator(over=("sales",)))
        sue.agree("ada")
        assert isinstance(first.ask_for("ada", GrantOperator(over=("sales",))), Applied)

    def test_every_operator_is_told_of_a_new_one(self, place: Place) -> None:
        first = the_first(place)
        sue = first.appoint("sue", "sales")
        first.appoint("ole", "oslo")
        for who in (first, sue):
            view = place.directory.read(Actor(token=who.fresh()), who.name)
            assert (
                f'"ole" was made an operator over "oslo" by "{HELPER}"; if that is not right: passless operator remove ole'
            ) in {one.message for one in view.notices if one.code == "new-operator"}
        assert [(one.account, one.granted_by) for one in place.directory.operators(place.onlooker)] == [
            (HELPER, None),
            ("ole", HELPER),
            ("sue", HELPER),
        ]


def two_agree(place: Place) -> tuple[Person, Helper, Helper, Helper]:
    """Return somebody, two operators that were made on the host a day ago, and one over groups whom the first has made."""
    ada = Person(place).create(password=None)
    app = ada.add_app()
    ada.new_code()
    first, second = the_first(place), Helper(place, "second")
    second.become_the_first()
    third = first.appoint("third", "sales", "oslo")
    first.put("ada", "sales")
    place.clock.move(hours=24)
    ada.token = None
    ada.with_code(app)
    place.change(rules=replace(place.parts.rules, second_operator=True))
    return ada, first, second, third
