"""Copies of accounts give nobody more than they have proven."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from passless.actions.accounts import find
from passless.actions.who import identify
from passless.directories.local import account_copies as copies
from passless.domain.refused import Refused
from passless.ports.directory import Actor
from tests.directories.person import App, Person
from tests.directories.place import Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused


def exported(place: Place, actor: Actor) -> copies.Inside:
    """Copy the account, and open the copy at once."""
    who = identify(place.parts, actor, find(place.parts, "ada", place.clock.now).account)
    return copies.read_copy(copies.export_account(place.parts, who, lambda content: content))


class TestExport:
    kept_in = "disk"

    def owner(self, place: Place) -> tuple[Person, App, str]:
        ada = Person(place).create()
        app, code = ada.add_app(), ada.new_code()
        place.clock.move(days=400)
        return ada, app, code

    def test_two_factors_copy_everything(self, place: Place) -> None:
        ada, app, _ = self.owner(place)
        ada.token = None
        ada.with_password()
        ada.with_code(app)
        inside = exported(place, ada.actor)
        assert (len(inside.account.methods), set(inside.secrets), inside.left_out) == (2, {app.method}, ())

    def test_a_stolen_password_copies_no_seed(self, place: Place) -> None:
        self.owner(place)
        thief = Person(place, at="thief")
        thief.with_password()
        with pytest.raises(Refused) as caught:
            exported(place, thief.actor)
        assert caught.value.problems[0].hint == "sign in with a second method first: passless sign-in --with totp"

    def test_a_stolen_code_copies_no_hash(self, place: Place) -> None:
        _, app, _ = self.owner(place)
        thief = Person(place, at="thief")
        thief.with_code(app)
        with refused("weak-proof"):
            exported(place, thief.actor)

    def test_a_factor_that_a_thief_added_does_not_count(self, place: Place) -> None:
        self.owner(place)
        thief = Person(place, at="thief")
        thief.with_password()
        thief.add_app(name="mine", device="thief's phone")
        with refused("weak-proof"):
            exported(place, thief.actor)

    def test_who_came_in_through_a_recovery_copies_nothing(self, place: Place) -> None:
        """Rule 10: neither at once nor with what was enrolled in it."""
        _, _, code = self.owner(place)
        thief = Person(place, at="thief")
        thief.recover(code)
        with refused("in-recovery"):
            exported(place, thief.actor)
        mine = thief.add_app(name="mine", device="thief's phone")
        again = Person(place, at="thief")
        again.with_code(mine)
        with refused("in-recovery"):
            exported(place, again.actor)
        place.clock.move(minutes=11)
        with refused("in-recovery", "weak-proof"):
            exported(place, again.actor)

    def test_one_factor_comes_along_only_without_its_secret(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app = ada.add_app()
        ada.new_code()
        inside = exported(place, ada.actor)
        assert (inside.account.methods, inside.secrets, inside.left_out) == ((), {}, ("authenticator app",))
        assert inside.account.recovery_codes
        assert app.method not in repr(inside.account)

    def test_a_key_that_is_two_factors_opens_the_copy_of_all_the_rest(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey()
        ada.add_key(key)
        app = ada.add_app()
        ada.token = None
        ada.with_key(key)
        assert set(exported(place, ada.actor).secrets) == {app.method}
        other = Person(place)
        other.with_code(app)
        with pytest.raises(Refused) as caught:
            exported(place, other.actor)
        assert caught.value.problems[0].hint.endswith("--with security-key")

    def test_keys_alone_have_no_secret_to_leave_out(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey(verifies=False)
        ada.add_key(key)
        inside = exported(place, ada.actor)
        assert (len(inside.account.methods), inside.left_out) == (1, ())

    def test_an_old_proof_copies_nothing(self, place: Place) -> None:
        ada, app, _ = self.owner(place)
        ada.token = None
        ada.with_password()
        ada.with_code(app)
        place.clock.move(minutes=11)
        with refused("weak-proof"):
            exported(place, ada.actor)

    def test_an_operator_copies_nothing_and_the_trail_says_that_they_tried(self, place: Place) -> None:
        self.owner(place)
        with refused("operator-may-not"):
            exported(place, place.operator(reason="curious"))
        *_, last = place.store.events()
        found = (last.event, last.outcome.value, last.details["problems"], last.details["reason"])
        assert found == ("export-account", "refused", "operator-may-not", "curious")


def test_names_of_what_was_left_out_cannot_forge_a_line(place: Place) -> None:
    ada = Person(place).create(password=None)
    ada.add_app()
    inside = replace(exported(place, ada.actor), left_out=("app\n\x1b[2Jdone",))
    found = copies.prepare(place.parts, inside, "bob").left_out
    assert all(line.isprintable() for line in found)
