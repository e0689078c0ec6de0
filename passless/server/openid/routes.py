"""The addresses of OpenID Connect."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, Router, get, post
from litestar.enums import MediaType
from litestar.params import RawBody

from passless.actions import signing_keys
from passless.server import browser
from passless.server.oauth import forms
from passless.server.oauth.routes import FOR_PROGRAMS, NO_STORE, site_of
from passless.server.openid import leaving, userinfo
from passless.server.openid import metadata as at
from passless.server.site import Site

FOR_AN_HOUR = {"Cache-Control": "public, max-age=3600"}  # a key is published for longer before it signs

Asking = browser.Asking
Page = Response[Any]


def _json(body: Any, *, status: int = 200, headers: dict[str, str]) -> Page:
    return Response(msgspec.json.encode(body), status_code=status, media_type=MediaType.JSON, headers=headers)


@get(at.WELL_KNOWN, sync_to_thread=False, media_type=MediaType.JSON)
def describe(request: Asking) -> Page:
    """Say what this provider can do."""
    return _json(at.metadata(site_of(request)), headers=FOR_AN_HOUR)


@get(at.KEYS, sync_to_thread=True, exception_handlers=FOR_PROGRAMS)
def keys(request: Asking) -> Page:
    """Return the public halves of the keys that sign."""
    return _json(signing_keys.published(site_of(request).parts), headers=FOR_AN_HOUR)


@get(at.USERINFO, sync_to_thread=True, exception_handlers=FOR_PROGRAMS)
def get_userinfo(request: Asking) -> Page:
    """Say who somebody is."""
    return _userinfo(request, b"")


@post(at.USERINFO, sync_to_thread=True, exception_handlers=FOR_PROGRAMS)
def post_userinfo(request: Asking, body: RawBody) -> Page:
    """Say who somebody is."""
    return _userinfo(request, body)


def _userinfo(request: Asking, body: bytes) -> Page:
    shown = userinfo.token_of(request.headers.get("authorization"), request.headers.get("content-type"), body)
    said = shown if isinstance(shown, userinfo.Unanswered) else userinfo.of(site_of(request), shown)
    if isinstance(said, userinfo.Unanswered):
        headers = {**NO_STORE, "WWW-Authenticate": said.challenge}
        return _json({"error": said.error} if said.error else {}, status=said.status, headers=headers)
    return _json(said, headers=dict(NO_STORE))


@get(at.END_SESSION, sync_to_thread=True)
def leave(request: Asking) -> Page:
    """Sign a person out, or ask whether they want that."""
    site = site_of(request)
    return leaving.show(request, site, forms.read(request.scope.get("query_string", b"")))


@post(at.END_SESSION, sync_to_thread=True)
def answer_leaving(request: Asking, body: RawBody) -> Page:
    """Take the person's answer; what a program posts is asked as if it had sent the browser."""
    site = site_of(request)
    form = forms.read_body(request.headers.get("content-type"), body)
    if not form.keys() & {browser.FORM_TOKEN, "answer"}:
        return browser.redirect(request, site, f"{at.END_SESSION}?{urlencode(form)}")
    return leaving.answer(request, site, form)


HANDLERS = (describe, keys, get_userinfo, post_userinfo, leave, answer_leaving)


def router(site: Site) -> Router:
    """Return the addresses of a site, under `/`; a router of its own for each application."""
    return Router(path="/", route_handlers=[*HANDLERS], include_in_schema=False, request_max_body_size=forms.LONGEST_FORM)
