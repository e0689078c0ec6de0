"""A browser on its way to a site: signed in at this server, or through it as any program's is, and back to where it was.

For a site of another origin the server is its own relying party: an authorization code, PKCE and a state, and what comes of it
is a token of that relying party in a cookie of the site's origin. The server's own session never leaves it.
"""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from litestar import Response
from litestar.datastructures import Cookie
from litestar.enums import MediaType

from passless.domain.party_kinds import Requirement
from passless.domain.relying_parties import SITE_CALLBACK, Client
from passless.domain.safety.assurance import REQUIRED, best_assurance
from passless.domain.sessions import STEP_UP
from passless.ports import Write
from passless.server import browser
from passless.server.addresses import address_of
from passless.server.oauth import asking, codes, giving, looking
from passless.server.oauth.asking import Person
from passless.server.oauth.clients import KnownClient
from passless.server.oauth.metadata import AUTHORIZE
from passless.server.oauth.recording import entry_of
from passless.server.site import Site
from passless.server.web import going, sites
from passless.server.web.deciding import LONGEST_TOKEN, is_enough, of_token
from passless.server.web.going import Going

MOST_PARAMETERS = 10  # that a browser comes back with
ACR = {Requirement.TWO_FACTORS: "2", Requirement.PHISHING_RESISTANT: "phr"}
WEAK = frozenset({"unmet_authentication_requirements", "login_required"})

Asking = browser.Asking
Page = Response[Any]


def begin(request: Asking, site: Site, client: Client) -> Page:
    """Send a browser to sign in, and on to the page that it wanted."""
    to = wanted(request)
    if not sites.is_elsewhere(client):
        return _here(request, site, client, to)
    origin = sites.origin_asked(client, request.scope["headers"])
    if origin is None:
        return failed(site, client, "origin")
    begun = going.begin(site.parts, client, origin, to)
    asked = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": origin + SITE_CALLBACK,
        "state": begun.state,
        "code_challenge": begun.challenge,
        "code_challenge_method": "S256",
    }
    if client.requires in ACR:
        asked["acr_values"] = ACR[client.requires]
    names = [sites.going_cookie(client, origin, slot) for slot in sites.SLOTS]
    free = [name for name in names if name not in request.cookies]
    slot = free[0] if free else names[site.parts.entropy(1)[0] % len(names)]
    life = int(going.LIFE.total_seconds())
    held = sites.cookie(origin, slot, going.sealed(site.parts, begun), max_age=life)
    return go(f"{site.url}{AUTHORIZE}?{urlencode(asked)}", held)


def _here(request: Asking, site: Site, client: Client, to: str) -> Page:
    """Sign in at the server's own address, where its session counts."""
    someone = asking.person(site.parts, browser.actor_of(request, site))
    if someone is None:
        return browser.sign_in_first(request, site)
    if is_enough(site, client, someone.account, someone.session):
        return browser.redirect(request, site, to)
    if not _can(site, client, someone):
        return failed(site, client, "weak")
    strength = 1 if client.requires is Requirement.ANY else 2
    return browser.sign_in_first(request, site, strength=strength, max_age=STEP_UP, why="weak-proof")


def _can(site: Site, client: Client, someone: Person) -> bool:
    parts = site.parts
    return best_assurance(someone.account, parts.rules, parts.now()) >= REQUIRED[client.requires]


def come_back(request: Asking, site: Site, client: Client) -> Page:
    """Take the code that the server gave, and keep what it stands for in a cookie of the site's origin."""
    said = _said(request)
    names = [sites.going_cookie(client, origin, slot) for origin in sites.origins(client) for slot in sites.SLOTS]
    held = sites.values_of(request.scope["headers"], names)
    found = going.opened(site.parts, client, held, said.get("state", ""))
    if found is None:
        return failed(site, client, "not-begun")
    slot, begun = found
    done = sites.cookie(begun.origin, slot, "", max_age=0)
    if begun.origin not in sites.origins(client) or said.get("iss") != site.url:
        return failed(site, client, "not-begun", done)
    if "error" in said:
        return failed(site, client, _why(said["error"]), done)
    token = _token(request, site, client, begun, said.get("code", ""))
    if token is None:
        return failed(site, client, "again", done)
    someone = of_token(site, client, token)
    if someone is None or not is_enough(site, client, *someone):
        _end(site, token, address_of(request, site))
        return failed(site, client, "weak", done)
    kept = sites.cookie(begun.origin, sites.token_cookie(client, begun.origin), token)
    return go(begun.origin + browser.path_here(begun.to), kept, done)


def _why(error: str) -> str:
    if error == "access_denied":
        return "refused"
    return "weak" if error in WEAK else "again"


def _token(request: Asking, site: Site, client: Client, begun: Going, code: str) -> str | None:
    """Exchange a code, as the token endpoint does for others: it is this client's, of this address and this verifier."""
    held = codes.find(site.parts, code, client.id, address_of(request, site))
    if held is None or held.code.redirect_uri != begun.origin + SITE_CALLBACK:
        return None
    if not hmac.compare_digest(held.code.challenge, begun.challenge):
        return None
    given = giving.for_code(site, KnownClient(client), held, address_of(request, site))
    return None if given is None else str(given["access_token"])


def _end(site: Site, token: str, place: str) -> None:
    found, now = looking.find(site, token), site.parts.now()
    if found is not None:
        details = {"client": found.client_id, "sessions": found.session.id}
        entry = entry_of(found.account, place, "end-session", now, details)
        site.parts.store.commit(Write(at=now, ends=(found.session.id,), events=(entry,)))


def wanted(request: Asking) -> str:
    """Return the page to go to: `to` comes last, and proxies that cannot escape it write it as it is."""
    query = request.scope.get("query_string", b"").decode("latin-1")
    raw = query.removeprefix("to=") if query.startswith("to=") else query.partition("&to=")[2]
    return browser.path_here(raw if raw.startswith("/") else unquote(raw.partition("&")[0]))


def failed(site: Site, client: Client, why: str, *cookies: Cookie) -> Page:
    """Send the browser to a page of the server's own origin that says why it is not signed in."""
    return go(f"{site.url}{sites.path_of(client)}/failed?{urlencode({'why': why})}", *cookies)


def go(address: str, *cookies: Cookie) -> Page:
    """Send the browser somewhere, with no other cookies than these: it may be at another origin than ours."""
    headers = {"Location": address, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Response(b"", status_code=303, media_type=MediaType.HTML, headers=headers, cookies=cookies)


def _said(request: Asking) -> dict[str, str]:
    """Return what a browser came back with; nothing where something stands there twice, or is none."""
    try:
        pairs = parse_qsl(
            request.scope.get("query_string", b"").decode("ascii"), errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except ValueError:
        return {}
    said = dict(pairs)
    return said if len(said) == len(pairs) and all(len(one) <= LONGEST_TOKEN for one in said.values()) else {}
