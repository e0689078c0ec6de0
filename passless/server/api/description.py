"""What the interface is, for programs: an OpenAPI 3.1 document made of the same operations and types that answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from inspect import cleandoc
from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler, get

from passless import __version__
from passless.domain.secret import Secret
from passless.server.api import documents
from passless.server.api.calls import BASE, Operation, Parameter
from passless.wire import ProblemDocument

PATH = "/api/openapi.json"
REFERENCE = "#/components/schemas/{name}"
PART = re.compile(r"\{(\w+)\}")
PROBLEM = "application/problem+json"
KEY = Parameter(
    name="Idempotency-Key",
    about="The same request with the same key by the same session is done once.",
    schema={"type": "string", "pattern": "^[\\x21-\\x7e]([\\x20-\\x7e]{0,62}[\\x21-\\x7e])?$"},
    place="header",
)
FOR_OPERATORS = (
    Parameter(
        name="Passless-Reason",
        about="Why an operator acts on somebody else's account (percent-encoded).",
        schema={"type": "string", "maxLength": 4500},
        place="header",
    ),
    Parameter(
        name="Passless-Ticket",
        about="The ticket it belongs to (percent-encoded).",
        schema={"type": "string", "maxLength": 4500},
        place="header",
    ),
)
PROBLEMS: Mapping[int, str] = {
    400: "The input is missing or malformed.",
    401: "Nobody is signed in, or a proof was wrong, is missing, too old or too weak.",
    403: "Signed in, and not allowed.",
    404: "There is no such account, method, ceremony, …",
    405: "This address is not asked that way.",
    408: "The body did not arrive in time.",
    409: "The rules refuse it, or a name or key is taken.",
    412: "The account is no longer the one that was looked at.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    421: "The request names another host.",
    429: "Too many wrong proofs; see Retry-After.",
    500: "A fault in passless.",
    501: "This server does not do that.",
    503: "The store is busy or gone; see Retry-After.",
}


def route(operations: Sequence[Operation]) -> HTTPRouteHandler:
    """Return the route of the document."""

    @cache
    def content() -> bytes:
        return msgspec.json.encode(describe(operations))

    @get(PATH, include_in_schema=False, sync_to_thread=False, name="openapi")
    def openapi() -> Response[bytes]:
        return Response(content(), media_type="application/json", headers={"Cache-Control": "no-store"})

    return openapi


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document that describes operations."""
    types = [kind for one in operations for kind in (one.takes, *_alternatives(one)) if kind is not None]
    schemas, components = msgspec.json.schema_components([*types, ProblemDocument], schema_hook=_schema, ref_template=REFERENCE)
    for component in components.values():
        component["description"] = cleandoc(component.get("description", ""))
    found = iter(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        takes = next(found) if one.takes is not None else None
        gives = [next(found) for _ in _alternatives(one)]
        described = _operation(one, takes, gives[0] if len(gives) == 1 else {"anyOf": gives} if gives else None)
        paths.setdefault(BASE + one.path, {})[one.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "passless", "version": __version__, "description": "How people sign in to their accounts."},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {str(status): _problem(status, schemas[-1]) for status in PROBLEMS},
            "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
        },
    }


def _alternatives(one: Operation) -> tuple[Any, ...]:
    """Return the types that an operation may answer."""
    if one.gives is None:
        return ()
    given = one.gives if isinstance(one.gives, tuple) else (one.gives,)
    return (*given, documents.Repeated) if one.repeats else given


def _operation(one: Operation, takes: Any, gives: Any) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.about.partition("\n")[0],
        "security": [{"session": []}, {}] if one.is_open else [{"session": []}],
        "parameters": list(_parameters(one)),
        "responses": {str(one.status): _answer(one, gives)} | {str(status): _refer(status) for status in _possible(one)},
    }
    if takes is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": takes}}}
    return described


def _answer(one: Operation, gives: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": one.about.partition("\n")[0]}
    if gives is not None:
        answer["content"] = {"application/json": {"schema": gives}}
    return answer


def _parameters(one: Operation) -> Iterator[dict[str, Any]]:
    for name in PART.findall(one.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 256}}
    more = (*one.parameters, *((KEY,) if one.repeats else ()), *(FOR_OPERATORS if "{account" in one.path else ()))
    for parameter in more:
        yield {
            "name": parameter.name,
            "in": parameter.place,
            "required": False,
            "description": parameter.about,
            "schema": parameter.schema,
        }


def _possible(one: Operation) -> Iterator[int]:
    for status in PROBLEMS:
        needs_body = status in {408, 413, 415} and one.takes is None
        if not needs_body and not (status == 412 and not any(part.name == "If-Match" for part in one.parameters)):
            yield status


def _refer(status: int) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{status}"}


def _problem(status: int, schema: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"description": PROBLEMS[status], "content": {PROBLEM: {"schema": schema}}}
    if status == 401:
        described["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "RFC 6750, RFC 9470."}}
    if status in {429, 503}:
        described["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "In seconds."}}
    return described


def _schema(kind: type) -> dict[str, Any]:
    if kind is Secret:
        return {"type": "string", "format": "password"}
    if kind is object:  # the fields of a change, which differ by its type
        return {"description": "What a field of that name holds."}
    raise NotImplementedError(kind)
