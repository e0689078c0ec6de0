"""A program's own server, which is told of sessions that ended."""

from __future__ import annotations

import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Event, Thread
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

LONGEST = 60.0  # seconds that a busy machine may take


class Listener:
    """A program that is told; it answers as it is made to, and keeps what it heard and when."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.heard: Queue[tuple[float, str, dict[str, str]]] = Queue()
        self.hosts: list[str] = []  # by which it was asked
        self.statuses: list[int] = []  # of the next answers; then 200
        self.hangs: Event | None = None  # until when it says nothing
        listener = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                form = {name: value for name, (value,) in parse_qs(body, strict_parsing=True).items()}
                listener.hosts.append(self.headers["host"])
                listener.heard.put((monotonic(), self.path, form))
                if listener.hangs is not None:
                    listener.hangs.wait(LONGEST)
                status = listener.statuses.pop(0) if listener.statuses else 200
                self.send_response(status)
                if status in (302, 307):
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        scheme = "http" if tls is None else "https"
        self.uri = f"{scheme}://127.0.0.1:{self._server.server_address[1]}/told"

    def next(self) -> tuple[float, str, dict[str, str]]:
        """Return what is heard next."""
        return self.heard.get(timeout=LONGEST)

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
