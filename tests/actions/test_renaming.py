"""Another name for an account: who may give one, how often, and what becomes of the old one (decision 0016)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from passless.actions import kept_names
from passless.actions.parts import SignUp
from passless.actions.throttle import Throttled
from passless.domain.names import BadName
from passless.domain.requests import Delete, GrantOperator, NewInvitation, RenameAccountTo
from passless.domain.views import Applied
from passless.ports import NameTaken, VersionMoved, Write
from tests.actions.test_signing_in_for_programs import given
from tests.directories.helper import Helper
from tests.directories.person import Person
from tests.directories.place import Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.directories.sentences.recovering import long_ago


class TestProofs:
    kept_in = "server"

    def test_a_name_takes_a_fresh_proof_as_strong_as_two_step_and_the_name_to_show_none(self, place: Place) -> None:
        """Must hold 6."""
        ada, key = Person(place).create(), SecurityKey()
        ada.add_key(key)
        place.clock.move(minutes=10)
        with refused("weak-proof"):
            ada.ask(RenameAccountTo(name="lady"))
        ada.with_password()
        with refused("weak-proof"):
            ada.ask(RenameAccountTo(name="lady"))
        ada.do(RenameAccountTo(display_name="Ada"))
        ada.with_key(key)
        ada.do(RenameAccountTo(name="lady"))

    def test_a_plan_says_that_a_proof_is_missing_and_not_whether_the_name_is_taken(self, place: Place) -> None:
        """Must hold 3: neither with a fresh proof nor without."""
        Person(place, "bob").create()
        ada = Person(place, at="198.51.100.9").create()
        for _ in range(2):
            plans = [place.directory.plan(ada.actor, "ada", RenameAccountTo(name=name)) for name in ("bob", "somebody", "bob")]
            assert len({(one.accepted, one.problems, one.effects, one.after) for one in plans}) == 1
            assert plans[0].accepted
            place.clock.move(minutes=10)
        assert [one.code for one in plans[0].problems] == ["weak-proof"]
        with refused("weak-proof"):
            ada.ask(RenameAccountTo(name="bob"))  # nor does the refusal

    def test_a_session_of_a_device_code_or_of_a_recovery_gives_no_name(self, place: Place) -> None:
        """Must hold 6: whoever has a phished code or a stolen paper does not take the name."""
        ada, app, code = long_ago(place)
        ada.with_code(app)
        phished, _ = given(ada, "device")
        with refused("session-may-not"):
            phished.ask(RenameAccountTo(name="gone"))
        thief = ada.elsewhere("thief")
        thief.recover(code)
        with refused("in-recovery"):
            thief.ask(RenameAccountTo(name="gone"))
        assert ada.view.account == "ada"


class TestOnAnEmbeddedStore:
    kept_in = "disk"

    def test_it_asks_for_the_proof_and_nothing_else(self, place: Place) -> None:
        """Who owns the file is who may have any name in it."""
        ada = Person(place).create()
        for number in range(5):
            ada.do(RenameAccountTo(name=f"ada {number}"))
            ada.name = f"ada {number}"
        Person(place).create()
        place.clock.move(minutes=10)
        with refused("weak-proof"):
            ada.ask(RenameAccountTo(name="lady"))
        with refused("operator-may-not"):
            place.directory.apply(place.operator(), ada.name, RenameAccountTo(name="lady"))


class TestWhoMay:
    kept_in = "server"

    @pytest.mark.parametrize("sign_up", [SignUp.OPERATOR, SignUp.INVITATION])
    def test_where_operators_decide_who_is_who_nobody_renames_themselves(self, place: Place, sign_up: SignUp) -> None:
        ada, helper = Person(place).create(), place.operator()
        place.change(sign_up=sign_up)
        with refused("operator-only"):
            ada.ask(RenameAccountTo(name="lady"))
        plan = place.directory.plan(ada.actor, "ada", RenameAccountTo(name="lady"))
        assert (plan.accepted, [one.code for one in plan.problems]) == (False, ["operator-only"])
        last = place.trail[-1]
        assert (last.event, last.outcome, last.details["problems"]) == ("rename-account", "refused", "operator-only")
        ada.do(RenameAccountTo(display_name="Ada Lovelace"))
        assert isinstance(place.directory.apply(helper, "ada", RenameAccountTo(name="lady")), Applied)
        ada.name = "lady"
        assert (ada.view.account, ada.view.display_name) == ("lady", "Ada Lovelace")
        assert [one.message.partition(";")[0] for one in ada.view.notices][-1] == 'the account was renamed: "lady"'

    def test_an_operator_leaves_the_name_to_show(self, place: Place) -> None:
        """Must hold 9."""
        Person(place).create()
        helper = place.operator()
        place.change(sign_up=SignUp.OPERATOR)
        for request in (RenameAccountTo(display_name="A"), RenameAccountTo(name="lady", display_name="A")):
            with refused("operator-may-not"):
                place.directory.apply(helper, "ada", request)

    def test_where_everybody_may_sign_up_an_operator_names_nobody(self, place: Place) -> None:
        Person(place).create()
        with refused("operator-may-not"):
            place.directory.apply(place.operator(), "ada", RenameAccountTo(name="lady"))

    def test_an_operator_names_nobody_that_they_are_not_over(self, place: Place) -> None:
        """Must hold 9: nor themselves."""
        Person(place).create()
        sales = Helper(place, "sally")
        place.directory.apply(place.operator(), "sally", GrantOperator(over=("sales",)))
        place.change(sign_up=SignUp.OPERATOR)
        for name in ("ada", "nobody", "sally"):
            with refused("not-below"):
                sales.ask_for(name, RenameAccountTo(name="lady"))


class TestHowOften:
    kept_in = "server"

    def test_three_names_a_day_and_no_more(self, place: Place) -> None:
        ada = Person(place).create()
        for name in ("one", "two", "ada"):
            ada.with_password()
            ada.do(RenameAccountTo(name=name))
            ada.name = name
            place.clock.move(minutes=50)
        ada.with_password()
        with pytest.raises(Throttled) as caught:
            ada.ask(RenameAccountTo(name="four"))
        assert 20 * 3600 < caught.value.seconds < 22 * 3600
        ada.do(RenameAccountTo(display_name="Ada"))
        place.clock.move(hours=22)
        ada.with_password()
        ada.do(RenameAccountTo(name="four"))

    def test_names_are_tried_as_seldom_as_by_who_signs_up(self, place: Place) -> None:
        """Must hold 3: whoever has an account learns from one place no more names in an hour than who makes accounts there."""
        for number in range(9):
            Person(place, f"there {number}").create()
        mallory = Person(place, "mallory", at="198.51.100.9").create()
        for number in range(9):
            with pytest.raises(NameTaken):
                mallory.ask(RenameAccountTo(name=f"there {number}"))
        for name in ("there 1", "free"):
            with refused("throttled"):
                mallory.ask(RenameAccountTo(name=name))
        with refused("throttled"):
            Person(place, "another", at="198.51.100.9").create()
        place.clock.move(hours=1)
        mallory.with_password()
        mallory.do(RenameAccountTo(name="free"))

    def test_one_account_keeps_five_earlier_names_from_others_and_no_more(self, place: Place) -> None:
        ada = Person(place).create()
        for number in range(kept_names.MOST):
            ada.with_password()
            ada.do(RenameAccountTo(name=f"ada {number}"))
            ada.name = f"ada {number}"
            place.clock.move(hours=9)
        ada.with_password()
        with refused("throttled"):
            ada.ask(RenameAccountTo(name="another"))
        place.clock.move(days=29)
        ada.with_password()
        ada.do(RenameAccountTo(name="another"))


class TestTheOldName:
    kept_in = "server"

    def test_nobody_else_gets_it_for_thirty_days(self, place: Place) -> None:
        ada, bob = Person(place).create(), Person(place, "bob").create()
        ada.do(RenameAccountTo(name="lady"))
        ada.name = "lady"
        squatter = Person(place, "ADA", at="elsewhere")
        taken = _why_not(lambda: Person(place, "lady", at="elsewhere").create())
        kept = _why_not(squatter.create)
        assert kept == taken.replace("lady", "ADA")  # it is not said that it is only kept
        with pytest.raises(NameTaken):
            bob.ask(RenameAccountTo(name="Ada"))
        with pytest.raises(NameTaken):
            place.directory.invite(place.operator(), NewInvitation(name="ada"))
        place.clock.move(days=30)
        squatter.create()

    def test_its_account_takes_it_back(self, place: Place) -> None:
        ada = Person(place).create()
        ada.do(RenameAccountTo(name="lady"))
        ada.name = "lady"
        ada.do(RenameAccountTo(name="ada"))
        ada.name = "ada"
        with pytest.raises(NameTaken):
            Person(place, "lady", at="elsewhere").create()
        with pytest.raises(NameTaken):
            Person(place, at="elsewhere").create()

    def test_nobody_chooses_the_names_of_a_deleted_account(self, place: Place) -> None:
        """Its mailbox, its folder and its user on a host may still be there."""
        ada, bob = Person(place).create(), Person(place, "bob").create()
        ada.do(RenameAccountTo(name="lady"))
        ada.name = "lady"
        ada.do(Delete())
        place.clock.move(days=3650)
        bob.with_password()
        for name in ("ADA", "lady"):
            with pytest.raises(NameTaken):
                Person(place, name, at="elsewhere").create()
            with pytest.raises(NameTaken):
                bob.ask(RenameAccountTo(name=name))

    def test_an_operator_gives_the_name_of_a_deleted_account_again(self, place: Place) -> None:
        Person(place).create().do(Delete())
        invited = place.directory.invite(place.operator(), NewInvitation(name="ada"))
        ada = Person(place, "ada", at="elsewhere").create(invitation=invited.secret)
        assert ada.view.account == "ada"
        ada.do(Delete())
        with pytest.raises(NameTaken):
            Person(place, at="elsewhere").create()

    def test_an_account_that_expired_unseen_keeps_none(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.do(RenameAccountTo(name="lady"))
        place.clock.move(hours=24)
        Person(place, at="elsewhere").create()

    def test_another_way_to_write_it_leaves_nothing_behind(self, place: Place) -> None:
        ada = Person(place).create()
        ada.do(RenameAccountTo(name="Ada"))
        assert kept_names.holder(place.parts, "ada", place.clock.now) is None
        assert ada.view.account == "Ada"

    def test_who_signs_up_at_the_same_moment_does_not_get_it(self, place: Place) -> None:
        """Must hold 12: looked up before it was kept, and written after."""
        ada, commit, raced = Person(place).create(), place.store.commit, []
        version = ada.view.version

        def racing(write: Write) -> object:
            if write.opens is not None and not raced:
                raced.append(True)
                assert isinstance(ada.ask(RenameAccountTo(name="lady")), Applied)
            return commit(write)

        place.store.commit = racing  # type: ignore[method-assign]
        with pytest.raises((VersionMoved, NameTaken)):
            Person(place, at="elsewhere").create()
        ada.name = "lady"
        assert (raced, ada.view.version) == ([True], version + 1)
        with pytest.raises(NameTaken):
            Person(place, at="elsewhere").create()


class TestNamesThatMeanSomethingElse:
    kept_in = "server"

    @pytest.mark.parametrize("name", ["me", "ME", " Me ", "\uff4d\uff45", ".", ".."])
    def test_no_account_gets_one(self, place: Place, name: str) -> None:
        """In an address of the interface `me` is whoever is signed in, and dots are no name at all."""
        ada = Person(place).create()
        with refused("bad-name"):
            Person(place, name).create()
        for ask in (ada.ask, lambda request: place.directory.plan(ada.actor, "ada", request)):
            with refused("bad-name"):
                ask(RenameAccountTo(name=name))
        with refused("bad-name"):
            place.directory.invite(place.operator(), NewInvitation(name=name))

    @pytest.mark.parametrize(
        "name",
        [
            "root",
            "ROOT",
            "www-data",
            "Postmaster",
            "hostmaster",
            "\uff52oot",
            "passless",
            "passless-x",
            "a@b.example",
            "admin,x",
            "a;b",
        ],
    )
    def test_nobody_gives_themselves_one_that_programs_and_mail_use(self, place: Place, name: str) -> None:
        """A host would take them for its user of that name, and a certificate is given to who reads the mail of some."""
        ada = Person(place).create()
        for ask in (lambda: Person(place, name).create(), lambda: ada.ask(RenameAccountTo(name=name))):
            with refused("bad-name"):
                ask()
        assert place.directory.invite(place.operator(), NewInvitation(name=name)).secret.reveal()

    @pytest.mark.parametrize("name", ["root", "deploy", "_apt", "systemd-oom", "pi", "ceo", "ceo@example.org"])
    def test_an_operator_over_a_group_gives_none(self, place: Place, name: str) -> None:
        """Must hold 9: the user of a host, the mailbox and the programs of that name are more than they are over."""
        place.change(sign_up=SignUp.OPEN)
        boss = Helper(place, "boss")
        boss.become_the_first()
        Person(place, "ceo", at="elsewhere").create().do(Delete())
        Person(place, "joe").create()
        tina = boss.appoint("tina", "interns")
        boss.put("joe", "interns")
        place.change(sign_up=SignUp.INVITATION)
        with pytest.raises((BadName, NameTaken)):
            place.directory.invite(tina.helping(), NewInvitation(name=name, groups=("interns",)))
        with pytest.raises((BadName, NameTaken)):
            tina.ask_for("joe", RenameAccountTo(name=name))
        invited = place.directory.invite(boss.helping(), NewInvitation(name=name, groups=("interns",)))
        assert place.directory.invited(invited.secret).name == name

    def test_an_operator_over_a_group_says_whose_no_address_is(self, place: Place) -> None:
        """Must hold 9: programs are told that it is the person's, and mail to it goes there."""
        boss = Helper(place, "boss")
        boss.become_the_first()
        tina = boss.appoint("tina", "interns")
        with refused("beyond-rights"):
            place.directory.invite(tina.helping(), NewInvitation(name="temp7", groups=("interns",), email="ceo@example.org"))

    def test_an_invitation_gives_no_more_than_who_made_it_could_give_now(self, place: Place) -> None:
        """Must hold 9."""
        boss = Helper(place, "boss")
        boss.become_the_first()
        tina = Helper(place, "tina")
        boss.ask_for("tina", GrantOperator())
        named = place.directory.invite(tina.helping(), NewInvitation(name="deploy", groups=("interns",)))
        addressed = place.directory.invite(
            tina.helping(), NewInvitation(name="eve", groups=("interns",), email="ceo@example.org")
        )
        stored = place.store.read_named("tina")  # type: ignore[arg-type]
        assert stored.account.operator is not None
        fewer = replace(stored.account, operator=replace(stored.account.operator, over=("interns",)))
        place.store.commit(Write(at=place.clock.now, account=fewer, expected=stored.version))
        with refused("bad-name"):
            Person(place, "deploy", at="elsewhere").create(invitation=named.secret)
        Person(place, "eve", at="elsewhere").create(invitation=addressed.secret)
        assert place.store.owner_of_address("ceo@example.org") is None

    def test_an_account_that_has_one_from_before_goes_on_and_gets_another(self, place: Place) -> None:
        ada = Person(place).create()
        stored = place.store.read_named("ada")  # type: ignore[arg-type]
        place.store.commit(
            Write(at=place.clock.now, account=replace(stored.account, name="me"), expected=stored.version)  # type: ignore[arg-type]
        )
        ada.name = stored.account.id
        assert ada.with_password().account == "me"  # type: ignore[union-attr]
        ada.do(RenameAccountTo(display_name="Ada"))
        ada.do(RenameAccountTo(name="ada"))
        assert ada.view.account == "ada"


def _why_not(attempt: Callable[[], object]) -> str:
    with pytest.raises(NameTaken) as caught:
        attempt()
    return f"{caught.value.code}: {caught.value.message}; {caught.value.hint}"
