"""Passwords, passwordless, two-step and app passwords."""

from __future__ import annotations

from datetime import timedelta

import pytest

from passless.domain.methods import Kind
from passless.domain.requests import (
    Answer,
    NewAppPassword,
    PasswordlessOn,
    RevokeAppPasswordsNamed,
    SetPassword,
    TwoStepOff,
    TwoStepOn,
)
from passless.domain.secret import Secret
from passless.domain.views import Applied, SecondProofNeeded, SignedIn
from tests.directories.person import App, Person
from tests.directories.place import ANOTHER_PASSWORD, PASSWORD, Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused


def in_two_steps(place: Place, name: str = "ada", serial: int = 1) -> tuple[Person, App, SecurityKey]:
    """Somebody with an app and a verifying key, a saved code and two-step; without a password, so that it is quick."""
    person, key = Person(place, name).create(password=None), SecurityKey(serial)
    app = person.add_app()
    person.add_key(key, name="blue")
    person.new_code()
    person.with_key(key)
    person.turn_on_two_step()
    return person, app, key


class SettingSentences:
    """What an account asks at the door."""

    def test_the_password_goes_when_a_method_that_replaces_it_was_proven(self, place: Place) -> None:
        ada = Person(place).create()
        with refused("unproven-method", "no-way-in"):
            ada.do(PasswordlessOn())
        app = ada.add_app()
        with refused("one-device-away"):
            ada.do(PasswordlessOn())
        ada.new_code()
        plan = place.directory.plan(ada.actor, "ada", PasswordlessOn())
        assert plan.accepted
        assert {"legacy-app", "one-factor"} <= {one.code for one in plan.problems}
        assert "password-deleted" in {one.code for one in plan.effects}
        ada.go_passwordless()
        assert ada.view.passwordless
        with refused("wrong-proof"):
            ada.elsewhere().with_password()
        assert isinstance(ada.elsewhere().with_code(app), SignedIn)
        with refused("already-so"):
            ada.do(PasswordlessOn())

    def test_a_password_comes_back_with_a_new_one_only(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        with refused("weak-password"):
            ada.do(SetPassword(password=Secret("too short")))
        ada.do(SetPassword(password=Secret(place.keep_secret(PASSWORD))))
        assert not ada.view.passwordless
        assert isinstance(ada.elsewhere().with_password(), SignedIn)

    def test_a_changed_password_ends_the_sessions_of_the_old_one_but_not_the_one_in_use(self, place: Place) -> None:
        ada = Person(place).create()
        ada.token = None
        ada.with_password()
        there = ada.elsewhere()
        there.with_password()
        ada.do(SetPassword(password=Secret(place.keep_secret(ANOTHER_PASSWORD))))
        assert there.view.session is None
        assert ada.view.session.strength == 1
        with refused("wrong-proof"):
            ada.elsewhere().with_password()
        assert isinstance(ada.elsewhere().with_password(ANOTHER_PASSWORD), SignedIn)

    def test_two_step_needs_two_recovery_methods_and_is_on_then(self, place: Place) -> None:
        ada = Person(place).create()
        app = ada.add_app()
        with refused("two-recovery-methods"):
            ada.do(TwoStepOn())
        ada.new_code()
        ada.do(TwoStepOn())
        with refused("already-so"):
            ada.do(TwoStepOn())
        assert ada.view.two_step
        assert isinstance(ada.elsewhere().with_password(), SecondProofNeeded)
        ada.with_password()
        ada.with_code(app)
        ada.do(TwoStepOff())
        assert isinstance(ada.elsewhere().with_password(), SignedIn)
        with refused("already-so"):
            ada.do(TwoStepOff())

    def test_a_password_too_short_to_stand_alone_is_replaced_when_two_step_goes(self, place: Place) -> None:
        ada, _, key = in_two_steps(place)
        ada.do(SetPassword(password=Secret(place.keep_secret("gnu kiln 7Q"))))
        with refused("needs-password"):
            ada.do(TwoStepOff())
        with refused("weak-password"):
            ada.do(TwoStepOff(password=Secret("gnu kiln 7Q")))
        ada.with_key(key)
        ada.do(TwoStepOff(password=Secret(place.keep_secret(PASSWORD))))
        assert isinstance(ada.elsewhere().with_password(), SignedIn)

    def test_app_passwords_exist_with_two_step_only(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        with refused("app-passwords-need-two-step"):
            ada.new_app_password()
        eve, _, key = in_two_steps(place, "eve", 9)
        secret = eve.new_app_password()
        eve.with_key(key)
        eve.do(TwoStepOff())
        assert place.owner_of(secret) is None
        assert place.directory.app_passwords(eve.actor, "eve") == ()

    def test_an_app_password_is_found_with_and_without_its_spaces(self, place: Place) -> None:
        ada, _, _ = in_two_steps(place)
        secret = ada.new_app_password("Mail on phone", services=("IMAP", "smtp", "imap"), lifetime=timedelta(days=90))
        (shown,) = place.directory.app_passwords(ada.actor, "ada")
        assert (shown.name, shown.services, shown.short) == ("Mail on phone", ("imap", "smtp"), False)
        assert shown.expires_at == place.clock.now + timedelta(days=90)
        assert place.owner_of(secret) == place.owner_of(secret.replace(" ", "")) == (ada.view.id, shown.id)
        assert len(secret.replace(" ", "")) == 24
        assert place.owner_of("abcd efgh ijkl mnop qrst uvwx") is None

    def test_an_app_password_may_be_short(self, place: Place) -> None:
        ada, _, _ = in_two_steps(place)
        assert len(ada.new_app_password(short=True).replace(" ", "")) == 16
        assert place.directory.app_passwords(ada.actor, "ada")[0].short

    def test_an_app_password_has_one_program_a_good_name_and_a_good_time(self, place: Place) -> None:
        ada, _, _ = in_two_steps(place)
        ada.new_app_password("Mail")
        for wrong, code in [
            (NewAppPassword(name="mail "), "name-in-use"),
            (NewAppPassword(name=""), "bad-name"),
            (NewAppPassword(name="a", lifetime=timedelta(seconds=1)), "bad-duration"),
            (NewAppPassword(name="a", lifetime=timedelta(days=4000)), "bad-duration"),
            (NewAppPassword(name="a", services=("im ap",)), "bad-service"),
            (NewAppPassword(name="a", services=("",)), "bad-service"),
            (NewAppPassword(name="a", device="\n"), "bad-name"),
        ]:
            with refused(code):
                ada.do(wrong)

    def test_there_are_at_most_forty_app_passwords(self, place: Place) -> None:
        ada, _, _ = in_two_steps(place)
        for number in range(40):
            ada.new_app_password(f"program {number}")
        with refused("too-many"):
            ada.new_app_password("one more")

    def test_an_app_password_is_revoked_by_name_or_id_or_with_all(self, place: Place) -> None:
        ada, _, _ = in_two_steps(place)
        secrets = [ada.new_app_password(name) for name in ("Mail", "Calendar", "Files")]
        listed = place.directory.app_passwords(ada.actor, "ada")
        with refused("no-such-app-password"):
            ada.do(RevokeAppPasswordsNamed(names=("Mail", "Radio")))
        place.clock.move(minutes=30)  # to revoke needs no fresh proof
        ada.do(RevokeAppPasswordsNamed(names=("mail", listed[1].id)))
        assert [place.owner_of(one) is None for one in secrets] == [True, True, False]
        ada.do(RevokeAppPasswordsNamed(all=True))
        assert place.owner_of(secrets[2]) is None

    def test_an_app_password_ends_when_its_time_is_over(self, place: Place) -> None:
        ada, _, _ = in_two_steps(place)
        ada.new_app_password(lifetime=timedelta(hours=1))
        place.clock.move(hours=1)
        assert place.directory.app_passwords(place.onlooker, "ada") == ()

    @pytest.mark.parametrize("sort", ["app password", "code"])
    def test_an_app_password_never_signs_a_person_in(self, place: Place, sort: str) -> None:
        ada, _, _ = in_two_steps(place)
        secret = Secret(ada.new_app_password())
        kind = Kind.PASSWORD if sort == "app password" else Kind.TOTP
        with refused("wrong-proof", "wrong-code"):
            ada.elsewhere().prove(Answer(kind=kind, text=secret))

    def test_turning_two_step_on_or_off_needs_the_strongest_proof(self, place: Place) -> None:
        ada, app, _ = in_two_steps(place)
        place.clock.move(minutes=11)
        ada.with_code(app)
        with refused("weak-proof"):
            ada.do(TwoStepOff())
        with refused("weak-proof"):
            ada.new_app_password()
        assert isinstance(ada.do(RevokeAppPasswordsNamed(all=True)), Applied)
