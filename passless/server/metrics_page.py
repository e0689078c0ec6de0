"""Where Prometheus reads the figures: a listener of its own, so that no proxy ever shows them to the world."""

from __future__ import annotations

import asyncio
import socket

from passless.server.metrics import MEDIA_TYPE, Metrics

HEAD_TIME = 5.0  # seconds
HEAD_SIZE = 8 * 1024  # bytes
PATH = b"GET /metrics "


async def serve(listening: socket.socket, metrics: Metrics) -> asyncio.Server:
    """Begin to answer; each connection is asked once."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_TIME):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head, metrics))
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # whoever asked so slowly or so much gets nothing
        finally:
            writer.close()

    return await asyncio.start_server(answer, sock=listening, limit=HEAD_SIZE)


def _answer(head: bytes, metrics: Metrics) -> bytes:
    if not head.startswith(PATH):
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    content = metrics.text().encode()
    said = f"HTTP/1.1 200 OK\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    return said.encode() + content
