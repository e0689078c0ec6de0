"""What takes long is done for who has the proof for it, and one at a time for each account and source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from argon2 import _password_hasher as argon2

from passless.credentials import passwords
from passless.domain.audit import Outcome
from passless.domain.requests import IssuePass, NewAccount, Request, SetPassword, StartRecoveryOf, TwoStepOff
from passless.domain.secret import Secret
from passless.ports.directory import Actor
from tests.directories.person import Person
from tests.directories.place import ANOTHER_PASSWORD, Place
from tests.directories.sentences import refused

WEAK = Secret("aaaaaaaaaaaaaaaa")
HOUR = timedelta(hours=1)


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Count what takes long."""
    done: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((passwords, "_score"), (argon2, "hash_secret")):
            patch.setattr(owner, name, _counted(getattr(owner, name), name, done))
        yield done


def _counted(function: Any, name: str, done: Counter[str]) -> Any:
    def counted(*arguments: Any, **named: Any) -> Any:
        done[name] += 1
        return function(*arguments, **named)

    return counted


@pytest.fixture
def ada(place: Place) -> Person:
    person = Person(place).create()
    place.keep_secret(ANOTHER_PASSWORD)
    return person


def set_password(text: str = ANOTHER_PASSWORD) -> SetPassword:
    return SetPassword(password=Secret(text))


class TestOnAServer:
    kept_in = "server"

    @pytest.mark.parametrize(
        "request_",
        [set_password(), set_password(WEAK.reveal()), IssuePass(lifetime=HOUR), StartRecoveryOf(lifetime=HOUR)],
        ids=repr,
    )
    def test_who_lacks_the_proof_has_nothing_scored_or_hashed(self, place: Place, ada: Person, request_: Request) -> None:
        """Rule 8 comes first (must hold 6)."""
        place.clock.move(minutes=30)
        with counting() as done:
            with refused("weak-proof", "operator-only"):
                ada.ask(request_)
            assert place.trail[-1].outcome is Outcome.REFUSED
        assert done == {}

    def test_turning_two_step_off_comes_to_a_score_with_a_proof_only(self, place: Place, ada: Person) -> None:
        app = ada.add_app()
        ada.new_code()
        ada.turn_on_two_step()
        place.clock.move(minutes=30)
        with counting() as done, refused("weak-proof"):
            ada.ask(TwoStepOff(password=WEAK))
        assert done == {}
        ada.with_password()
        ada.with_code(app)
        with counting() as done, refused("weak-password"):
            ada.ask(TwoStepOff(password=WEAK))
        assert done == {"_score": 1}

    def test_a_plan_without_a_proof_scores_nothing(self, place: Place, ada: Person) -> None:
        place.clock.move(minutes=30)
        with counting() as done:
            plan = place.directory.plan(ada.actor, "ada", set_password(WEAK.reveal()))
            assert [one.code for one in plan.problems] == ["weak-proof"]
            with refused("weak-password"):  # which is seen at a glance
                place.directory.plan(ada.actor, "ada", set_password("short"))
        assert done == {}

    def test_a_plan_with_the_proof_scores_and_hashes_nothing(self, place: Place, ada: Person) -> None:
        with counting() as done:
            assert place.directory.plan(ada.actor, "ada", set_password()).accepted
            with refused("weak-password"):
                place.directory.plan(ada.actor, "ada", set_password(WEAK.reveal()))
        assert done == {"_score": 2}

    def test_a_change_with_the_proof_scores_and_hashes_once(self, place: Place, ada: Person) -> None:
        with counting() as done:
            ada.do(set_password())
        assert done == {"_score": 1, "hash_secret": 1}
        ada.elsewhere().with_password(ANOTHER_PASSWORD)

    def test_an_account_has_one_new_password_at_a_time(self, place: Place, ada: Person) -> None:
        bob = Person(place, "bob").create()
        with passwords.one_at_a_time(ada.view.id):
            for ask in (ada.ask, lambda request: place.directory.plan(ada.actor, "ada", request)):
                with refused("too-many-passwords"):
                    ask(set_password())
            ada.elsewhere().with_password()  # strangers cannot keep the owner out
            bob.do(set_password())
        ada.do(set_password())

    def test_a_source_makes_one_account_at_a_time(self, place: Place) -> None:
        with passwords.one_at_a_time("2001:db8::/64"):
            for source, made in (("2001:db8::7", False), ("2001:db8:0:1::7", True)):
                new = NewAccount(name=f"new-{made}", password=Secret(place.keep_secret(ANOTHER_PASSWORD)))
                if made:
                    place.directory.create(Actor(place=source), new)
                else:
                    with refused("too-many-passwords"):
                        place.directory.create(Actor(place=source), new)
        assert place.found() == ["new-True"]
