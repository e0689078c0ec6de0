"""Copies of accounts give nobody more than they have proven."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from passless.actions.accounts import find
from passless.actions.who import identify
from passless.directories.local import LocalDirectory
from passless.directories.local import account_copies as copies
from passless.directories.local.copy_checks import Inside
from passless.directories.local.passphrase_files import AccountCopyDamaged
from passless.domain.account import Pending
from passless.domain.changes import AccountName, DeleteAccount
from passless.domain.methods import Kind, MethodId, Strength
from passless.domain.operators import OperatorRights
from passless.domain.recovery import Loss, Recovery, Reporter
from passless.domain.refused import Refused
from passless.domain.requests import Answer, Delete, NewAccount, RenameAccountTo
from passless.ports.directory import Actor
from tests.builders import NOW
from tests.directories.person import App, Person
from tests.directories.place import Place, served
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused


def exported(place: Place, actor: Actor) -> Inside:
    """Copy the account, and open the copy at once."""
    who = identify(place.parts, actor, find(place.parts, "ada", place.clock.now).account)
    return copies.read_copy(copies.export_account(place.parts, who, lambda content: content))


def imported(place: Place, inside: Inside, name: str | None = None) -> copies.Imported:
    """Read a copy as it would come from a file, and keep the account in it."""
    again = copies.read_copy(msgspec.json.encode(inside))
    ready = copies.prepare(place.parts, again, name)
    copies.keep(place.parts, ready, again, place="here")
    return ready


def changed(inside: Inside, **fields: Any) -> Inside:
    """A copy in which somebody changed the account."""
    return replace(inside, account=replace(inside.account, **fields))


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


class TestImport:
    """A file from outside changes nothing but what it is for."""

    kept_in = "disk"

    def owner(self, place: Place) -> tuple[Person, App]:
        """Somebody who has just proven two factors."""
        ada = Person(place).create()
        app = ada.add_app()
        ada.with_password()
        return ada, app

    def a_loss(self, until: datetime) -> Loss:
        return Loss(
            id="x", what="phone", methods=(), reported_at=until, until=until, reported_with=Strength.NOTHING, by=Reporter.SELF
        )

    def test_what_waits_and_what_was_reported_stays_behind(self, place: Place) -> None:
        """Nor does a time without a zone in it break every list of the store."""
        ada, _ = self.owner(place)
        now, naive = place.clock.now, place.clock.now.replace(tzinfo=None)
        waiting = Pending(id="y", change=DeleteAccount(), asked_at=naive, due_at=naive, asked_by=Reporter.SELF)
        inside = changed(exported(place, ada.actor), losses=(self.a_loss(naive), self.a_loss(now)), pending=(waiting,))
        imported(place, inside, "bob")
        found = place.store.read_named(AccountName("bob")).account
        assert (found.losses, found.pending) == ((), ())
        assert {stored.account.name for stored in place.store.accounts()} == {"ada", "bob"}
        assert Person(place, "bob").view.state == "ok"

    @pytest.mark.parametrize(
        "moment",
        [
            NOW.replace(tzinfo=None),
            NOW.astimezone(timezone(timedelta(hours=3))),
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
        ],
    )
    def test_a_time_that_is_not_ours_is_refused_wherever_it_stands(self, place: Place, moment: datetime) -> None:
        ada, _ = self.owner(place)
        ada.new_code()
        inside = exported(place, ada.actor)
        first, *others = inside.account.methods
        (code,) = inside.account.recovery_codes
        for bad in (
            changed(inside, methods=(replace(first, added_at=moment), *others)),
            changed(inside, methods=(replace(first, expires_at=moment), *others)),
            changed(inside, recovery_codes=(replace(code, valid_until=moment),)),
            changed(inside, recovery=Recovery(started_at=moment, by=Reporter.SELF)),
            changed(inside, recovery=Recovery(started_at=NOW, by=Reporter.SELF, finished_at=moment)),
            replace(inside, exported_at=moment),
        ):
            with pytest.raises(AccountCopyDamaged):
                imported(place, bad, "bob")
        assert [stored.account.name for stored in place.store.accounts()] == ["ada"]

    @pytest.mark.parametrize("seed", [b"", b"\xff\xfe", b"not base 32!", b"MFRGGZDF"])
    def test_a_seed_that_is_none_is_refused(self, place: Place, seed: bytes) -> None:
        ada, app = self.owner(place)
        inside = replace(exported(place, ada.actor), secrets={MethodId(app.method): seed})
        with pytest.raises(AccountCopyDamaged):
            imported(place, inside, "bob")

    def test_a_recovery_that_binds_goes_on(self, place: Place) -> None:
        ada, app = self.owner(place)
        under_way = Recovery(started_at=NOW, by=Reporter.SELF, enrolled=(MethodId(app.method),))
        imported(place, changed(exported(place, ada.actor), recovery=under_way), "bob")
        assert Person(place, "bob").view.state == "in-recovery"

    def test_a_copy_of_ones_own_brings_no_rights_over_others(self, place: Place) -> None:
        """Must hold 9: who makes a copy could write whatever they like into it."""
        ada, _ = self.owner(place)
        inside = changed(exported(place, ada.actor), operator=OperatorRights(since=NOW), groups=("board",))
        imported(place, inside, "bob")
        found = place.store.read_named(AccountName("bob")).account
        assert (found.operator, found.groups) == (None, ())

    def test_a_name_that_no_account_can_have_asks_for_another(self, place: Place) -> None:
        """A copy from before: in an address of the interface it is whoever is signed in."""
        ada, _ = self.owner(place)
        inside = changed(exported(place, ada.actor), name="me")
        with refused("bad-name"):
            imported(place, inside)
        assert imported(place, inside, "mia").account.name == "mia"

    def test_a_name_that_a_server_keeps_for_another_is_taken(self, place: Place, tmp_path: Path) -> None:
        ada, _ = self.owner(place)
        inside, there = exported(place, ada.actor), served(tmp_path / "there")
        Person(there).create().do(RenameAccountTo(name="lady"))
        with refused("name-taken"):
            imported(there, inside)
        there.close()

    def test_neither_its_name_nor_its_address_is_the_others_of_another_account(self, place: Place, tmp_path: Path) -> None:
        ada, _ = self.owner(place)
        inside = exported(place, ada.actor)
        named = changed(inside, name="eve@example.com", addresses=("ada@example.com",), address_names=())
        Person(place, "eve").create(email="Eve@example.com")
        Person(place, "Ada@example.com").create()
        for copy, name in ((named, "bob"), (changed(named, addresses=()), None)):
            with refused("name-taken"):
                imported(place, copy, name)
        there = served(tmp_path / "there")
        host = LocalDirectory(replace(there.parts, on_host=True))
        host.create(Actor(place="host"), NewAccount(name="eve", email="Eve@example.com"))
        with refused("name-taken"):
            imported(there, named)
        there.close()

    def test_an_unfinished_account_has_a_day_from_now(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        inside = exported(place, ada.actor)
        assert not inside.account.finished
        place.clock.move(hours=30)
        imported(place, inside, "bob")
        assert Person(place, "bob").view.state == "unfinished"
        place.clock.move(hours=23)
        assert Person(place, "bob").view.state == "unfinished"
        place.clock.move(hours=1)
        with refused("no-such-account"):
            _ = Person(place, "bob").view

    def test_a_finished_account_keeps_its_age(self, place: Place) -> None:
        ada, _ = self.owner(place)
        inside = exported(place, ada.actor)
        place.clock.move(days=40)
        assert imported(place, inside, "bob").account.created_at == NOW

    def test_a_used_code_signs_in_no_second_time(self, place: Place) -> None:
        ada, app = self.owner(place)
        inside = exported(place, ada.actor)
        code = app.fresh
        ada.prove(Answer(kind=Kind.TOTP, text=code))
        ada.do(Delete())
        imported(place, inside)
        with refused("code-reused", "already-used"):
            Person(place).prove(Answer(kind=Kind.TOTP, text=code))
        place.clock.move(seconds=30)
        Person(place).with_code(app)

    def test_a_recovery_code_that_ended_here_stays_ended(self, place: Place) -> None:
        """Also when its account is gone."""
        ada, _ = self.owner(place)
        first = ada.new_code()
        inside = exported(place, ada.actor)
        ada.new_code()
        came = imported(place, inside, "bob")
        assert any("recovery code" in line and "recovery-code new" in line for line in came.left_out)
        ada.do(Delete())
        imported(place, inside)
        for name in ("bob", "ada"):
            with refused("wrong-proof"):
                Person(place, name).recover(first)

    def test_a_recovery_code_that_holds_comes_along(self, place: Place) -> None:
        ada, _ = self.owner(place)
        code = ada.new_code()
        assert imported(place, exported(place, ada.actor), "bob").left_out == ()
        assert Person(place, "bob").recover(code).kind == "recovery-code"

    def test_an_account_without_any_way_back_is_told_so(self, place: Place) -> None:
        ada = Person(place).create()
        ada.new_code()
        inside = exported(place, ada.actor)
        assert imported(place, inside, "bob").left_out[-1].endswith("with the recovery code or as operator")
        ada.do(Delete())
        assert imported(place, inside).left_out[-1].endswith("passless recover start --as-operator")
