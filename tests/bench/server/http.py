"""HTTP/1.1 as a load generator needs it: one connection, kept open, as little work as possible."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from msgspec import Struct


class Answered(Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes


class Connection:
    """One client's connection, opened again where the server closed it."""

    def __init__(self, host: str, port: int, named: str) -> None:
        self._host = host
        self._port = port
        self._named = named
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answered:
        """Send one request and return its answer."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._named}", f"Content-Length: {len(body)}"]
        if body:
            lines.append("Content-Type: application/json")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        fresh = self._streams is None
        try:
            return await self._once(whole)
        except (ConnectionError, asyncio.IncompleteReadError):
            await self.close()
            if fresh:
                raise
            return await self._once(whole)

    async def _once(self, whole: bytes) -> Answered:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(whole)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        found = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        body = await reader.readexactly(int(found.get("content-length", "0")))
        if found.get("connection") == "close":
            await self.close()
        return Answered(int(head[0].split()[1]), body)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()
