"""The process itself: uvicorn over an open socket, its beginning told, its end waited for."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import uvicorn
from litestar.concurrency import sync_to_thread
from msgspec import Struct

from passless.domain.errors import PasslessError
from passless.server import connections, metrics_page, systemd, timekeeping
from passless.server.certificates import Certificate, Renewal
from passless.server.connections import Connection
from passless.server.endings import Endings
from passless.server.handshakes import Doorkeeper
from passless.server.lasting import go_on
from passless.server.log import Log
from passless.server.metrics import Metrics
from passless.server.openid import back_channel
from passless.server.site import Site
from passless.server.sockets.opening import Wanted
from passless.server.sockets.trying import Sockets

DRAIN = 20  # seconds that requests under way may still take
SWEEP_EVERY = timedelta(minutes=10)
SIGN_EVERY = timedelta(minutes=2)  # how long an event of the audit trail may wait for a signature
STOPS = (signal.SIGTERM, signal.SIGINT)


class Run(Struct, frozen=True, kw_only=True):
    """What is run, and on which sockets."""

    app: Any
    site: Site
    endings: Endings
    log: Log
    metrics: Metrics
    listening: socket.socket
    metrics_listening: socket.socket | None
    most: int
    tls_cert: str | None
    tls_key: str | None
    sockets: tuple[Wanted, ...] = ()


def run(wanted: Run) -> None:
    """Answer until a signal says stop, then finish what was begun."""
    config = uvicorn.Config(
        wanted.app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=DRAIN,
        ssl_certfile=wanted.tls_cert,
        ssl_keyfile=wanted.tls_key,
        **connections.options(wanted.most),
    )
    Server(config, wanted).run(sockets=[wanted.listening])


class Server(uvicorn.Server):
    """uvicorn, which ends well when it is told to, sweeps the store now and then, and says how it is doing."""

    def __init__(self, config: uvicorn.Config, wanted: Run) -> None:
        super().__init__(config)
        self._wanted = wanted
        self._tasks: list[asyncio.Task[None]] = []
        self._metrics: asyncio.Server | None = None
        self._door: Doorkeeper | None = None
        self._sockets = Sockets(wanted.site, wanted.log, wanted.sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and say so."""
        secure = self.config.ssl
        await super().startup(sockets if secure is None else [])
        if not self.started:
            return
        wanted = self._wanted
        if secure is not None:
            self._door = Doorkeeper(wanted.listening, secure, self._connection, lambda: len(self.server_state.connections))
            self._door.open()
        if wanted.metrics_listening is not None:
            self._metrics = await metrics_page.serve(wanted.metrics_listening, wanted.metrics)
        await self._sockets.open()
        telling = back_channel.BackChannel(wanted.site, wanted.endings, wanted.log)
        for name, work in (
            ("sweep", self._sweep),
            ("sign", self._sign),
            (timekeeping.NAME, partial(timekeeping.keep_time, wanted.site.parts, wanted.log)),
            (back_channel.NAME, telling.run),
        ):
            self._tasks.append(asyncio.create_task(go_on(work, wanted.log, name)))
        if wanted.tls_cert and wanted.tls_key and self.config.ssl is not None:
            certificate = Certificate(cert=wanted.tls_cert, key=wanted.tls_key)
            self._tasks.append(asyncio.create_task(Renewal(certificate, self.config.ssl, wanted.log).watch()))
        wanted.log.line(
            "info",
            "ready",
            url=wanted.site.url,
            listen=_spoken(wanted.listening),
            metrics=None if wanted.metrics_listening is None else _spoken(wanted.metrics_listening),
            connections=wanted.most,
            sockets=self._sockets.addresses or None,
        )
        systemd.notify(systemd.READY)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, finish what is under way, and end."""
        systemd.notify(systemd.STOPPING)
        self._wanted.log.line("info", "stopping", under_way=self._wanted.metrics.under_way)
        self._wanted.endings.close()
        for task in self._tasks:
            task.cancel()
        if self._metrics is not None:
            self._metrics.close()
        if self._door is not None:
            self._door.close()
        await asyncio.gather(self._sockets.aclose(), super().shutdown(sockets))  # neither waits for the other

    def _connection(self) -> Connection:
        return Connection(self.config, self.server_state, self.lifespan.state, asyncio.get_running_loop())

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on the signals that ask for it, and do not raise them again afterwards: a drained server ended well."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in STOPS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def _sweep(self) -> None:
        """Let the store forget what is over."""
        parts = self._wanted.site.parts
        while True:
            await asyncio.sleep(SWEEP_EVERY.total_seconds())
            with suppress(PasslessError):  # the next time does it
                await sync_to_thread(lambda: parts.store.sweep(at=parts.now()))

    async def _sign(self) -> None:
        """Sign what is new in the audit trail, also what a process wrote that was ended before it could."""
        parts = self._wanted.site.parts
        while True:
            with suppress(PasslessError):  # the next time does it
                await sync_to_thread(lambda: parts.store.sign_new(at=parts.now()))
            await asyncio.sleep(SIGN_EVERY.total_seconds())


def _spoken(listening: socket.socket) -> str:
    address = listening.getsockname()
    if isinstance(address, str):
        return f"unix:{address}"
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
