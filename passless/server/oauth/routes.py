"""The addresses of OAuth 2.0: what programs ask is answered as the standards say, what browsers ask with pages."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE
from litestar import Response, Router, get, post
from litestar.enums import MediaType
from litestar.params import RawBody

from passless.actions.throttle import Throttled
from passless.domain.errors import PasslessError, ProofNeeded, Unavailable, WrongUse
from passless.server import browser
from passless.server.addresses import address_of
from passless.server.oauth import agreed, agreeing, clients, devices, forms, looking, verifying
from passless.server.oauth import metadata as at
from passless.server.oauth.authorization import Authorization
from passless.server.oauth.calls import Answered, ClientRequest
from passless.server.site import Site
from passless.vault.errors import SealBroken, VaultKeyForeign, VaultKeyMissing, VaultKeyUnreadable

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

Asking = browser.Asking
Page = Response[Any]


def _refused(request: Asking, error: PasslessError) -> Page:
    """Answer a program that asked wrongly, or that cannot be answered now (RFC 6749 §5.2)."""
    status, code = HTTPStatus.BAD_REQUEST, "invalid_request"
    headers: dict[str, str] = {}
    match error:
        case VaultKeyMissing() | VaultKeyForeign() | VaultKeyUnreadable() | SealBroken():  # waiting does not help
            status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "server_error"
        case Unavailable():
            status, code, headers = HTTPStatus.SERVICE_UNAVAILABLE, "temporarily_unavailable", {"Retry-After": "1"}
        case Throttled() | devices.TooManyDevices():
            status, code, headers = HTTPStatus.TOO_MANY_REQUESTS, "slow_down", {"Retry-After": "60"}
        case WrongUse():
            pass
        case ProofNeeded():
            status, code = HTTPStatus.UNAUTHORIZED, "invalid_client"
        case _:
            status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "server_error"
    return _json(Answered(status=status, body={"error": code, "error_description": _plain(error.message)}, headers=headers))


def _judged(request: Asking, error: OAuth2Error) -> Page:
    status, body, headers = error(None)
    return _json(Answered(status=status, body=body, headers=dict(headers)))


FOR_PROGRAMS: Any = {PasslessError: _refused, OAuth2Error: _judged}


def _json(answered: Answered) -> Page:
    headers = {name: value for name, value in answered.headers.items() if name.lower() != "content-type"} | NO_STORE
    if answered.status == HTTPStatus.TOO_MANY_REQUESTS:
        headers.setdefault("Retry-After", "60")
    return Response(msgspec.json.encode(answered.body), status_code=answered.status, media_type=MediaType.JSON, headers=headers)


def _plain(text: str) -> str:
    """Return a sentence with the characters that a description may have (RFC 6749 §5.2)."""
    return "".join(one if " " <= one <= "~" and one not in '"\\' else "'" for one in text)


def site_of(request: Asking) -> Site:
    """Return the site that a request came to."""
    site: Site = request.app.state["site"]
    return site


def _asked(request: Asking, site: Site, body: bytes) -> ClientRequest:
    """Return what a program posted."""
    values = forms.read_body(request.headers.get("content-type"), body)
    if request.scope.get("query_string"):
        raise forms.Malformed("nothing is taken from the address: post it")
    said = forms.credentials(request.headers.get("authorization"), values)
    return ClientRequest("POST", values, said=said, place=address_of(request, site))


@get(at.WELL_KNOWN, sync_to_thread=False, media_type=MediaType.JSON)
def describe(request: Asking) -> Page:
    """Say what this authorization server can do."""
    return Response(msgspec.json.encode(at.metadata(site_of(request))), media_type=MediaType.JSON)


@post(at.TOKEN, sync_to_thread=True, exception_handlers=FOR_PROGRAMS)
def give_token(request: Asking, body: RawBody) -> Page:
    """Exchange a code for a token."""
    site = site_of(request)
    asked = _asked(request, site, body)
    answered: Answered = Authorization(site).create_token_response(asked)
    return _json(answered)


@post(at.DEVICE, sync_to_thread=True, exception_handlers=FOR_PROGRAMS)
def begin_device(request: Asking, body: RawBody) -> Page:
    """Give a device its codes."""
    site = site_of(request)
    asked = _asked(request, site, body)
    client = clients.prove(site.parts, asked.said, asked.place, public=True)
    if not client.check_grant_type(DEVICE_CODE_GRANT_TYPE):  # what it requires cannot be proven on another device
        raise UnauthorizedClientError
    scope = client.get_allowed_scope(asked.form.get("scope"))
    if scope is None:
        raise InvalidScopeError
    given = devices.begin(site.parts, client.get_client_id(), scope, asked.place)
    address = site.url + at.VERIFY
    body_out = {
        "device_code": given.device_code,
        "user_code": given.user_code,
        "verification_uri": address,
        "verification_uri_complete": f"{address}?user_code={given.user_code}",
        "expires_in": int(devices.LIFE.total_seconds()),
        "interval": int(devices.INTERVAL.total_seconds()),
    }
    return _json(Answered(status=HTTPStatus.OK, body=body_out, headers={}))


@post(at.REVOKE, sync_to_thread=True, exception_handlers=FOR_PROGRAMS)
def revoke(request: Asking, body: RawBody) -> Page:
    """End a token."""
    site = site_of(request)
    return _at_endpoint(looking.Revocation(Authorization(site)), _asked(request, site, body))


@post(at.INTROSPECT, sync_to_thread=True, exception_handlers=FOR_PROGRAMS)
def introspect(request: Asking, body: RawBody) -> Page:
    """Say what a token is good for."""
    site = site_of(request)
    return _at_endpoint(looking.Introspection(Authorization(site)), _asked(request, site, body))


def _at_endpoint(endpoint: Any, asked: ClientRequest) -> Page:
    status, body, headers = endpoint(asked)
    return _json(Answered(status=status, body=body, headers=dict(headers)))


@get(at.AUTHORIZE, sync_to_thread=True)
def authorize(request: Asking) -> Page:
    """Ask a person whether a program may sign them in."""
    site = site_of(request)
    return agreeing.show(request, site, forms.read(request.scope.get("query_string", b"")))


@post(at.AUTHORIZE, sync_to_thread=True)
def agree(request: Asking, body: RawBody) -> Page:
    """Take the person's answer."""
    site = site_of(request)
    form = forms.read_body(request.headers.get("content-type"), body)
    if not form.keys() & {browser.FORM_TOKEN, "answer"}:  # a program's page sent it (OpenID Connect Core §3.1.2.1)
        return browser.redirect(request, site, f"{at.AUTHORIZE}?{urlencode(form)}")
    return agreeing.answer(request, site, form)


