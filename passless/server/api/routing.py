"""Operations as routes, without anything in between: the body is read as it comes, the work is done in a thread.

They are plain ASGI, since what Litestar does for a usual handler (its arguments, its response) costs as much as a sign-in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import parse_qsl

from litestar.concurrency import get_asyncio_executor
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.handlers import ASGIRouteHandler, asgi

from passless.server.actors import actor_from
from passless.server.addresses import place_of
from passless.server.api import repeating
from passless.server.api.calls import BASE, Call, Operation, Said
from passless.server.batches import Batches
from passless.server.problems import TooSlow, WrongMediaType
from passless.server.site import Site

JSON = "application/json"
USUAL = ((b"cache-control", b"no-store"), (b"content-type", b"application/json"))  # what is answered is for who asked, now


class Table:
    """Which operation an address is, by its parts."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._by_length: dict[int, list[tuple[tuple[str, ...], dict[str, Operation]]]] = {}
        for path, found in groupby(sorted(operations, key=lambda one: one.path), key=lambda one: one.path):
            parts = _parts(path)
            self._by_length.setdefault(len(parts), []).append((parts, {one.method: one for one in found}))

    def find(self, path: str, method: str) -> tuple[Operation, dict[str, str]]:
        """Return the operation, and the parts of the address that it leaves open.

        Raises:
            NotFoundException, MethodNotAllowedException: there is none.
        """
        asked = _parts(path)
        for parts, by_method in self._by_length.get(len(asked), ()):
            if all(part == given or part[0] == "{" for part, given in zip(parts, asked, strict=True)):
                if method not in by_method:
                    raise MethodNotAllowedException(headers={"Allow": ", ".join(by_method)})
                return by_method[method], {
                    part[1:-1]: given for part, given in zip(parts, asked, strict=True) if part[0] == "{"
                }
        raise NotFoundException


def mounted(operations: Sequence[Operation], site: Site) -> ASGIRouteHandler:
    """Return all operations in one place."""
    table = Table(operations)
    batches = Batches(site.parts.store)

    @asgi(BASE, is_mount=True, copy_scope=False)
    async def interface(scope: Any, receive: Any, send: Any) -> None:
        if not scope["raw_path"].startswith((BASE + "/").encode()) and scope["raw_path"] != BASE.encode():
            raise NotFoundException  # Litestar looks at the beginning only: /api/v1accounts
        operation, parts = table.find(scope["path"], scope["method"])
        scope["path_template"] = BASE + operation.path
        await _answer(operation, site, batches, parts, scope, receive, send)

    return interface


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


async def _answer(
    operation: Operation, site: Site, batches: Batches, parts: Mapping[str, str], scope: Any, receive: Any, send: Any
) -> None:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    body = await _body(receive)
    if operation.takes is not None:
        _check_media_type(headers.get("content-type", ""))
    call = Call(
        site=site,
        actor=actor_from(headers, place_of(scope, site)),
        parts=parts,
        query=_query(scope["query_string"]),
        headers=headers,
        body=body,
    )
    said, content = await _worked(operation, call, batches)
    scope["passless_account"] = said.account_id
    status = said.status or operation.status
    more = [(name.lower().encode(), value.encode("latin-1")) for name, value in said.headers.items()]
    length = (b"content-length", str(len(content)).encode())
    written = [*USUAL[: 2 if content else 1], *(() if status == 204 else (length,)), *more]
    await send({"type": "http.response.start", "status": status, "headers": written})
    await send({"type": "http.response.body", "body": content})


async def _body(receive: Any) -> bytes:
    """Return the whole body; the gate bounds its size, the connection its time."""
    message = await receive()
    if not message.get("more_body"):
        return _part(message)
    parts = [_part(message)]
    while message.get("more_body"):
        message = await receive()
        parts.append(_part(message))
    return b"".join(parts)


def _part(message: Mapping[str, Any]) -> bytes:
    if message["type"] == "http.disconnect":
        raise TooSlow  # nobody hears it; half a body is never carried out
    part: bytes = message.get("body", b"")
    return part


def _query(written: bytes) -> Mapping[str, str]:
    return dict(parse_qsl(written.decode("latin-1"), keep_blank_values=True)) if written else {}


def _worked(operation: Operation, call: Call, batches: Batches) -> asyncio.Future[tuple[Said, bytes]]:
    """Do it, in a thread, for it may wait for the store: what is short with others, the rest in one of its own."""
    asked: Any = call.read(operation.takes) if operation.takes is not None else None
    if operation.is_short is not None and operation.is_short(asked):
        return batches.do(lambda: _work(operation, call, asked))
    return asyncio.get_running_loop().run_in_executor(get_asyncio_executor(), _work, operation, call, asked)


def _work(operation: Operation, call: Call, asked: Any) -> tuple[Said, bytes]:
    said = _said(operation, call, asked)
    return said, said.written()


def _said(operation: Operation, call: Call, asked: Any) -> Said:
    if operation.takes is None:
        return operation.answer(call)
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
