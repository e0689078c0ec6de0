"""The application of a server: every route over one site, and every error as a problem document or a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from passless import wire
from passless.domain.errors import PasslessError, WrongUse
from passless.ports.directory import Actor
from passless.server import problems
from passless.server.actors import actor_of
from passless.server.batches import Batches
from passless.server.endings import Endings
from passless.server.log import Log
from passless.server.site import Site

BODY_SIZE = 256 * 1024  # bytes (docs/api.md)
PARTS = ("api", "pages", "oauth", "openid", "web", "telling", "ssh")  # beside this module, each with its `router`
HTML = "text/html"

Asking = Request[Any, Any, Any]


class AtOnce(Protocol):
    """What answers without a route."""

    def is_asked(self, scope: Any) -> bool:
        """Tell whether a request is for it."""
        ...

    async def answer(self, scope: Any, receive: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return what is sent: the head of the answer and its body."""
        ...


class Application(Litestar):
    """Every route.

    What the interface `/api/v1` and the questions of proxies are asked goes to them at once: finding a route, and what Litestar
    does around each, costs as much as the work.
    """

    at_once: Sequence[AtOnce] = ()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] == "http":
            for one in self.at_once:
                if one.is_asked(scope):
                    await self._answer(one, scope, receive, send)
                    return
        await super().__call__(scope, receive, send)

    async def _answer(self, asked: AtOnce, scope: Any, receive: Any, send: Any) -> None:
        try:
            messages = await asked.answer(scope, receive)
        except Exception as error:  # noqa: BLE001 - answered, and a fault of ours noted, as Litestar has it done elsewhere
            await self._tell(error, scope, receive, send)
            return
        for message in messages:
            await send(message)

    async def _tell(self, error: Exception, scope: Any, receive: Any, send: Any) -> None:
        """Answer an error as it is answered on every other route."""
        scope["app"] = scope["litestar_app"] = self
        scope.setdefault("state", {})
        asked: Asking = Request(scope, receive, send)
        match error:
            case PasslessError():
                said = _problem(asked, error)
            case HTTPException():
                said = _litestar_problem(asked, error)
            case _:
                said = _fault(asked, error)
        await said.to_asgi_response(app=None, request=asked)(scope, receive, send)


def make_app(site: Site, log: Log | None = None, endings: Endings | None = None) -> Application:
    """Return the application of a site; it stands behind `gate.Gate`, which refuses foreign hosts and slow bodies."""

    def the_site() -> Site:
        return site

    def the_actor(request: Asking) -> Actor:
        return actor_of(request, site)

    app = Application(
        route_handlers=list(_routers(site)),
        dependencies={
            "site": Provide(the_site, sync_to_thread=False, use_cache=True),
            "actor": Provide(the_actor, sync_to_thread=False),
        },
        exception_handlers={PasslessError: _problem, HTTPException: _litestar_problem, Exception: _fault},
        state=State({"site": site, "log": log or Log(site.parts.clock), "endings": endings or Endings(site)}),
        openapi_config=None,
        logging_config=None,
        request_max_body_size=BODY_SIZE,
        signature_types=[Site, Actor],
        debug=False,
    )
    app.at_once = tuple(_at_once(site))
    return app


def _at_once(site: Site) -> Iterator[AtOnce]:
    batches = Batches(site.parts.store)
    for name in PARTS:
        make = getattr(import_module(f"passless.server.{name}"), "at_once", None)
        if make is not None:
            yield make(site, batches)


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