@get(at.AGREED, sync_to_thread=True)
def show_agreed(request: Asking) -> Page:
    """List the programs that a person let in."""
    return agreed.show(request, site_of(request))


@post(at.AGREED, sync_to_thread=True)
def answer_agreed(request: Asking, body: RawBody) -> Page:
    """Put a program out."""
    return agreed.answer(request, site_of(request), forms.read_body(request.headers.get("content-type"), body))


@get(at.VERIFY, sync_to_thread=True)
def show_device(request: Asking) -> Page:
    """Ask for the code that a device shows."""
    site = site_of(request)
    return verifying.show(request, site, forms.read(request.scope.get("query_string", b"")))


@post(at.VERIFY, sync_to_thread=True)
def answer_device(request: Asking, body: RawBody) -> Page:
    """Take the code, then the person's answer."""
    site = site_of(request)
    return verifying.answer(request, site, forms.read_body(request.headers.get("content-type"), body))


HANDLERS = (
    describe,
    give_token,
    begin_device,
    revoke,
    introspect,
    authorize,
    agree,
    show_agreed,
    answer_agreed,
    show_device,
    answer_device,
)


def router(site: Site) -> Router:
    """Return the addresses of a site, under `/`; a router of its own for each application."""
    return Router(path="/", route_handlers=[*HANDLERS], include_in_schema=False, request_max_body_size=forms.LONGEST_FORM)
