"""Work that goes on for as long as a server does: a fault of ours ends one round of it, and not all that come after."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from passless.server.log import Log

AGAIN = 5.0  # seconds after a fault


async def go_on(work: Callable[[], Awaitable[None]], log: Log, name: str) -> None:
    """Do work until it is done; after a fault, which is written down under a name, it is begun anew."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - nobody waits for it who could be told; it is in the log
            log.fault(error, request_id=name)
            await asyncio.sleep(AGAIN)
        else:
            return
