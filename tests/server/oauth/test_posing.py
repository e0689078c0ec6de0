"""Programs that pose as others on the person's own computer, and cookies that were copied there."""

from __future__ import annotations

from typing import Any

import pytest

from passless.actions import consents
from passless.actions.who import token_hash
from passless.directories.local import LocalDirectory
from passless.domain.account import AccountId
from passless.domain.requests import EndSessions, NewAccount, ReportNotMe
from passless.domain.secret import Secret
from passless.domain.sessions import Session, SessionKind
from passless.domain.views import SignedIn
from passless.ports import Write
from passless.ports.directory import Actor
from passless.server.oauth import giving
from tests.server.oauth.test_code_flow import password, proven_again
from tests.server.oauth.test_device_grant import answered, begun, entered
from tests.server.oauth.test_tokens import basic_of, looked_at, token_for
from tests.server.oauth.world import WEB_CALLBACK, World, carried

LOOPBACK, OWN_SCHEME = "http://127.0.0.1/callback", "com.example.app:/callback"


def terminal(world: World, ada: SignedIn) -> Secret:
    """Sign a terminal in through the browser."""
    code = world.browser(ada).agree()["code"]
    return Secret(world.program().exchange(code).json()["access_token"])


def holds(world: World, token: Secret) -> bool:
    return world.place.store.session(token_hash(token)) is not None


def session_of(world: World, ada: SignedIn) -> Session:
    found = world.place.store.session(token_hash(ada.token))
    assert found is not None
    return found


@pytest.mark.parametrize("address", [LOOPBACK, OWN_SCHEME])
def test_a_program_that_any_other_can_pose_as_is_agreed_to_each_time(world: World, address: str) -> None:
    """RFC 8252 §8.6: whoever listens there gets the code."""
    app = world.register("app", public=True, redirect_uris=(address,))
    browser = world.browser(world.account())
    browser.agree(client_id=app.id, redirect_uri=address)
    assert browser.ask(client_id=app.id, redirect_uri=address).status_code == 200
    silent = carried(browser.ask(client_id=app.id, redirect_uri=address, prompt="none"))
    assert silent["error"] == "consent_required"


def test_one_that_is_sent_to_its_own_host_is_agreed_to_once(world: World) -> None:
    app = world.register("app", public=True, redirect_uris=(WEB_CALLBACK, LOOPBACK))
    browser = world.browser(world.account())
    browser.agree(client_id=app.id, redirect_uri=WEB_CALLBACK)
    assert "code" in carried(browser.ask(client_id=app.id, redirect_uri=WEB_CALLBACK))
    assert browser.ask(client_id=app.id, redirect_uri=LOOPBACK).status_code == 200


class TestTheCommandLine:
    """A copied cookie does not become a session of a terminal (must hold 6)."""

    def test_it_is_let_in_by_who_proved_it_just_now(self, world: World) -> None:
        ada = world.account()
        browser = world.browser(ada)
        world.place.clock.move(minutes=11)
        answer = browser.ask()
        assert answer.headers["location"].startswith("/sign-in?")
        assert carried(answer)["fresh"] == "600"
        assert carried(browser.ask(prompt="none"))["error"] == "login_required"
        browser.sign_in(proven_again(world, ada))
        assert browser.http.get(carried(answer)["next"]).status_code == 200

    def test_an_answer_that_comes_late_is_none(self, world: World) -> None:
        browser = world.browser(world.account())
        page = browser.ask()
        world.place.clock.move(minutes=11)
        assert browser.answer(page).headers["location"].startswith("/sign-in?")

    def test_an_account_that_can_prove_nothing_yet_lets_it_in(self, world: World) -> None:
        made = LocalDirectory(world.place.parts).create(Actor(place="203.0.113.7"), NewAccount(name="new"))
        browser = world.browser(made)
        world.place.clock.move(minutes=11)
        assert browser.ask().status_code == 200

    @pytest.mark.parametrize("kind", [SessionKind.TEMPORARY_PASS, SessionKind.RECOVERY_CODE])
    def test_a_pass_or_a_recovery_code_counts_from_when_it_was_given(self, world: World, kind: SessionKind) -> None:
        ada = world.account()
        turn_into(world, ada, kind)
        browser = world.browser(ada)
        assert browser.ask().status_code == 200
        world.place.clock.move(minutes=11)
        assert browser.ask().headers["location"].startswith("/sign-in?")

    def test_a_device_lets_no_terminal_in(self, world: World) -> None:
        ada = world.account()
        turn_into(world, ada, SessionKind.DEVICE_CODE)
        assert world.browser(ada).ask().headers["location"].startswith("/sign-in?")


def turn_into(world: World, signed_in: SignedIn, kind: SessionKind) -> None:
    """Make a session one that was opened by something else."""
    import msgspec

    session = msgspec.structs.replace(session_of(world, signed_in), kind=kind, proofs=())
    world.place.store.commit(Write(at=world.place.clock.now, updates=session))


