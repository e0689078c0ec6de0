"""Sessions, and the tokens of machines."""

from __future__ import annotations

from datetime import timedelta

import pytest

from passless.domain.methods import Kind
from passless.domain.policy import Policy, Requirements
from passless.domain.requests import (
    Answer,
    EndSessions,
    Enrol,
    NewAppPassword,
    NewRecoveryCode,
    NewToken,
    RenameAccountTo,
    ReportLostDevice,
    ReportNotMe,
    RevokeToken,
    StartRecoveryOf,
    StopRecovery,
)
from passless.domain.secret import Secret
from passless.domain.views import Ended, MadeToken
from tests.directories.person import Person
from tests.directories.place import HELPER, Place
from tests.directories.sentences import refused
from tests.directories.sentences.settings import in_two_steps

A_DAY = timedelta(days=1)
STRICT = Policy(require=Requirements(two_step=True))


def a_token(ada: Person, *rights: str, name: str = "ci", lifetime: timedelta = A_DAY) -> Person:
    """Make a token, and return the machine that has it."""
    made = ada.make(NewToken(name=name, rights=rights, lifetime=lifetime), MadeToken)
    return ada.elsewhere("ci", token=Secret(ada.place.keep_secret(made.secret)))


class TokenSentences:
    """Who is signed in, and which machines may look."""

    def test_sessions_are_listed_and_ended_one_by_one(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app = ada.add_app()
        phone, tablet = ada.elsewhere("phone"), ada.elsewhere("tablet")
        phone.with_code(app)
        tablet.with_code(app)
        listed = place.directory.sessions(ada.actor, "ada")
        assert {(one.place, one.current, one.methods) for one in listed} == {
            ("laptop", True, ("authenticator app",)),
            ("phone", False, ("authenticator app",)),
            ("tablet", False, ("authenticator app",)),
        }
        ended = next(one.id for one in listed if one.place == "phone")
        assert ada.make(EndSessions(session=ended), Ended).ended == (ended,)
        assert phone.view.session is None
        assert tablet.view.session is not None
        for unknown in (ended, "nothing", None):
            with refused("no-such-session"):
                ada.do(EndSessions(session=unknown))

    def test_all_sessions_end_at_once_and_the_tokens_with_them(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app = ada.add_app()
        machine = a_token(ada, "status")
        there = ada.elsewhere()
        there.with_code(app)
        assert len(ada.make(EndSessions(all=True), Ended).ended) == 3
        assert ada.view.session is None
        assert there.view.session is None
        with refused("wrong-proof"):
            machine.prove(Answer(kind=Kind.TOKEN, text=machine.token or Secret("")))

    def test_signing_out_ends_this_session_or_all(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app = ada.add_app()
        there = ada.elsewhere()
        there.with_code(app)
        assert place.directory.sign_out(there.actor) == 1
        assert place.directory.sign_out(there.actor) == 0
        assert ada.view.session is not None
        there.with_code(app)
        a_token(there, "status")
        assert place.directory.sign_out(there.actor, everywhere=True) == 3
        assert ada.view.session is None
        assert place.store.sessions(ada.view.id) == ()

    def test_a_session_ends_when_it_is_idle_for_an_hour_and_looking_is_not_idle(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        for _ in range(3):
            place.clock.move(minutes=59)
            assert ada.view.session is not None
        place.clock.move(minutes=60)
        assert ada.view.session is None
        with refused("sign-in-needed"):
            ada.do(RenameAccountTo(name="eve"))

    def test_a_session_ends_after_a_day_however_busy(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        ada.new_code()
        for _ in range(47):
            place.clock.move(minutes=30)
            ada.do(RenameAccountTo(display_name="Ada"))
        place.clock.move(minutes=30)
        assert ada.view.session is None

    def test_what_is_over_is_forgotten_at_the_next_sign_in(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app = ada.add_app()
        place.clock.move(hours=2)
        ada.with_code(app)
        if place.serves:
            place.store.sweep(at=place.clock.now)  # a server does so now and then, not at every sign-in
        assert len(place.store.sessions(ada.view.id)) == 1

    def test_a_token_reads_what_it_may_and_nothing_else(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        machine = a_token(ada, "status", "list")
        assert machine.view.account == "ada"
        assert len(place.directory.tokens(machine.actor, "ada")) == 1
        directory = place.directory
        for look in (
            lambda: list(directory.events(machine.actor, "ada")),
            lambda: directory.what_if(machine.actor, "ada", ()),
            lambda: list(directory.check(machine.actor, Policy(), ("ada",))),
        ):
            with refused("token-may-not"):
                look()

    def test_a_token_plans_only_where_it_may_see_the_state(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        for right, may in (("status", True), ("audit", False)):
            machine = a_token(ada, right, name=right)
            if may:
                plan = place.directory.plan(machine.actor, "ada", NewRecoveryCode())
                assert not plan.accepted  # by a token; what it would do stands there all the same
                assert "session-may-not" in {one.code for one in plan.problems if one.severity == "refusal"}
            else:
                with refused("token-may-not"):
                    place.directory.plan(machine.actor, "ada", NewRecoveryCode())

    def test_a_token_is_good_for_its_own_account_only(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        Person(place, "eve").create(password=None)
        machine = a_token(ada, "status", "audit")
        with refused("token-may-not"):
            place.directory.read(machine.actor, "eve")
        assert {event.account for event in place.directory.events(machine.actor, None)} == {"ada"}
        with refused("wrong-proof"):
            place.directory.sign_in(machine.actor, "eve", Answer(kind=Kind.TOKEN, text=machine.token or Secret("")))

    def test_a_token_checks_and_sees_its_own_account_only(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        Person(place, "eve").create(password=None)
        machine = a_token(ada, "check")
        assert {one.account for one in place.directory.check(machine.actor, STRICT, ("ada",))} == {"ada"}
        for targets in (("eve",), ("ada", "eve"), ()):
            with refused("token-may-not"):
                list(place.directory.check(machine.actor, STRICT, targets))
        everybody = ada.actor if not place.serves else place.onlooker
        assert {one.account for one in place.directory.check(everybody, STRICT, ())} - {HELPER} == {"ada", "eve"}
        assert [one.account for one in place.directory.find("", machine.actor)] == ["ada"]
        assert not list(place.directory.find("eve", machine.actor))

    def test_a_token_changes_nothing(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        machine = a_token(ada, "status", "check", "audit", "what-if", "list")
        for request in (
            RenameAccountTo(name="eve"),
            NewRecoveryCode(),
            ReportLostDevice(device="phone"),
            EndSessions(all=True),
            RevokeToken(token="ci"),
            NewToken(name="more", rights=("status",), lifetime=A_DAY),
        ):
            with refused("token-may-not"):
                machine.ask(request)
        with refused("token-may-not"):
            place.directory.begin(machine.actor, "ada", Enrol(kind=Kind.TOTP))
        for everywhere in (True, False):
            with refused("token-may-not"):
                place.directory.sign_out(machine.actor, everywhere=everywhere)
        before = len(place.store.notices(ada.view.id))
        place.directory.seen(machine.actor, "ada", [one.id for one in place.store.notices(ada.view.id)])
        assert len(place.store.notices(ada.view.id)) == before > 0

    def test_a_token_signs_in_is_seen_doing_so_and_ends(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        ada.new_code()
        machine = a_token(ada, "status")
        assert place.directory.tokens(ada.actor, "ada")[0].last_used_at is None
        place.clock.move(minutes=30)
        signed_in = machine.prove(Answer(kind=Kind.TOKEN, text=machine.token or Secret("")))
        assert signed_in.kind == "token"  # type: ignore[union-attr]
        assert place.directory.tokens(ada.actor, "ada")[0].last_used_at == place.clock.now
        place.clock.move(hours=23, minutes=30)
        with refused("wrong-proof"):
            machine.prove(Answer(kind=Kind.TOKEN, text=machine.token or Secret("")))
        told = [(event.event, event.outcome) for event in place.trail]
        assert told[-2:] == [("sign-in", "done"), ("sign-in", "failed")]

    @pytest.mark.parametrize("odd", ["plt_unknown", "", "\udc80"])
    def test_a_token_that_is_none_is_a_wrong_proof(self, place: Place, odd: str) -> None:
        ada = Person(place).create(password=None)
        with refused("wrong-proof"):
            ada.elsewhere().prove(Answer(kind=Kind.TOKEN, text=Secret(odd)))
        with refused("wrong-proof"):
            ada.elsewhere().prove(Answer(kind=Kind.TOKEN, text=ada.token or Secret("")))  # a person's session is no token

    def test_a_revoked_token_is_over_at_once(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        machine = a_token(ada, "status")
        place.clock.move(minutes=20)
        assert ada.make(RevokeToken(token="CI"), Ended).ended
        with refused("wrong-proof"):
            machine.prove(Answer(kind=Kind.TOKEN, text=machine.token or Secret("")))
        with refused("no-such-token"):
            ada.do(RevokeToken(token="ci"))

    def test_a_token_has_a_name_rights_and_a_year_at_most_and_needs_a_fresh_proof(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        a_token(ada, "status", lifetime=timedelta(days=365))
        for name, rights, days, code in [
            ("CI", ("status",), 1, "name-in-use"),
            ("\n", ("status",), 1, "bad-name"),
            ("b", ("delete",), 1, "no-such-right"),
            ("b", (), 1, "no-such-right"),
            ("b", ("status",), 366, "bad-duration"),
            ("b", ("status",), 0, "bad-duration"),
        ]:
            with refused(code):
                ada.do(NewToken(name=name, rights=rights, lifetime=timedelta(days=days)))
        place.clock.move(minutes=10)
        with refused("weak-proof"):
            a_token(ada, "status", name="c")
        last = place.trail[-1]
        assert (last.event, last.outcome, last.details) == ("create-token", "refused", {"problems": "weak-proof"})

    def test_a_token_takes_proofs_as_strong_as_an_app_password(self, place: Place) -> None:
        """A stolen session and one of two factors would else read everything for a year. Must hold 6."""
        ada, app, key = in_two_steps(place)
        place.clock.move(minutes=10)
        ada.with_code(app)
        for request in (NewAppPassword(name="Mail"), NewToken(name="ci", rights=("status",), lifetime=A_DAY)):
            with refused("weak-proof"):
                ada.ask(request)
        plan = place.directory.plan(ada.actor, "ada", NewToken(name="ci", rights=("status",), lifetime=A_DAY))
        assert (plan.accepted, [one.code for one in plan.problems]) == (True, ["weak-proof"])
        ada.with_key(key)
        a_token(ada, "status")

    def test_everybody_is_told_of_a_token(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        a_token(ada, "status", name="nightly check")
        (told,) = [one for one in ada.view.notices if one.code == "create-token"]
        assert '"nightly check"' in told.message
        assert "passless session end --all" in told.message

    def test_a_token_ends_with_the_session_it_was_made_in_where_that_was_not_me(self, place: Place) -> None:
        """Must hold 7: also where the methods stay, as an old password does that one factor reports."""
        ada = Person(place).create()
        app = ada.add_app()
        place.clock.move(days=60)
        thief = ada.elsewhere("thief")
        thief.with_password()
        machine = a_token(thief, "status", name="mine")
        ada.with_code(app)
        kept = a_token(ada, "status", name="hers")
        stranger = next(one.id for one in place.directory.sessions(ada.actor, "ada") if one.place == "thief")
        ada.do(ReportNotMe(session=stranger))
        assert [one.name for one in place.directory.tokens(ada.actor, "ada")] == ["hers"]
        with refused("wrong-proof"):
            machine.prove(Answer(kind=Kind.TOKEN, text=machine.token or Secret("")))
        assert kept.view.session is not None
        assert [one.kind for one in ada.view.methods] == ["password", "totp"]

    def test_a_token_ends_with_what_was_proven_when_it_was_made(self, place: Place) -> None:
        """Must hold 7: as sessions do."""
        ada = Person(place).create()
        app = ada.add_app()
        place.clock.move(minutes=10)
        there = ada.elsewhere()
        there.with_code(app)
        machine = a_token(there, "status")
        assert place.directory.tokens(ada.actor, "ada")[0].methods == ("authenticator app",)
        assert machine.view.session.strength == 0
        ada.do(ReportLostDevice(device="phone"))
        with refused("wrong-proof"):
            machine.prove(Answer(kind=Kind.TOKEN, text=machine.token or Secret("")))

    def test_all_tokens_end_with_a_recovery(self, place: Place) -> None:
        """Must hold 7: by a code, by an operator, or by the loss of everything."""
        ada = Person(place).create(password=None)
        app, code = ada.add_app(), ada.new_code()
        place.clock.move(days=60)
        for recover in (
            lambda: ada.elsewhere().recover(code),
            lambda: place.directory.apply(place.operator(), "ada", StartRecoveryOf()),
            lambda: ada.do(ReportLostDevice(device="phone")),
        ):
            ada.with_code(app)
            machine = a_token(ada, "status")
            recover()
            with refused("wrong-proof"):
                machine.prove(Answer(kind=Kind.TOKEN, text=machine.token or Secret("")))
            if ada.view.session is not None:
                ada.do(StopRecovery())

    def test_what_makes_or_ends_sessions_and_tokens_can_be_planned(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        place.directory.apply(ada.actor, "ada", NewToken(name="a", rights=("status",), lifetime=A_DAY))
        (session,) = place.directory.sessions(ada.actor, "ada")
        for request, event in (
            (EndSessions(all=True), "end-session"),
            (EndSessions(session=session.id), "end-session"),
            (NewToken(name="b", rights=("status",), lifetime=A_DAY), "create-token"),
            (RevokeToken(token="a"), "revoke-token"),
        ):
            plan = place.directory.plan(ada.actor, "ada", request)
            assert plan.accepted
            assert plan.change == {"type": event}
            assert plan.before == plan.after
