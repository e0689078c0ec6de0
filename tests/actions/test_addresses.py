"""E-mail addresses: names where somebody answerable gave them, and notes where a stranger wrote them down (must hold 3)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from passless.actions import accounts, app_password_check
from passless.actions.parts import Access, SignUp
from passless.directories.local import LocalDirectory
from passless.domain.account import AccountId
from passless.domain.changes import AccountName
from passless.domain.requests import NewAccount, NewInvitation, RenameAccountTo
from passless.domain.secret import Secret
from passless.ports import NameTaken, Write
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


def on_host(place: Place) -> LocalDirectory:
    """Return the directory as somebody at the server's own machine uses it."""
    return LocalDirectory(replace(place.parts, on_host=True))


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
        host = on_host(place)
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


class TestNamesThatAreAddresses:
    """A name that looks like an address is given by somebody who answers for it, and is never another account's address."""

    kept_in = "server"

    @pytest.mark.parametrize("name", [VICTIM, "Victim@Example.com", "victim＠example.com", "@ada"])
    def test_nobody_signs_up_under_one(self, place: Place, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """Must hold 3: it is refused by how it looks; no account is looked up for it."""
        invite(place, name="ada", email=VICTIM)
        done = counted(place, monkeypatch)
        with refused("bad-name"):
            Person(place, name).create()
        assert not done["store.read_named"] + done["store.owner_of_address"]

    def test_whoever_is_invited_and_chooses_themselves_gets_none_either(self, place: Place) -> None:
        made = place.directory.invite(place.operator(), NewInvitation(email=VICTIM))
        place.keep_secret(made.secret)
        place.change(sign_up=SignUp.INVITATION)
        with refused("bad-name"):
            Person(place, VICTIM).create(invitation=made.secret)
        assert Person(place, "ada").create(invitation=made.secret).view.account == "ada", "the invitation is still good"

    def test_nobody_gives_themselves_one_later(self, place: Place) -> None:
        mallory = Person(place, "mal").create()
        for ask in (mallory.do, lambda wish: place.directory.plan(mallory.actor, "mal", wish)):
            with refused("bad-name"):
                ask(RenameAccountTo(name=VICTIM))

    def test_an_invitation_that_names_it_gives_it(self, place: Place) -> None:
        ada = invite(place, name="Ada@Example.com", email="ada@example.com")
        assert (ada.view.account, ada.view.address_names) == ("Ada@Example.com", ("ada@example.com",))
        assert check(place, "ada@example.com", with_app_password(ada)).name == "Ada@Example.com"
        ada.do(RenameAccountTo(name="ada@EXAMPLE.com"))
        assert ada.view.account == "ada@EXAMPLE.com", "it is the same name"

    def test_an_operator_gives_it(self, place: Place) -> None:
        Person(place).create()
        operator = place.operator()
        place.change(sign_up=SignUp.INVITATION)
        place.directory.apply(operator, "ada", RenameAccountTo(name="ada@example.com"))
        assert place.directory.read(place.onlooker, "ada@example.com").account == "ada@example.com"

    def test_no_name_is_another_accounts_address(self, place: Place) -> None:
        """Neither an invitation, nor the making that comes of an older one, nor an operator's rename, nor the host gives it."""
        older = place.directory.invite(place.operator(), NewInvitation(name=VICTIM.title()))
        place.keep_secret(older.secret)
        invite(place, name="ada", email=VICTIM)
        with refused("name-taken"):
            place.directory.invite(place.operator(), NewInvitation(name=VICTIM.upper()))
        with refused("name-taken"):
            Person(place, VICTIM.title()).create(invitation=older.secret)
        with refused("name-taken"):
            on_host(place).create(Actor(place="host"), NewAccount(name=VICTIM))
        Person(place, "eve").create()
        place.change(sign_up=SignUp.INVITATION)
        with refused("name-taken"):
            place.directory.apply(place.operator(), "eve", RenameAccountTo(name=VICTIM))

    def test_no_address_is_another_accounts_name(self, place: Place) -> None:
        older = place.directory.invite(place.operator(), NewInvitation(email=VICTIM.title()))
        place.keep_secret(older.secret)
        invite(place, name=VICTIM)
        with refused("name-taken"):
            place.directory.invite(place.operator(), NewInvitation(email=VICTIM.upper()))
        with refused("name-taken"):
            Person(place, "eve").create(invitation=older.secret)
        with refused("name-taken"):
            on_host(place).create(Actor(place="host"), NewAccount(name="eve", email=VICTIM))

    def test_no_address_is_a_name_that_is_kept_for_another(self, place: Place) -> None:
        invite(place, name=VICTIM).do(RenameAccountTo(name="ada"))
        with refused("name-taken"):
            place.directory.invite(place.operator(), NewInvitation(email=VICTIM))
        place.clock.move(days=30)
        on_host(place).create(Actor(place="host"), NewAccount(name="eve", email=VICTIM))

    def test_of_two_at_once_one_has_to_look_again(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Must hold 12: one takes as a name what the other takes as an address."""
        host, commit = on_host(place), place.store.commit

        def slower(write: Write) -> object:
            monkeypatch.setattr(place.store, "commit", commit)
            host.create(Actor(place="host"), NewAccount(name="eve", email=VICTIM))
            return commit(write)

        monkeypatch.setattr(place.store, "commit", slower)
        with refused("busy"):
            host.create(Actor(place="host"), NewAccount(name=VICTIM))

    def test_in_a_store_of_before_whose_address_it_is_comes_first(self, place: Place) -> None:
        mallory = Person(place, "mal").create()
        secret = with_app_password(mallory)
        invite(place, name="ada", email=VICTIM)
        stored = place.store.read_named(AccountName("mal"))
        before = replace(stored.account, name=AccountName(VICTIM))
        place.store.commit(Write(at=place.clock.now, account=before, expected=stored.version))
        with refused("wrong-proof"):
            check(place, VICTIM, secret)
        told = [one for one in place.store.events() if one.event == "check-app-password"]
        assert [one.account for one in told] == ["ada"]


class TestNamesOnAnEmbeddedStore:
    kept_in = "memory"

    def test_its_owner_names_accounts_as_they_like_but_not_as_anothers_address(self, place: Place) -> None:
        ada = Person(place, "ada@example.com").create(email="ada@example.com")
        Person(place, "eve").create(email=VICTIM)
        with refused("name-taken"):
            Person(place, VICTIM.title()).create()
        with refused("name-taken"):
            Person(place, "bob").create(email="Ada@example.com")
        with refused("name-taken"):
            ada.do(RenameAccountTo(name=VICTIM))


def invite(place: Place, **given: str) -> Person:
    """Invite somebody as an operator does, who comes."""
    made = place.directory.invite(place.operator(), NewInvitation(**given))
    place.keep_secret(made.secret)
    return Person(place, given["name"]).create(invitation=made.secret)
