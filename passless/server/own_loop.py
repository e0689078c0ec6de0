"""An event loop in a thread of its own, for connections on which everybody waits for the store and nobody for anything else.

Handing such work to another thread and its outcome back costs more than the work itself: two threads of Python take turns at
everything they do. Here it is done where the question was read, and the server's own loop is never kept waiting.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

LONGEST = 10.0  # seconds that work under way may still take when it ends

T = TypeVar("T")


class OwnLoop:
    """A loop of the same kind as the one that it is made on, which runs until it is closed."""

    def __init__(self, name: str) -> None:
        self._loop = type(asyncio.get_running_loop())()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something there, and wait for it here."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def aclose(self, last: Callable[[], None]) -> None:
        """Do the last thing there, and return when the thread is over: work under way is finished, which waits for the disk.

        The loop that waits goes on meanwhile. A disk that hangs is waited for `LONGEST`: the thread keeps nothing from ending.
        """

        def end() -> None:
            self._over.set()
            last()

        self._loop.call_soon_threadsafe(end)
        await asyncio.to_thread(self._thread.join, LONGEST)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._stay())

    async def _stay(self) -> None:
        await self._over.wait()
