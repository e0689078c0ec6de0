"""Making, naming and deleting accounts."""

from __future__ import annotations

import pytest

from passless.domain.requests import Delete, RenameAccountTo
from tests.directories.person import Person
from tests.directories.place import Place
from tests.directories.sentences import refused


class AccountSentences:
    """How accounts come and go."""

    def test_an_account_is_made_with_a_password_and_signed_in(self, place: Place) -> None:
        ada = Person(place).create(display_name="Ada L.", email="ada@example.org")
        view = ada.view
        assert (view.account, view.display_name, view.addresses) == ("ada", "Ada L.", ("ada@example.org",))
        assert view.state == "ok"
        assert not view.passwordless
        assert view.session is not None
        assert view.session.strength == 1

    def test_an_account_without_a_password_is_unfinished_and_a_way_in_finishes_it(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        assert ada.view.state == "unfinished"
        assert ada.view.passwordless
        ada.add_app()
        assert ada.view.state == "unfinished"  # one lost phone would lock her out
        ada.new_code()
        assert ada.view.state == "ok"

    def test_an_account_that_is_never_finished_expires_after_a_day(self, place: Place) -> None:
        ada, bob = Person(place).create(password=None), Person(place, "bob").create(password=None)
        bob.add_app()
        bob.new_code()
        place.clock.move(hours=23, minutes=59)
        assert ada.view.state == "unfinished"
        place.clock.move(minutes=1)
        assert place.found() == ["bob"]
        with refused("no-such-account"):
            assert ada.view
        last = place.trail[-1]
        assert (last.event, last.actor) == ("delete-account", "passless")
        Person(place).create(password=None)

    def test_an_account_that_expired_unseen_lets_its_name_and_its_address_go(self, place: Place) -> None:
        Person(place).create(password=None, email="ada@example.org")
        Person(place, "eve").create(password=None, email="eve@example.org")
        place.clock.move(hours=24)
        Person(place).create()
        Person(place, "adam").create(email="EVE@example.org")
        with refused("no-such-account"):
            assert Person(place, "eve").view

    def test_an_account_takes_the_name_of_one_that_expired_unseen(self, place: Place) -> None:
        Person(place).create(password=None)
        place.clock.move(hours=24)
        eve = Person(place, "eve").create()
        eve.do(RenameAccountTo(name="Ada"))
        assert Person(place).view.account == "Ada"

    @pytest.mark.parametrize("name", ["", "   ", "a" * 65, "a\nb", "a\u202eb", "\ud800"])
    def test_a_name_that_does_not_show_is_refused(self, place: Place, name: str) -> None:
        with refused("bad-name"):
            Person(place, name).create(password=None)

    def test_the_same_name_in_another_case_is_the_same(self, place: Place) -> None:
        ada = Person(place, "Ada").create(password=None)
        for other in ("ADA", "ada", "\uff21da"):
            with refused("name-taken"):
                Person(place, other).create(password=None)
        assert place.directory.read(ada.actor, "aDA").account == "Ada"

    def test_the_id_of_an_account_is_no_name_for_another(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        with refused("name-taken"):
            Person(place, ada.view.id).create(password=None)
        eve = Person(place, "eve").create(password=None)
        with refused("name-taken"):
            eve.ask(RenameAccountTo(name=ada.view.id))

    def test_an_address_belongs_to_one_account_where_somebody_answers_for_it_and_looks_like_one(self, place: Place) -> None:
        """On a server what people write down for themselves is a note, and nobody learns who else wrote it."""
        Person(place).create(password=None, email="ada@example.org")
        if place.serves:
            eve = Person(place, "eve").create(password=None, email="ADA@example.org")
            assert (eve.view.addresses, eve.view.address_names) == (("ADA@example.org",), ())
        else:
            with refused("name-taken"):
                Person(place, "eve").create(password=None, email="ADA@example.org")
        for address in ("ada", "@example.org", "ada@", "ada@example", "a da@example.org"):
            with refused("bad-address"):
                Person(place, "bob").create(password=None, email=address)

    def test_a_weak_password_is_refused_with_its_reasons(self, place: Place) -> None:
        with refused("weak-password"):
            Person(place).create(password="too short")
        assert not place.found()

    def test_an_account_is_renamed_and_keeps_its_id(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        before = ada.view.id
        ada.do(RenameAccountTo(name="Countess", display_name="Ada Lovelace"))
        ada.name = "countess"
        assert (ada.view.account, ada.view.display_name, ada.view.id) == ("Countess", "Ada Lovelace", before)
        ada.do(RenameAccountTo(display_name=""))
        assert ada.view.display_name == ""
        with refused("no-such-account"):
            place.directory.read(place.onlooker, "ada")

    def test_a_deleted_account_is_gone_with_its_sessions_and_its_trail_stays(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        ada.do(Delete())
        with refused("no-such-account"):
            assert ada.view
        assert [event.event for event in place.trail][-1] == "delete-account"
        again = Person(place).create(password=None)
        again.token, hers = ada.token, again.token
        with refused("sign-in-needed"):
            again.do(Delete())
        again.token = hers
        again.do(Delete())

    def test_accounts_are_found_by_a_part_of_their_name(self, place: Place) -> None:
        for name in ("Ada", "Adam", "Eve"):
            Person(place, name).create(password=None)
        assert place.found("AD") == ["Ada", "Adam"]
        assert len(place.found()) == 3

    def test_what_needs_a_server_is_said_with_the_reason(self, place: Place) -> None:
        for what in ("phone", "method add email", "authenticator"):
            ability = place.directory.ability(what)
            assert not ability.is_possible
            assert ability.reason
        assert place.directory.ability("totp").is_possible
