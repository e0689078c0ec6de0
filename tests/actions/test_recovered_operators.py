"""An operator whom another one recovers: two agree, all are told, for a month the two are one (must hold 9, rule 12)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from passless.domain.methods import Kind
from passless.domain.refused import Refused
from passless.domain.requests import (
    Answer,
    ApproveRecovery,
    EndRecovery,
    GrantOperator,
    IssuePass,
    ReportLostDevice,
    Request,
    RevokeOperator,
    StartRecoveryOf,
    StopRecovery,
)
from passless.domain.secret import Secret
from passless.domain.views import Applied, MadePass
from passless.ports.directory import Actor
from tests.directories.helper import Helper
from tests.directories.person import Person
from tests.directories.place import HELPER, Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.directories.sentences.rights import claiming, the_first

AN_HOUR = timedelta(hours=1)
HELP = pytest.mark.parametrize("help_", [StartRecoveryOf(), IssuePass(lifetime=AN_HOUR)], ids=["recovery", "pass"])


class TestARecoveredOperator:
    kept_in = "server"

    @HELP
    def test_two_agree_to_recover_an_operator_whatever_devices_they_have(self, place: Place, help_: Request) -> None:
        """Rule 12: else one operator is two by recovering another."""
        first, second, _ = a_team(place)
        asks_two(place)
        with refused("second-operator"):
            first.ask_for("bea", help_)
        second.agree("bea")
        assert isinstance(first.ask_for("bea", help_), Applied)

    @HELP
    def test_for_a_month_an_operator_and_whom_they_recovered_are_not_two(self, place: Place, help_: Request) -> None:
        """Rule 12: who signs in to the account may be who recovered it, whatever the account was then."""
        first, second, _ = a_team(place)
        cat, key = Person(place, "cat").create(password=None), SecurityKey(serial=77)
        cat.add_key(key)
        cat.new_code()
        place.clock.move(hours=1)
        first.put("cat", "sales")
        cat, new = taken_over(place, first, "cat", help_)
        second.ask_for("cat", GrantOperator(over=("sales",)))
        asks_two(place)
        place.clock.move(days=2)
        cat.token = None
        cat.with_key(key)
        with refused("second-operator"):
            first.ask_for("ada", IssuePass(lifetime=AN_HOUR))
        with pytest.raises(Refused, match="lately recovered"):
            agree_to_what_is_asked(place, cat, "ada")
        place.clock.move(days=29)
        cat.token = None
        cat.with_key(new)
        with refused("second-operator"):
            first.ask_for("ada", IssuePass(lifetime=AN_HOUR))
        agree_to_what_is_asked(place, cat, "ada")
        assert isinstance(first.ask_for("ada", IssuePass(lifetime=AN_HOUR)), Applied)

    @HELP
    def test_for_a_month_what_is_new_on_a_recovered_operator_gives_no_rights(self, place: Place, help_: Request) -> None:
        """Must hold 9: also where the policy asks nobody else; what was there before gives them still."""
        first, _, bea = a_team(place)
        sock, new = taken_over(place, first, "bea", help_)
        for days in (2, 28):
            place.clock.move(days=days)
            sock.token = None
            sock.with_key(new)
            with refused("not-an-operator"):
                place.directory.apply(claiming(sock), "ada", IssuePass(lifetime=AN_HOUR))
            assert isinstance(bea.ask_for("ada", IssuePass(lifetime=AN_HOUR)), Applied)
        place.clock.move(days=2)
        sock.token = None
        sock.with_key(new)
        assert isinstance(place.directory.apply(claiming(sock), "ada", IssuePass(lifetime=AN_HOUR)), Applied)

    def test_a_recovery_that_is_never_finished_gives_no_rights_ever(self, place: Place) -> None:
        first, _, _ = a_team(place)
        sock, new = taken_over(place, first, "bea", StartRecoveryOf(), finish=False)
        place.clock.move(days=40)
        sock.token = None
        sock.with_key(new)
        with refused("not-an-operator"):
            place.directory.apply(claiming(sock), "ada", IssuePass(lifetime=AN_HOUR))

    def test_a_pass_for_a_recovery_that_somebody_else_began_counts_as_well(self, place: Place) -> None:
        """The account lost its last way in, so the recovery is under way when the pass is issued."""
        first, second, bea = a_team(place)
        for device in {one.device for one in bea.view.methods}:
            second.ask_for("bea", ReportLostDevice(device=device))
        sock, new = taken_over(place, first, "bea", IssuePass(lifetime=AN_HOUR))
        place.clock.move(days=2)
        sock.token = None
        sock.with_key(new)
        with refused("not-an-operator"):
            place.directory.apply(claiming(sock), "ada", IssuePass(lifetime=AN_HOUR))

    def test_who_stops_a_recovery_has_nothing_of_it_left(self, place: Place) -> None:
        first, _, bea = a_team(place)
        first.ask_for("bea", StartRecoveryOf())
        bea.fresh()
        bea.do(StopRecovery())
        later = SecurityKey(serial=78)
        bea.add_key(later)
        bea.key = later
        assert isinstance(bea.ask_for("ada", IssuePass(lifetime=AN_HOUR)), Applied)

    @HELP
    def test_every_operator_is_told_who_recovers_one(self, place: Place, help_: Request) -> None:
        first, second, _ = a_team(place)
        first.ask_for("bea", help_)
        message = f'the operator "bea" is being recovered by "{HELPER}"; if that is not right: passless operator remove bea'
        for who in (first, second):
            view = place.directory.read(Actor(token=who.fresh()), who.name)
            assert message in {one.message for one in view.notices if one.code == "operator-recovery"}

    def test_every_operator_is_told_when_the_pass_or_the_code_of_one_is_used(self, place: Place) -> None:
        first, second, _ = a_team(place)
        taken_over(place, first, "bea", IssuePass(lifetime=AN_HOUR))
        first.fresh()
        first.elsewhere().recover(first.new_code())
        view = place.directory.read(Actor(token=second.fresh()), second.name)
        told = [one.message for one in view.notices if one.code == "operator-recovery"]
        assert any(f'by "{HELPER}", whose temporary pass was used just now' in one for one in told)
        assert any(f'the operator "{HELPER}" is being recovered by whoever has its recovery code' in one for one in told)

    def test_the_host_makes_another_where_one_of_two_lost_everything(self, place: Place) -> None:
        """Of two operators one is left: the host makes another, who agrees a day later."""
        asks_two(place)
        first, second = the_first(place), Helper(place, "second")
        second.become_the_first()
        carl = Helper(place, "carl")
        with refused("not-the-first"):
            carl.become_the_first()
        first.ask_for("second", RevokeOperator())
        carl.become_the_first()
        place.clock.move(hours=24)
        with refused("second-operator"):
            first.ask_for("second", StartRecoveryOf())
        carl.agree("second")
        assert isinstance(first.ask_for("second", StartRecoveryOf()), Applied)

    def test_an_operator_in_recovery_or_whose_rights_rest_is_none_that_can_act(self, place: Place) -> None:
        """Counted on the host: while fewer than two can act it makes another."""
        first, ole = the_first(place), Helper(place, "ole")
        first.appoint("bea", "sales")
        with refused("not-the-first"):
            ole.become_the_first()
        taken_over(place, first, "bea", StartRecoveryOf())
        place.clock.move(days=30)
        ole.become_the_first()
        over = {one.account: one.over for one in place.directory.operators(Actor(token=first.fresh()))}
        assert (over["ole"], over["bea"]) == ((), ("sales",))


def a_team(place: Place) -> tuple[Helper, Helper, Helper]:
    """Return two operators that were made on the host and one over groups with two devices; ada is below all of them."""
    ada = Person(place, "ada").create(password=None)
    ada.add_app()
    ada.new_code()
    first, second = the_first(place), Helper(place, "second")
    second.become_the_first()
    bea = first.appoint("bea", "sales")
    bea.add_app()
    first.put("ada", "sales")
    first.put("bea", "sales")
    place.clock.move(days=40)
    return first, second, bea


def asks_two(place: Place) -> None:
    """Let the policy ask a second operator."""
    place.change(rules=replace(place.parts.rules, second_operator=True))


def agree_to_what_is_asked(place: Place, who: Person, name: str) -> None:
    """Let an operator agree to what is asked for somebody."""
    asked = place.directory.read(claiming(who), name).approval
    assert asked is not None
    assert isinstance(place.directory.apply(claiming(who), name, ApproveRecovery(id=asked.id)), Applied)


def taken_over(place: Place, by: Helper, name: str, request: Request, *, finish: bool = True) -> tuple[Person, SecurityKey]:
    """Return whoever came in with the pass that an operator got, and a key that they enrolled."""
    done = by.ask_for(name, request)
    assert isinstance(done, Applied)
    assert isinstance(done.made, MadePass)
    sock, key = Person(place, name, at="cellar"), SecurityKey(serial=66)
    sock.prove(Answer(kind=Kind.TEMPORARY_PASS, text=Secret(place.keep_secret(done.made.secret))))
    sock.add_key(key)
    if finish:
        sock.new_code()
        sock.do(EndRecovery())
    return sock, key
