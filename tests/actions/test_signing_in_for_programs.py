"""Sessions that come of another session, and new tokens of the same one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from passless.actions import granting
from passless.actions.who import session_of
from passless.domain.account import Account
from passless.domain.methods import Kind
from passless.domain.requests import (
    Answer,
    CancelWaiting,
    ConfirmCode,
    EndSessions,
    Enrol,
    IssuePass,
    NewAppPassword,
    NewRecoveryCode,
    NewToken,
    RemoveMethodNamed,
    RenameAccountTo,
    ReportLostDevice,
    ReportNotMe,
    RevokeAppPasswordsNamed,
    SetPassword,
    StopRecovery,
    TakeBackReport,
)
from passless.domain.secret import Secret
from passless.domain.sessions import Session, SessionKind
from passless.domain.views import Applied, MadePass, SignedIn, Waits
from passless.ports import Write
from tests.actions.a_server import NETWORKS, serve
from tests.actions.test_must_hold import CHANGES
from tests.actions.test_visits import InABrowser
from tests.directories.person import App, Person
from tests.directories.place import ANOTHER_PASSWORD, Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.directories.sentences.tokens import a_token

A_DAY = timedelta(days=1)


def ada_in_a_browser(place: Place) -> tuple[InABrowser, App, SecurityKey]:
    """Somebody signed in with a password in a browser, who also has an app and a passkey."""
    ada, key = Person(place).create(), SecurityKey()
    app = ada.add_app()
    ada.add_key(key, Kind.PASSKEY, name="laptop")
    place.clock.move(minutes=1)
    serve(place)
    browser = InABrowser(place, at=NETWORKS[0])
    browser.with_password()
    return browser, app, key


def source_of(person: Person) -> tuple[Session, Account]:
    """Return somebody's session and account."""
    session = session_of(person.place.parts, person.actor)
    assert session is not None
    return session, person.place.store.read(session.account_id).account  # type: ignore[arg-type]


def given(person: Person, kind: str) -> tuple[Person, Session]:
    """Keep what somebody's session gives, and return who has it now."""
    (source, account), parts = source_of(person), person.place.parts
    if kind == "client":
        session, token = granting.for_client(parts, account, source, client="wiki", scopes=("profile",), place=NETWORKS[1])
    else:
        make = granting.for_device if kind == "device" else granting.from_browser
        session, token = make(parts, account, source, place=NETWORKS[1])
    parts.store.commit(Write(at=parts.now(), opens=session))
    return Person(person.place, "ada", at=NETWORKS[1], token=Secret(person.place.keep_secret(token))), session


def a_wish() -> NewToken:
    """A token that somebody would have."""
    return NewToken(name="another", rights=("status",), lifetime=A_DAY)


class TestTheCommandLine:
    kept_in = "disk"

    def test_it_has_what_the_browser_has_and_no_more(self, place: Place) -> None:
        browser, app, _ = ada_in_a_browser(place)
        terminal, session = given(browser, "browser")
        assert session.kind is SessionKind.BROWSER
        assert session.proofs == source_of(browser)[0].proofs
        terminal.do(SetPassword(password=Secret(place.keep_secret(ANOTHER_PASSWORD))))
        assert app.method

    def test_its_proofs_are_no_fresher_than_those_of_the_browser(self, place: Place) -> None:
        """Must hold 6: ten minutes count from the proof."""
        browser, _, _ = ada_in_a_browser(place)
        place.clock.move(minutes=9)
        terminal, _ = given(browser, "browser")
        terminal.do(RenameAccountTo(display_name="Ada"))
        place.clock.move(minutes=1)
        with refused("weak-proof"):
            terminal.ask(SetPassword(password=Secret(ANOTHER_PASSWORD)))

    def test_it_lasts_no_longer_than_the_browser(self, place: Place) -> None:
        browser, _, _ = ada_in_a_browser(place)
        source, _ = source_of(browser)
        place.clock.move(minutes=50)
        for kind in ("browser", "client"):
            assert given(browser, kind)[1].expires_at <= source.expires_at

    def test_what_came_by_a_pass_or_a_code_stays_what_it_is(self, place: Place) -> None:
        """Rule 8 and rule 10: never better than the browser's own."""
        ada = Person(place).create()
        ada.add_app()
        code = ada.new_code()
        issued = place.directory.apply(place.operator(), "ada", IssuePass(lifetime=timedelta(hours=1)))
        assert isinstance(issued, Applied)
        assert isinstance(issued.made, MadePass)
        place.keep_secret(issued.made.secret)
        serve(place)
        passer, recoverer = InABrowser(place), InABrowser(place)
        passer.with_pass(issued.made.secret.reveal())
        ended_at = source_of(passer)[0].expires_at
        terminal, session = given(passer, "browser")
        assert (session.kind, session.expires_at) == (SessionKind.TEMPORARY_PASS, ended_at)
        assert isinstance(terminal.ask(SetPassword(password=Secret(place.keep_secret(ANOTHER_PASSWORD)))), Waits)
        recoverer.recover(code)
        _, session = given(recoverer, "browser")
        assert session.kind is SessionKind.RECOVERY_CODE
        assert session.name == source_of(recoverer)[0].name  # which code it was
        assert not granting.says_who(session)

    def test_it_ends_with_the_recovery_it_came_from(self, place: Place) -> None:
        """Must hold 7."""
        ada = Person(place).create()
        ada.add_app()
        code = ada.new_code()
        thief = InABrowser(place)
        thief.recover(code)
        terminal, _ = given(thief, "browser")
        ada.do(StopRecovery())
        with refused("sign-in-needed"):
            terminal.do(NewRecoveryCode())


