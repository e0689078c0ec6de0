"""Two who write to one session, or end what a third opens, at the same moment: must hold 7 and 12."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from passless.actions import granting
from passless.actions.accounts import find_id
from passless.actions.who import session_of
from passless.domain.methods import Kind
from passless.domain.requests import Answer, EndSessions, NewToken, ReportNotMe
from passless.domain.secret import Secret
from passless.domain.views import Ended, SignedIn
from passless.ports import VersionMoved, Write
from tests.actions.a_server import serve
from tests.actions.test_races import breaking, in_processes
from tests.directories.person import App, Person
from tests.directories.place import PASSWORD, Place
from tests.directories.sentences import refused
from tests.directories.sentences.tokens import A_DAY


def ada_twice(place: Place) -> tuple[Person, Person, App]:
    """Somebody at a laptop and on a phone, with a password and an app."""
    ada = Person(place).create()
    app = ada.add_app()
    phone = ada.elsewhere("phone")
    phone.with_password()
    place.clock.move(minutes=2)
    return ada, phone, app


def left(place: Place) -> list[str]:
    """Return the ids of all sessions of the account."""
    return [one.id for one in place.store.sessions(place.store.read_named("ada").account.id)]  # type: ignore[arg-type]


class TestEndingAll:
    kept_in = "disk"

    @pytest.mark.parametrize("how", ["end all", "sign out everywhere"])
    @pytest.mark.parametrize("what", ["opened", "renewed", "a token"])
    def test_what_is_opened_or_renewed_meanwhile_ends_too(self, place: Place, how: str, what: str) -> None:
        """Must hold 7: between the look at the sessions and their end somebody signs in, or proves more."""
        ada, phone, app = ada_twice(place)
        thief = Person(place, at="far away")
        meanwhile: dict[str, Callable[[], object]] = {
            "opened": thief.with_password,
            "renewed": lambda: phone.with_code(app),
            "a token": lambda: phone.do(NewToken(name="ci", rights=("status",), lifetime=A_DAY)),
        }
        phone.with_password()
        store = breaking(place)
        store.only = lambda write: bool(write.ends)
        store.before = lambda: _done(meanwhile[what]())
        before = len(left(place))
        if how == "end all":
            made = ada.do(EndSessions(all=True)).made
            assert isinstance(made, Ended)
            ended = len(made.ended)
        else:
            ended = place.directory.sign_out(ada.actor, everywhere=True)
        assert left(place) == []
        assert ended == before + (what != "renewed")

    def test_one_session_ends_though_it_is_renewed_meanwhile(self, place: Place) -> None:
        """Must hold 7."""
        ada, phone, app = ada_twice(place)
        (session,) = [one for one in place.directory.sessions(phone.actor, "ada") if one.current]
        store = breaking(place)
        store.only = lambda write: bool(write.ends)
        store.before = lambda: _done(phone.with_code(app))
        ada.do(EndSessions(session=session.id))
        with refused("sign-in-needed"):
            phone.with_code(app) if session.id in left(place) else ada.elsewhere(token=phone.token).do(EndSessions(all=True))
        assert session.id not in left(place)

    def test_what_comes_of_a_session_ends_with_it_though_it_is_opened_meanwhile(self, place: Place) -> None:
        """Must hold 7: a program is given a session while the person says that the one it comes of was not them."""
        ada, phone, _ = ada_twice(place)
        source = session_of(place.parts, phone.actor)
        assert source is not None
        account = place.store.read_named("ada").account  # type: ignore[arg-type]

        def give() -> None:
            found = find_id(place.parts, account.id, place.clock.now)
            given, _ = granting.from_browser(place.parts, account, source, place="desk")
            place.store.commit(
                Write(at=place.clock.now, account_id=account.id, expected=found.version, opens=given, updates=source)
            )

        ada.with_password()
        store = breaking(place)
        store.only = lambda write: bool(write.ends)
        store.before = give
        ada.do(ReportNotMe(session=source.id))
        assert len(left(place)) <= 1
        with pytest.raises(VersionMoved):
            give()


class TestOneSession:
    kept_in = "disk"

    def test_two_proofs_at_once_lose_none(self, place: Place) -> None:
        """Must hold 12: the later one is not written over the earlier one; it signs in by itself."""
        ada, _, app = ada_twice(place)
        other, begun = ada.elsewhere(token=ada.token), len(left(place))
        store = breaking(place)
        store.only = lambda write: write.updates is not None and bool(write.uses)
        store.before = lambda: _done(other.with_password())
        assert isinstance(ada.with_code(app), SignedIn)
        kinds = [
            {proof.kind for proof in one.proofs} for one in (session_of(place.parts, who.actor) for who in (ada, other)) if one
        ]
        assert kinds[0] == {Kind.TOTP}
        assert kinds[1] >= {Kind.PASSWORD}
        assert len(left(place)) == begun + 1

    def test_a_proof_is_not_lost_to_who_only_looks(self, place: Place) -> None:
        """Must hold 12."""
        ada, _, app = ada_twice(place)
        copied = ada.elsewhere(token=ada.token)
        store = breaking(place)
        store.only = lambda write: write.updates is not None and not write.uses
        store.before = lambda: _done(ada.with_code(app))
        assert copied.view.account == "ada"
        after = session_of(place.parts, ada.actor)
        assert after is not None
        assert Kind.TOTP in {proof.kind for proof in after.proofs}
        with refused("sign-in-needed"):
            copied.do(EndSessions(all=True))

    def test_who_was_signed_out_meanwhile_is_not_brought_back(self, place: Place) -> None:
        """Must hold 7: what was right signs in, and the session that ended stays ended."""
        ada, phone, app = ada_twice(place)
        session = session_of(place.parts, ada.actor)
        assert session is not None
        store = breaking(place)
        store.only = lambda write: write.updates is not None and bool(write.uses)
        phone.with_password()
        store.before = lambda: _done(phone.do(EndSessions(all=True)))
        assert isinstance(ada.with_code(app), SignedIn)
        assert session.id not in left(place)
        assert len(left(place)) == 1

    def test_processes_that_prove_in_one_session_leave_one_with_its_line(self, place: Place) -> None:
        """Must hold 12: each of them is signed in, and the first one's session is the one of before."""
        ada, _, _ = ada_twice(place)
        before = session_of(place.parts, ada.actor)
        assert before is not None
        serve(place)

        def prove(who: Person) -> object:
            return who.prove(Answer(kind=Kind.PASSWORD, text=Secret(PASSWORD)))

        assert in_processes(place, "ada", *[prove] * 3, token=ada.token) == ["SignedIn"] * 3
        assert left(place).count(before.id) == 1
        assert len(left(place)) == 4
        assert session_of(place.parts, ada.actor) is None


def _done(outcome: object) -> None:
    assert outcome is not None
