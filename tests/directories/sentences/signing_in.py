"""Signing in with every kind of proof, in one step and in two."""

from __future__ import annotations

import pytest
from argon2.low_level import Type, hash_secret
from msgspec.structs import replace

from passless.domain.methods import Kind
from passless.domain.requests import Answer, NewAppPassword, RemoveMethodNamed, ReportLostDevice, SetPassword, SignInWith
from passless.domain.secret import Secret
from passless.domain.views import SecondProofNeeded, SignedIn
from passless.ports import Stored, Write
from tests.directories.person import App, Person, key_answer
from tests.directories.place import ANOTHER_PASSWORD, PASSWORD, Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused


def _two_step(place: Place) -> tuple[Person, App]:
    ada = Person(place).create()
    app = ada.add_app()
    ada.new_code()
    ada.turn_on_two_step()
    return ada, app


class SignInSentences:
    """How people show who they are."""

    def test_a_password_signs_in_and_a_wrong_one_does_not(self, place: Place) -> None:
        ada = Person(place).create().elsewhere()
        with refused("wrong-proof"):
            ada.with_password("not her password at all")
        signed_in = ada.with_password()
        assert isinstance(signed_in, SignedIn)
        assert (signed_in.kind, signed_in.session.strength) == ("direct", 1)
        outcomes = [(event.event, event.outcome) for event in place.trail]
        assert outcomes == [("create-account", "done"), ("sign-in", "failed"), ("sign-in", "done")]

    def test_a_code_signs_in_once(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app = ada.add_app()
        there = ada.elsewhere()
        with refused("wrong-code"):
            there.prove(Answer(kind=Kind.TOTP, text=app.wrong))
        with refused("code-reused", "already-used"):
            there.prove(Answer(kind=Kind.TOTP, text=app.code))  # it enrolled the app
        assert isinstance(there.with_code(app), SignedIn)
        with refused("code-reused", "already-used"):
            there.prove(Answer(kind=Kind.TOTP, text=app.code))

    @pytest.mark.parametrize("kind", [Kind.SECURITY_KEY, Kind.PASSKEY])
    def test_a_key_or_passkey_signs_in_with_two_factors(self, place: Place, kind: Kind) -> None:
        ada, key = Person(place).create(password=None), SecurityKey()
        ada.add_key(key, kind)
        there = ada.elsewhere()
        signed_in = there.with_key(key, kind)
        assert isinstance(signed_in, SignedIn)
        assert signed_in.session.strength == 2

    def test_a_key_without_a_pin_is_one_factor(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey(verifies=False)
        ada.add_key(key)
        signed_in = ada.elsewhere().with_key(key)
        assert isinstance(signed_in, SignedIn)
        assert signed_in.session.strength == 1

    def test_a_key_that_checked_a_pin_when_it_was_added_must_check_it_again(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey()
        ada.add_key(key)
        ada.add_key(SecurityKey(serial=2, verifies=False))  # so that the question itself does not demand it
        key.verifies = False
        with refused("wrong-proof"):
            ada.elsewhere().with_key(key)

    def test_a_kind_the_account_does_not_have_is_a_wrong_proof(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        for kind in (Kind.PASSWORD, Kind.TOTP, Kind.TEMPORARY_PASS):
            with refused("wrong-proof", "wrong-code"):
                ada.elsewhere().prove(Answer(kind=kind, text=Secret("123456")))
        with refused("wrong-proof"):
            place.directory.begin(ada.actor, "ada", SignInWith(kind=Kind.PASSKEY))

    @pytest.mark.parametrize("kind", [Kind.SECURITY_KEY, Kind.PHONE, Kind.RECOVERY_CODE, Kind.OTHER])
    def test_what_proves_nothing_without_a_question_leaves_nothing_behind(self, place: Place, kind: Kind) -> None:
        """Nobody fills the trail with what nobody can sign in with."""
        ada = Person(place).create()
        for asked in ("ada", "nobody"):
            with refused("proves-nothing"):
                Person(place, asked).prove(Answer(kind=kind, text=Secret("123456")))
        assert [one.event for one in place.directory.events(ada.actor, "ada")] == ["create-account"]

    def test_with_two_step_one_proof_is_half_the_way(self, place: Place) -> None:
        ada, app = _two_step(place)
        there = ada.elsewhere()
        half = there.with_password()
        assert isinstance(half, SecondProofNeeded)
        assert half.accepts == ("totp",)
        assert there.token is None
        with refused("wrong-code"):
            there.finish(half.ceremony, Answer(kind=Kind.TOTP, text=app.wrong))
        signed_in = there.finish(half.ceremony, Answer(kind=Kind.TOTP, text=app.fresh))
        assert isinstance(signed_in, SignedIn)
        assert signed_in.session.strength == 2
        with refused("no-such-ceremony"):
            there.finish(half.ceremony, Answer(kind=Kind.TOTP, text=app.fresh))

    def test_with_two_step_the_code_may_come_first_and_the_same_proof_twice_is_one(self, place: Place) -> None:
        ada, app = _two_step(place)
        there = ada.elsewhere()
        half = there.with_code(app)
        assert isinstance(half, SecondProofNeeded)
        assert half.accepts == ("password",)
        again = there.finish(half.ceremony, Answer(kind=Kind.TOTP, text=app.fresh))
        assert isinstance(again, SecondProofNeeded)
        assert isinstance(there.finish(again.ceremony, Answer(kind=Kind.PASSWORD, text=Secret(PASSWORD))), SignedIn)

    def test_with_two_step_a_key_may_be_the_second_proof_and_a_verifying_key_is_enough_alone(self, place: Place) -> None:
        ada, _ = _two_step(place)
        plain, strong = SecurityKey(verifies=False), SecurityKey(serial=2)
        ada.with_password()
        ada.add_key(plain, name="plain")
        half = ada.elsewhere().with_password()
        assert isinstance(half, SecondProofNeeded)
        there = ada.elsewhere()
        signed_in = there.finish(half.ceremony, Answer(kind=Kind.SECURITY_KEY, text=key_answer(plain, half)))
        assert isinstance(signed_in, SignedIn)
        ada.add_key(strong, name="strong")
        assert isinstance(ada.elsewhere().with_key(strong), SignedIn)

    def test_a_first_proof_is_worth_nothing_after_five_minutes(self, place: Place) -> None:
        ada, app = _two_step(place)
        half = ada.elsewhere().with_password()
        assert isinstance(half, SecondProofNeeded)
        place.clock.move(minutes=5)
        with refused("no-such-ceremony"):
            ada.elsewhere().finish(half.ceremony, Answer(kind=Kind.TOTP, text=app.fresh))

    def test_a_method_removed_between_two_proofs_counts_no_more(self, place: Place) -> None:
        ada, _ = _two_step(place)
        key = SecurityKey(verifies=False)
        ada.with_password()
        ada.add_key(key, name="plain")
        half = ada.elsewhere().with_key(key)
        assert isinstance(half, SecondProofNeeded)
        ada.do(RemoveMethodNamed(method="plain"))
        there = ada.elsewhere()
        outcome = there.finish(half.ceremony, Answer(kind=Kind.PASSWORD, text=Secret(PASSWORD)))
        assert isinstance(outcome, SecondProofNeeded)
        assert there.token is None

    def test_where_nothing_else_could_complete_it_a_first_proof_is_refused(self, place: Place) -> None:
        ada, _ = _two_step(place)
        ada.do(ReportLostDevice(device="phone"))
        with refused("wrong-proof"):
            ada.elsewhere().with_password()

    def test_a_proof_given_in_a_session_is_added_to_it_and_its_token_changes(self, place: Place) -> None:
        """Must hold 7: a copy of the token of before is worth nothing from then on, whatever was proven."""
        ada = Person(place).create()
        app = ada.add_app()
        place.clock.move(minutes=10)
        copied, (session,) = ada.elsewhere(token=ada.token), place.directory.sessions(ada.actor, "ada")
        assert ada.view.session.strength == 0
        ada.with_password()
        again = ada.elsewhere(token=ada.token)
        ada.with_code(app)
        assert ada.view.session.strength == 2
        assert [one.id for one in place.directory.sessions(ada.actor, "ada")] == [session.id]
        for thief in (copied, again):
            with refused("sign-in-needed"):
                thief.add_key(SecurityKey(serial=66))

    def test_a_method_that_is_added_is_a_proof_and_changes_the_token_too(self, place: Place) -> None:
        """Must hold 7."""
        ada = Person(place).create()
        copied = ada.elsewhere(token=ada.token)
        ada.add_key(SecurityKey())
        with refused("sign-in-needed"):
            copied.add_key(SecurityKey(serial=66))
        assert ada.view.session.strength == 2
        assert len(place.directory.sessions(ada.actor, "ada")) == 1

    def test_a_new_password_proves_nothing_and_the_session_goes_on(self, place: Place) -> None:
        """A request that may be sent twice leaves the token as it is: its answer may get lost."""
        ada = Person(place).create()
        ada.with_password()
        token, until = ada.token, ada.view.session.fresh_until
        place.clock.move(minutes=5)
        ada.do(SetPassword(password=Secret(place.keep_secret(ANOTHER_PASSWORD))))
        assert (ada.token, ada.view.session.fresh_until, ada.view.session.strength) == (token, until, 1)

    def test_a_proof_is_stale_after_ten_minutes(self, place: Place) -> None:
        ada, app = _two_step(place)
        ada.with_code(app)
        ada.with_password()
        place.clock.move(minutes=9, seconds=59)
        ada.new_app_password("Mail")
        place.clock.move(seconds=1)
        with refused("weak-proof"):
            ada.ask(NewAppPassword(name="Calendar"))

    def test_a_password_hashed_with_less_is_hashed_anew_when_it_is_used(self, place: Place) -> None:
        ada = Person(place).create()
        stored = place.store.read(ada.view.id)
        old = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + _weak_hash(PASSWORD)
        _put_hash(place, stored, old)
        ada.with_password()
        password = place.store.read(ada.view.id).account.password
        assert password is not None
        assert "m=65536,t=3,p=4" in password.hash
        assert isinstance(ada.elsewhere().with_password(), SignedIn)


def _weak_hash(password: str) -> str:
    made = hash_secret(password.encode(), b"somesalt", time_cost=1, memory_cost=8, parallelism=1, hash_len=32, type=Type.ID)
    return made.decode().rpartition("$")[2]


def _put_hash(place: Place, stored: Stored, old: str) -> None:
    account = stored.account
    assert account.password is not None
    password = replace(account.password, hash=old)
    write = Write(at=place.clock.now, account=replace(account, methods=(password,)), expected=stored.version)
    place.store.commit(write)
