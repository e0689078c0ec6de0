"""Whether a server can serve: its store answers."""

from __future__ import annotations

import asyncio

from litestar.concurrency import sync_to_thread

from passless.domain.errors import PasslessError
from passless.server.site import Site

ANSWER_TIME = 3.0  # seconds that the store may take


async def is_well(site: Site) -> bool:
    """Tell whether the store answers in time."""
    try:
        async with asyncio.timeout(ANSWER_TIME):
            await sync_to_thread(site.parts.store.attempts, "health")
    except (PasslessError, TimeoutError):
        return False
    return True
