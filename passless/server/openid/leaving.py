"""Signing out because a program asks for it (OpenID Connect RP-Initiated Logout 1.0).

Who shows an id_token of this very session is believed, everybody else only makes us ask. Nobody is sent anywhere but to an
address that was registered for it, character by character.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from litestar import Response
from msgspec import Struct

from passless.actions.tokens import sign_out
from passless.domain.errors import ProofNeeded
from passless.server import browser
from passless.server.oauth import agreeing, asking, clients
from passless.server.oauth.asking import Person
from passless.server.oauth.clients import KnownClient
from passless.server.oauth.forms import Malformed
from passless.server.openid import id_tokens
from passless.server.openid.id_tokens import Hint
from passless.server.site import Site

CARRIED = ("client_id", "post_logout_redirect_uri", "state")  # from page to page; the id_token is not, for it is proof

Page = Response[Any]


class Wish(Struct, frozen=True, kw_only=True):
    """What a program asks: who it is and where people go next, as far as that is known; `is_wrong`: something is not so."""

    client: KnownClient | None = None
    hint: Hint | None = None
    next: str = ""
    state: str = ""
    is_wrong: bool = False

    @property
    def address(self) -> str:
        """Where people go next, with what the program wants to hear again."""
        if not self.next or not self.state:
            return self.next
        return f"{self.next}{'&' if '?' in self.next else '?'}{urlencode({'state': self.state})}"


def show(request: browser.Asking, site: Site, values: dict[str, str]) -> Page:
    """Sign out at once where that is proven, else ask; who is not signed in goes on."""
    wish = _read(site, values)
    someone = asking.person(site.parts, browser.actor_of(request, site))
    if someone is None:
        return _go_on(request, site, wish, signed_out=False)
    if _is_proven(site, wish, someone):
        return _sign_out(request, site, wish)
    return browser.render(
        request,
        site,
        "leaving.html",
        form_action=(agreeing.destination(wish.next),) if wish.next else (),
        client=_name(wish),
        account=someone.account.name,
        is_wrong=wish.is_wrong,
        destination=agreeing.spoken(wish.next) if wish.next else "",
        fields={name: values[name] for name in CARRIED if name in values and not wish.is_wrong},
    )


def answer(request: browser.Asking, site: Site, form: dict[str, str]) -> Page:
    """Take what the person said on our page."""
    browser.check_form(request, site, form)
    wish = _read(site, {name: form[name] for name in CARRIED if name in form})
    match form.get("answer"):
        case "leave":
            return _sign_out(request, site, wish)
        case "stay":
            return browser.redirect(request, site, "/")
        case _:
            raise Malformed("the answer is neither yes nor no")


def _read(site: Site, values: dict[str, str]) -> Wish:
    state, uri = values.get("state", ""), values.get("post_logout_redirect_uri", "")
    if len(state) > asking.LONGEST_STATE:
        raise Malformed("the request is too long")
    hint = id_tokens.read_hint(site, values.get("id_token_hint"))
    named = values.get("client_id", "" if hint is None else hint.client_id)
    client = clients.query(site.parts, named)
    if client is not None and not client.speaks_openid:
        client = None
    is_wrong = (
        ("id_token_hint" in values and hint is None)
        or (hint is not None and hint.client_id != named)
        or ("client_id" in values and client is None)
        or (bool(uri) and (client is None or uri not in client.client.after_sign_out))
    )
    if is_wrong:
        return Wish(is_wrong=True)
    return Wish(client=client, hint=hint, next=uri, state=state)


def _is_proven(site: Site, wish: Wish, someone: Person) -> bool:
    """Tell whether the program shows an id_token that it was given in this session (§2)."""
    hint = wish.hint
    if hint is None or hint.subject != someone.account.id or not hint.sid:
        return False
    return id_tokens.is_in_session(site.parts, hint.client_id, someone.session.line, hint.sid)


def _sign_out(request: browser.Asking, site: Site, wish: Wish) -> Page:
    with suppress(ProofNeeded):  # it is over already
        sign_out(site.parts, browser.actor_of(request, site), everywhere=False)
    return _go_on(request, site, wish, signed_out=True)


def _go_on(request: browser.Asking, site: Site, wish: Wish, *, signed_out: bool) -> Page:
    cookies = browser.signed_out_cookies(site) if signed_out else ()
    if wish.next:
        return browser.redirect(request, site, wish.address, cookies=cookies)
    return browser.render(request, site, "leaving.html", cookies=cookies, account="", is_wrong=wish.is_wrong)


def _name(wish: Wish) -> str:
    return "" if wish.client is None else wish.client.client.name
