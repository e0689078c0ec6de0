"""Signing out of a site, and the pages that say what became of a sign-in."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from litestar import Response

from passless.domain.relying_parties import Client
from passless.ports import Write
from passless.server import browser
from passless.server.addresses import address_of
from passless.server.oauth import asking, looking
from passless.server.oauth.recording import entry_of
from passless.server.site import Site
from passless.server.web import sites
from passless.server.web.deciding import LONGEST_TOKEN
from passless.server.web.signing_in import failed, go

WHY = {
    "refused": ("You did not let it know who you are", "Nothing was told. You can begin again whenever you like."),
    "weak": (
        "This needs a stronger sign-in",
        "The way you signed in is not enough there. Add a passkey or a security key to your account, and sign in with it.",
    ),
    "not-begun": (
        "This sign-in was not begun in this browser",
        "It took too long, or cookies are switched off, or somebody else sent you there. Nobody was signed in.",
    ),
    "sign-out": ("Another page tried to sign you out", "You are still signed in. Use the site's own link to sign out."),
    "origin": (
        "This site is not set up to its end",
        "Its proxy has to say which site it is: X-Forwarded-Host. Tell whoever runs it.",
    ),
    "again": ("That did not work", "Nobody was signed in. Please try once more."),
}

Asking = browser.Asking
Page = Response[Any]


def sign_out(request: Asking, site: Site, client: Client) -> Page:
    """End a site's session; what another page asked for is not done."""
    if not sites.is_elsewhere(client):
        return browser.redirect(request, site, f"{sites.path_of(client)}/signed-out")
    if not _asked_here(request, client):
        return failed(site, client, "sign-out")
    held = sites.values_of(request.scope["headers"], sites.token_cookies(client))
    for token in held.values():
        _end(request, site, client, token)
    origins = {name: origin for origin in sites.origins(client) if (name := sites.token_cookie(client, origin)) in held}
    gone = (sites.cookie(origin, name, "", max_age=0) for name, origin in origins.items())
    return go(f"{site.url}{sites.path_of(client)}/signed-out", *gone)


def _asked_here(request: Asking, client: Client) -> bool:
    """Tell whether a person asked, or a page of the site itself; every browser says one of both."""
    where, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if origin is not None and origin not in sites.origins(client):
        return False
    return where in {"same-origin", "none"} or (where is None and origin is not None)


def _end(request: Asking, site: Site, client: Client, token: str) -> None:
    found = looking.find(site, token) if len(token) <= LONGEST_TOKEN else None
    if found is None or found.client_id != client.id:
        return
    now = site.parts.now()
    details = {"client": client.id, "name": client.name, "sessions": found.session.id}
    entry = entry_of(found.account, address_of(request, site), "end-session", now, details)
    site.parts.store.commit(Write(at=now, ends=(found.session.id,), events=(entry,)))


def signed_out(request: Asking, site: Site, client: Client) -> Page:
    """Say that the site's session has ended, and that the server's own has not."""
    someone = asking.person(site.parts, browser.actor_of(request, site))
    return browser.render(
        request,
        site,
        "site_signed_out.html",
        client=client.name,
        elsewhere=sites.is_elsewhere(client),
        account=None if someone is None else someone.account.name,
        back=_front_page(client),
    )


def explain(request: Asking, site: Site, client: Client) -> Page:
    """Say why a sign-in at a site did not work."""
    query = parse_qs(request.scope.get("query_string", b"").decode("latin-1"), max_num_fields=10)
    title, message = WHY.get(query.get("why", [""])[0], WHY["again"])
    return browser.render(
        request,
        site,
        "site_failed.html",
        status=403,
        client=client.name,
        title=title,
        message=message,
        back=_front_page(client),
    )


def _front_page(client: Client) -> str:
    """Return where the site begins; several have no common beginning."""
    origins = sites.origins(client)
    return f"{origins[0]}/" if len(origins) == 1 else "/"
