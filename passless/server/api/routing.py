"""Operations by their addresses, without anything in between: the body is read as it comes, the work is done in a thread.

`app.Application` asks it before Litestar: what that does for a usual route costs as much as a sign-in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import parse_qsl

from litestar.concurrency import get_asyncio_executor
from litestar.exceptions import MethodNotAllowedException, NotFoundException

from passless.server.actors import actor_from
from passless.server.addresses import place_of
from passless.server.api import repeating
from passless.server.api.calls import BASE, Call, Operation, Said
from passless.server.batches import Batches
from passless.server.problems import TooSlow, WrongMediaType
from passless.server.site import Site

JSON = "application/json"
UNDER = f"{BASE}/".encode()  # what the addresses of the interface begin with
USUAL = ((b"cache-control", b"no-store"), (b"content-type", b"application/json"))  # what is answered is for who asked, now


class Table:
    """Which operation an address is, by its parts."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._known: dict[tuple[int, str], list[tuple[tuple[str, ...], dict[str, Operation]]]] = {}
        for path, found in groupby(sorted(operations, key=lambda one: one.path), key=lambda one: one.path):
            parts = _parts(path)
            self._known.setdefault(_kin(parts), []).append((parts, {one.method: one for one in found}))

    def find(self, path: str, method: str) -> tuple[Operation, dict[str, str]]:
        """Return the operation, and the parts of the address that it leaves open.

        Raises:
            NotFoundException, MethodNotAllowedException: there is none.
        """
        asked = _parts(path)
        for parts, by_method in self._known.get(_kin(asked), ()):
            opened = _opened(parts, asked)
            if opened is not None:
                if method not in by_method:
                    raise MethodNotAllowedException(headers={"Allow": ", ".join(by_method)})
                return by_method[method], opened
        raise NotFoundException


class Interface:
    """All operations in one place."""

    def __init__(self, operations: Sequence[Operation], site: Site, batches: Batches) -> None:
        self._table = Table(operations)
        self._site = site
        self._batches = batches

    def is_asked(self, scope: Any) -> bool:
        """Tell whether a request is for the interface, by its address as it was written."""
        raw: bytes = scope["raw_path"]
        return raw.startswith(UNDER) or raw == BASE.encode()

    async def answer(self, scope: Any, receive: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Do what is asked, and return what is sent: the head of the answer and its body."""
        operation, parts = self._table.find(scope["path"][len(BASE) :], scope["method"])
        scope["path_template"] = BASE + operation.path
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await _body(receive)
        if operation.takes is not None:
            _check_media_type(headers.get("content-type", ""))
        call = Call(
            site=self._site,
            actor=actor_from(headers, place_of(scope, self._site)),
            parts=parts,
            query=_query(scope["query_string"]),
            headers=headers,
            body=body,
        )
        said, content = await _worked(operation, call, self._batches)
        scope["passless_account"] = said.account_id
        return _head(said, said.status or operation.status, content), {"type": "http.response.body", "body": content}


def _parts(path: str) -> tuple[str, ...]:
    return tuple(filter(None, path.split("/")))


def _kin(parts: Sequence[str]) -> tuple[int, str]:
    """Return what addresses share that may be told apart only by their further parts; the first is never left open."""
    return len(parts), parts[0] if parts else ""


def _opened(parts: Sequence[str], asked: Sequence[str]) -> dict[str, str] | None:
    """Return the parts of an address that a path leaves open; nothing where it is another address."""
    opened = {}
    for part, given in zip(parts, asked, strict=True):
        if part[0] == "{":
            opened[part[1:-1]] = given
        elif part != given:
            return None
    return opened


def _head(said: Said, status: int, content: bytes) -> Mapping[str, Any]:
    written = [*USUAL[: 2 if content else 1]]
    if status != 204:
        written.append((b"content-length", b"%d" % len(content)))
    written += [(name.lower().encode(), value.encode("latin-1")) for name, value in said.headers.items()]
    return {"type": "http.response.start", "status": status, "headers": written}


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
    if operation.is_short is not None and operation.is_short(call, asked):
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
    if given == JSON:
        return
    kind, _, rest = given.partition(";")
    charset = rest.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != JSON or charset not in {"", "utf-8"}:
        raise WrongMediaType