class TestWhatCameOfASession:
    """must hold 7."""

    def test_it_ends_where_the_session_was_not_them(self, world: World) -> None:
        ada = world.account()
        mail = world.register()
        assert mail.secret is not None
        given = terminal(world, ada)
        back = world.browser(ada).agree(client_id=mail.id, redirect_uri=WEB_CALLBACK)
        basic = (mail.id, mail.secret.reveal())
        for_mail = world.program().exchange(back["code"], redirect_uri=WEB_CALLBACK, client_id=None, basic=basic).json()
        device, device_code, user_code = begun(world)
        answered(world.browser(ada), user_code)
        for_device = device.poll(device_code).json()
        there = [given, Secret(for_mail["access_token"]), Secret(for_device["access_token"])]
        assert all(holds(world, one) for one in there)
        own = world.site.directory.sign_in(Actor(place="198.51.100.1"), "ada", password())
        assert isinstance(own, SignedIn)
        actor = Actor(token=own.token, place="198.51.100.1")
        world.site.directory.apply(actor, "ada", ReportNotMe(session=session_of(world, ada).id))
        assert not any(holds(world, one) for one in (*there, ada.token))

    def test_it_ends_also_where_that_got_a_new_token_since(self, world: World) -> None:
        ada = world.account()
        given = terminal(world, ada)
        renewed = proven_again(world, ada).token
        own = world.site.directory.sign_in(Actor(place="198.51.100.1"), "ada", password())
        assert isinstance(own, SignedIn)
        reported = world.place.store.session(token_hash(renewed))
        assert reported is not None
        world.site.directory.apply(Actor(token=own.token), "ada", ReportNotMe(session=reported.id))
        assert not holds(world, given)

    def test_all_of_it_ends_with_all_sessions(self, world: World) -> None:
        ada = world.account()
        given = terminal(world, ada)
        world.site.directory.apply(Actor(token=ada.token), "ada", EndSessions(all=True))
        assert not holds(world, given)


class TestAStepUpMeanwhile:
    """What somebody agreed to holds when their session gets a new token, and ends with the session."""

    def test_a_code_still_works(self, world: World) -> None:
        ada = world.account()
        code = world.browser(ada).agree()["code"]
        proven_again(world, ada)
        assert world.program().exchange(code).status_code == 200

    def test_a_code_is_over_with_the_session(self, world: World) -> None:
        ada = world.account()
        code = world.browser(ada).agree()["code"]
        again = proven_again(world, proven_again(world, ada)).token
        world.site.directory.sign_out(Actor(token=again))
        assert world.program().exchange(code).json()["error"] == "invalid_grant"

    def test_an_approved_device_still_works(self, world: World) -> None:
        ada = world.account()
        device, device_code, user_code = begun(world)
        answered(world.browser(ada), user_code)
        proven_again(world, ada)
        assert device.poll(device_code).status_code == 200

    def test_an_approved_device_is_over_with_the_session(self, world: World) -> None:
        ada = world.account()
        device, device_code, user_code = begun(world)
        answered(world.browser(ada), user_code)
        world.site.directory.sign_out(Actor(token=proven_again(world, ada).token))
        assert device.poll(device_code).json()["error"] == "invalid_grant"


class TestAtTheSameMoment:
    """What ends while something is given is not passed over (must hold 7 and 12)."""

    def test_who_signs_out_while_a_code_is_exchanged_gives_nothing(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        ada = world.account()
        code = world.browser(ada).agree()["code"]
        make = giving._session

        def sign_out_first(*given: Any) -> Any:
            world.site.directory.sign_out(Actor(token=ada.token))
            return make(*given)

        monkeypatch.setattr(giving, "_session", sign_out_first)
        assert world.program().exchange(code).json()["error"] == "invalid_grant"
        assert world.place.store.sessions(AccountId(ada.account_id)) == ()

    def test_what_is_given_while_a_program_is_put_out_ends_as_well(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        ada, mail = world.account(), world.register()
        token_for(world, mail, ada)
        without, late = consents._without, list[str]()

        def give_one_more(*asked: Any) -> Any:
            wanted = without(*asked)
            if not late:
                code = carried(world.browser(ada).ask(client_id=mail.id, redirect_uri=WEB_CALLBACK))["code"]
                form: dict[str, Any] = {"redirect_uri": WEB_CALLBACK, "client_id": None, "basic": basic_of(mail)}
                late.append(world.program().exchange(code, **form).json()["access_token"])
            return wanted

        monkeypatch.setattr(consents, "_without", give_one_more)
        account = world.place.store.read(AccountId(ada.account_id)).account
        assert consents.take_back(world.place.parts, account, mail.id, "") == 2
        assert looked_at(world, mail, late[0]) == {"active": False}

    def test_what_a_person_said_of_a_device_is_in_the_trail_or_was_not_said(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Must hold 8 and 10: both are kept at once."""
        _, _, user_code = begun(world)
        browser = world.browser(world.account())
        kept: list[Write] = []
        commit = world.place.store.commit

        def keep(write: Write) -> Any:
            kept.append(write)
            return commit(write)

        monkeypatch.setattr(world.place.store, "commit", keep)
        assert "let in" in browser.answer(entered(browser, user_code)).text
        assert [[one.event for one in write.events] for write in kept if write.puts] == [["approve-device"]]