class TestDevices:
    kept_in = "disk"

    def test_a_device_code_gives_no_proof_and_no_step_up(self, place: Place) -> None:
        """Rule 8: it can be phished. Must hold 6."""
        browser, app, key = ada_in_a_browser(place)
        device, session = given(browser, "device")
        assert session.kind is SessionKind.DEVICE_CODE
        assert session.fresh_proofs(place.clock.now) == ()
        assert device.view.session.strength == 0
        for request in (SetPassword(password=Secret(ANOTHER_PASSWORD)), RemoveMethodNamed(method="laptop")):
            with refused("session-may-not"):
                device.ask(request)
        before = device.token
        signed_in = device.with_key(key, Kind.PASSKEY)  # it gets a session of its own instead
        assert isinstance(signed_in, SignedIn)
        assert (signed_in.kind, device.token == before) == ("direct", False)
        assert app.method

    def test_it_looks_and_signs_itself_out_and_does_nothing_else(self, place: Place) -> None:
        """Must hold 6, decision 0016: what the page says on which the code is typed. Not even what asks for no proof."""
        browser, app, key = ada_in_a_browser(place)
        browser.with_key(key, Kind.PASSKEY)
        code = browser.new_code()
        machine = a_token(browser, "status")
        device, session = given(browser, "device")
        directory, own = place.directory, source_of(browser)[0]
        before = place.store.read(own.account_id), len(place.store.sessions(own.account_id))  # type: ignore[arg-type]
        for request in (
            *CHANGES,
            ReportLostDevice(device="laptop"),
            ReportNotMe(session=own.id),
            TakeBackReport(device="phone"),
            RevokeAppPasswordsNamed(all=True),
            RenameAccountTo(display_name="Eve"),
            EndSessions(session=own.id),
            CancelWaiting(),
        ):
            with refused("session-may-not"):
                device.ask(request)
        for attempt in (
            lambda: directory.begin(device.actor, "ada", Enrol(kind=Kind.TOTP)),
            lambda: directory.is_recovery_code(device.actor, "ada", Secret(code)),
            lambda: directory.sign_out(device.actor, everywhere=True),
        ):
            with refused("session-may-not"):
                attempt()
        assert before == (place.store.read(own.account_id), len(place.store.sessions(own.account_id)))  # type: ignore[arg-type]
        assert machine.view.account == device.view.account == "ada"
        assert directory.devices(device.actor, "ada")
        assert list(directory.events(device.actor, "ada"))
        assert directory.sign_out(device.actor) == 1
        again, session = given(browser, "device")
        again.do(EndSessions(session=session.id))
        with refused("sign-in-needed"):
            directory.devices(again.actor, "ada")
        assert app.method

    def test_what_it_plans_is_refused_as_the_thing_itself(self, place: Place) -> None:
        browser, _, _ = ada_in_a_browser(place)
        device, session = given(browser, "device")
        for request in (ReportLostDevice(device="phone"), NewAppPassword(name="Mail"), EndSessions(all=True), a_wish()):
            plan = place.directory.plan(device.actor, "ada", request)
            assert (plan.accepted, plan.problems[0].code) == (False, "session-may-not")
        assert place.directory.plan(device.actor, "ada", EndSessions(session=session.id)).accepted
        problems = place.directory.enrolment_problems(device.actor, "ada", Enrol(kind=Kind.TOTP))
        assert "session-may-not" in {one.code for one in problems if one.severity == "refusal"}

    def test_that_it_asked_is_in_the_trail_and_hides_nothing_there(self, place: Place) -> None:
        """Must hold 8: of a program that asks without end the first ten in an hour stand there, and how many there were."""
        browser, _, _ = ada_in_a_browser(place)
        device, session = given(browser, "device")
        for _ in range(100):
            with refused("session-may-not"):
                device.ask(ReportLostDevice(device="phone"))
        noted = [one for one in place.trail if one.event == "use-device-code"]
        assert {(one.outcome, one.account, one.place) for one in noted} == {("refused", "ada", NETWORKS[1])}
        assert {one.details["session"] for one in noted} == {session.id}
        assert {one.details["problems"] for one in noted} == {"session-may-not"}
        assert [one.details.get("wrong_this_hour") for one in noted] == [None] * 9 + ["10", "100"]

    @pytest.mark.parametrize("kind", ["device", "client", "browser"])
    def test_it_ends_with_the_method_that_approved_it(self, place: Place, kind: str) -> None:
        """Must hold 7: a thief with the phone approves a device, and the phone is reported lost."""
        browser, app, key = ada_in_a_browser(place)
        thief = InABrowser(place, at="far away")
        thief.with_code(app)
        _, session = given(thief, kind)
        _, kept = given(browser, kind)
        browser.with_key(key, Kind.PASSKEY)
        browser.do(ReportLostDevice(device="phone"))
        left = {one.id for one in place.store.sessions(source_of(browser)[0].account_id)}  # type: ignore[arg-type]
        assert session.id not in left
        assert kept.id in left


