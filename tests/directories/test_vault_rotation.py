"""A new vault key while an app is being added or an account comes from a copy: nothing that was accepted is lost."""

from __future__ import annotations

from datetime import timedelta

from passless.directories.local import account_copies as copies
from passless.directories.local import vault_care
from passless.domain.methods import Kind
from passless.domain.requests import Answer, Enrol, TwoStepOn
from passless.domain.views import Begun
from tests.actions.breaking_store import BreakingStore
from tests.directories.person import App, Person
from tests.directories.place import Place, reopened, vault_in
from tests.directories.sentences import refused
from tests.directories.test_account_copies import exported


def rotated(place: Place) -> vault_care.Rotated:
    """Replace the key in another process."""
    other = reopened(place.folder, at=place.clock.now, seed=3)
    try:
        return vault_care.rotate(other.store, other.vault, other.clock)
    finally:
        other.close()


def begun(who: Person) -> tuple[Begun, App]:
    """Begin to add an app."""
    found = who.place.directory.begin(who.actor, who.name, Enrol(kind=Kind.TOTP))
    return found, who.app_of(found)


def overtaken_begin(who: Person) -> tuple[Begun, App]:
    """Begin to add an app; just before that is kept, another process replaces the key."""
    store = BreakingStore(who.place.store)
    store.only = lambda write: write.begins is not None
    store.before = lambda: _ignored(rotated(who.place))
    who.place.change(store=store)
    return begun(who)


def _ignored(_: object) -> None:
    return


def finish(who: Person, ceremony: Begun, app: App) -> None:
    """Finish adding it."""
    who.finish(ceremony.ceremony, Answer(kind=Kind.TOTP, text=app.fresh))


def signs_in_later(place: Place, app: App, name: str = "ada") -> bool:
    """Tell whether the app signs in in a process of its own."""
    later = reopened(place.folder, at=place.clock.now + timedelta(hours=2), seed=4)
    app._place = later
    try:
        Person(later, name).with_code(app)
        vault_care.check_readable(later.store, later.vault)
        return True
    finally:
        later.close()


class TestWhileAnAppIsAdded:
    kept_in = "disk"

    def test_an_app_begun_before_is_begun_again(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ceremony, app = begun(ada)
        assert rotated(place).forgotten
        with refused("no-such-ceremony"):
            finish(ada, ceremony, app)
        assert ada.view.methods == ()
        app = ada.add_app()
        assert signs_in_later(place, app)

    def test_it_is_the_same_in_another_process(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ceremony, app = begun(ada)
        rotated(place)
        other = reopened(place.folder, at=place.clock.now)
        with refused("no-such-ceremony"):
            finish(Person(other, token=ada.token), ceremony, app)
        other.close()

    def test_a_begin_that_a_rotation_overtakes_is_begun_again(self, place: Place) -> None:
        """It is not among the ceremonies that end, and its key is gone."""
        ada = Person(place).create(password=None)
        ceremony, app = overtaken_begin(ada)
        with refused("no-such-ceremony"):
            finish(ada, ceremony, app)
        assert signs_in_later(place, ada.add_app())

    def test_an_app_begun_after_under_an_earlier_key_comes_under_the_new_one(self, place: Place) -> None:
        ada = Person(place).create()
        ada.add_app()
        ada.new_code()
        ada.with_password()
        ada.do(TwoStepOn())
        ada.new_app_password()
        before = place.vault.key_id()
        ceremony, app = overtaken_begin(ada)
        ring = vault_in(place.folder, place.store.id, place.parts.entropy).ring()
        assert before in ring.keys
        assert before != ring.current
        finish(ada, ceremony, app)
        assert {sealed.key for _, sealed in place.store.seals()} == {ring.current}

    def test_a_finish_that_a_rotation_overtakes_keeps_nothing(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        store = BreakingStore(place.store)
        place.change(store=store)
        ceremony, app = begun(ada)
        store.only = lambda write: write.account is not None
        store.before = lambda: assert_it_forgets(rotated(place))
        with refused("already-used", "no-such-ceremony"):
            finish(ada, ceremony, app)
        assert ada.view.methods == ()
        assert signs_in_later(place, ada.add_app())

    def test_a_rotation_that_a_finish_overtakes_moves_its_seal(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ceremony, app = begun(ada)
        store = BreakingStore(place.store)
        store.only = lambda write: bool(write.ends_purpose)
        store.before = lambda: finish(ada, ceremony, app)
        other = reopened(place.folder, at=place.clock.now, seed=3)
        assert_it_forgets(vault_care.rotate(store, other.vault, place.clock))
        other.close()
        assert signs_in_later(place, app)

    def test_a_missing_vault_key_is_no_ended_ceremony(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ceremony, app = begun(ada)
        (place.folder / "vault.key").rename(place.folder / "elsewhere")
        with refused("vault-key-missing"):
            finish(ada, ceremony, app)
        (place.folder / "elsewhere").rename(place.folder / "vault.key")
        finish(ada, ceremony, app)
        assert signs_in_later(place, app)


class TestWhileACopyComesIn:
    kept_in = "disk"

    def test_the_seeds_come_under_the_new_key(self, place: Place) -> None:
        ada = Person(place).create()
        app = ada.add_app()
        ada.with_password()
        inside = exported(place, ada.actor)
        ready = copies.prepare(place.parts, inside, "bob")
        store = BreakingStore(place.store)
        store.before = lambda: assert_it_forgets(rotated(place))
        place.change(store=store)
        copies.keep(place.parts, ready, inside, place="here")
        assert signs_in_later(place, app, "bob")


def assert_it_forgets(done: vault_care.Rotated) -> None:
    """The old key is gone for good."""
    assert done.forgotten
