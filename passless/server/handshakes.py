"""TLS at the door: until its handshake is done a connection is counted, has its time, and goes when others need the room.

uvicorn knows of a connection once its handshake is done. Who opens many and says nothing would hold each for a minute, beyond
every bound, until the process may open no more files.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from passless.actions.throttle import source_of
from passless.server.addresses import SOCKET
from passless.server.connections import Connection, Idle

HANDSHAKE_TIME = 10.0  # seconds until a handshake is done, as for the head of a request
SHARE = 8  # handshakes may take an eighth of all connections before they go for each other; until then idle connections do
NO_MORE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)  # accept(2)
PAUSE = 0.1  # seconds until the next try where the system gives no more sockets


class Handshake:
    """A connection whose handshake is not done."""

    def __init__(self, taken: socket.socket, peer: str) -> None:
        self.taken = taken
        self.peer = peer

    def leave(self) -> None:
        """End at once: others need the room."""
        with suppress(OSError):
            self.taken.shutdown(socket.SHUT_RDWR)


class Doorkeeper:
    """Takes connections, and lets them in once they speak TLS; `connect` makes what serves one, `inside` counts those."""

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext,
        connect: Callable[[], asyncio.Protocol],
        inside: Callable[[], int],
    ) -> None:
        self._listening = listening
        self._context = context
        self._connect = connect
        self._inside = inside
        self._shaking: Idle[Handshake] = Idle()
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Begin to take connections."""
        self._listening.setblocking(False)
        self._keep(self._take_all())

    def close(self) -> None:
        """Take no more; who is not in yet goes."""
        for task in self._tasks:
            task.cancel()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take_all(self) -> None:
        while True:
            try:
                taken, address = await asyncio.get_running_loop().sock_accept(self._listening)
            except OSError as error:
                if error.errno in NO_MORE:
                    self._make_room()
                    await asyncio.sleep(PAUSE)
                continue  # or whoever it was is gone
            if taken.family != getattr(socket, "AF_UNIX", None):
                taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._keep(self._let_in(Handshake(taken, source_of(address[0]) if address else SOCKET)))

    async def _let_in(self, coming: Handshake) -> None:
        self._shaking.add(coming)
        if len(self._shaking) + self._inside() > Connection.most:
            self._make_room()
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._connect, coming.taken, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_TIME
            )
        except OSError:  # no TLS, too slow, or gone
            coming.taken.close()
        finally:
            self._shaking.discard(coming)

    def _make_room(self) -> None:
        """Let the idlest go, of those whose handshake is not done where these have more than their share."""
        if len(self._shaking) > Connection.most // SHARE or (len(self._shaking) and not len(Connection.idle)):
            self._shaking.let_one_go()
        elif len(Connection.idle):
            Connection.idle.let_one_go()
