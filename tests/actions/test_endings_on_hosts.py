"""Which endings are told to hosts: those of accounts that may have opened a session there, and of no others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from passless.actions import due
from passless.actions.endings import Tail
from passless.domain.account import AccountId
from passless.domain.endings import Ending, What
from passless.domain.requests import Delete, RenameAccountTo
from passless.ports import Write
from tests.directories.person import Person
from tests.directories.place import Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused


def endings(place: Place) -> list[Ending]:
    tail = Tail(place.store, since=place.clock.now - timedelta(days=365))
    return [one for one in tail.read(place.clock.now, far=True) if one.event != "sign-out"]


class TestHosts:
    kept_in = "disk"

    def test_whoever_took_the_name_of_a_local_user_ends_nothing_of_theirs(self, place: Place) -> None:
        """With a password alone nobody came in to any host by passless."""
        Person(place, "deploy2").create().do(RenameAccountTo(name="deploy3"))
        Person(place, "deploy4").create().do(Delete())
        assert {one.event: one.never_at for one in endings(place)} == {
            "rename-account": ("pam", "ssh"),
            "delete-account": ("pam", "ssh"),
        }

    def test_an_app_opens_hosts_that_ask_for_codes_and_none_that_ask_for_keys(self, place: Place) -> None:
        ada = Person(place).create()
        ada.add_app()
        ada.do(Delete())
        assert [one.never_at for one in endings(place)] == [("ssh",)]

    def test_a_key_opens_all(self, place: Place) -> None:
        ada = Person(place).create()
        ada.add_key(SecurityKey())
        ada.do(Delete())
        assert [one.never_at for one in endings(place)] == [()]

    def test_a_key_that_may_have_been_copied_is_told_once(self, place: Place) -> None:
        ada, key = Person(place).create(), SecurityKey(counter=50)
        method = ada.add_key(key)
        ada.with_key(key)
        for _ in range(2):
            key.counter = 3
            with refused("possible-clone"):
                ada.elsewhere().with_key(key)
        (found,) = endings(place)
        assert (found.event, found.what, found.never_at) == ("mark-cloned", (What.METHODS,), ())
        (event,) = [one for one in place.store.events() if one.event == "mark-cloned"]
        assert event.details["method"] == method

    @pytest.mark.parametrize("looks_first", [False, True])
    def test_a_key_whose_time_is_over_is_told_at_its_time_and_once(self, place: Place, looks_first: bool) -> None:
        ada = Person(place).create()
        method = ada.add_key(SecurityKey())
        stored = place.store.read(AccountId(ada.view.id))
        at = place.clock.now + timedelta(hours=1)
        methods = tuple(replace(one, expires_at=at) if one.id == method else one for one in stored.account.methods)
        account = replace(stored.account, methods=methods)
        puts = due.records(stored.account, account)
        place.store.commit(Write(at=place.clock.now, account=account, expected=stored.version, puts=puts))
        assert due.settle(place.parts) == at
        assert endings(place) == []
        place.clock.move(hours=1)
        if looks_first:
            ada.with_password()
        for _ in range(2):
            assert due.settle(place.parts) is None
        (found,) = endings(place)
        assert (found.event, found.account) == ("expire-method", "ada")
        assert What.METHODS in found.what
