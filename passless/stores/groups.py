"""Group commit: what threads want kept at the same time is kept by one of them, in one transaction, with one wait for the disk.

While one group waits for the disk the next gathers. Its first thread leads it; the others sleep until they are told. Nobody is
told "kept" before the transaction is on the disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any

from passless.ports import StoreUnavailable, Write
from passless.stores.database import Transaction

LARGEST_GROUP = 64  # pieces; a longer transaction makes the first wait for the last


class Piece:
    """One thing that a thread wants kept: it is refused alone.

    `work` runs first; what the write says of events, ended items and throttle counters is done for the whole group after it.
    `counts` names a throttle counter to add to. `moves`: accounts or records, so that those read before may be others now.
    """

    __slots__ = ("_asleep", "counts", "error", "is_settled", "moves", "order", "result", "work", "write")

    def __init__(
        self,
        write: Write,
        work: Callable[[Transaction], Any] | None = None,
        *,
        order: str = "",
        counts: str = "",
        moves: bool = True,
    ) -> None:
        self.write = write
        self.work = work
        self.order = order
        self.counts = counts
        self.moves = moves
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_settled = False
        self._asleep: Lock | None = None

    def begin(self) -> None:
        """Forget what came of it, before it is tried (again)."""
        self.result, self.error = None, None

    def sleep(self) -> None:
        """Let its thread wait until it is woken."""
        if self._asleep is not None:
            self._asleep.acquire()

    def wake(self) -> None:
        """Let its thread go on: it is settled, or leads the next group."""
        if self._asleep is not None:
            self._asleep.release()

    def will_sleep(self) -> None:
        """Make ready to sleep, before anybody can wake it."""
        self._asleep = Lock()
        self._asleep.acquire()

    def outcome(self) -> Any:
        """Return what came of it, or raise what went wrong."""
        if self.error is not None:
            raise self.error
        return self.result


class Groups:
    """Who waits for the next transaction, and who leads it."""

    def __init__(self, keep: Callable[[list[Piece]], None]) -> None:
        """Take what keeps a group: it leaves a result or an error in each piece."""
        self._keep = keep
        self._waiting: deque[Piece] = deque()
        self._is_led = False
        self._turn = Lock()

    def keep(self, piece: Piece) -> Any:
        """Keep a piece with whatever else waits; return once it is on the disk, or raise what was wrong with it."""
        with self._turn:
            self._waiting.append(piece)
            leads = not self._is_led
            self._is_led = True
            if not leads:
                piece.will_sleep()
        if not leads:
            piece.sleep()
        if not piece.is_settled:
            self._lead()
        return piece.outcome()

    def _lead(self) -> None:
        with self._turn:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_GROUP))]
        finished = False
        try:
            self._keep(group)
            finished = True
        finally:
            for piece in group:
                if not finished and piece.error is None:  # what ends this thread leaves the others without an answer
                    piece.error = StoreUnavailable("the change was interrupted and may not be kept")
                piece.is_settled = True
            with self._turn:
                following = self._waiting[0] if self._waiting else None
                self._is_led = following is not None
            if following is not None:
                following.wake()
            for piece in group[1:]:
                piece.wake()
