"""Which programs somebody let in, and putting one out again."""

from __future__ import annotations

import httpx

from passless.actions import consents
from tests.server.oauth.test_tokens import looked_at, token_for
from tests.server.oauth.world import WEB_CALLBACK, Browser, Fields, World, carried

HTML = {"Accept": "text/html"}


def agreed(browser: Browser) -> httpx.Response:
    return browser.http.get("/oauth/agreed", headers=HTML)


def test_a_person_sees_whom_they_let_in(world: World) -> None:
    ada, mail = world.account(), world.register("Webmail", scopes=("read",))
    browser = world.browser(ada)
    assert "There is none" in agreed(browser).text
    browser.agree(client_id=mail.id, redirect_uri=WEB_CALLBACK, scope="read")
    words = " ".join(Fields(agreed(browser).text).words)
    assert "Webmail" in words
    assert "read" in words
    assert "There is none" in agreed(world.browser(world.account("bob"))).text


def test_who_is_put_out_gets_nothing_more_and_what_it_had_ends(world: World) -> None:
    """must hold 7."""
    ada, mail = world.account(), world.register("Webmail")
    browser = world.browser(ada)
    token = token_for(world, mail, ada)
    waiting = carried(browser.ask(client_id=mail.id, redirect_uri=WEB_CALLBACK))["code"]
    page = agreed(browser)
    assert browser.post("/oauth/agreed", Fields(page.text).hidden).status_code == 303
    assert looked_at(world, mail, token) == {"active": False}
    assert mail.secret is not None
    basic = (mail.id, mail.secret.reveal())
    late = world.program().exchange(waiting, redirect_uri=WEB_CALLBACK, client_id=None, basic=basic)
    assert late.json()["error"] == "invalid_grant"
    asked_again = browser.ask(client_id=mail.id, redirect_uri=WEB_CALLBACK, prompt="none")
    assert carried(asked_again)["error"] == "consent_required"
    assert [one.event for one in world.place.store.events()].count("take-back-consent") == 1


def test_nobody_puts_out_anothers(world: World) -> None:
    ada, mail = world.account(), world.register()
    token = token_for(world, mail, ada)
    bob = world.browser(world.account("bob"))
    form = Fields(agreed(bob).text).hidden | {"client": mail.id}
    bob.http.get("/device", headers=HTML)
    hidden = Fields(bob.http.get("/device", headers=HTML).text).hidden
    assert bob.post("/oauth/agreed", {**form, **hidden}).status_code == 404
    assert looked_at(world, mail, token)["active"]


def test_a_forged_form_puts_nobody_out(world: World) -> None:
    """must hold 11."""
    ada, mail = world.account(), world.register()
    browser = world.browser(ada)
    browser.agree(client_id=mail.id, redirect_uri=WEB_CALLBACK)
    form = Fields(agreed(browser).text).hidden
    assert browser.post("/oauth/agreed", form, Origin="https://evil.example").status_code == 403
    assert [one.client_id for one in consents.of(world.place.parts, ada.account_id)] == [mail.id]


def test_nobody_sees_anything_without_signing_in(world: World) -> None:
    assert agreed(world.browser()).headers["location"].startswith("/sign-in?")
