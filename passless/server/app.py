"""The application of a server: every route over one site, and every error as a problem document or a page."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from passless import wire
from passless.domain.errors import PasslessError, WrongUse
from passless.ports.directory import Actor
from passless.server import problems
from passless.server.actors import actor_of
from passless.server.log import Log
from passless.server.site import Site

BODY_SIZE = 256 * 1024  # bytes (docs/api.md)
PARTS = ("api", "pages", "oauth")  # packages beside this module, each with its `router`
HTML = "text/html"

Asking = Request[Any, Any, Any]


def make_app(site: Site, log: Log | None = None) -> Litestar:
    """Return the application of a site; it stands behind `gate.Gate`, which refuses foreign hosts and slow bodies."""

    def the_site() -> Site:
        return site

    def the_actor(request: Asking) -> Actor:
        return actor_of(request, site)

    return Litestar(
        route_handlers=list(_routers(site)),
        dependencies={
            "site": Provide(the_site, sync_to_thread=False, use_cache=True),
            "actor": Provide(the_actor, sync_to_thread=False),
        },
        exception_handlers={PasslessError: _problem, HTTPException: _litestar_problem, Exception: _fault},
        state=State({"site": site, "log": log or Log(site.parts.clock)}),
        openapi_config=None,
        logging_config=None,
        request_max_body_size=BODY_SIZE,
        signature_types=[Site, Actor],
        debug=False,
    )


def _routers(site: Site) -> Iterator[Router]:
    for name in PARTS:
        yield import_module(f"passless.server.{name}").router(site)


def _problem(request: Asking, error: PasslessError) -> Response[Any]:
    """Answer an error that was foreseen."""
    status = problems.status_of(error, if_match="if-match" in request.headers)
    document = problems.document_of(error, status)
    headers = problems.headers_of(error, status, signed_in="authorization" in request.headers)
    if _wants_page(request):
        from passless.server.pages import errors

        page: Response[Any] = errors.page(request, document)
        page.headers.update(headers)
        return page
    return Response(wire.encode(document), status_code=status, media_type=problems.MEDIA_TYPE, headers=headers)


def _litestar_problem(request: Asking, error: HTTPException) -> Response[Any]:
    """Answer what Litestar refuses, in our words."""
    match error:
        case NotFoundException():
            return _problem(request, problems.NoSuchAddress())
        case MethodNotAllowedException():
            answer = _problem(request, problems.WrongMethod())
            answer.headers.update(error.headers or {})
            return answer
        case _ if error.status_code == 413:
            return _problem(request, problems.TooLarge())
        case _ if error.status_code >= 500:
            return _fault(request, error)
        case _:
            return _problem(request, WrongUse("that is not understood"))


def _fault(request: Asking, error: Exception) -> Response[Any]:
    """Answer a fault of ours: nothing of it is told but the id under which it stands in the log."""
    request_id = str(request.scope.get("passless_request", "unknown"))
    log: Log = request.app.state["log"]
    log.fault(error, request_id=request_id)
    return _problem(request, problems.Fault(request_id))


def _wants_page(request: Asking) -> bool:
    if request.scope["raw_path"].startswith(b"/api"):  # as it was asked: routing may have shortened the path
        return False
    return HTML in request.headers.get("accept", "")
