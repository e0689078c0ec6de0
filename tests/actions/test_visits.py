"""Ceremonies and the browser that began them (must hold 5), and passkeys that say themselves whose they are."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from passless.actions import throttle
from passless.credentials.passkeys import to_base64
from passless.domain.methods import Kind
from passless.domain.requests import Answer, Enrol, SignInWith
from passless.domain.secret import Secret
from passless.domain.views import Begun, SecondProofNeeded, SignedIn
from passless.ports.directory import Actor
from tests.actions.a_server import NETWORKS, serve
from tests.directories.person import App, Person, key_answer
from tests.directories.place import PASSWORD, Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused

HERE, THERE = "visit-of-this-browser", "visit-of-another"


class InABrowser(Person):
    """Somebody in a browser."""

    def __init__(self, *args: object, visit: str = HERE, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self.visit = visit

    @property
    def actor(self) -> Actor:
        return replace(super().actor, visit=self.visit)


@pytest.fixture
def city(place: Place) -> Place:
    """A server with an account of a password, an app and a passkey."""
    return serve(place)


def ada_with_everything(place: Place) -> tuple[Person, App, SecurityKey]:
    """Somebody with a password, an app and a passkey."""
    ada, key = Person(place).create(), SecurityKey()
    app = ada.add_app()
    ada.add_key(key, Kind.PASSKEY, name="laptop")
    return ada, app, key


class TestVisits:
    kept_in = "disk"

    @pytest.mark.parametrize(("begins", "finishes"), [(HERE, THERE), (HERE, ""), ("", HERE)])
    def test_what_one_browser_began_nothing_else_finishes(self, city: Place, begins: str, finishes: str) -> None:
        """Must hold 5: bound to the visit before there is a session, in either direction."""
        _, _, key = ada_with_everything(city)
        begun = city.directory.begin(Actor(visit=begins), "ada", SignInWith(kind=Kind.PASSKEY))
        answer = Answer(kind=Kind.PASSKEY, text=key_answer(key, begun))
        with refused("no-such-ceremony"):
            city.directory.finish(Actor(visit=finishes), begun.ceremony, answer)
        assert isinstance(city.directory.finish(Actor(visit=begins), begun.ceremony, answer), SignedIn)

    def test_a_second_proof_belongs_to_the_browser_of_the_first(self, city: Place) -> None:
        """Must hold 5."""
        ada, app, _ = ada_with_everything(city)
        ada.new_code()
        ada.turn_on_two_step()
        half = InABrowser(city).prove(Answer(kind=Kind.PASSWORD, text=Secret(city.keep_secret(PASSWORD))))
        assert isinstance(half, SecondProofNeeded)
        answer = Answer(kind=Kind.TOTP, text=app.fresh)
        for visit in (THERE, ""):
            with refused("no-such-ceremony"):
                InABrowser(city, visit=visit).finish(half.ceremony, answer)
        assert isinstance(InABrowser(city).finish(half.ceremony, answer), SignedIn)

    def test_a_recovery_takes_a_question_of_its_own_browser_only(self, city: Place) -> None:
        """Must hold 4 and 5."""
        ada, _, key = ada_with_everything(city)
        code = ada.new_code()
        ada.turn_on_two_step()
        begun = city.directory.begin(Actor(visit=HERE), "ada", SignInWith(kind=Kind.PASSKEY))
        answer = Answer(kind=Kind.PASSKEY, text=key_answer(key, begun), ceremony=begun.ceremony)
        with refused("no-such-ceremony"):
            InABrowser(city, visit=THERE).recover(code, answer)
        assert isinstance(InABrowser(city).recover(code, answer), SignedIn)

    def test_a_proof_of_who_is_signed_in_is_bound_to_the_session_too(self, city: Place) -> None:
        """Must hold 5: visit and session."""
        ada, _, key = ada_with_everything(city)
        browser = InABrowser(city)
        browser.with_key(key, Kind.PASSKEY)
        city.clock.move(seconds=1)
        begun = city.directory.begin(browser.actor, "ada", SignInWith(kind=Kind.PASSKEY))
        answer = Answer(kind=Kind.PASSKEY, text=key_answer(key, begun))
        for token in (None, ada.token):  # signed out, and another session of the same account that proved nothing since
            with refused("no-such-ceremony"):
                InABrowser(city, token=token).finish(begun.ceremony, answer)
        before = browser.token
        assert isinstance(browser.finish(begun.ceremony, answer), SignedIn)
        assert browser.token != before

    def test_every_sign_in_opens_a_session_with_a_token_of_its_own(self, city: Place) -> None:
        """Must hold 11: no session is fixed from outside: a token that was there before is never one that comes to be."""
        _, app, key = ada_with_everything(city)
        planted = Secret("pls_" + "A" * 43)
        first = InABrowser(city, token=planted)
        first.with_code(app)
        second = InABrowser(city, token=first.token)
        city.directory.sign_out(first.actor)
        second.with_key(key, Kind.PASSKEY)
        assert len({one.reveal() for one in (planted, first.token, second.token) if one is not None}) == 3


class TestEnrolments:
    kept_in = "disk"

    def test_an_older_session_of_the_account_does_not_finish_it(self, city: Place) -> None:
        """Must hold 5: bound to the session that began it."""
        ada, app, _ = ada_with_everything(city)
        thief = Person(city, at="far away", token=ada.token)
        city.clock.move(minutes=1)
        owner = ada.elsewhere()
        owner.with_code(app)
        owner.with_password()
        city.clock.move(minutes=1)
        begun = city.directory.begin(owner.actor, "ada", Enrol(kind=Kind.SECURITY_KEY))
        answer = Answer(kind=Kind.SECURITY_KEY, text=key_answer(SecurityKey(serial=2), begun, new=True))
        with refused("no-such-ceremony"):
            thief.finish(begun.ceremony, answer)
        owner.finish(begun.ceremony, answer)

    def test_who_signs_in_again_in_a_terminal_goes_on(self, city: Place) -> None:
        """docs/decisions/0010: --begin, sign in again, --finish in another process."""
        ada, app, key = ada_with_everything(city)
        begun = city.directory.begin(ada.actor, "ada", Enrol(kind=Kind.SECURITY_KEY))
        answer = Answer(kind=Kind.SECURITY_KEY, text=key_answer(SecurityKey(serial=2), begun, new=True))
        city.directory.sign_out(ada.actor)
        with refused("sign-in-needed"):
            ada.finish(begun.ceremony, answer)
        city.clock.move(minutes=1)
        again = ada.elsewhere()
        again.with_key(key, Kind.PASSKEY)
        again.finish(begun.ceremony, answer)
        assert app.method

    def test_it_belongs_to_its_browser(self, city: Place) -> None:
        """Must hold 5: a page's enrolment is not finished from a terminal, nor from another browser, with the same session."""
        ada, _, key = ada_with_everything(city)
        browser = InABrowser(city)
        browser.with_key(key, Kind.PASSKEY)
        begun = city.directory.begin(browser.actor, "ada", Enrol(kind=Kind.SECURITY_KEY))
        answer = Answer(kind=Kind.SECURITY_KEY, text=key_answer(SecurityKey(serial=2), begun, new=True))
        for visit in ("", THERE):
            with refused("no-such-ceremony"):
                InABrowser(city, visit=visit, token=browser.token).finish(begun.ceremony, answer)
        browser.finish(begun.ceremony, answer)
        assert len(ada.view.methods) == 4


