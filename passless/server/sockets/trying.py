"""Opening the sockets of relying parties: one that cannot be had keeps neither the server nor the others from answering.

A port of the loopback is there for whoever of the host's users is first, and a unix socket may be in the way of an old one: who
takes it closes one relying party's door, and not everybody's. Nor does a relying party that was removed, or is gone since an
old copy of the store was put back, keep people out of everything else. It is tried again until it is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from passless.domain.errors import PasslessError
from passless.server.lasting import go_on
from passless.server.log import Log
from passless.server.site import Site
from passless.server.sockets.opening import Opened, Wanted, open_at

AGAIN = 3.0  # seconds until the next try


class Sockets:
    """What is open, and what is still tried."""

    def __init__(self, site: Site, log: Log, wanted: Sequence[Wanted]) -> None:
        self._site, self._log, self._wanted = site, log, wanted
        self._opened: list[Opened] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def addresses(self) -> list[str]:
        """Where relying parties are answered now."""
        return [one.address for one in self._opened]

    async def open(self) -> None:
        """Try each once; what cannot be had now is tried again meanwhile."""
        for one in self._wanted:
            why = await self._try(one)
            if why is not None:
                self._tasks.append(
                    asyncio.create_task(go_on(partial(self._try_again, one, why), self._log, f"socket {one.party}"))
                )

    async def aclose(self) -> None:
        """Answer nobody any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(one.aclose() for one in self._opened))

    async def _try_again(self, wish: Wanted, before: str) -> None:
        while True:
            await asyncio.sleep(AGAIN)
            why = await self._try(wish, before)
            if why is None:
                self._log.line("info", "socket-open", relying_party=wish.party, address=self._opened[-1].address)
                return
            before = why

    async def _try(self, wish: Wanted, before: str = "") -> str | None:
        """Open one; return why it cannot be had, which is written down where that is something new."""
        try:
            self._opened.append(await open_at(self._site, self._log, wish))
        except PasslessError as error:
            if error.message != before:
                self._log.line("error", "socket-not-open", relying_party=wish.party, message=error.message, hint=error.hint)
            return error.message
        except Exception as error:  # noqa: BLE001 - a fault of ours is in the log, and the server goes on with everything else
            why = type(error).__name__
            if why != before:
                self._log.fault(error, request_id=f"socket {wish.party}")
            return why
        return None
