"""A server that answers as a test tells it to: the lines of its answers one after the other, over a real socket."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from msgspec import Struct

ABOUT = {
    "name": "work",
    "version": "9.9",
    "store": "s",
    "rp_id": "localhost",
    "url": "",
    "sign_up": "open",
    "may": {},
    "api": 1,
}


class Asked(Struct, frozen=True):
    """What the server was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reply(Struct, frozen=True):
    """What it answers; no status hangs up."""

    status: int = 200
    body: bytes = b"{}"
    media_type: str = "application/json"
    headers: Mapping[str, str] = {}


def said(document: Any, status: int = 200, **headers: str) -> Reply:
    """Return a document as an answer."""
    return Reply(status, json.dumps(document).encode(), headers={name.replace("_", "-"): one for name, one in headers.items()})


def problem(status: int, kind: str, code: str, **headers: str) -> Reply:
    """Return an error as an answer."""
    document = {"status": status, "title": "", "detail": "it is so", "kind": kind, "code": code, "hint": "do that"}
    named = {name.replace("_", "-"): one for name, one in headers.items()}
    return Reply(status, json.dumps(document).encode(), "application/problem+json", named)


class StandIn:
    """What was asked, and what is answered next; the last answer is given again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: list[Reply] = []
        self.date: datetime | None = None
        self.url = ""

    def next_reply(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def a_stand_in(*replies: Reply, tls: ssl.SSLContext | None = None) -> Iterator[StandIn]:
    """Listen on this machine."""
    stand_in = StandIn()
    stand_in.replies = list(replies) or [said({})]
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stand_in))
    server.daemon_threads, server.block_on_close = True, False
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    stand_in.url = f"{'https' if tls else 'http'}://localhost:{server.server_address[1]}"
    thread = Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            stand_in.asked.append(Asked(self.command, self.path, dict(self.headers.items()), body))
            reply = stand_in.next_reply()
            if not reply.status:
                self.close_connection = True
                return
            self.send_response_only(reply.status)
            date = stand_in.date or datetime.now(UTC)
            self.send_header("Date", date.strftime("%a, %d %b %Y %H:%M:%S GMT"))
            if reply.media_type:
                self.send_header("Content-Type", reply.media_type)
            self.send_header("Content-Length", str(len(reply.body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            return

    for method in ("GET", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._answer)
    return Handler
