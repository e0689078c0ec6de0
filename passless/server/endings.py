"""Endings on the event loop: one look at the store for all who listen, and only while somebody does.

A listener has a cursor. It says how far this very process told it, and for every other one, such as this one after a restart or
another server of the store, up to when, and which endings of the last minute it had. So nothing is told twice or left out; only
where more than `MOST_REMEMBERED` endings fell into that minute, some come again after a change of process, under the same ids.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice

from litestar.concurrency import sync_to_thread
from msgspec import Struct

from passless.actions import endings
from passless.actions.endings import FAR, Tail
from passless.domain.endings import Ending
from passless.domain.errors import PasslessError
from passless.domain.names import key
from passless.server.problems import Overloaded
from passless.server.site import Site

INTERVAL = 0.25  # seconds between two looks at the store
FAR_EVERY = 8  # looks, one of which goes far back
LINGER = 30.0  # seconds that it goes on after the last listener went; most come back at once
KEPT = 10_000  # endings that are kept in memory
BEHIND = timedelta(minutes=10)  # from how long before the first look on they are known
AWAY = timedelta(hours=24)  # how long a listener may have been away
MOST_LOOKED_THROUGH = 500_000  # endings, for what ended for some accounts since a time
MOST_MISSED = 5_000  # endings while it was away; of more it is told that there were too many
MOST_AT_ONCE = 500  # endings in one answer
MOST_REMEMBERED = 64  # ids in a cursor
MOST_LISTENERS = 2_000
MOST_OF_ONE = 1_200  # of one relying party, so that none keeps the others out
INSTANCE_LENGTH = 4  # random bytes


class Cursor(Struct, frozen=True, kw_only=True):
    """Where a listener is: in the numbers of one process, and for every other by time and by the last ids it had."""

    at: datetime
    instance: str
    number: int
    had: tuple[str, ...] = ()


class Told(Struct, frozen=True, kw_only=True):
    """What a listener is told. Without `known` it is told from here on: what was before, nobody can say any more."""

    cursor: str
    endings: tuple[Ending, ...] = ()
    known: bool = True


class Endings:
    """The endings of one server process. Used on its event loop only."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._listening: Counter[str] = Counter()
        self._looking: asyncio.Task[None] | None = None
        self._turn, self._searching = asyncio.Lock(), asyncio.Lock()
        self._closed = False
        self._moved = asyncio.Event()
        self._instance = ""  # until somebody listens
        self._first = 0
        self._kept: list[Ending] = []

    async def after(self, cursor: str = "", *, wait: float = 0.0, party: str = "") -> Told:
        """Return what ended behind a cursor; where nothing did, as soon as something does or when the time is up.

        Without a cursor, or with one that is none, it is told at once where it is to begin. `party` is the id of who listens.

        Raises:
            Overloaded: too many listen.
            StoreUnavailable: the store cannot be read now.
        """
        with self._listener(party):
            await self._begin()
            place = await self._place(read_cursor(cursor))
            if place is None:
                return Told(cursor=self._cursor(self._end), known=False)
            missed, number = place
            if missed:
                return Told(cursor=self._cursor(number), endings=missed)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    while number >= self._end and not self._closed:
                        await self._moved.wait()
            offset = number - self._first
            found = tuple(self._kept[offset : offset + MOST_AT_ONCE])
            return Told(cursor=self._cursor(number + len(found)), endings=found)

    async def about(self, names: frozenset[str], cursor: str, *, party: str = "") -> Told:
        """Return what ended behind a cursor for some accounts, by their plain names, however long ago; the cursor stays.

        Raises:
            Overloaded: too many listen.
            StoreUnavailable: the store cannot be read now.
        """
        place = read_cursor(cursor)
        if place is None:
            return Told(cursor=cursor, known=False)
        with self._listener(party):
            async with self._searching:
                found = await sync_to_thread(_about, self._site, names, place.at - FAR)
        return Told(cursor=cursor, endings=found or (), known=found is not None)

    async def follow(self, cursor: str = "") -> AsyncIterator[Told]:
        """Tell of endings as they come, for as long as this process serves; a store that is away is waited for."""
        while not self._closed:
            try:
                told = await self.after(cursor, wait=LINGER)
            except PasslessError:
                await asyncio.sleep(1)
                continue
            cursor = told.cursor
            if told.endings or not told.known:
                yield told

    def close(self) -> None:
        """Let everybody go who waits: the server ends."""
        self._closed = True
        self._moved.set()
        if self._looking is not None:
            self._looking.cancel()

    @property
    def _end(self) -> int:
        return self._first + len(self._kept)

    @contextmanager
    def _listener(self, party: str) -> Iterator[None]:
        if self._listening.total() >= MOST_LISTENERS or self._listening[party] >= MOST_OF_ONE:
            raise Overloaded
        self._listening[party] += 1
        try:
            yield
        finally:
            self._listening[party] -= 1
            if not self._listening[party]:
                del self._listening[party]

    def _begin_anew(self, now: datetime) -> None:
        """Forget everything: numbers from another instance mean nothing."""
        self._instance = self._site.parts.entropy(INSTANCE_LENGTH).hex()
        self._since = self._read_to = now - BEHIND
        self._tail = Tail(self._site.parts.store, since=self._since)
        self._first += len(self._kept)
        self._kept = []

    async def _begin(self) -> None:
        """See to it that somebody looks, and that everything up to now is known."""
        async with self._turn:
            if self._looking is not None and not self._looking.done():
                return
            now = self._site.parts.now()
            if not self._instance or now - self._read_to > BEHIND:
                self._begin_anew(now)
            await self._look(far=True)
            self._looking = asyncio.create_task(self._go_on())

    async def _go_on(self) -> None:
        left, looks = LINGER, 0
        while left > 0 and not self._closed:
            await asyncio.sleep(INTERVAL)
            left = LINGER if self._listening else left - INTERVAL
            looks += 1
            with suppress(PasslessError):  # the next look has it
                await self._look(far=looks % FAR_EVERY == 0)

    async def _look(self, *, far: bool) -> None:
        now = self._site.parts.now()
        found = await sync_to_thread(self._tail.read, now, far=far)
        self._read_to = max(self._read_to, now)
        if not found:
            return
        self._kept.extend(found)
        excess = max(0, len(self._kept) - KEPT)
        self._since = max((self._since, *(one.at for one in self._kept[:excess])))
        del self._kept[:excess]
        self._first += excess
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def _place(self, cursor: Cursor | None) -> tuple[tuple[Ending, ...], int] | None:
        """Return what a listener missed and the number behind it; None where nobody knows."""
        if cursor is None:
            return None
        if cursor.instance == self._instance and self._first <= cursor.number <= self._end:
            return (), cursor.number
        if cursor.at > self._site.parts.now() + FAR:
            return None  # by a clock that was ahead: something may have ended since that has an earlier time
        since, until = cursor.at - FAR, self._since + timedelta(microseconds=1)
        number, found = self._end, {one.id: one for one in self._kept if one.at >= since}
        if since < until:
            if self._site.parts.now() - cursor.at > AWAY:
                return None
            found |= await sync_to_thread(_between, self._site, since, until)
        missed = tuple(one for one in found.values() if one.id not in cursor.had)
        return (missed, number) if len(missed) <= MOST_MISSED else None

    def _cursor(self, number: int) -> str:
        """Return the cursor of who was told everything before a number."""
        offset = number - self._first
        at = min((self._read_to, self._site.parts.now(), *(one.at for one in self._kept[offset:])))
        before = self._kept[max(0, offset - MOST_REMEMBERED) : offset]
        had = tuple(one.id for one in before if one.at >= at - 2 * FAR)
        return write_cursor(Cursor(at=at, instance=self._instance, number=number, had=had))


