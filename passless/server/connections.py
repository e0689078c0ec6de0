"""Connections that nobody can hold for nothing: heads within a size and a time, the idlest let go when there are too many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_TIME = 10.0  # seconds until the head of a request is there, from its first byte or the connection's beginning
BODY_TIME = 20.0  # seconds until a body is there, from the end of its head; 256 KiB at 13 KiB/s
READ_TIME = 30.0  # seconds until a client that reads slowly has taken enough of an answer for it to go on
HEAD_SIZE = 32 * 1024  # bytes; the largest we read are a token and a few cookies
SPARE_FILES = 256  # descriptors kept for the store, the log and whoever comes next
MANY_FILES = 65_536  # descriptors that are enough where the system sets no bound
VERSIONS = frozenset({"1.0", "1.1"})
_END = b"\r\ncontent-length: 0\r\nconnection: close\r\ncache-control: no-store\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large" + _END
OTHER_VERSION = b"HTTP/1.1 505 HTTP Version Not Supported" + _END
TOO_SLOW = b"HTTP/1.1 408 Request Timeout" + _END


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with bounds."""

    most: ClassVar[int] = 10_000
    idle: ClassVar[dict[Connection, None]] = {}  # those that wait for a head, the oldest first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._head_size = 0
        self._in_body = False
        self._is_refused = False
        self.idle[self] = None
        self._within("head", HEAD_TIME, transport.abort)
        if len(self.connections) > self.most:
            self._let_the_idlest_go()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.idle.pop(self, None)
        for name in tuple(self._timers):
            self._in_time(name)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as heads stay within their size and bodies come."""
        if self.transport.is_closing():
            return
        if self in self.idle:
            self._within("head", HEAD_TIME, self.transport.abort)
        self._head_size += len(data)
        super().data_received(data)
        if self._head_size > HEAD_SIZE and not self.transport.is_closing():
            self._refuse(TOO_LARGE)
        if self._in_body:
            self._within("body", BODY_TIME, self._give_up_the_body)

    def on_headers_complete(self) -> None:
        """Go on with a request whose head is there, if it is one that we read."""
        self.idle.pop(self, None)
        self._in_time("head")
        self._head_size = 0
        if self._is_refused:
            return  # nothing that follows is carried out
        if self.parser.get_http_version() not in VERSIONS:
            self._refuse(OTHER_VERSION)
        elif len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_SIZE:
            self._refuse(TOO_LARGE)
        else:
            self._in_body = True
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count what is no body only: that has a size and a time of its own."""
        self._head_size = 0
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request that was not refused."""
        self._in_body = False
        self._in_time("body")
        if not self._is_refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next head, if none came already; until its first byte that is uvicorn's keep-alive."""
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self.idle[self] = None

    def pause_writing(self) -> None:
        """Wait for a client that does not take its answer, but not for ever."""
        super().pause_writing()
        self._within("reading", READ_TIME, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it took enough."""
        self._in_time("reading")
        super().resume_writing()

    def _unsupported_upgrade_warning(self) -> None:
        """Answer a request for another protocol as if it had not asked, and end the connection: what follows is not HTTP."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def _within(self, what: str, seconds: float, otherwise: Callable[[], None]) -> None:
        """Let something happen in time; what was asked before counts from then."""
        if what not in self._timers:
            self._timers[what] = self.loop.call_later(seconds, otherwise)

    def _in_time(self, what: str) -> None:
        timer = self._timers.pop(what, None)
        if timer is not None:
            timer.cancel()

    def _refuse(self, answer: bytes) -> None:
        self._is_refused = True
        self.transport.write(answer)
        self.transport.close()

    def _give_up_the_body(self) -> None:
        if self.cycle.response_started:
            self.transport.close()
        else:
            self._refuse(TOO_SLOW)

    def _let_the_idlest_go(self) -> None:
        oldest = next(iter(self.idle))
        self.idle.pop(oldest)
        oldest.transport.abort()


def allow_many() -> int:
    """Let the process open as many files as the system allows it; return how many connections that is."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return Connection.most
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, MANY_FILES)
    if soft != most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (OSError, ValueError):  # a sandbox that does not let us
            most = soft
    Connection.most = max(most - SPARE_FILES, SPARE_FILES)
    return Connection.most


def options(most: int) -> dict[str, Any]:
    """Return what uvicorn is told about connections."""
    return {"http": Connection, "ws": "none", "timeout_keep_alive": 15, "backlog": min(most, 4096)}
