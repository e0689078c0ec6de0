"""Operators of a server: who they are over, what they may do there, and who agrees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from passless.domain.errors import PasslessError
from passless.domain.policy import Policy, Requirements
from passless.domain.requests import (
    ApproveRecovery,
    CancelWaiting,
    EndSessions,
    GrantOperator,
    IssuePass,
    NewRecoveryCode,
    RemoveMethodNamed,
    RenameAccountTo,
    ReportLostDevice,
    RevokeAppPasswordsNamed,
    RevokeOperator,
    RevokePass,
    SetGroups,
    TwoStepOn,
)
from passless.domain.secret import Secret
from passless.domain.views import Applied, MadePass, Waits
from passless.ports.directory import Actor, Operator
from tests.directories.helper import Helper
from tests.directories.person import Person
from tests.directories.place import HELPER, Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.directories.sentences.tokens import a_token

AN_HOUR = timedelta(hours=1)
STRICT = Policy(require=Requirements(two_step=True))


def the_first(place: Place) -> Helper:
    """Return the operator over all."""
    assert place.operator().token is not None
    assert place._helper is not None
    return place._helper


def claiming(person: Person, reason: str = "they called", ticket: str = "") -> Actor:
    """Return somebody who says that they are an operator."""
    return Actor(token=person.token, operator=Operator(reason=reason, ticket=ticket), place=person.at)


def said_to(error: PasslessError) -> tuple[str, str, str, str]:
    """Return everything that an error tells."""
    return type(error).__name__, error.code, error.message, error.hint


class RightsSentences:
    """What operators may do, and everybody else may not."""

    def test_nobody_looks_at_an_account_without_being_signed_in_to_it(self, place: Place) -> None:
        """Must hold 3: the same for a name that exists and one that does not."""
        ada, eve = Person(place).create(password=None), Person(place, "eve").create(password=None)
        machine = a_token(eve, "status", "list", "audit", "what-if", "check")
        for actor in (Actor(place="far away"), eve.actor, machine.actor, claiming(eve), claiming(ada.elsewhere())):
            answers = []
            for name in ("ada", "abc"):
                for look in self._looks(place, actor, name):
                    with pytest.raises(PasslessError) as caught:
                        list(look())  # type: ignore[operator]
                    answers.append((name, [part.replace(name, "NAME") for part in said_to(caught.value)]))
            known, unknown = ([said for name, said in answers if name == one] for one in ("ada", "abc"))
            assert known == unknown
            assert {said[1] for said in known} <= {"sign-in-needed", "not-an-operator", "token-may-not"}

    @staticmethod
    def _looks(place: Place, actor: Actor, name: str) -> Iterator[object]:
        directory = place.directory
        yield lambda: [directory.read(actor, name)]
        yield lambda: directory.app_passwords(actor, name)
        yield lambda: directory.sessions(actor, name)
        yield lambda: directory.devices(actor, name)
        yield lambda: directory.what_if(actor, name, ())
        yield lambda: directory.check(actor, STRICT, (name,))
        yield lambda: directory.events(actor, name)
        yield lambda: [directory.plan(actor, name, IssuePass(lifetime=AN_HOUR))]
        yield lambda: [directory.apply(actor, name, ReportLostDevice(device="phone"))]
        yield lambda: [directory.apply(actor, name, EndSessions(all=True))]
        yield lambda: [directory.is_recovery_code(actor, name, Secret("00000-00000-00000-00000-00000"))]
        yield lambda: [directory.seen(actor, name, ["x"])]

    def test_people_see_themselves_only(self, place: Place) -> None:
        ada, eve = Person(place).create(password=None), Person(place, "eve").create(password=None)
        assert [one.account for one in place.directory.find("", ada.actor)] == ["ada"]
        assert list(place.directory.find("eve", ada.actor)) == []
        assert list(place.directory.find("", ada.actor, after="ada")) == []
        assert {one.account for one in place.directory.events(ada.actor, None)} == {"ada"}
        with refused("sign-in-needed"):
            list(place.directory.find("", Actor()))
        with refused("sign-in-needed"):
            list(place.directory.events(Actor(), None))
        with refused("not-an-operator"):
            list(place.directory.check(eve.actor, STRICT, ()))
        with refused("not-an-operator"):
            place.directory.operators(eve.actor)

    def test_an_operator_over_groups_helps_those_in_them_and_nobody_else(self, place: Place) -> None:
        """Must hold 9: and is not told whether others exist."""
        first = the_first(place)
        sue = first.appoint("sue", "sales")
        for name in ("ada", "eve"):
            Person(place, name).create(password=None).add_app()
        first.put("ada", "Sales", "oslo")
        assert isinstance(sue.ask_for("ada", ReportLostDevice(device="phone")), Applied)
        assert [one.account for one in place.directory.find("", sue.helping())] == ["ada", "sue"]
        said = []
        for name in ("eve", "abc", HELPER):
            with pytest.raises(PasslessError) as caught:
                sue.ask_for(name, IssuePass(lifetime=AN_HOUR))
            said.append([part.replace(name, "NAME") for part in said_to(caught.value)])
        assert said == [["NotBelow", "not-below", '"NAME" is no account that you are over', said[0][3]]] * 3
        trail = {one.account for one in place.directory.events(sue.helping(), None)}
        assert trail == {"ada", "sue"}
        assert {one.account for one in place.directory.check(sue.helping(), STRICT, ())} == {"ada", "sue"}

    def test_an_operator_over_groups_lists_those_in_them_and_themselves_in_the_order_of_names(self, place: Place) -> None:
        first = the_first(place)
        sue = first.appoint("sue", "sales", "oslo")
        for name, *groups in (("ada", "sales"), ("tim", "oslo", "Sales"), ("zoe", "oslo"), ("bob", "bergen"), ("una",)):
            Person(place, name).create(password=None)
            first.put(name, *groups)
        for also in ((), ("sales",)):
            first.put("sue", *also)
            actor = sue.helping()
            found = [[one.account for one in place.directory.find(*asked, after=after)] for *asked, after in (
                ("", actor, ""), ("", actor, "ada"), ("", actor, "sue"), ("U", actor, ""), ("o", actor, ""),
            )]  # fmt: skip
            assert found == [["ada", "sue", "tim", "zoe"], ["sue", "tim", "zoe"], ["tim", "zoe"], ["sue"], ["zoe"]]

    def test_an_operator_over_all_may_know_whether_an_account_exists(self, place: Place) -> None:
        with refused("no-such-account"):
            the_first(place).ask_for("abc", IssuePass(lifetime=AN_HOUR))

    def test_an_operator_reads_without_a_reason_and_acts_with_one(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        first = the_first(place)
        looking = Actor(token=first.fresh(), place="desk")
        assert place.directory.read(looking, "ada").account == "ada"
        assert place.directory.plan(looking, "ada", IssuePass(lifetime=AN_HOUR)).accepted
        for reason in (None, "", "  "):
            actor = looking if reason is None else first.helping(reason)
            with refused("reason-needed"):
                place.directory.apply(actor, "ada", IssuePass(lifetime=AN_HOUR))
        assert ada.view.session is not None

    def test_what_an_operator_did_stands_under_their_name_with_reason_and_ticket(self, place: Place) -> None:
        """Must hold 8 and 9."""
        ada = Person(place).create(password=None)
        ada.add_app()
        place.change(ticket_pattern="HD-[0-9]+")
        first = the_first(place)
        with refused("reason-needed"):
            place.directory.apply(first.helping("lost her phone"), "ada", ReportLostDevice(device="phone"))
        place.directory.apply(first.helping("lost her phone", "HD-7"), "ada", ReportLostDevice(device="phone"))
        last = place.trail[-1]
        assert (last.event, last.actor, last.account, last.place) == ("lose-device", HELPER, "ada", "desk")
        assert last.details["reason"] == "lost her phone [HD-7]"
        assert last.details["operator"] == place.store.read_named(HELPER).account.id  # type: ignore[arg-type]

    def test_who_wants_to_act_as_an_operator_and_may_not_is_in_the_trail(self, place: Place) -> None:
        """Must hold 8: on their own account, without the name that was typed."""
        first = the_first(place)
        sue = first.appoint("sue", "sales")
        eve = Person(place, "eve").create(password=None)
        for actor in (claiming(eve, "let me"), sue.helping("let me")):
            with refused("not-an-operator", "not-below"):
                place.directory.apply(actor, "ada", IssuePass(lifetime=AN_HOUR))
        told = [one for one in place.trail if one.event == "act-as-operator"]
        assert {(one.actor, one.account, one.outcome, one.details["problems"]) for one in told} == {
            ("eve", "eve", "refused", "not-an-operator"),
            ("sue", "sue", "refused", "not-below"),
        }
        assert {(one.details["asked"], one.details["reason"]) for one in told} == {("issue-temporary-pass", "let me")}

    def test_nobody_helps_themselves_nor_an_operator_like_themselves(self, place: Place) -> None:
        """Must hold 9."""
        first = the_first(place)
        second = first.appoint("second")
        sue, sam, ole = first.appoint("sue", "sales"), first.appoint("sam", "sales"), first.appoint("ole", "sales", "oslo")
        for name in ("sue", "sam", "ole"):
            first.put(name, "sales", "oslo")
        for who, name in (
            (first, HELPER),
            (first, "second"),
            (second, HELPER),
            (sue, "sue"),
            (sue, "sam"),
            (sue, "ole"),
            (sue, HELPER),
            (sam, "ole"),
        ):
            for request in (IssuePass(lifetime=AN_HOUR), EndSessions(all=True), GrantOperator(), SetGroups(groups=())):
                with refused("not-below"):
                    who.ask_for(name, request)
        assert isinstance(ole.ask_for("sue", IssuePass(lifetime=AN_HOUR)), Applied)
        assert isinstance(second.ask_for("ole", IssuePass(lifetime=AN_HOUR)), Applied)

    def test_an_operators_own_proof_is_fresh_and_as_strong_as_their_account(self, place: Place) -> None:
        """Must hold 6 and 9: what a change to two-step on their own account would ask."""
        ada = Person(place).create(password=None)
        ada.add_app()
        first = the_first(place)
        stale = first.helping()
        place.clock.move(minutes=11)
        with refused("weak-proof"):
            place.directory.apply(stale, "ada", IssuePass(lifetime=AN_HOUR))
        assert place.directory.read(stale, "ada").account == "ada"
        app = first.add_app() if first.fresh() else None
        assert app is not None
        first.token = None
        first.with_code(app)  # one factor, where the key with its PIN is two
        with refused("weak-proof"):
            place.directory.apply(claiming(first), "ada", IssuePass(lifetime=AN_HOUR))
        first.with_key(first.key)
        assert isinstance(place.directory.apply(claiming(first), "ada", IssuePass(lifetime=AN_HOUR)), Applied)

    def test_a_session_of_a_recovery_or_of_a_machine_is_no_operators(self, place: Place) -> None:
        """Must hold 9: a pass that one operator issues to a lesser one gives nobody that one's rights."""
        ada = Person(place).create(password=None)
        ada.add_app()
        first = the_first(place)
        sue = first.appoint("sue", "sales")
        first.put("ada", "sales")
        machine = a_token(sue, "status", "list")
        issued = first.ask_for("sue", IssuePass(lifetime=AN_HOUR))
        assert isinstance(issued, Applied)
        assert isinstance(issued.made, MadePass)
        thief = sue.elsewhere("far away")
        thief.with_pass(place.keep_secret(issued.made.secret))
        for who in (thief, machine):
            with refused("not-an-operator", "token-may-not", "sign-in-needed"):
                place.directory.apply(claiming(who), "ada", EndSessions(all=True))
        thief.add_key(SecurityKey(serial=66))
        with refused("not-an-operator"):
            place.directory.apply(claiming(thief), "ada", EndSessions(all=True))

    def test_for_a_day_after_a_recovery_an_operator_neither_acts_for_others_nor_reads_about_them(self, place: Place) -> None:
        """Must hold 9: who has an operator's recovery code alone learns nothing of anybody else."""
        ada = Person(place).create(password=None)
        ada.add_app()
        first = the_first(place)
        code, key = first.new_code(), SecurityKey(serial=67)
        thief = first.elsewhere("far away")
        thief.recover(code)
        thief.add_key(key)
        thief.token = None
        thief.with_key(key)
        directory = place.directory
        assert [one.account for one in directory.find("", thief.actor)] == [HELPER]
        assert {one.account for one in directory.events(thief.actor, None)} == {HELPER}
        for look in (
            lambda: directory.read(thief.actor, "ada"),
            lambda: directory.sessions(thief.actor, "ada"),
            lambda: list(directory.events(thief.actor, "ada")),
            lambda: list(directory.check(thief.actor, STRICT, ())),
            lambda: directory.operators(thief.actor),
            lambda: directory.invitations(thief.actor),
            lambda: directory.relying_parties(thief.actor),
            lambda: directory.apply(claiming(thief), "ada", IssuePass(lifetime=AN_HOUR)),
        ):
            with refused("not-an-operator", "sign-in-needed"):
                look()
        assert directory.read(Actor(token=first.fresh()), "ada").account == "ada"  # with a key from before it

    def test_an_operator_over_groups_takes_no_rights_from_an_equal(self, place: Place) -> None:
        """Must hold 9: else they could help that account next, and sign in as it."""
        first = the_first(place)
        sue, sam = first.appoint("sue", "sales"), first.appoint("sam", "sales")
        for name in ("sue", "sam"):
            first.put(name, "sales")
        with refused("not-below"):
            sue.ask_for("sam", RevokeOperator())
        assert [one.account for one in place.directory.operators(sam.helping())] == ["sam", "sue"]
        assert isinstance(first.ask_for("sam", RevokeOperator()), Applied)

    def test_rights_are_given_and_taken_by_who_has_them(self, place: Place) -> None:
        first = the_first(place)
        sue = first.appoint("sue", "sales", "oslo")
        Person(place).create(password=None)
        first.put("ada", "sales")
        for request in (GrantOperator(), GrantOperator(over=("bergen",)), SetGroups(groups=("sales", "bergen"))):
            with refused("beyond-rights"):
                sue.ask_for("ada", request)
        sue.ask_for("ada", SetGroups(groups=("Sales", "OSLO", "oslo")))
        view = place.directory.read(place.onlooker, "ada")
        assert view.groups == ("Sales", "OSLO")
        sue.ask_for("ada", GrantOperator(over=("sales",)))
        assert [(one.account, one.over) for one in place.directory.operators(place.onlooker)] == [
            ("ada", ("sales",)),
            (HELPER, ()),
            ("sue", ("sales", "oslo")),
        ]
        assert [one.account for one in place.directory.operators(sue.helping())] == ["ada", "sue"]
        assert place.directory.read(place.onlooker, "ada").operator_over == ("sales",)
        sue.ask_for("ada", RevokeOperator())
        assert place.directory.read(place.onlooker, "ada").operator_over is None
        with refused("nothing-there"):
            sue.ask_for("ada", RevokeOperator())

    def test_groups_are_names_without_commas_and_not_too_many(self, place: Place) -> None:
        first = the_first(place)
        Person(place).create(password=None)
        for groups in (("a,b",), ("",), ("a\nb",), tuple(str(one) for one in range(65))):
            with refused("bad-name"):
                first.put("ada", *groups)

    def test_who_is_no_operator_any_more_is_signed_out_and_acts_no_more(self, place: Place) -> None:
        """Must hold 7."""
        first = the_first(place)
        sue = first.appoint("sue", "sales", "oslo")
        Person(place).create(password=None)
        first.put("ada", "sales")
        acting = sue.helping()
        first.ask_for("sue", GrantOperator(over=("sales",)))
        with refused("not-an-operator", "sign-in-needed"):
            place.directory.apply(acting, "ada", IssuePass(lifetime=AN_HOUR))
        acting = sue.helping()
        first.ask_for("sue", RevokeOperator())
        with refused("not-an-operator", "sign-in-needed"):
            place.directory.apply(acting, "ada", IssuePass(lifetime=AN_HOUR))
        with refused("not-an-operator"):
            sue.ask_for("ada", IssuePass(lifetime=AN_HOUR))

    def test_rights_over_all_are_taken_by_another_who_has_them_and_by_nobody_alone(self, place: Place) -> None:
        first = the_first(place)
        second = first.appoint("second")
        for who in (first, second):
            with refused("not-below"):
                who.ask_for(who.name, RevokeOperator())
        assert isinstance(second.ask_for(HELPER, RevokeOperator()), Applied)
        assert [one.account for one in place.directory.operators(second.helping())] == ["second"]

    def test_the_first_operator_is_never_made_from_elsewhere(self, place: Place) -> None:
        """Must hold 9: not before there is one, and not after."""
        ada = Person(place).create(password=None)
        for actor in (ada.actor, Actor(), claiming(ada)):
            with refused("on-the-host"):
                place.directory.apply(actor, "ada", GrantOperator(first=True))
        the_first(place)
        with refused("on-the-host"):
            place.directory.apply(place.operator(), "ada", GrantOperator(first=True))
        assert place.directory.read(ada.actor, "ada").operator_over is None

    def test_people_give_themselves_no_rights(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        for request in (GrantOperator(), RevokeOperator(), SetGroups(groups=("a",)), ApproveRecovery(id="x")):
            with refused("operator-only", "nothing-there"):
                ada.ask(request)

    def test_an_operator_revokes_and_stops_what_waits(self, place: Place) -> None:
        ada = Person(place).create()
        app = ada.add_app()
        ada.add_key(SecurityKey())
        ada.new_code()
        ada.do(TwoStepOn())
        ada.new_app_password()
        first = the_first(place)
        first.ask_for("ada", RevokeAppPasswordsNamed(all=True))
        assert ada.view.app_passwords == 0
        first.ask_for("ada", IssuePass(lifetime=AN_HOUR))
        first.ask_for("ada", RevokePass())
        with refused("nothing-there"):
            first.ask_for("ada", CancelWaiting())
        place.clock.move(days=400)
        secret = first.ask_for("ada", IssuePass(lifetime=AN_HOUR))
        assert isinstance(secret, Applied)
        assert isinstance(secret.made, MadePass)
        thief = ada.elsewhere()
        thief.with_pass(place.keep_secret(secret.made.secret))
        assert isinstance(thief.ask(RemoveMethodNamed(method=app.method)), Waits)
        first.ask_for("ada", CancelWaiting())
        assert place.directory.read(place.onlooker, "ada").pending == ()

    def test_an_account_that_moved_since_it_was_looked_at_is_left_as_it_is(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        version = ada.view.version
        ada.add_app()
        moved = ada.view.version
        for request in (RenameAccountTo(display_name="A"), NewRecoveryCode(), EndSessions(all=True), SetGroups(groups=("a",))):
            actor = place.operator() if isinstance(request, SetGroups) else ada.actor
            with refused("busy"):
                place.directory.apply(actor, "ada", request, version=version)  # type: ignore[arg-type]
        assert ada.view.version == moved
        place.directory.apply(ada.actor, "ada", RenameAccountTo(display_name="A"), version=moved)
        assert ada.view.display_name == "A"
