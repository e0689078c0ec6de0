"""Whether a server can serve: its store answers."""

from __future__ import annotations

import asyncio

from litestar.concurrency import sync_to_thread

from passless.domain.errors import PasslessError
from passless.server.site import Site

ANSWER_TIME = 3.0  # seconds that the store may take


class Health:
    """Looks at the store, once for all who ask meanwhile: however many ask, it is one read and one thread."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._looking: asyncio.Task[bool] | None = None

    async def is_well(self) -> bool:
        """Tell whether the store answers in time."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(_answers(self._site))
        return await asyncio.shield(self._looking)


async def _answers(site: Site) -> bool:
    try:
        async with asyncio.timeout(ANSWER_TIME):
            await sync_to_thread(site.parts.store.attempts, "health")
    except (PasslessError, TimeoutError):
        return False
    return True
