"""The page where a person types a user code, sees what asks from where, and approves or refuses it (RFC 8628 §3.3)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode

from litestar import Response

from passless.actions.granting import says_who
from passless.actions.throttle import Throttled
from passless.domain.account import Account
from passless.domain.audit import Outcome
from passless.domain.party_kinds import PartyKind
from passless.domain.relying_parties import Client
from passless.domain.safety.on_hosts import can_show_second_step, has_shown_second_step
from passless.domain.sessions import STEP_UP
from passless.server import browser
from passless.server.oauth import asking, clients, devices
from passless.server.oauth.asking import Person, Wish
from passless.server.oauth.devices import NoSuchUserCode, Waiting
from passless.server.oauth.forms import Malformed
from passless.server.oauth.metadata import VERIFY
from passless.server.oauth.recording import entry_of
from passless.server.openid.claims import telling
from passless.server.site import Site

FRESH = Wish(max_age=STEP_UP)  # who approves has proven who they are just now
SHOWN_CODE = 16  # characters of a typed code that are shown again

Page = Response[Any]


def show(request: browser.Asking, site: Site, values: dict[str, str]) -> Page:
    """Ask for the code; one in the address is only filled in, for whoever made the address may not be at the device."""
    someone = _someone(request, site, values.get("user_code", ""))
    if isinstance(someone, Response):
        return someone
    return _type(request, site, values.get("user_code", ""))


def answer(request: browser.Asking, site: Site, form: dict[str, str]) -> Page:
    """Take a code, then the answer to what asks with it."""
    browser.check_form(request, site, form)
    typed = form.get("user_code", "")
    someone = _someone(request, site, typed)
    if isinstance(someone, Response):
        return someone
    place = browser.actor_of(request, site).place
    try:
        waiting = devices.enter(site.parts, typed, someone.account.id, place)
        more = _prove_more(request, site, someone, waiting, typed)
        if more is not None:
            return more
        said = form.get("answer")
        if said is None:
            return _ask(request, site, waiting, someone, typed)
        if said not in ("approve", "refuse"):
            raise Malformed("the answer is neither yes nor no")
        _keep(site, waiting, someone, place, approved=said == "approve")
    except NoSuchUserCode:
        return _type(request, site, typed, "No device waits with that code. Look at the device again.", status=404)
    except Throttled:
        return _type(request, site, "", "Too many wrong codes came from here. Wait a while, then try again.", status=429)
    service = _service(site, waiting)
    return browser.render(request, site, "device.html", step="done", approved=said == "approve", service=service)


def _someone(request: browser.Asking, site: Site, typed: str) -> Person | Page:
    someone = asking.person(site.parts, browser.actor_of(request, site))
    if someone is not None and says_who(someone.session) and asking.has_proven(site.parts, someone, FRESH):
        return someone
    code = devices.as_typed(typed)
    next_path = f"{VERIFY}?{urlencode({'user_code': devices.shown(code)})}" if code else VERIFY
    return browser.sign_in_first(request, site, max_age=None if someone is None else STEP_UP, next_path=next_path)


def _prove_more(request: browser.Asking, site: Site, someone: Person, waiting: Waiting, typed: str) -> Page | None:
    """Ask for what the relying party requires of who approves; None where it is proven."""
    client = clients.query(site.parts, waiting.device.client_id)
    next_path = f"{VERIFY}?{urlencode({'user_code': devices.shown(devices.as_typed(typed))})}"
    if client is not None and client.client.kind is PartyKind.PAM:
        return _show_what_you_have(request, site, someone, typed, next_path)
    wish = Wish(factors=int(client.requires) if client is not None else 0)
    if asking.has_proven(site.parts, someone, wish):
        return None
    if not asking.can_prove(site.parts, someone, wish):
        problem = "That program asks for a stronger sign-in than your account has."
        return _type(request, site, typed, problem, status=403)
    return browser.prove_again(request, site, strength=wish.factors, next_path=next_path, why="weak-proof")


def _show_what_you_have(request: browser.Asking, site: Site, someone: Person, typed: str, next_path: str) -> Page | None:
    """Ask for something that the person has: the host has had a password, and a second one is no second step."""
    now = site.parts.now()
    if has_shown_second_step(someone.account, someone.session.proofs, site.parts.rules, now):
        return None
    if not can_show_second_step(someone.account, site.parts.rules, now):
        problem = (
            "A host lets nobody in by a password alone: that takes an authenticator app, a key or a passkey."
            " This account has none that counts there now."
        )
        return _type(request, site, typed, problem, status=403)
    return browser.prove_again(request, site, strength=1, next_path=next_path, why="needs-device")


def _type(request: browser.Asking, site: Site, typed: str, problem: str | None = None, *, status: int = 200) -> Page:
    code = devices.as_typed(typed)[: devices.USER_CODE_LENGTH]
    shown = devices.shown(code) if len(code) == devices.USER_CODE_LENGTH else code
    return browser.render(request, site, "device.html", status=status, step="type", user_code=shown, problem=problem)


def _ask(request: browser.Asking, site: Site, waiting: Waiting, someone: Person, typed: str) -> Page:
    device, client = waiting.device, clients.query(site.parts, waiting.device.client_id)
    if client is None:
        raise NoSuchUserCode
    return browser.render(
        request,
        site,
        "device.html",
        step="ask",
        user_code=devices.shown(devices.as_typed(typed)),
        client=client.client.name,
        service=_service(site, waiting),
        place=_asked_from(device.place, client.client),
        since=device.asked_at,
        expires_at=device.ends_at,
        account=someone.account.name,
        may=_may(client, device.scope, someone.account),
    )


def _asked_from(place: str, client: Client) -> str:
    """Return where somebody is who asks; on a host it is an address, or a user of the host who sits at it."""
    if client.kind is not PartyKind.PAM:
        return place
    try:
        return str(ip_address(place))
    except ValueError:
        return f"{client.name} itself"


def _service(site: Site, waiting: Waiting) -> str:
    """Return which of a host's services asks; nothing where it is no host that does."""
    client = clients.query(site.parts, waiting.device.client_id)
    return waiting.device.scope if client is not None and client.client.kind is PartyKind.PAM else ""


def _may(client: clients.KnownClient, scope: str, account: Account) -> list[str]:
    if client.client.kind is PartyKind.PAM:
        return [f"sign in there as {account.name}, this once"]
    if client.is_command_line:
        return ["look at your account from that device, and sign itself out; it can change nothing"]
    if client.speaks_openid:
        return telling(account, scope)
    return ["know who you are: the name and the id of your account", *(f"use what it calls {one}" for one in scope.split())]


def _keep(site: Site, waiting: Waiting, someone: Person, place: str, *, approved: bool) -> None:
    """Keep the answer, and record it."""
    parts, account = site.parts, someone.account
    details = {"client": waiting.device.client_id, "device": waiting.device.place}
    outcome = Outcome.DONE if approved else Outcome.REFUSED
    entry = entry_of(account, place, "approve-device", parts.now(), details, outcome)
    line = someone.session.line
    devices.answer(parts, waiting, approved=approved, account_id=account.id, line=line, place=place, entry=entry)
