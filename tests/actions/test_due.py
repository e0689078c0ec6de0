"""What time alone ends is told at its time, once, whoever looks first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from passless.actions import due
from passless.actions.endings import Tail
from passless.domain.audit import AuditEvent
from passless.domain.changes import AccountName
from passless.domain.requests import Delete, RevokeAppPasswordsNamed
from passless.domain.views import Waits
from passless.ports import NameTaken, NoSuchAccount, VersionMoved, Write
from tests.actions.test_app_password_check import ada_with_mail
from tests.directories.person import Person
from tests.directories.place import Place
from tests.directories.sentences.recovering import long_ago


def endings(place: Place) -> list[str]:
    return [one.event for one in Tail(place.store, since=place.clock.now - timedelta(days=365)).read(place.clock.now, far=True)]


def expiries(place: Place) -> list[AuditEvent]:
    return [one for one in place.store.events() if one.event == "expire-app-passwords"]


class TestDue:
    kept_in = "disk"

    def test_an_app_password_that_expires_is_an_ending_at_its_time(self, place: Place) -> None:
        ada_with_mail(place, lifetime=timedelta(days=1))
        at = due.settle(place.parts)
        assert at == place.clock.now + timedelta(days=1)
        assert not expiries(place)
        place.clock.move(days=1)
        assert due.settle(place.parts) is None
        (found,) = expiries(place)
        assert (found.account, found.actor, found.outcome) == ("ada", "passless", "done")
        assert list(place.store.records(due.KIND)) == []
        assert due.settle(place.parts) is None
        assert len(expiries(place)) == 1
        assert "expire-app-passwords" in endings(place)

    def test_it_is_told_once_where_somebody_signs_in_first(self, place: Place) -> None:
        ada, _ = ada_with_mail(place, lifetime=timedelta(days=1))
        place.clock.move(days=1, seconds=1)
        ada.with_password()
        due.settle(place.parts)
        assert len(expiries(place)) == 1

    def test_one_that_was_revoked_before_expires_no_more(self, place: Place) -> None:
        ada, _ = ada_with_mail(place, lifetime=timedelta(days=1))
        ada.do(RevokeAppPasswordsNamed(all=True))
        place.clock.move(days=2)
        assert due.settle(place.parts) is None
        assert not expiries(place)
        assert list(place.store.records(due.KIND)) == []

    def test_one_without_an_end_leaves_nothing(self, place: Place) -> None:
        ada_with_mail(place)
        assert list(place.store.records(due.KIND)) == []

    def test_two_servers_at_once_do_it_once(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        ada_with_mail(place, lifetime=timedelta(days=1))
        place.clock.move(days=1)
        real = place.store.records
        first = list(real(due.KIND))
        monkeypatch.setattr(place.store, "records", lambda *_, **__: iter(first))
        due.settle(place.parts)
        due.settle(place.parts)  # read before the other one was done
        assert len(expiries(place)) == 1


class TestDeleting:
    kept_in = "disk"

    def test_a_deletion_that_waited_is_done_at_its_time_and_holds_up_nothing(self, place: Place) -> None:
        """The account, its name and all that it had go when it was said, not when somebody next looks."""
        ada, _, code = long_ago(place)
        ada.recover(code)
        assert isinstance(ada.ask(Delete()), Waits)
        place.clock.move(days=30)
        assert due.settle(place.parts) is None
        assert list(place.store.records(due.KIND)) == []
        with pytest.raises(NoSuchAccount):
            place.store.read_named(AccountName("ada"))
        assert "delete-account" in endings(place)


class TestDeletingAtAServer:
    kept_in = "server"

    def test_the_name_is_nobodys_to_choose(self, place: Place) -> None:
        ada, _, code = long_ago(place)
        ada.recover(code)
        assert isinstance(ada.ask(Delete()), Waits)
        place.clock.move(days=30)
        due.settle(place.parts)
        with pytest.raises(NameTaken):
            Person(place, at="elsewhere").create()

    def test_what_cannot_be_done_now_holds_up_nothing_behind_it(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        bob = Person(place, "bob").create()
        bob.add_app()
        bob.new_code()
        bob.turn_on_two_step()
        bob.with_password()
        bob.new_app_password(lifetime=timedelta(days=1))
        ada_with_mail(place, lifetime=timedelta(days=1))
        place.clock.move(days=1)
        monkeypatch.setattr(due, "MOST_AT_ONCE", 1)
        commit, tried = place.store.commit, []

        def failing(write: Write) -> object:
            tried.append(write)
            if len(tried) == 1:
                raise VersionMoved
            return commit(write)

        monkeypatch.setattr(place.store, "commit", failing)
        due.settle(place.parts)
        assert len(expiries(place)) == 1
        assert due.settle(place.parts) is None
        assert len(expiries(place)) == 2
