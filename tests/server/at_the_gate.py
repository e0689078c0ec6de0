"""Requests that are sent to a gate by hand: what comes, and when, is up to the test."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from passless.server.app import make_app
from passless.server.gate import Gate
from passless.server.log import Log
from passless.server.metrics import Metrics
from passless.server.site import Site
from tests.directories.place import entropy_of


class Asked:
    """One request to a gate, sent by hand."""

    def __init__(
        self, site: Site, method: str, path: str, *parts: bytes, ends: bool = True, client: str = "203.0.113.9"
    ) -> None:
        host = (b"host", site.host.encode())
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [host, (b"content-type", b"application/json")],
            "client": (client, 4711),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        self._parts = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        if ends and self._parts:
            self._parts[-1]["more_body"] = False
        self.answers: list[Any] = []

    async def receive(self) -> Any:
        if self._parts:
            return self._parts.pop(0)
        return await asyncio.get_running_loop().create_future()  # the rest never comes

    async def send(self, message: Any) -> None:
        self.answers.append(message)

    @property
    def status(self) -> int:
        return int(self.answers[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.answers[0]["headers"])


def gate_of(site: Site) -> Gate:
    """Return the gate before a site."""
    log = Log(site.parts.clock)
    return Gate(make_app(site, log), site, log=log, metrics=Metrics(), entropy=entropy_of(3))


def asked(site: Site, request: Asked) -> Asked:
    """Send one request, and wait until it is answered."""
    run(gate_of(site)(request.scope, request.receive, request.send))
    return request


def run(wanted: Coroutine[Any, Any, None]) -> None:
    """Run in an event loop of its own."""
    with asyncio.Runner() as runner:
        runner.run(wanted)
