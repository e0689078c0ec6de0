"""What takes the time of a sign-in at a server: statements, accounts that are read from their text, imports."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import passless
from passless.domain.methods import Kind
from passless.domain.requests import Answer, SignInWith
from passless.domain.views import SignedIn
from passless.ports.directory import Actor
from passless.stores import sql_store
from tests.actions.a_server import serve
from tests.directories.person import Person, key_answer
from tests.directories.place import Place
from tests.directories.security_key import SecurityKey
from tests.stores.asked import asked_of

CODE = str(Path(passless.__file__).parent)
BEGINNING = 2  # statements: the name, and what a name without an account takes as well
FINISHING = 13


@pytest.fixture
def city(place: Place) -> Iterator[Place]:
    """A server where somebody with a key signed in before from the same network."""
    ada = Person(place, "ada").create()
    ada.add_key(SecurityKey())
    place.clock.move(microseconds=1)
    yield serve(place)
    place.secrets.clear()


def sign_in(place: Place, *, counter: int) -> None:
    """Sign in with the key."""
    actor = Actor(place="192.0.2.1")
    begun = place.directory.begin(actor, "ada", SignInWith(kind=Kind.SECURITY_KEY))
    key = SecurityKey(counter=counter)
    key.register(b'{"rp": {"id": ""}, "challenge": ""}', "")
    done = place.directory.finish(actor, begun.ceremony, Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, begun)))
    assert isinstance(done, SignedIn)


class TestCost:
    kept_in = "disk"

    def test_of_sign_ins_that_are_kept_together_each_has_few_statements(self, city: Place) -> None:
        """Nothing is asked twice, nothing is looked up that was just read, no counter is named where there is none."""
        sign_in(city, counter=50)
        with city.store.together():
            sign_in(city, counter=60)
            with asked_of(city.store) as asked:
                sign_in(city, counter=70)
        assert len(asked) <= BEGINNING + FINISHING, asked
        assert len(set(asked)) == len(asked)
        assert not [one for one in asked if "FROM records" in one or "SELECT version" in one]

    def test_an_account_that_did_not_change_is_not_read_from_its_text_again(
        self, city: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sign_in(city, counter=50)
        read: list[Any] = []
        monkeypatch.setattr(sql_store, "stored_account", read.append)
        sign_in(city, counter=60)
        assert not read

    def test_nothing_is_imported_that_was_imported_before(self, city: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each costs microseconds, also where the module is there: a sign-in had 27."""
        sign_in(city, counter=50)
        real, ours = builtins.__import__, []

        def noting(name: str, *args: Any, **named: Any) -> Any:
            caller = sys._getframe(1).f_code
            if caller.co_filename.startswith(CODE):
                ours.append(f"{caller.co_name} imports {name}")
            return real(name, *args, **named)

        monkeypatch.setattr(builtins, "__import__", noting)
        sign_in(city, counter=60)
        monkeypatch.undo()
        assert not ours
