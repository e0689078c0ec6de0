"""Making accounts on a server: by invitation, or by anybody where that is allowed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from passless.actions.parts import SignUp
from passless.domain.requests import NewAccount, NewInvitation, RevokeOperator
from passless.domain.secret import Secret
from passless.domain.views import MadeInvitation
from passless.ports.directory import Actor
from tests.directories.helper import Helper
from tests.directories.person import Person
from tests.directories.place import HELPER, HOST, Place
from tests.directories.sentences import refused
from tests.directories.sentences.rights import the_first
from tests.directories.sentences.tokens import a_token


def invited(place: Place, by: Helper, **more: object) -> MadeInvitation:
    """Have an operator invite somebody."""
    made = place.directory.invite(by.helping("they are new"), NewInvitation(**more))  # type: ignore[arg-type]
    place.keep_secret(made.secret)
    return made


class InvitationSentences:
    """How people come to a server."""

    def test_an_invitation_makes_one_account_in_its_groups(self, place: Place) -> None:
        """Must hold 12: it is used up with the account that it makes."""
        first = the_first(place)
        place.change(sign_up=SignUp.INVITATION)
        made = invited(place, first, groups=("sales", "oslo"))
        assert made.link.reveal() == f"https://{HOST}/invitation#{made.secret.reveal()}"
        assert len(made.secret.reveal()) >= 40
        assert made.expires_at == place.clock.now + timedelta(days=7)
        ada = Person(place).create(password=None, invitation=made.secret)
        assert ada.view.groups == ("sales", "oslo")
        assert place.directory.invitations(place.onlooker) == ()
        for name in ("eve", "ada"):
            with refused("not-invited"):
                Person(place, name).create(password=None, invitation=made.secret)
        made_account = next(one for one in place.trail if one.event == "create-account" and one.account == "ada")
        assert (made_account.actor, made_account.details["invitation"]) == ("ada", made.id)
        assert made_account.details["invited_by"] == place.store.read_named(HELPER).account.id  # type: ignore[arg-type]

    def test_an_invitation_that_is_none_says_nothing(self, place: Place) -> None:
        """Must hold 3: whether it was used, stopped, is over or never was, and whatever the name."""
        first = the_first(place)
        Person(place).create(password=None)
        place.change(sign_up=SignUp.INVITATION)
        over, stopped = invited(place, first, lifetime=timedelta(minutes=10)), invited(place, first)
        assert place.directory.revoke_invitation(place.operator(), stopped.id).ended == (stopped.id,)
        place.clock.move(minutes=10)
        for secret in (over.secret, stopped.secret, Secret("pli_guess"), Secret("\udcff")):
            for name in ("ada", "eve"):
                with refused("not-invited"):
                    Person(place, name, at=f"{name} {len(secret.reveal())}").create(password=None, invitation=secret)
        with refused("no-such-invitation"):
            place.directory.revoke_invitation(place.operator(), stopped.id)
        failed = [one for one in place.trail if one.outcome == "failed"]
        assert {(one.event, one.actor, one.account, one.details["reason"]) for one in failed} == {
            ("create-account", "nobody", "", "not-invited")
        }

    def test_an_invitation_for_a_name_is_for_that_one(self, place: Place) -> None:
        first = the_first(place)
        made = invited(place, first, name="Ada")
        with refused("name-is-fixed"):
            Person(place, "eve").create(password=None, invitation=made.secret)
        assert Person(place, "ada").create(password=None, invitation=made.secret).view.account == "ada"
        with refused("name-taken"):
            invited(place, first, name="ADA")

    def test_who_invites_to_a_name_twice_is_told(self, place: Place) -> None:
        first = the_first(place)
        one, other = invited(place, first, name="Ada"), invited(place, first, name="eve")
        assert (one.also_open, other.also_open) == ((), ())
        assert invited(place, first, name="ada").also_open == (one.id,)
        assert invited(place, first).also_open == ()

    def test_who_holds_an_invitation_sees_what_it_is_for_and_it_stays_good(self, place: Place) -> None:
        first = the_first(place)
        made, open_to_any = invited(place, first, name="Ada"), invited(place, first)
        seen = place.directory.invited(made.secret)
        assert (seen.name, seen.expires_at) == ("Ada", made.expires_at)
        assert place.directory.invited(open_to_any.secret).name == ""
        Person(place, "ada").create(password=None, invitation=made.secret)
        for secret in (made.secret, Secret(""), Secret("pli_" + "A" * 43)):
            with refused("not-invited"):
                place.directory.invited(secret)

    def test_who_may_make_accounts_is_the_servers_to_say(self, place: Place) -> None:
        first = the_first(place)
        for sign_up in (SignUp.OPERATOR, SignUp.INVITATION):
            place.change(sign_up=sign_up)
            for name in ("eve", HELPER):
                with refused("invitation-needed"):
                    Person(place, name).create(password=None)
        place.change(sign_up=SignUp.OPERATOR)
        with refused("needs-name"):
            invited(place, first)
        made = invited(place, first, name="ada")
        Person(place).create(password=None, invitation=made.secret)
        place.change(sign_up=SignUp.OPEN)
        Person(place, "eve").create(password=None)

    def test_an_operator_invites_and_makes_no_account_for_others(self, place: Place) -> None:
        """Must hold 9: a session of the new account would let them choose how its person signs in."""
        with refused("invite-instead"):
            place.directory.create(place.onlooker, NewAccount(name="ada"))
        assert place.found() == []

    def test_nobody_puts_themselves_into_groups(self, place: Place) -> None:
        made = invited(place, the_first(place), groups=("sales",))
        for invitation in (made.secret, None):
            with refused("groups-by-invitation"):
                Person(place).create(password=None, groups=("sales",), invitation=invitation)

    def test_an_operator_invites_into_groups_they_are_over(self, place: Place) -> None:
        first = the_first(place)
        sue = first.appoint("sue", "sales", "oslo")
        for groups in ((), ("bergen",), ("sales", "bergen")):
            with refused("beyond-rights"):
                invited(place, sue, groups=groups)
        hers, all_of_it = invited(place, sue, groups=("sales",)), invited(place, first)
        assert [one.id for one in place.directory.invitations(sue.helping())] == [hers.id]
        everything = {one.id: one.made_by for one in place.directory.invitations(place.onlooker)}
        assert everything == {hers.id: "sue", all_of_it.id: HELPER}
        with refused("no-such-invitation"):
            place.directory.revoke_invitation(sue.helping(), all_of_it.id)
        first.ask_for("sue", RevokeOperator())
        with refused("not-invited"):
            Person(place).create(password=None, invitation=hers.secret)

    def test_only_operators_invite_and_with_a_fresh_proof(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        machine = a_token(ada, "status")
        directory, new = place.directory, NewInvitation()
        for actor, code in ((Actor(), "sign-in-needed"), (ada.actor, "not-an-operator"), (machine.actor, "not-an-operator")):
            for ask in (
                lambda actor=actor: directory.invite(actor, new),
                lambda actor=actor: directory.invitations(actor),
                lambda actor=actor: directory.revoke_invitation(actor, "x"),
                lambda actor=actor: directory.operators(actor),
            ):
                with refused(code):
                    ask()
        for ask in (lambda: directory.invite(place.onlooker, new), lambda: directory.revoke_invitation(place.onlooker, "x")):
            with refused("reason-needed"):
                ask()
        stale = place.operator()
        place.clock.move(minutes=10)
        for ask in (lambda: directory.invite(stale, new), lambda: directory.revoke_invitation(stale, "x")):
            with refused("weak-proof"):
                ask()
        assert directory.invitations(stale) == ()

    @pytest.mark.parametrize("lifetime", [timedelta(minutes=9), timedelta(days=91), timedelta(0), -timedelta(days=1)])
    def test_an_invitation_lasts_ten_minutes_to_ninety_days(self, place: Place, lifetime: timedelta) -> None:
        with refused("bad-duration"):
            invited(place, the_first(place), lifetime=lifetime)

    def test_inviting_is_in_the_trail_without_what_stands_in_the_link(self, place: Place) -> None:
        """Must hold 1 and 8."""
        first = the_first(place)
        made = invited(place, first, groups=("sales",), name="ada")
        place.directory.revoke_invitation(place.operator(), made.id)
        told = [one for one in place.store.events() if one.event.endswith("-invitation")]
        assert [(one.event, one.actor, one.account) for one in told] == [
            ("create-invitation", HELPER, HELPER),
            ("revoke-invitation", HELPER, HELPER),
        ]
        assert told[0].details["groups"] == "sales"
        assert [one.details["reason"] for one in told] == ["they are new", "lost everything"]
        assert made.secret.reveal() not in repr(told)

    def test_one_source_makes_so_many_accounts_an_hour(self, place: Place) -> None:
        for number in range(10):
            Person(place, f"ada {number}").create(password=None)
        with refused("throttled"):
            Person(place, "eve").create(password=None)
        Person(place, "eve", at="elsewhere").create(password=None)
        place.clock.move(hours=1)
        Person(place, "bob").create(password=None)
