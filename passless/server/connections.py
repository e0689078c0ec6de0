"""Connections that nobody can hold for nothing: heads, bodies and answers within a time; the idlest go when there are too many.

Bodies and what is at work are counted in `crowd`, where it is known which client a proxy speaks for; here it is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from passless.actions.throttle import source_of
from passless.server.addresses import SOCKET

HEAD_TIME = 10.0  # seconds until the head of a request is there, from its first byte or the connection's beginning
BODY_TIME = 20.0  # seconds until a body is there, from the end of its head; 256 KiB at 13 KiB/s
READ_TIME = 30.0  # seconds until a client that reads slowly has taken enough of an answer for it to go on, or all, at the end
MOST_UNREAD = 512  # clients with more than 64 KiB waiting for them, which they do not take
AHEAD = 16  # requests that may be sent before the first is answered (RFC 9112 §9.3.2); browsers and our client send none
HEAD_SIZE = 32 * 1024  # bytes; the largest we read are a token and a few cookies
MANY_PEERS = 1000  # from so many on nobody looks which of them has most: the oldest goes
SPARE_FILES = 256  # descriptors kept for the store, the log and whoever comes next
MANY_FILES = 65_536  # descriptors that are enough where the system sets no bound
VERSIONS = frozenset({"1.0", "1.1"})
_END = b"\r\ncontent-length: 0\r\nconnection: close\r\ncache-control: no-store\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large" + _END
OTHER_VERSION = b"HTTP/1.1 505 HTTP Version Not Supported" + _END
TOO_SLOW = b"HTTP/1.1 408 Request Timeout" + _END


class Leaving(Protocol):
    """What may be told to go."""

    peer: str

    def leave(self) -> None:
        """End at once."""


T = TypeVar("T", bound=Leaving)


class Idle(Generic[T]):
    """Connections that may go when others need the room, such as those that wait for a head."""

    def __init__(self) -> None:
        self._all: dict[T, None] = {}  # the oldest first, as those of each peer
        self._of_peers: dict[str, dict[T, None]] = {}

    def __contains__(self, connection: T) -> bool:
        return connection in self._all

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: T) -> None:
        """Count one as the youngest, unless it is there already."""
        if connection not in self._all:
            self._all[connection] = None
            self._of_peers.setdefault(connection.peer, {})[connection] = None

    def discard(self, connection: T) -> None:
        """Count one no more."""
        if connection in self._all:
            del self._all[connection]
            same = self._of_peers[connection.peer]
            del same[connection]
            if not same:
                del self._of_peers[connection.peer]

    def let_one_go(self) -> None:
        """End the oldest of the peer that has most; of all, where there are so many peers that none has many."""
        if len(self._of_peers) > MANY_PEERS:
            oldest = next(iter(self._all))
        else:
            oldest = next(iter(self._of_peers[max(self._of_peers, key=lambda peer: len(self._of_peers[peer]))]))
        self.discard(oldest)
        oldest.leave()


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with bounds.

    `idle` wait for a head, or for the last of an answer to be taken; of `unread` more waits to be taken than a client's system
    and ours hold between them.
    """

    most: ClassVar[int] = 10_000
    idle: ClassVar[Idle[Connection]] = Idle()
    unread: ClassVar[Idle[Connection]] = Idle()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self.peer = source_of(self.client[0]) if self.client else SOCKET
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._head_size = 0
        self._in_body = False
        self._is_refused = False
        self.idle.add(self)
        self._within("head", HEAD_TIME, transport.abort)
        if len(self.connections) > self.most:
            self.idle.let_one_go()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.idle.discard(self)
        self.unread.discard(self)
        for name in tuple(self._timers):
            self._in_time(name)
        super().connection_lost(exc)

    def leave(self) -> None:
        """End at once: others need the room."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on, as long as heads stay within their size and bodies come."""
        if self.transport.is_closing():
            return
        self._head_size += len(data)
        super().data_received(data)
        if self in self.idle:  # after this, or most heads would have a time and be there at once
            self._within("head", HEAD_TIME, self.transport.abort)
        if self._head_size > HEAD_SIZE and not self.transport.is_closing():
            self._refuse(TOO_LARGE)
        if self._in_body:
            self._within("body", BODY_TIME, self._give_up_the_body)

    def on_headers_complete(self) -> None:
        """Go on with a request whose head is there, if it is one that we read."""
        self.idle.discard(self)
        self._in_time("head")
        self._head_size = 0
        if self._is_refused:
            return  # nothing that follows is carried out
        if self.parser.get_http_version() not in VERSIONS:
            self._refuse(OTHER_VERSION)
        elif len(self.pipeline) >= AHEAD:
            self._is_refused = True
            self.transport.abort()  # an answer to it would come before those to the others
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
        if self.transport.is_closing():
            self._see_off()
        elif self.timeout_keep_alive_task is not None:
            self.idle.add(self)

    def timeout_keep_alive_handler(self) -> None:
        """End a connection on which nothing more was asked."""
        super().timeout_keep_alive_handler()
        self._see_off()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        super().send_400_response(msg)
        self._see_off()

    def pause_writing(self) -> None:
        """Wait for a client that does not take its answer, but not for ever."""
        super().pause_writing()
        self._within("reading", READ_TIME, self.transport.abort)
        self.unread.add(self)
        if len(self.unread) > MOST_UNREAD:
            self.unread.let_one_go()

    def resume_writing(self) -> None:
        """Go on: it took enough."""
        self._in_time("reading")
        self.unread.discard(self)
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
        self._see_off()

    def _see_off(self) -> None:
        """Let what was written be taken, but not for ever: a client that reads nothing would keep a closed connection open."""
        if self in self.connections:  # else it is gone already
            self.idle.add(self)
            self._within("leaving", READ_TIME, self.transport.abort)

    def _give_up_the_body(self) -> None:
        if self.cycle.response_started:
            self.transport.close()
            self._see_off()
        else:
            self._refuse(TOO_SLOW)


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
