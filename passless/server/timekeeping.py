"""Doing at its time what time alone does to accounts: see `actions.due`."""

from __future__ import annotations

import asyncio

from litestar.concurrency import sync_to_thread

from passless.actions import due
from passless.actions.parts import Parts
from passless.domain.errors import PasslessError
from passless.server.log import Log

NAME = "time"  # in the log
SOONEST, LATEST = 0.1, 10.0  # seconds between two looks; nothing is due sooner after it was asked for than the second


async def keep_time(parts: Parts, log: Log) -> None:
    """Look when the next is due, and be there; a store that is away is waited for.

    A fault of ours over one thing is written down once, and keeps nothing else from its time.
    """
    known: set[str] = set()

    def note(key: str, error: Exception) -> None:
        if key not in known:
            known.add(key)
            log.fault(error, request_id=NAME)

    while True:
        wait = LATEST
        try:
            following = await sync_to_thread(due.settle, parts, note)
        except PasslessError:
            following = None
        if following is not None:
            wait = (following - parts.now()).total_seconds()
        await asyncio.sleep(min(LATEST, max(SOONEST, wait)))
