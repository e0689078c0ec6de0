"""Operations as routes: the body is read as it comes, the work is done in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.concurrency import sync_to_thread
from litestar.handlers import HTTPRouteHandler

from passless.server.actors import actor_of
from passless.server.api import repeating
from passless.server.api.calls import Call, Operation, Said
from passless.server.problems import WrongMediaType
from passless.server.site import Site

JSON = "application/json"
NOT_KEPT = {"Cache-Control": "no-store"}  # what is answered is for who asked, now
NOTED = ("if-match", repeating.HEADER)  # the headers that operations look at


def route(operation: Operation) -> HTTPRouteHandler:
    """Return the route of an operation."""

    async def answer(request: Request[Any, Any, Any]) -> Response[bytes]:
        site: Site = request.app.state["site"]
        body = await request.body()
        if operation.takes is not None:
            _check_media_type(request.headers.get("content-type", ""))
        call = Call(
            site=site,
            actor=actor_of(request, site),
            parts=request.path_params,
            query=request.query_params,
            headers=_noted(request),
            body=body,
        )
        said, content = await sync_to_thread(_work, operation, call)
        request.scope["passless_account"] = said.account_id  # type: ignore[typeddict-unknown-key]
        status, headers = said.status or operation.status, {**NOT_KEPT, **said.headers}
        return Response(content, media_type=JSON if content else None, status_code=status, headers=headers)

    handler = HTTPRouteHandler(
        operation.path,
        http_method=operation.method,
        status_code=200,  # each answer says its own
        name=operation.name,
        include_in_schema=False,
    )
    return handler(answer)


def _work(operation: Operation, call: Call) -> tuple[Said, bytes]:
    """Do it, in a thread: it may wait for the store."""
    said = _said(operation, call)
    return said, said.written()


def _said(operation: Operation, call: Call) -> Said:
    if operation.takes is None:
        return operation.answer(call)
    asked: Any = call.read(operation.takes)
    if not (operation.repeats and repeating.HEADER in call.headers):
        return operation.answer(call, asked)
    if not operation.is_open:
        call.check_signed_in()  # nothing is kept for strangers
    return repeating.once(call, operation, lambda: operation.answer(call, asked))


def _check_media_type(given: str) -> None:
    kind, _, rest = given.partition(";")
    charset = rest.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != JSON or charset not in {"", "utf-8"}:
        raise WrongMediaType


def _noted(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    return {name: request.headers[name] for name in NOTED if name in request.headers}