class TestWithoutAName:
    kept_in = "disk"

    def test_a_passkey_says_itself_whose_it_is(self, city: Place) -> None:
        ada, _, key = ada_with_everything(city)
        begun = nameless(city)
        asked = json.loads(begun.public_key or b"")
        assert not asked.get("allowCredentials")
        assert asked["userVerification"] == "required"
        browser = InABrowser(city)
        signed_in = browser.finish(begun.ceremony, signed(city, key, begun))
        assert isinstance(signed_in, SignedIn)
        assert signed_in.account == "ada"
        assert browser.view.account == "ada"
        done = list(city.store.events())[-1]
        assert (done.event, done.outcome, done.account) == ("sign-in", "done", "ada")
        with refused("no-such-ceremony"):  # used once
            browser.finish(begun.ceremony, signed(city, key, begun))
        assert ada.view.session is not None

    def test_it_works_on_an_embedded_store_too(self, place: Place) -> None:
        _, _, key = ada_with_everything(place)
        begun = nameless(place)
        assert isinstance(InABrowser(place).finish(begun.ceremony, signed(place, key, begun)), SignedIn)

    def test_the_user_handle_must_be_there_and_be_the_accounts(self, city: Place) -> None:
        """WebAuthn L3 §7.2, step 6: without allowed credentials the handle says who it is."""
        _, _, key = ada_with_everything(city)
        for handle in (None, b"", b"somebody else's handle, 32 bytes"):
            begun = nameless(city)
            with refused("wrong-proof"):
                InABrowser(city).finish(begun.ceremony, signed(city, key, begun, handle=handle))

    def test_a_passkey_of_nobody_is_a_wrong_proof_and_nobodys(self, city: Place) -> None:
        """Must hold 3 and 8."""
        ada_with_everything(city)
        stranger = SecurityKey(serial=7)
        stranger.register(b'{"rp": {"id": ""}, "challenge": ""}', "")
        begun = nameless(city)
        with refused("wrong-proof"):
            InABrowser(city).finish(begun.ceremony, signed(city, stranger, begun))
        failed = next(event for event in city.store.events() if event.outcome == "failed")
        assert (failed.actor, failed.account) == ("nobody", "")

    def test_a_wrong_answer_with_a_known_passkey_is_in_the_trail_of_its_account(self, city: Place) -> None:
        """Must hold 8."""
        _, _, key = ada_with_everything(city)
        begun = nameless(city)
        wrong = json.loads(signed(city, key, begun).text.reveal())
        wrong["response"]["signature"] = to_base64(b"no signature")
        with refused("wrong-proof"):
            InABrowser(city).finish(begun.ceremony, Answer(kind=Kind.PASSKEY, text=Secret(json.dumps(wrong))))
        assert list(city.store.events())[-1].outcome == "failed"
        assert list(city.store.events())[-1].account == "ada"

    def test_only_passkeys_that_verify_are_taken(self, city: Place) -> None:
        """A security key has a name to be found by, and a code or password proves nobody."""
        ada, app, key = ada_with_everything(city)
        plain = SecurityKey(serial=2)
        ada.add_key(plain, name="plain")
        begun = nameless(city)
        for kind in (Kind.SECURITY_KEY, Kind.TOTP, Kind.PASSWORD):
            with refused("wrong-use"):
                InABrowser(city).finish(begun.ceremony, Answer(kind=kind, text=app.fresh))
        with refused("wrong-proof"):
            InABrowser(city).finish(begun.ceremony, signed(city, plain, begun))
        key.verifies = False
        with refused("wrong-proof"):
            InABrowser(city).finish(begun.ceremony, signed(city, key, begun))
        for unreadable in ("", "{}", "[]", "\ud800"):
            with refused("bad-response"):
                InABrowser(city).finish(begun.ceremony, Answer(kind=Kind.PASSKEY, text=Secret(unreadable)))

    def test_a_source_that_is_wrong_too_often_waits_and_named_passkeys_do_not(self, city: Place) -> None:
        _, _, key = ada_with_everything(city)
        here = InABrowser(city, at=NETWORKS[0])
        begun = city.directory.begin(here.actor, "", SignInWith(kind=Kind.PASSKEY))
        for _ in range(throttle.SOURCE_WRONG):
            with refused("bad-response"):
                here.finish(begun.ceremony, Answer(kind=Kind.PASSKEY, text=Secret("{}")))
        with refused("throttled"):
            here.finish(begun.ceremony, signed(city, key, begun))
        with refused("throttled"):
            city.directory.begin(here.actor, "", SignInWith(kind=Kind.PASSKEY))
        assert isinstance(here.with_key(key, Kind.PASSKEY), SignedIn)
        elsewhere = InABrowser(city, at=NETWORKS[1])
        assert isinstance(elsewhere.finish(begun.ceremony, signed(city, key, begun)), SignedIn)


