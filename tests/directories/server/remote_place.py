"""A server's place whose directory is on the other side of HTTP: the real client, the real application, no socket between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest
from msgspec.structs import replace

from passless.actions.parts import Access
from passless.directories.local import LocalDirectory
from passless.directories.server import ServerDirectory
from passless.directories.server.connection import Connection
from passless.ports.directory import Actor
from passless.server import app as app_module
from passless.server.api import routing
from passless.server.app import make_app
from passless.server.gate import Gate
from passless.server.log import Log
from passless.server.metrics import Metrics
from passless.server.site import Site
from tests.directories.place import HOST, MovableClock, Place, entropy_of, vault_in
from tests.fakes.memory_store import MemoryStore

PLACE = "x-test-place"  # the header in which a test says where somebody is; the server's own word for it is an address


class InProcess(httpx.BaseTransport):
    """Carries requests to an ASGI application on a loop of its own."""

    def __init__(self, app: Any) -> None:
        self.place = ""
        self._inner = httpx.ASGITransport(app=app, client=("203.0.113.7", 50000))
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(self._carry(request), self._loop).result()

    async def _carry(self, request: httpx.Request) -> httpx.Response:
        headers = [*request.headers.raw, (PLACE.encode(), quote(self.place).encode())]
        sent = httpx.Request(request.method, request.url, headers=headers, content=request.read())
        answered = await self._inner.handle_async_request(sent)
        content = b"".join([part async for part in answered.stream])  # type: ignore[union-attr]
        return httpx.Response(answered.status_code, headers=answered.headers, content=content)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Placed:
    """A directory whose requests come from where the actor is."""

    def __init__(self, directory: ServerDirectory, transport: InProcess) -> None:
        self._directory = directory
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._directory, name)
        if not callable(found):
            return found

        def placed(*given: Any, **named: Any) -> Any:
            self._transport.place = next((one.place for one in given if isinstance(one, Actor)), "")
            return found(*given, **named)

        return placed


class RemotePlace(Place):
    """A server and its store, and the client that reaches it."""

    def __init__(self, folder: Path) -> None:
        entropy, store = entropy_of(1), MemoryStore()
        vault = vault_in(folder, store.id, entropy)
        vault.create()
        self._close: Callable[[], None] = lambda: None
        super().__init__(store, vault, MovableClock(), entropy, folder, serves=True)
        self._serve()

    def change(self, **parts: Any) -> None:
        super().change(**parts)
        self._serve()

    def _serve(self) -> None:
        self._close()
        if self.parts.access is not Access.NOBODY:
            return
        site = Site(directory=LocalDirectory(replace(self.parts)), url=f"https://{HOST}")
        log = Log(self.clock)
        patch = pytest.MonkeyPatch()
        patch.setattr(app_module, "PARTS", ("api",))  # pages and OAuth are no part of what a directory speaks
        app = Gate(make_app(site, log), site, log=log, metrics=Metrics(), entropy=self.parts.entropy)
        patch.setattr(routing, "place_of", lambda scope, _: unquote(dict(scope["headers"])[PLACE.encode()].decode()))
        patch.setattr(Site, "is_secure", property(lambda _: False))
        transport = InProcess(app)
        connection = Connection(site.url, clock=self.clock, entropy=entropy_of(11), pause=lambda _: None, transport=transport)
        self.directory = Placed(ServerDirectory(connection), transport)  # type: ignore[assignment]

        def close() -> None:
            connection.close()
            patch.undo()

        self._close = close

    def close(self) -> None:
        self._close()
        self.store.close()


def remote(folder: Path) -> Place:
    """Make a server's place, and reach it over HTTP."""
    return RemotePlace(folder)
