"""The authorization endpoint: who is signed in, whether they agree, and where the browser goes with what came of it.

The command line is agreed to each time, and so is every client without a secret that listens on the person's own computer or
answers to a scheme of its own: any program there can pose as it (RFC 8252 §8.6). Who lets the command line in has proven who
they are in the last 10 minutes, so that a copied cookie opens no session of a terminal. What a person agreed to with another
relying party is remembered, and gone with the account or the relying party.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.oauth2 import OAuth2Error
from litestar import Response

from passless.actions import consents
from passless.actions.parts import Parts
from passless.domain.audit import Outcome
from passless.domain.safety.assurance import Assurance
from passless.domain.sessions import STEP_UP
from passless.ports import VersionMoved, Write
from passless.server import browser
from passless.server.oauth import asking, codes
from passless.server.oauth.asking import AuthorizationRequest, Person
from passless.server.oauth.forms import Malformed
from passless.server.oauth.metadata import AUTHORIZE
from passless.server.oauth.recording import entry_of
from passless.server.openid.claims import telling
from passless.server.site import Site

ACCOUNT = "passless_account"  # the field that says whose consent a page asked for
OURS = frozenset({ACCOUNT, "answer", browser.FORM_TOKEN})  # fields that are none of the client's
LONGEST_MAX_AGE = STEP_UP  # of a proof that the sign-in page is asked for

Page = Response[Any]


def show(request: browser.Asking, site: Site, values: dict[str, str]) -> Page:
    """Answer a browser that a client sent: sign in, ask, or go back with a code."""
    asked = _read(request, site, values)
    if isinstance(asked, Response):
        return asked
    someone = _someone(request, site, asked)
    if isinstance(someone, Response):
        return someone
    agreed = _agreed(site.parts, asked, someone)
    if agreed and not asked.wish.prompt & {"consent", "select_account"}:
        return _send_code(request, site, asked, someone)
    if "none" in asked.wish.prompt:
        # whom a program names it learns nothing of, before they agreed to it: not even that they sit there
        return send_back(request, site, asked, {"error": "login_required" if asked.only else "consent_required"})
    return browser.render(
        request,
        site,
        "consent.html",
        form_action=(destination(asked.redirect_uri),),
        client=asked.client.client.name,
        account=someone.account.name,
        may=_may(asked, someone),
        destination=spoken(asked.redirect_uri),
        another=_as_another(site, asked),
        fields={**asking.known(values, with_mark=True), **asked.values, ACCOUNT: someone.account.id},
    )


def answer(request: browser.Asking, site: Site, form: dict[str, str]) -> Page:
    """Take what a person answered on our page: everything that was asked is checked again."""
    browser.check_form(request, site, form)
    values = {name: value for name, value in form.items() if name not in OURS}
    asked = _read(request, site, values)
    if isinstance(asked, Response):
        return asked
    someone = _someone(request, site, asked)
    if isinstance(someone, Response):
        return someone
    said = form.get("answer")
    if form.get(ACCOUNT) != someone.account.id:  # somebody else signed in meanwhile: they are asked themselves
        return browser.redirect(request, site, f"{AUTHORIZE}?{urlencode(asking.known(values, with_mark=True))}")
    if said == "approve":
        return _send_code(request, site, asked, someone, agreed_now=True)
    if said == "refuse":
        _note(site, asked, someone, Outcome.REFUSED, request)
        return send_back(request, site, asked, {"error": "access_denied"})
    raise Malformed("the answer is neither yes nor no")


def _read(request: browser.Asking, site: Site, values: dict[str, str]) -> AuthorizationRequest | Page:
    """Return what is asked, or the answer to who asks wrongly: to the client where it is known for sure, else a page."""
    try:
        return asking.read(site, values)
    except OAuth2Error as error:
        if not error.redirect_uri:
            raise Malformed(_sentence(error)) from error
        said = {"error": str(error.error)}
        if error.get_error_description():
            said["error_description"] = str(error.get_error_description())
        return _back(request, site, str(error.redirect_uri), values.get("state"), said)


def _sentence(error: OAuth2Error) -> str:
    if error.error == "invalid_client":
        return "there is no such program here"
    if "redirect" in str(error.description).lower():
        return "the address that the program wants you to be sent back to is none that was registered"
    return "what the program asks for is not understood"


def _someone(request: browser.Asking, site: Site, asked: AuthorizationRequest) -> Person | Page:
    """Return who is signed in, proven as freshly and strongly as the client asks; else send them to do so first."""
    parts, wish = site.parts, asked.wish
    someone = asking.person(parts, browser.actor_of(request, site))
    if someone is not None and asked.only not in ("", someone.account.id):
        if "none" in wish.prompt:
            return send_back(request, site, asked, {"error": "login_required"})
        return browser.redirect(request, site, _as_another(site, asked))
    does = asking.is_there if asked.client.is_command_line else asking.says_who
    if someone is not None and does(parts, someone) and asking.has_proven(parts, someone, wish):
        return someone
    if "none" in wish.prompt:
        return send_back(request, site, asked, {"error": "login_required"})
    if someone is not None and not asking.can_prove(parts, someone, wish):
        return send_back(request, site, asked, {"error": "unmet_authentication_requirements"})
    return browser.sign_in_first(
        request,
        site,
        strength=max(1, wish.factors),
        max_age=None if someone is None else _max_age(wish),
        next_path=asking.come_back(site, AUTHORIZE, asked),
        why="" if someone is None else "needs-key" if wish.factors >= Assurance.PHISHING_RESISTANT else "weak-proof",
    )


def _as_another(site: Site, asked: AuthorizationRequest) -> str:
    return "/sign-in?" + urlencode({"another": "yes", "next": asking.come_back(site, AUTHORIZE, asked)})


def _max_age(wish: asking.Wish) -> timedelta:
    return STEP_UP if wish.max_age is None else min(wish.max_age, LONGEST_MAX_AGE)


def _agreed(parts: Parts, asked: AuthorizationRequest, someone: Person) -> bool:
    """Tell whether the person agreed to this much before; whom any program could pose as is agreed to each time."""
    if asked.client.client.is_public and not asked.redirect_uri.startswith("https://"):
        return False
    return consents.covers(parts, someone.account.id, asked.client.get_client_id(), asked.scope)


def _send_code(
    request: browser.Asking, site: Site, asked: AuthorizationRequest, someone: Person, *, agreed_now: bool = False
) -> Page:
    parts = site.parts
    now = parts.now()
    code = codes.Code(
        client_id=asked.client.get_client_id(),
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
        scope=asked.scope,
        account_id=someone.account.id,
        browser=someone.session.line,
        said=asked.said,
        ends_at=now + codes.CODE_LIFE,
    )
    text, record = codes.make(parts, code)
    if agreed_now:
        _note(site, asked, someone, Outcome.DONE, request)
    parts.store.commit(Write(at=now, puts=(record,)))
    return send_back(request, site, asked, {"code": text})


def _note(site: Site, asked: AuthorizationRequest, someone: Person, outcome: Outcome, request: browser.Asking) -> None:
    """Record what a person answered, and remember what they agreed to."""
    parts, place = site.parts, browser.actor_of(request, site).place
    details = {"client": asked.client.get_client_id(), "name": asked.client.client.name}
    if asked.scope:
        details["scope"] = asked.scope
    entry = entry_of(someone.account, place, "approve-client", parts.now(), details, outcome)
    remembered = outcome is Outcome.DONE and not asked.client.is_command_line
    client_id = asked.client.get_client_id()
    puts = (consents.with_more(parts, someone.account.id, client_id, asked.scope),) if remembered else ()
    try:
        parts.store.commit(Write(at=parts.now(), puts=puts, events=(entry,)))
    except VersionMoved:  # they agreed twice at once: asked once more some day is all that it costs
        parts.store.commit(Write(at=parts.now(), events=(entry,)))


def _may(asked: AuthorizationRequest, someone: Person) -> list[str]:
    """Say what the client may do, in plain sentences."""
    if asked.client.is_command_line:
        return ["act as you on this server from this computer, until you sign out"]
    if asked.client.speaks_openid:
        return telling(someone.account, asked.scope)
    scopes = asked.scope.split()
    return ["know who you are: the name and the id of your account", *(f"use what it calls {one}" for one in scopes)]


def send_back(request: browser.Asking, site: Site, asked: AuthorizationRequest, said: Mapping[str, str]) -> Page:
    """Send the browser back to the client; where it came here from our own sign-in, by a page of ours.

    Chromium holds the policy of a form's page against all redirects after it, and the sign-in page names no client.
    """
    address = _address(site, asked.redirect_uri, asked.state, said)
    if request.method != "GET" or asking.ASKED not in request.query_params:
        return browser.redirect(request, site, address)
    page = browser.render(
        request,
        site,
        "going_on.html",
        client=asked.client.client.name,
        address=address,
        destination=spoken(asked.redirect_uri),
    )
    page.headers["Refresh"] = f"0; url={address}"
    return page


def _back(request: browser.Asking, site: Site, redirect_uri: str, state: str | None, said: Mapping[str, str]) -> Page:
    return browser.redirect(request, site, _address(site, redirect_uri, state, said))


def _address(site: Site, redirect_uri: str, state: str | None, said: Mapping[str, str]) -> str:
    """Return an address that was registered, with the state of the client and who answers (RFC 9207)."""
    query = urlencode({**said, **({} if state is None else {"state": state}), "iss": site.url})
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{query}"


def spoken(redirect_uri: str) -> str:
    """Return where an address leads, for people."""
    return urlsplit(redirect_uri).netloc or redirect_uri.partition(":")[0]


def destination(redirect_uri: str) -> str:
    """Return what the content security policy calls the place where the form's redirect leads; it knows no IPv6 addresses."""
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc and "[" not in parts.netloc else f"{parts.scheme}:"
