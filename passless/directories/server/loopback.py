"""The ear for the browser's answer: one address on this machine that answers once (RFC 8252 §7.3, §8.3)."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from passless.domain.errors import ProofNeeded

PATH = "/callback"
SLOWEST_REQUEST = 5  # seconds; browsers open connections that they never use
LONGEST_QUERY = 4096  # bytes; ours, a code and a state have some 200
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>passless</title>
<meta name="viewport" content="width=device-width"></head><body><main><h1>{}</h1><p>{}</p></main></body></html>
"""
DONE = PAGE.format("Back to the terminal", "You can close this page; passless goes on in the terminal.")
NOTHING = PAGE.format("Nothing here", "This address only waits for one answer.")


class NobodyCame(ProofNeeded):
    """The browser did not come back in time."""

    code = "sign-in-expired"
    hint = "begin again: passless sign-in; without a browser here: passless sign-in --device"
    default = "the browser did not come back in time"


class Loopback:
    """Listens on 127.0.0.1 until the redirect with the right state came; use it in a `with`."""

    def __init__(self) -> None:
        self._answers: SimpleQueue[dict[str, str]] = SimpleQueue()
        self._state: str | None = None
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def redirect_uri(self) -> str:
        """Where the browser is sent back to."""
        return f"http://{self.host}{PATH}"

    @property
    def host(self) -> str:
        """The address and port that a request must name."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Loopback:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, state: str, *, seconds: float) -> dict[str, str]:
        """Return the query of the redirect that carries the state; others are answered and forgotten."""
        self._state = state
        try:
            return self._answers.get(timeout=seconds)
        except Empty as error:
            raise NobodyCame from error

    def hear(self, host: str, target: str) -> bool:
        """Tell whether a request is the one that is waited for, and keep its query."""
        path, query = urlsplit(target).path, urlsplit(target).query
        if host != self.host or path != PATH or len(query) > LONGEST_QUERY or self._state is None:
            return False
        named = parse_qsl(query, keep_blank_values=True)
        answer = dict(named)
        if len(answer) != len(named) or answer.get("state", "") != self._state:
            return False
        self._state = None  # it answers once
        self._answers.put(answer)
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about a browser that hung up."""


def _handler(loopback: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = SLOWEST_REQUEST
        server_version = "passless"
        sys_version = ""

        def do_GET(self) -> None:
            """Answer the redirect with a page that says where to go on."""
            is_it = loopback.hear(self.headers.get("Host", ""), self.path)
            page = (DONE if is_it else NOTHING).encode()
            self.send_response(200 if is_it else 404)
            for name, value in (
                ("Content-Type", "text/html; charset=utf-8"),
                ("Content-Length", str(len(page))),
                ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
                ("Cache-Control", "no-store"),
                ("Referrer-Policy", "no-referrer"),
                ("X-Content-Type-Options", "nosniff"),
                ("Connection", "close"),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            """Write nothing: the query holds the code."""

    return Handler
