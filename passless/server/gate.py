"""What every request passes before it reaches a route: its host, its size and its turn; and what is written down of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from time import perf_counter
from typing import Any
from urllib.parse import unquote

from passless import wire
from passless.domain.errors import PasslessError
from passless.ports import Entropy
from passless.server import problems
from passless.server.addresses import is_trusted, peer_of, place_of, says_plain
from passless.server.app import BODY_SIZE
from passless.server.crowd import Crowd, Turn
from passless.server.health import Health
from passless.server.log import Log
from passless.server.metrics import Metrics
from passless.server.site import Site
from passless.server.web.checking import is_question

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

HEALTH = "/healthz"
TURN = "passless_turn"  # where a request's place among those at work is, for a route that gives it up before it answers
ONCE = (b"host", b"content-length", b"transfer-encoding", b"authorization", b"content-type")
REQUEST_ID = 8  # random bytes
BARE = frozenset({"GET", "HEAD"})  # methods whose requests have no body, unless a header says so


class Gate:
    """An ASGI application around another."""

    def __init__(self, app: App, site: Site, *, log: Log, metrics: Metrics, entropy: Entropy) -> None:
        self._app = app
        self._site = site
        self._log = log
        self._metrics = metrics
        self._entropy = entropy
        self._crowd = Crowd()
        self._health = Health(site)
        self._hosts = _hosts(site)
        self._added = _added(site)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = (*self._added, (b"x-request-id", self._mark(scope)))
        passing = Passing(scope, receive, send, place=place_of(scope, self._site), added=added)
        started = perf_counter()
        self._metrics.under_way += 1
        try:
            await self._pass(passing)
        finally:
            self._metrics.under_way -= 1
            self._note(passing, perf_counter() - started)

    def _mark(self, scope: Scope) -> bytes:
        request_id = self._entropy(REQUEST_ID).hex()
        scope["passless_request"] = request_id
        return request_id.encode()

    async def _pass(self, passing: Passing) -> None:
        error = self._refusal(passing.scope)
        if error is not None:
            await passing.refuse(error)
        elif passing.scope["path"] == HEALTH:  # before anybody's turn: who is asked whether it is well is not too busy to say
            passing.scope["path_template"] = HEALTH
            await passing.answer(200 if await self._health.is_well() else 503)
        else:
            await self._serve(passing)

    async def _serve(self, passing: Passing) -> None:
        """Hand a request on once its body is there; only from then on does it take a place among those at work."""
        try:
            if passing.has_come():
                await passing.read()
            elif _may_have_body(passing.scope):
                async with self._crowd.arriving(passing.place):
                    await passing.read()
            if passing.is_gone:
                return
            passing.turn = passing.scope[TURN] = turn = self._crowd.at_work(passing.place)
        except (problems.TooLarge, problems.TooSlow, problems.Overloaded) as error:
            await passing.refuse(error)
            return
        try:
            await self._app(passing.scope, passing.receive, passing.send)
        finally:
            turn.close()

    def _refusal(self, scope: Scope) -> PasslessError | None:
        """Return why a request goes no further."""
        headers = scope["headers"]
        said = dict(headers)
        if (error := _contradiction(headers, said)) is not None:
            return error
        if _length(said) > BODY_SIZE:
            return problems.TooLarge()
        if scope["path"] == HEALTH:
            return None
        if said[b"host"].lower() not in self._hosts and not self._asks(scope):
            url = self._site.url
            return problems.Misdirected(f"this server answers at {url} only", hint=f"use that address: {url}")
        if self._site.is_secure and not self._came_over_tls(scope):
            return problems.Misdirected("this server is reached over TLS only", hint=f"use {self._site.url}")
        if b"cookie" in said:
            _drop_quoted_cookies(scope)
        return _place_slashes(scope)

    def _asks(self, scope: Scope) -> bool:
        """Tell whether a proxy of ours asks about its client: Traefik can only name the server as it reaches it."""
        return is_trusted(peer_of(scope), self._site) and is_question(scope)

    def _came_over_tls(self, scope: Scope) -> bool:
        if scope["scheme"] == "https":
            return True
        return is_trusted(peer_of(scope), self._site) and not says_plain(scope["headers"])

    def _note(self, passing: Passing, seconds: float) -> None:
        scope, status = passing.scope, passing.status or 499
        route, method = scope.get("path_template") or "", scope["method"]
        self._metrics.answered(method, route, status, seconds)
        self._log.line(
            "warning" if status >= 500 else "info",
            "request",
            request=scope["passless_request"],
            method=method if method in KNOWN_METHODS else "other",
            route=route,
            status=status,
            ms=round(seconds * 1000, 2),
            source=passing.place,
            account=scope.get("passless_account") or None,
        )


KNOWN_METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"})


class Passing:
    """One request on its way: its body within its size, its answer with our headers.

    `turn` is its place among those at work; `is_gone`: nobody waits for it.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, place: str, added: Sequence[tuple[bytes, bytes]]) -> None:
        self.scope = scope
        self.place = place
        self.status = 0
        self._receive = receive
        self._send = send
        self._added = added
        self._body: bytes | None = None
        self.is_gone = False
        self.turn: Turn | None = None

    def has_come(self) -> bool:
        """Tell whether all of the body is there already, as that of most requests is: then nobody waits for it."""
        cycle = getattr(self._receive, "__self__", None)  # uvicorn's `receive` belongs to what takes the body in
        return getattr(cycle, "more_body", True) is False

    async def read(self) -> None:
        """Take in the body; `TooLarge` where it is more than a request has."""
        body, more = bytearray(), True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                self.is_gone = True
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > BODY_SIZE:
                raise problems.TooLarge
        self._body = bytes(body)

    async def receive(self) -> Message:
        """Return the body that was read, and then what comes after it."""
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            if self.turn is not None:
                self.turn.close()  # the work is done; how long the client takes to read is no work
            self.status = message["status"]
            given = message.get("headers", ())
            names = [name.lower() for name, _ in given]
            message["headers"] = [*given, *[header for header in self._added if header[0] not in names]]
        await self._send(message)

    async def refuse(self, error: PasslessError) -> None:
        """Answer with a problem document, and let the connection end: what else comes on it is not to be trusted."""
        status = problems.status_of(error)
        headers = problems.headers_of(error, status) | {"Connection": "close"}
        await self.answer(status, wire.encode(problems.document_of(error, status)), headers)

    async def answer(self, status: int, content: bytes = b"", headers: MutableMapping[str, str] | None = None) -> None:
        """Answer without a route."""
        said = {"Content-Type": problems.MEDIA_TYPE} if content else {}
        said |= {"Content-Length": str(len(content)), "Cache-Control": "no-store", **(headers or {})}
        written = [(name.lower().encode(), value.encode("latin-1")) for name, value in said.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": written})
        await self.send({"type": "http.response.body", "body": content})


def _hosts(site: Site) -> frozenset[bytes]:
    """Return the ways to name our host: with the port where it is one of its own, with and without where it is the usual."""
    host, usual = site.host.lower(), ":443" if site.is_secure else ":80"
    if host.endswith(usual):
        return frozenset({host.encode(), host.removesuffix(usual).encode()})
    bare = host.rpartition("]")[2]
    return frozenset({host.encode()} if ":" in bare else {host.encode(), (host + usual).encode()})


def _added(site: Site) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that every answer has."""
    sniffing = (b"x-content-type-options", b"nosniff")
    if site.is_secure:
        return sniffing, (b"strict-transport-security", b"max-age=31536000")
    return (sniffing,)


def _contradiction(headers: Sequence[tuple[bytes, bytes]], said: Mapping[bytes, bytes]) -> PasslessError | None:
    """Return what is wrong with headers that two readers could read in two ways (RFC 9112 §6.3, §3.2)."""
    if b"host" not in said:
        return problems.BadHeaders("the request names no host", hint="send one Host header")
    if len(said) < len(headers) and any([name for name, _ in headers].count(name) > 1 for name in ONCE):
        return problems.BadHeaders("a header stands there more than once")
    if b"content-length" in said and b"transfer-encoding" in said:
        return problems.BadHeaders("the length is given in two ways")
    return None


def _length(said: Mapping[bytes, bytes]) -> int:
    """Return how long a body is said to be."""
    length = said.get(b"content-length", b"")
    return int(length) if length.isdigit() else 0


def _may_have_body(scope: Scope) -> bool:
    return scope["method"] not in BARE or any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


def _drop_quoted_cookies(scope: Scope) -> None:
    """Leave out cookies with a backslash, which ours never have (RFC 6265 §4.1.1, cookie-octet).

    Python before 3.11.10 takes the square of their length to read them: nine seconds for one head (CVE-2024-7592).
    """
    if any(name == b"cookie" and b"\\" in value for name, value in scope["headers"]):
        scope["headers"] = [
            (name, b";".join(one for one in value.split(b";") if b"\\" not in one) if name == b"cookie" else value)
            for name, value in scope["headers"]
        ]


def _place_slashes(scope: Scope) -> PasslessError | None:
    """Keep a "/" within a part of the address apart from those between parts, until the part is read."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%" not in raw:
        return None
    lowered = raw.lower()
    if b"%00" in lowered:
        return problems.NoSuchAddress()
    if b"%2f" in lowered:
        scope["path"] = unquote(raw.replace(b"%2f", b"%00").replace(b"%2F", b"%00").decode("ascii", "replace"))
    return None
