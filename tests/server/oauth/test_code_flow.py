"""The authorization code with PKCE: the command line signs in through the browser, relying parties learn who somebody is."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from passless.actions.who import token_hash
from passless.domain.methods import Kind
from passless.domain.requests import Answer
from passless.domain.secret import Secret
from passless.domain.sessions import Session, SessionKind
from passless.domain.views import SignedIn
from passless.ports.directory import Actor
from tests.directories.place import PASSWORD
from tests.server.oauth.world import CALLBACK, URL, WEB_CALLBACK, Fields, World, carried


def session_behind(world: World, token: str) -> Session:
    session = world.place.store.session(token_hash(Secret(token)))
    assert session is not None
    return session


def for_mail(client_id: str, **more: str | None) -> dict[str, str | None]:
    return {"client_id": client_id, "redirect_uri": WEB_CALLBACK, **more}


def test_the_command_line_gets_a_session_with_the_proofs_of_the_browser(world: World) -> None:
    ada = world.account()
    back = world.browser(ada).agree()
    assert back["state"] == "opaque state"
    answer = world.program().exchange(back["code"]).json()
    assert (answer["account"], answer["account_id"], answer["token_type"]) == ("ada", ada.account_id, "Bearer")
    assert "refresh_token" not in answer
    given, browser = session_behind(world, answer["access_token"]), session_behind(world, ada.token.reveal())
    assert (given.kind, given.proofs, given.rights) == (SessionKind.BROWSER, browser.proofs, ())
    assert given.expires_at == browser.expires_at
    view = world.site.directory.read(Actor(token=Secret(answer["access_token"])), "ada")
    assert view.session is not None
    assert view.session.strength == 1


def test_an_answer_says_who_answers(world: World) -> None:
    """RFC 9207: a client that knows several servers cannot be made to mix them up."""
    assert world.browser(world.account()).agree()["iss"] == URL


def test_the_page_names_the_program_the_account_and_where_the_answer_goes(world: World) -> None:
    page = world.browser(world.account()).ask()
    words = " ".join(Fields(page.text).words)
    assert "the passless command line" in words
    assert "ada" in words
    assert "127.0.0.1:49152" in words
    assert "/sign-in?another=yes" in page.text


def test_the_command_line_is_agreed_to_each_time(world: World) -> None:
    browser = world.browser(world.account())
    browser.agree()
    assert browser.ask().status_code == 200


def test_nobody_signed_in_signs_in_first_and_comes_back_to_the_same_request(world: World) -> None:
    answer = world.browser().ask()
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert address.startswith("/sign-in?next=%2Foauth%2Fauthorize%3F")
    browser = world.browser(world.account())
    assert browser.http.get(carried(answer)["next"]).status_code == 200


def test_a_refusal_goes_back_to_the_program(world: World) -> None:
    browser = world.browser(world.account())
    back = carried(browser.answer(browser.ask(), "refuse"), to=CALLBACK)
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "opaque state", URL)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1/callback", "http://127.0.0.1/callback", "http://[::1]:65000/callback"])
def test_the_command_line_may_listen_on_any_port(world: World, uri: str) -> None:
    browser = world.browser(world.account())
    back = carried(browser.answer(browser.ask(redirect_uri=uri)), to=uri)
    assert world.program().exchange(back["code"], redirect_uri=uri).status_code == 200


def test_a_relying_party_learns_who_somebody_is_and_may_do_nothing_else(world: World) -> None:
    ada, mail = world.account(), world.register(scopes=("read",))
    browser, secret = world.browser(ada), mail.secret
    assert secret is not None
    back = carried(browser.answer(browser.ask(**for_mail(mail.id, scope="read"))), to=WEB_CALLBACK)
    program = world.program()
    answer = program.exchange(back["code"], redirect_uri=WEB_CALLBACK, client_id=None, basic=(mail.id, secret.reveal())).json()
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer["scope"] == "read"
    assert session_behind(world, answer["access_token"]).kind is SessionKind.CLIENT
    api = program.http.get("/api/v1/accounts/me", headers={"Authorization": f"Bearer {answer['access_token']}"})
    assert api.status_code == 401
    cookie = world.browser()
    cookie.http.cookies.set("__Host-passless-session", answer["access_token"])
    assert cookie.ask().headers["location"].startswith("/sign-in")


def test_consent_to_a_relying_party_is_asked_once_for_what_it_is(world: World) -> None:
    ada, mail = world.account(), world.register(scopes=("read", "write"))
    browser = world.browser(ada)
    browser.agree(**for_mail(mail.id, scope="read"))
    assert carried(browser.ask(**for_mail(mail.id, scope="read")))["code"]
    assert browser.ask(**for_mail(mail.id, scope="read write")).status_code == 200
    assert browser.ask(**for_mail(mail.id, scope="read", prompt="consent")).status_code == 200
    assert world.browser(world.account("bob")).ask(**for_mail(mail.id, scope="read")).status_code == 200


def test_the_name_of_a_relying_party_is_shown_and_not_obeyed(world: World) -> None:
    mail = world.register("<script>alert(1)</script>")
    page = world.browser(world.account()).ask(**for_mail(mail.id))
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


def test_prompt_none_never_shows_a_page(world: World) -> None:
    mail = world.register()
    browser = world.browser(world.account())
    assert carried(world.browser().ask(**for_mail(mail.id, prompt="none")))["error"] == "login_required"
    assert carried(browser.ask(**for_mail(mail.id, prompt="none")))["error"] == "consent_required"
    browser.agree(**for_mail(mail.id))
    assert "code" in carried(browser.ask(**for_mail(mail.id, prompt="none")))


class TestStepUp:
    """The browser's session must have proofs as fresh and as strong as a program asks (must hold 6)."""

    def test_a_stale_proof_is_asked_again(self, world: World) -> None:
        browser = world.browser(world.account())
        assert browser.ask(max_age="600").status_code == 200
        world.place.clock.move(minutes=11)
        answer = browser.ask(max_age="600")
        assert answer.headers["location"].startswith("/sign-in?")
        assert carried(answer)["fresh"] == "600"

    def test_two_factors_are_asked_where_the_account_can_prove_two(self, world: World) -> None:
        ada = world.account()
        browser = world.browser(ada)
        assert carried(browser.ask(acr_values="2"))["error"] == "unmet_authentication_requirements"
        assert browser.ask(acr_values="1").status_code == 200

    def test_a_new_sign_in_is_asked_for_even_right_after_one(self, world: World) -> None:
        ada = world.account()
        browser = world.browser(ada)
        world.place.clock.move(seconds=5)
        asked_first = carried(browser.ask(prompt="login"))
        assert asked_first["fresh"] == "600"
        back = asked_first["next"]
        world.place.clock.move(seconds=5)
        assert browser.http.get(back).status_code == 303  # nothing was proven meanwhile
        browser.sign_in(proven_again(world, ada))
        assert browser.http.get(back).status_code == 200

    def test_the_way_back_from_our_own_sign_in_is_a_page(self, world: World) -> None:
        """Chromium lets no form lead to a program that its page does not name, not even by a redirect."""
        ada, mail = world.account(), world.register("<b>mail</b>")
        browser = world.browser(ada)
        browser.agree(**for_mail(mail.id))
        world.place.clock.move(seconds=5)
        back = carried(browser.ask(**for_mail(mail.id, prompt="login")))["next"]
        browser.sign_in(proven_again(world, ada))
        page = browser.http.get(back)
        wait, _, address = page.headers["refresh"].partition("; url=")
        assert (page.status_code, wait, address.partition("?")[0]) == (200, "0", WEB_CALLBACK)
        assert page.headers["cache-control"] == "no-store"
        assert "<b>mail" not in page.text
        code = parse_qs(urlsplit(address).query)["code"][0]
        assert mail.secret is not None
        form: dict[str, Any] = {"redirect_uri": WEB_CALLBACK, "client_id": None, "basic": (mail.id, mail.secret.reveal())}
        assert world.program().exchange(code, **form).status_code == 200

    def test_when_it_was_asked_cannot_be_made_up(self, world: World) -> None:
        ada = world.account()
        browser = world.browser(ada)
        at = int(world.place.clock.now.timestamp())
        world.place.clock.move(seconds=5)
        assert browser.ask(prompt="login", passless_asked=f"{at - 60}.{'0' * 64}").status_code == 303
        back = carried(browser.ask(prompt="login"))["next"]
        forged = back.replace(f"={at + 5}.", f"={at - 60}.")
        assert forged != back
        assert browser.http.get(forged).status_code == 303

    @pytest.mark.parametrize("age", ["-1", "ten", "1e3", "99999999999", "٣"])
    def test_an_age_that_is_none_is_refused(self, world: World, age: str) -> None:
        assert carried(world.browser(world.account()).ask(max_age=age))["error"] == "invalid_request"


def proven_again(world: World, signed_in: SignedIn) -> SignedIn:
    """Prove it once more in the session; it has a new token then."""
    again = world.site.directory.sign_in(Actor(token=signed_in.token, place="203.0.113.7"), "ada", password())
    assert isinstance(again, SignedIn)
    return again


def password() -> Answer:
    return Answer(kind=Kind.PASSWORD, text=Secret(PASSWORD))


def test_everything_is_in_the_audit_trail_without_a_secret(world: World) -> None:
    """must hold 8: every sign-in, good or bad; must hold 1: no secret."""
    ada = world.account()
    browser = world.browser(ada)
    code = world.place.keep_secret(browser.agree()["code"])
    world.place.keep_secret(world.program().exchange(code).json()["access_token"])
    browser.answer(browser.ask(), "refuse")
    events = [(one.event, one.outcome, one.place) for one in world.place.store.events()]
    assert ("approve-client", "done", "203.0.113.7") in events
    assert ("approve-client", "refused", "203.0.113.7") in events
    assert ("sign-in", "done", "203.0.113.7") in events
    kept = world.place.everything_kept()
    assert not [secret for secret in world.place.forms_of_secrets() if secret in kept]
