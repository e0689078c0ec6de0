"""What a link of a terminal opened in a browser ends with the link, its proof and its successor (must hold 5, 6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from passless.actions import enrol_links
from passless.actions.enrol_links import NotALink, Opened
from passless.credentials.cose_keys import BadResponse
from passless.domain.account import AccountId
from passless.domain.methods import Kind
from passless.domain.refused import Refused
from passless.domain.requests import Answer, Enrol
from passless.domain.secret import Secret
from passless.domain.sessions import Proof
from passless.domain.views import MadeEnrolLink
from passless.ports.directory import Actor
from tests.directories.person import Person, key_answer
from tests.directories.place import Place
from tests.directories.security_key import SecurityKey

THIEF = Actor(visit="thief", place="198.51.100.66")
OWNER = Actor(visit="owner", place="192.0.2.1")
NONSENSE = Answer(kind=Kind.PASSKEY, text=Secret("{}"))


@pytest.fixture
def ada(place: Place) -> Person:
    """Somebody with a password and an app, who proved the password just now."""
    ada = Person(place).create()
    ada.add_app()
    place.clock.move(days=40)
    ada.token = None
    ada.with_password()
    return ada


def link(ada: Person) -> MadeEnrolLink:
    made = ada.place.directory.enrol_link(ada.actor, "ada", Enrol(kind=Kind.PASSKEY))
    ada.place.keep_secret(made.link)
    return made


def opened(place: Place, made: MadeEnrolLink, where: Actor = THIEF) -> Opened:
    return enrol_links.open_link(place.parts, where, Secret(made.link.reveal().rpartition("#")[2]))


def again(place: Place, before: Opened, where: Actor = THIEF) -> Opened:
    """Answer nonsense, as often as one likes."""
    with pytest.raises(BadResponse):
        enrol_links.finish(place.parts, where, before.begun.ceremony, NONSENSE)
    return enrol_links.open_again(place.parts, where, before.begun.ceremony, NONSENSE)


def add(place: Place, at: Opened, where: Actor = THIEF, serial: int = 9) -> None:
    answer = Answer(kind=Kind.PASSKEY, text=key_answer(SecurityKey(serial=serial), at.begun, new=True))
    enrol_links.finish(place.parts, where, at.begun.ceremony, answer)


def passkeys(ada: Person) -> int:
    return sum(method.kind == Kind.PASSKEY for method in ada.view.methods)


def proofs(ada: Person) -> list[tuple[Proof, ...]]:
    """Return what was proven in each of their sessions."""
    return [one.proofs for one in ada.place.store.sessions(AccountId(ada.view.id))]


class TestTheLinksTime:
    kept_in = "server"

    def test_what_it_opens_ends_with_it_however_often_it_is_begun_anew(self, place: Place, ada: Person) -> None:
        """must hold 5: the owner proves who they are meanwhile, which helps nobody else."""
        made = link(ada)
        place.clock.move(minutes=8)
        at = opened(place, made)
        assert at.begun.expires_at == made.expires_at
        at = again(place, at)
        assert at.begun.expires_at == made.expires_at
        ada.with_password()
        place.clock.move(minutes=2)
        with pytest.raises(NotALink):
            enrol_links.open_again(place.parts, THIEF, at.begun.ceremony, NONSENSE)
        with pytest.raises(NotALink):
            add(place, at)
        assert passkeys(ada) == 0

    def test_one_that_is_opened_early_is_open_for_five_minutes(self, place: Place, ada: Person) -> None:
        made = link(ada)
        assert opened(place, made).begun.expires_at == place.clock.now + timedelta(minutes=5)

    def test_the_proof_that_counts_is_the_one_it_was_made_with(self, place: Place, ada: Person) -> None:
        """must hold 6: a proof that is given later makes no link of before fresh."""
        place.clock.move(minutes=6)
        made = link(ada)
        place.clock.move(minutes=3)
        ada.with_password()
        at = opened(place, made)
        place.clock.move(minutes=2)
        with pytest.raises(Refused):
            add(place, at)
        assert passkeys(ada) == 0
        assert link(ada).expires_at > place.clock.now, "it counts for a new one"

    def test_what_is_proven_later_is_not_lost_to_the_terminal(self, place: Place, ada: Person) -> None:
        at = opened(place, link(ada), OWNER)
        place.clock.move(minutes=1)
        ada.with_password()
        before = proofs(ada)
        add(place, at, OWNER)
        assert passkeys(ada) == 1
        assert proofs(ada) == before

    def test_five_answers_are_enough(self, place: Place, ada: Person) -> None:
        at = opened(place, link(ada))
        for _ in range(enrol_links.MOST_TRIES - 1):
            at = again(place, at)
        with pytest.raises(NotALink):
            again(place, at)


class TestWhatEndsIt:
    kept_in = "server"

    def test_another_link_ends_what_the_one_before_opened(self, place: Place, ada: Person) -> None:
        """must hold 5"""
        at = opened(place, link(ada))
        link(ada)
        with pytest.raises(NotALink):
            add(place, at)
        with pytest.raises(NotALink):
            enrol_links.open_again(place.parts, THIEF, at.begun.ceremony, NONSENSE)
        assert passkeys(ada) == 0

    def test_so_does_one_that_added_its_passkey(self, place: Place, ada: Person) -> None:
        """must hold 12: one passkey for each link, and none from a link of before."""
        thief = opened(place, link(ada))
        mine = opened(place, link(ada), OWNER)
        add(place, mine, OWNER)
        for at, where in ((thief, THIEF), (mine, OWNER)):
            with pytest.raises(NotALink):
                add(place, at, where, serial=10)
            with pytest.raises(NotALink):
                enrol_links.open_again(place.parts, where, at.begun.ceremony, NONSENSE)
        assert passkeys(ada) == 1
        assert not list(place.store.records(enrol_links.KIND))

    def test_so_does_the_end_of_the_terminals_session(self, place: Place, ada: Person) -> None:
        """must hold 7"""
        at = opened(place, link(ada))
        place.directory.sign_out(ada.actor)
        with pytest.raises(NotALink):
            add(place, at)
        with pytest.raises(NotALink):
            enrol_links.open_again(place.parts, THIEF, at.begun.ceremony, NONSENSE)

    def test_a_link_that_is_made_while_another_is_finished_wins(
        self, place: Place, ada: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """must hold 12: two changes at once are checked in turn."""
        at, commit = opened(place, link(ada)), place.store.commit

        def slower(write: object) -> object:
            monkeypatch.setattr(place.store, "commit", commit)
            link(ada)
            return commit(write)  # type: ignore[arg-type]

        monkeypatch.setattr(place.store, "commit", slower)
        with pytest.raises(NotALink):
            add(place, at)
        assert passkeys(ada) == 0

    def test_whoever_opens_a_link_first_has_it(self, place: Place, ada: Person) -> None:
        """must hold 5"""
        made = link(ada)
        opened(place, made)
        with pytest.raises(NotALink):
            opened(place, made, OWNER)
