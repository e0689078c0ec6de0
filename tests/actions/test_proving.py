"""Several methods of one kind, and a request that is none."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from passless.actions import requesting
from passless.actions.who import identify
from passless.domain.methods import Kind
from passless.domain.requests import Answer, EndSessions
from passless.domain.views import SignedIn
from passless.ports import Write
from tests.directories.person import Person
from tests.directories.place import Place
from tests.directories.sentences import refused


def test_a_code_of_any_app_signs_in_and_a_used_one_is_told_apart(place: Place) -> None:
    ada = Person(place).create(password=None)
    first = ada.add_app(name="first")
    second = ada.add_app(name="second", device="tablet")
    assert isinstance(ada.elsewhere().with_code(first), SignedIn)
    assert isinstance(ada.elsewhere().with_code(second), SignedIn)
    with refused("code-reused"):
        ada.elsewhere().prove(Answer(kind=Kind.TOTP, text=second.code))


def test_what_is_no_change_to_an_account_is_a_fault(place: Place) -> None:
    ada = Person(place).create(password=None)
    who = identify(place.parts, ada.actor, place.store.read(ada.view.id).account)
    with pytest.raises(TypeError, match="EndSessions is no change"):
        requesting.build(place.parts, who, EndSessions(all=True), place.clock.now)


def test_an_account_that_is_gone_while_it_is_used_has_no_session(place: Place) -> None:
    ada = Person(place).create(password=None)
    ada.add_app()
    stored = place.store.read(ada.view.id)
    place.store.commit(Write(at=place.clock.now, account=stored.account, expected=stored.version, delete=True))
    with refused("sign-in-needed"):
        identify(place.parts, ada.actor, replace(stored.account, methods=()))
