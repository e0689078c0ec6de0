"""Short work of many requests, done by one thread after the other's: a batch waits for the disk once, and nobody for a thread.

What came in while one batch was on its way is the next. Nobody is answered before all of the batch is on the disk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from litestar.concurrency import get_asyncio_executor
from msgspec import Struct

from passless.domain.errors import Unavailable
from passless.ports import Store

LARGEST = 64  # pieces of work; the first waits for the last
Work = Callable[[], Any]
Batch = Sequence[tuple[Work, "asyncio.Future[Any]"]]


class Outcome(Struct, frozen=True):
    """What came of a piece of work: a result, or what went wrong."""

    result: Any = None
    error: BaseException | None = None


class Batches:
    """Whoever waits for short work on a store; used on the event loop only.

    `turn` says to the work which batch it is in: nobody else writes meanwhile, so what was read once need not be read again. It
    is 0 where there are no batches. `in_place`: the loop is there for this work alone and waits for the disk itself, so that no
    thread is woken up (`own_loop.py`).
    """

    def __init__(self, store: Store, *, in_place: bool = False) -> None:
        self.turn = 0
        self._store = store
        self._keeps_together = store.keeps_together
        self._in_place = in_place
        self._waiting: deque[tuple[Work, asyncio.Future[Any]]] = deque()
        self._is_busy = False

    def do(self, work: Work) -> asyncio.Future[Any]:
        """Do something with whatever else is to be done; the result is there when it is on the disk."""
        loop = asyncio.get_running_loop()
        if not self._keeps_together:
            return loop.run_in_executor(get_asyncio_executor(), work)
        outcome = loop.create_future()
        self._waiting.append((work, outcome))
        if not self._is_busy:
            self._is_busy = True
            loop.call_soon(self._next, loop)  # after the requests that came in at the same moment
        return outcome

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self.turn += 1
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST))]
        works = [work for work, _ in batch]
        if self._in_place:
            _settle(batch, _done(lambda: do_all(self._store, works)))
            self._is_busy = bool(self._waiting)
            if self._is_busy:
                loop.call_soon(self._next, loop)  # after what has come in meanwhile was read
            return
        done = loop.run_in_executor(get_asyncio_executor(), do_all, self._store, works)
        done.add_done_callback(lambda future: self._go_on(loop, batch, future))

    def _go_on(self, loop: asyncio.AbstractEventLoop, batch: Batch, done: asyncio.Future[list[Outcome]]) -> None:
        self._is_busy = bool(self._waiting)
        if self._is_busy:
            self._next(loop)
        if done.cancelled():  # the server ends
            for _, waits in batch:
                waits.cancel()
            return
        error = done.exception()
        _settle(batch, Outcome(error=error) if error is not None else Outcome(done.result()))


def _settle(batch: Batch, whole: Outcome) -> None:
    """Give everybody what came of their work; where something went wrong with all of it, that."""
    outcomes = whole.result if whole.error is None else [whole] * len(batch)
    for (_, waits), outcome in zip(batch, outcomes, strict=True):
        if waits.done():  # whoever asked went away
            continue
        if outcome.error is not None:
            waits.set_exception(outcome.error)
        else:
            waits.set_result(outcome.result)


def do_all(store: Store, batch: Sequence[Work]) -> list[Outcome]:
    """Do a batch; what goes wrong with one piece is its own, and where the store keeps nothing it is that of each."""
    outcomes: list[Outcome] = []
    try:
        with store.together():
            outcomes.extend(_done(work) for work in batch)
    except Unavailable as error:
        return [Outcome(error=type(error)(error.message, hint=error.hint, code=error.code)) for _ in batch]
    return outcomes


def _done(work: Work) -> Outcome:
    try:
        return Outcome(work())
    except Exception as error:  # noqa: BLE001 - nothing is swallowed: whoever waits for it gets it
        return Outcome(error=error)
