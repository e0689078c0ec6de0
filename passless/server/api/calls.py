"""One call of the interface, and what describes an operation: the routes and the OpenAPI document are made of the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from msgspec import Struct

from passless import wire
from passless.actions.who import SignInNeeded, session_of
from passless.domain.sessions import Session
from passless.ports.directory import Actor
from passless.server.site import Site

T = TypeVar("T")
Method = Literal["GET", "POST", "DELETE"]

BASE = "/api/v1"
ME = "me"  # stands for the account of the session
SLASH = "\0"  # what a "/" within a part of an address has become before routing; no name holds it


class Call(Struct, frozen=True, kw_only=True):
    """What was asked: by whom, with which parts of the address, and which body."""

    site: Site
    actor: Actor
    parts: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def read(self, kind: type[T]) -> T:
        """Return the body as a type; `NotUnderstood` where it is none."""
        return wire.decode(self.body, kind)

    def part(self, name: str) -> str:
        """Return a part of the address."""
        return self.parts[name].replace(SLASH, "/")

    @property
    def target(self) -> str:
        """The account that the address names."""
        named = self.part("account")
        return self.own if named == ME else named

    @property
    def own(self) -> str:
        """The account of the session; `SignInNeeded` where there is none."""
        return self.check_signed_in().account_id

    def check_signed_in(self) -> Session:
        """Return the session in use; `SignInNeeded` where there is none."""
        session = session_of(self.site.parts, self.actor)
        if session is None:
            raise SignInNeeded("sign in first")
        return session


class Said(Struct, frozen=True, kw_only=True):
    """What is answered: a value of `wire`, its headers, and whose account it is about, for the log."""

    value: Any = None
    status: int = 0  # 0: that of the operation
    headers: Mapping[str, str] = {}
    account_id: str = ""
    content: bytes | None = None  # the document itself, where it was written before

    def written(self) -> bytes:
        """Return the document."""
        if self.content is not None:
            return self.content
        return wire.encode(self.value)


class Parameter(Struct, frozen=True, kw_only=True):
    """A part of the query or a header."""

    name: str
    about: str
    schema: Mapping[str, Any]
    place: Literal["query", "header"] = "query"


class Operation(Struct, frozen=True, kw_only=True):
    """One thing that can be asked.

    `takes` is the type of the body, `gives` the type of the document that is answered, or several of which it is one.
    `is_open`: it needs no session. `repeats`: it takes an `Idempotency-Key`. `is_short` tells of a call and its body
    that they take little time, so that they are done with others (`batches.py`).
    """

    method: Method
    path: str
    name: str
    about: str
    answer: Callable[..., Said]
    takes: Any = None
    gives: Any = None
    status: int = 200
    parameters: tuple[Parameter, ...] = ()
    is_open: bool = False
    repeats: bool = False
    is_short: Callable[[Call, Any], bool] | None = None


def operation(
    method: Method,
    path: str,
    *,
    takes: Any = None,
    gives: Any = None,
    status: int = 200,
    parameters: tuple[Parameter, ...] = (),
    is_open: bool = False,
    repeats: bool = False,
    is_short: Callable[[Call, Any], bool] | None = None,
) -> Callable[[Callable[..., Said]], Operation]:
    """Make an operation of a function; its docstring describes it."""

    def made(answer: Callable[..., Said]) -> Operation:
        return Operation(
            method=method,
            path=path,
            name=answer.__name__.replace("_", "-"),
            about=(answer.__doc__ or "").strip(),
            answer=answer,
            takes=takes,
            gives=gives,
            status=status,
            parameters=parameters,
            is_open=is_open,
            repeats=repeats,
            is_short=is_short,
        )

    return made
