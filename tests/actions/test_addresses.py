"""E-mail addresses: names where somebody answerable gave them, and notes where a stranger wrote them down (must hold 3)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from passless.actions import accounts, app_password_check
from passless.actions.parts import Access, SignUp
from passless.directories.local import LocalDirectory
from passless.domain.account import AccountId
from passless.domain.requests import NewAccount, NewInvitation
from passless.domain.secret import Secret
from passless.ports import NameTaken
from passless.ports.directory import Actor
from tests.actions.a_server import NETWORKS, counted
from tests.directories.person import Person
from tests.directories.place import Place
from tests.directories.sentences import refused

VICTIM = "victim@example.com"


def with_app_password(person: Person) -> str:
    """Turn two-step on and make an app password."""
    app = person.add_app()
    person.new_code()
    person.with_password()
    person.with_code(app)
    person.turn_on_two_step()
    return person.new_app_password()


def check(place: Place, name: str, secret: str) -> app_password_check.Checked:
    """Ask as a mail server does."""
    return app_password_check.check(place.parts, name, Secret(secret), service="imap", place=NETWORKS[0], now=place.clock.now)


class TestStrangers:
    kept_in = "server"

    def test_an_address_that_anybody_claims_is_no_name(self, place: Place) -> None:
        """A mail server that asks for the victim's mailbox with the stranger's app password hears that it is wrong."""
        mallory = Person(place, "mal").create(email="Victim@Example.com")
        assert (mallory.view.addresses, mallory.view.address_names) == (("Victim@Example.com",), ())
        secret = with_app_password(mallory)
        assert check(place, "mal", secret).name == "mal"
        for name in (VICTIM, "Victim@Example.com"):
            with refused("wrong-proof"):
                check(place, name, secret)

    def test_nobody_learns_which_addresses_have_accounts(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Must hold 3: the second account with an address is made like the first, and the store is not even asked."""
        done = counted(place, monkeypatch)
        people = [Person(place, name).create(email=VICTIM) for name in ("mal", "victim", "eve")]
        assert {one.view.addresses for one in people} == {(VICTIM,)}
        assert done["store.owner_of_address"] == 0

    def test_who_is_invited_claims_no_address_either(self, place: Place) -> None:
        made = place.directory.invite(place.operator(), NewInvitation())
        place.change(sign_up=SignUp.INVITATION)
        mallory = Person(place, "mal").create(email=VICTIM, invitation=made.secret)
        assert (mallory.view.addresses, mallory.view.address_names) == ((VICTIM,), ())

    def test_a_wrong_one_for_an_address_is_not_written_on_the_account_that_claims_it(self, place: Place) -> None:
        Person(place, "mal").create(email=VICTIM)
        with refused("wrong-proof"):
            check(place, VICTIM, "aaaa bbbb cccc dddd")
        told = [one for one in place.store.events() if one.event == "check-app-password"]
        assert [one.account for one in told] == [""]


class TestThoseWhoAnswerForIt:
    kept_in = "server"

    def test_an_invitation_that_names_an_address_makes_it_a_name(self, place: Place) -> None:
        made = place.directory.invite(place.operator(), NewInvitation(name="ada", email=" Ada@Example.com "))
        place.keep_secret(made.secret)
        assert made.email == "Ada@Example.com"
        assert [one.email for one in place.directory.invitations(place.onlooker)] == ["Ada@Example.com"]
        ada = Person(place).create(email="ada@example.com", invitation=made.secret)
        assert ada.view.addresses == ada.view.address_names == ("Ada@Example.com",)
        secret = with_app_password(ada)
        assert check(place, "ada@example.com", secret).name == "ada"
        asked = next(one for one in place.store.events() if one.event == "create-invitation")
        assert asked.details["email"] == "Ada@Example.com"

    def test_another_address_that_they_write_is_a_note(self, place: Place) -> None:
        made = place.directory.invite(place.operator(), NewInvitation(email="ada@example.com"))
        ada = Person(place).create(email=VICTIM, invitation=made.secret)
        assert (ada.view.addresses, ada.view.address_names) == (("ada@example.com", VICTIM), ("ada@example.com",))

    def test_an_operator_is_told_that_an_address_stands_for_somebody(self, place: Place) -> None:
        made, late = (place.directory.invite(place.operator(), NewInvitation(email="ada@example.com")) for _ in range(2))
        Person(place).create(invitation=made.secret)
        with refused("name-taken"):
            place.directory.invite(place.operator(), NewInvitation(email="ADA@example.com"))
        with refused("name-taken"):
            Person(place, "eve").create(invitation=late.secret)
        with refused("bad-address"):
            place.directory.invite(place.operator(), NewInvitation(email="ada"))

    def test_who_works_on_the_host_answers_for_it(self, place: Place) -> None:
        host = LocalDirectory(replace(place.parts, on_host=True))
        host.create(Actor(place="host"), NewAccount(name="ada", email=VICTIM))
        assert place.store.owner_of_address(VICTIM) == place.directory.read(place.onlooker, "ada").id


class TestAnEmbeddedStore:
    kept_in = "memory"

    def test_its_owner_answers_for_every_address(self, place: Place) -> None:
        ada = Person(place).create(email=VICTIM)
        assert ada.view.addresses == ada.view.address_names == (VICTIM,)
        with pytest.raises(NameTaken):
            Person(place, "eve").create(email="VICTIM@example.com")

    def test_addresses_of_before_stand_for_their_accounts_there(self, place: Place) -> None:
        """Old documents do not say which addresses are names: on an embedded store all are, on a server none is."""
        Person(place).create(email=VICTIM)
        stored = place.store.read(AccountId(place.directory.read(Actor(), "ada").id)).account
        before = replace(stored, address_names=())
        assert accounts.stand_for(place.parts, before) == ("ada", VICTIM)
        place.change(access=Access.NOBODY)
        assert accounts.stand_for(place.parts, before) == ("ada",)
