"""How much of a server may be held at a time: no source alone, however slowly it asks, keeps everybody else out.

A request is at work only from when its body is there. Until then it costs a connection and a part of a body, and where there
are too many such the oldest goes: one of the source that has more than its share, or else of the one that has most.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from passless.actions.throttle import source_of
from passless.server import problems
from passless.server.addresses import SOCKET

MOST_AT_WORK = 1000  # requests at once; beyond that waiting in line helps nobody
WORK_SHARE = 250  # of them for one source, which may be a whole company behind one address
MOST_ARRIVING = 256  # bodies that are not there yet, of 256 KiB at most
ARRIVING_SHARE = 32  # of them for one source; on any network that is not slowed down a body is there within the round trip


class Turn:
    """A request's place among those at work, until it is given up."""

    __slots__ = ("_crowd", "_is_held", "_source")

    def __init__(self, crowd: Crowd, source: str) -> None:
        self._crowd = crowd
        self._source = source
        self._is_held = True

    def close(self) -> None:
        """Give it up; again does nothing."""
        if self._is_held:
            self._is_held = False
            self._crowd.leave(self._source)


class Crowd:
    """The requests of one process; asked and told on its event loop only. A place is `addresses.place_of`."""

    def __init__(self) -> None:
        self._at_work: dict[str, int] = {}
        self._all_at_work = 0
        self._arriving: dict[str, dict[asyncio.Timeout, None]] = {}  # of each source the oldest first

    @asynccontextmanager
    async def arriving(self, place: str) -> AsyncIterator[None]:
        """Wait for a body; `TooSlow` where others need the room before it is there."""
        source = source_of(place)
        try:
            async with asyncio.timeout(None) as patience:
                self._arriving.setdefault(source, {})[patience] = None
                try:
                    self._make_room(source)
                    yield
                finally:
                    self._forget(source, patience)
        except TimeoutError as error:
            raise problems.TooSlow from error

    def at_work(self, place: str) -> Turn:
        """Have a request worked on; `Overloaded` where its source, or all together, have too many already."""
        source = source_of(place)
        of_source = self._at_work.get(source, 0)
        if self._all_at_work >= MOST_AT_WORK or of_source >= _share(source, WORK_SHARE, MOST_AT_WORK):
            raise problems.Overloaded
        self._at_work[source] = of_source + 1
        self._all_at_work += 1
        return Turn(self, source)

    def leave(self, source: str) -> None:
        """Count one request less at work."""
        self._all_at_work -= 1
        left = self._at_work[source] - 1
        if left:
            self._at_work[source] = left
        else:
            del self._at_work[source]

    def _make_room(self, source: str) -> None:
        """Let the oldest go where there are too many."""
        if len(self._arriving[source]) > _share(source, ARRIVING_SHARE, MOST_ARRIVING):
            self._let_the_oldest_go(source)
        elif sum(map(len, self._arriving.values())) > MOST_ARRIVING:
            self._let_the_oldest_go(max(self._arriving, key=lambda one: len(self._arriving[one])))

    def _let_the_oldest_go(self, source: str) -> None:
        oldest = next(iter(self._arriving[source]))
        self._forget(source, oldest)
        oldest.reschedule(0.0)  # which is over: whoever waits in it is woken

    def _forget(self, source: str, patience: asyncio.Timeout) -> None:
        waiting = self._arriving.get(source, {})
        waiting.pop(patience, None)
        if not waiting:
            self._arriving.pop(source, None)


def _share(source: str, share: int, most: int) -> int:
    """Return how many one source may have: all where nobody knows whom a socket's proxy speaks for."""
    return most if source == SOCKET else share