def _between(site: Site, since: datetime, until: datetime) -> dict[str, Ending]:
    found: Iterable[Ending] = islice(endings.between(site.parts.store, since, until), MOST_MISSED + 1)
    return {one.id: one for one in found}


def _about(site: Site, names: frozenset[str], since: datetime) -> tuple[Ending, ...] | None:
    """Return the endings of some accounts and those of everybody; None where they are too many to look through."""
    found: list[Ending] = []
    for number, one in enumerate(endings.between(site.parts.store, since)):
        if number >= MOST_LOOKED_THROUGH:
            return None
        if one.is_everybodys or key(one.account) in names:
            found.append(one)
    return tuple(found)


def write_cursor(cursor: Cursor) -> str:
    """Return a cursor as it goes over the wire."""
    micros = (cursor.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    had = base64.urlsafe_b64encode(bytes.fromhex("".join(cursor.had))).decode().rstrip("=")
    return f"{micros}.{cursor.instance}.{cursor.number}.{had}"


def read_cursor(text: str) -> Cursor | None:
    """Return a cursor that was given out; None for everything else."""
    try:
        micros, instance, number, had = text.split(".")
        ids = base64.b64decode(had + "=" * (-len(had) % 4), altchars=b"-_", validate=True).hex()
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=_number(micros))
        each = endings.ID_LENGTH
        split = tuple(ids[one : one + each] for one in range(0, len(ids), each))
        return Cursor(at=at, instance=instance, number=_number(number), had=split[:MOST_REMEMBERED])
    except (ValueError, OverflowError, binascii.Error):
        return None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError(text)
    return int(text)
