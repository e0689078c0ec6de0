"""Doing at its time what time alone does to accounts: see `actions.due`."""

from __future__ import annotations

import asyncio

from litestar.concurrency import sync_to_thread

from passless.actions import due
from passless.actions.parts import Parts
from passless.domain.errors import PasslessError

SOONEST, LATEST = 0.1, 10.0  # seconds between two looks; nothing is due sooner after it was asked for than the second


async def keep_time(parts: Parts) -> None:
    """Look when the next is due, and be there; a store that is away is waited for."""
    while True:
        wait = LATEST
        try:
            following = await sync_to_thread(due.settle, parts)
        except PasslessError:
            following = None
        if following is not None:
            wait = (following - parts.now()).total_seconds()
        await asyncio.sleep(min(LATEST, max(SOONEST, wait)))
