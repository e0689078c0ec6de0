"""The addresses that browsers see of a guarded site; the site's own proxy hands `/.passless/…` to them."""

from __future__ import annotations

from typing import Any

from litestar import HttpMethod, Response, Router, get, route
from litestar.params import FromPath

from passless.server import browser
from passless.server.site import Site
from passless.server.web import leaving, signing_in, sites

SLASH = "\0"  # what a "/" within a part of an address has become (gate.py)

Asking = browser.Asking
Page = Response[Any]


def _site(request: Asking) -> Site:
    site: Site = request.app.state["site"]
    return site


@get("/auth/{name:str}/sign-in", sync_to_thread=True)
def begin(request: Asking, name: FromPath[str]) -> Page:
    """Send a browser to sign in, and on to the page that it wanted."""
    site = _site(request)
    return signing_in.begin(request, site, sites.named(site, name.replace(SLASH, "/")))


@get("/auth/{name:str}/callback", sync_to_thread=True)
def come_back(request: Asking, name: FromPath[str]) -> Page:
    """Take the code that a browser comes back with."""
    site = _site(request)
    return signing_in.come_back(request, site, sites.named(site, name.replace(SLASH, "/")))


@route("/auth/{name:str}/sign-out", http_method=[HttpMethod.GET, HttpMethod.POST], sync_to_thread=True, status_code=303)
def sign_out(request: Asking, name: FromPath[str]) -> Page:
    """End a site's session."""
    site = _site(request)
    return leaving.sign_out(request, site, sites.named(site, name.replace(SLASH, "/")))


@get("/auth/{name:str}/signed-out", sync_to_thread=True)
def signed_out(request: Asking, name: FromPath[str]) -> Page:
    """Say that a site's session has ended."""
    site = _site(request)
    return leaving.signed_out(request, site, sites.named(site, name.replace(SLASH, "/")))


@get("/auth/{name:str}/failed", sync_to_thread=True)
def explain(request: Asking, name: FromPath[str]) -> Page:
    """Say why a sign-in did not work."""
    site = _site(request)
    return leaving.explain(request, site, sites.named(site, name.replace(SLASH, "/")))


HANDLERS = (begin, come_back, sign_out, signed_out, explain)


def router(site: Site) -> Router:
    """Return the addresses of a site, under `/`."""
    return Router(path="/", route_handlers=[*HANDLERS], include_in_schema=False)