class TestRelyingParties:
    kept_in = "disk"

    def test_a_relying_party_may_do_nothing_on_the_account(self, place: Place) -> None:
        """Must hold 6: neither look nor change; to a directory it is no session at all."""
        browser, _, _ = ada_in_a_browser(place)
        wiki, session = given(browser, "client")
        assert (session.kind, session.name, session.rights) == (SessionKind.CLIENT, "wiki", ("profile",))
        directory = place.directory
        for attempt in (
            lambda: directory.read(wiki.actor, "ada"),
            lambda: list(directory.events(wiki.actor, "ada")),
            lambda: directory.sessions(wiki.actor, "ada"),
            lambda: directory.what_if(wiki.actor, "ada", ()),
            lambda: wiki.do(RenameAccountTo(display_name="Eve")),
            lambda: wiki.do(NewToken(name="ci", rights=("status",), lifetime=A_DAY)),
            lambda: wiki.do(EndSessions(all=True)),
            lambda: wiki.do(ConfirmCode(code=None)),
            lambda: directory.begin(wiki.actor, "ada", Enrol(kind=Kind.TOTP)),
        ):
            with refused("sign-in-needed", "token-may-not"):
                attempt()
        assert directory.sign_out(wiki.actor, everywhere=True) == 0
        assert browser.view.session is not None

    def test_it_is_listed_and_ended_like_any_other(self, place: Place) -> None:
        """Must hold 7."""
        browser, _, _ = ada_in_a_browser(place)
        wiki, session = given(browser, "client")
        listed = {one.id: (one.kind, one.name) for one in place.directory.sessions(browser.actor, "ada")}
        assert listed[session.id] == ("client", "wiki")
        assert {name for _, name in listed.values()} == {"wiki", ""}
        browser.do(EndSessions(session=session.id))
        assert place.store.session(session.token_hash) is None
        assert wiki.token


class TestNewTokens:
    kept_in = "disk"

    def test_the_old_token_is_worth_nothing_and_the_new_one_more(self, place: Place) -> None:
        """Must hold 7 and 11: after a step-up, whoever had the old token is signed out."""
        browser, app, _ = ada_in_a_browser(place)
        before, old = source_of(browser)[0], browser.elsewhere(token=browser.token)
        browser.with_code(app)
        after = source_of(browser)[0]
        assert (after.id, after.created_at, after.expires_at) == (before.id, before.created_at, before.expires_at)
        assert (len(before.proofs), len(after.proofs)) == (1, 2)
        assert after.token_hash != before.token_hash
        assert session_of(place.parts, old.actor) is None
        assert len(place.directory.sessions(browser.actor, "ada")) == 2  # the terminal's and this

    def test_what_the_browser_began_before_it_finishes_after(self, place: Place) -> None:
        """docs/decisions/0010."""
        browser, app, key = ada_in_a_browser(place)
        browser.with_key(key, Kind.PASSKEY)
        begun = place.directory.begin(browser.actor, "ada", Enrol(kind=Kind.TOTP, device="tablet"))
        place.clock.move(seconds=30)
        browser.with_code(app)
        browser.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=browser.app_of(begun).code))