class TestOrigins:
    def test_a_server_takes_answers_from_its_own_address_only(self, city: Place) -> None:
        ada, _, key = ada_with_everything(city)
        own = city.parts.origin
        for request in (SignInWith(kind=Kind.PASSKEY), Enrol(kind=Kind.PASSKEY)):
            assert city.directory.begin(ada.actor, "ada", request).origin == own
            assert city.directory.begin(ada.actor, "ada", replace(request, origin=own)).origin == own
            for other in ("https://evil.example", own + "/", own + ":443", own.upper(), ""):
                with refused("wrong-origin"):
                    city.directory.begin(ada.actor, "ada", replace(request, origin=other))
        begun = city.directory.begin(Actor(), "ada", SignInWith(kind=Kind.PASSKEY))
        asked = json.loads(begun.public_key or b"")
        known = to_base64(key.credentials()[0])
        for other in ("https://evil.example", f"http://{city.parts.rules.rp_id}:8080", own + "."):
            with refused("wrong-proof"):
                answer = Answer(kind=Kind.PASSKEY, text=key.sign(known, asked, other))
                city.directory.finish(Actor(), begun.ceremony, answer)

    @pytest.mark.parametrize("framed", [{"crossOrigin": True}, {"topOrigin": "https://evil.example"}])
    def test_an_answer_from_inside_a_page_of_another_origin_is_refused(self, city: Place, framed: dict[str, object]) -> None:
        _, _, key = ada_with_everything(city)
        begun = city.directory.begin(Actor(), "ada", SignInWith(kind=Kind.PASSKEY))
        answer = json.loads(key_answer(key, begun).reveal())
        said = json.dumps(
            {"type": "webauthn.get", "challenge": json.loads(begun.public_key or b"")["challenge"]}
            | {"origin": begun.origin}
            | framed
        )
        answer["response"]["clientDataJSON"] = to_base64(said.encode())
        with refused("wrong-proof"):
            city.directory.finish(Actor(), begun.ceremony, Answer(kind=Kind.PASSKEY, text=Secret(json.dumps(answer))))
        assert list(city.store.events())[-1].details["reason"] == "inside a page of another origin"


def nameless(place: Place) -> Begun:
    """Begin to sign in in a browser without saying who."""
    return place.directory.begin(Actor(visit=HERE), "", SignInWith(kind=Kind.PASSKEY))


def signed(place: Place, key: SecurityKey, begun: Begun, *, handle: bytes | None = b"\0") -> Answer:
    """Answer with a passkey, which says whose it is unless told otherwise."""
    asked = json.loads(begun.public_key or b"")
    answer = json.loads(key.sign(to_base64(key.credentials()[0]), asked, begun.origin or "").reveal())
    if handle == b"\0":
        owner = place.store.owner_of_credential(key.credentials()[0])
        handle = b"nobody" if owner is None else place.store.read(owner).account.user_handle
    if handle is not None:
        answer["response"]["userHandle"] = to_base64(handle)
    return Answer(kind=Kind.PASSKEY, text=Secret(json.dumps(answer)))
