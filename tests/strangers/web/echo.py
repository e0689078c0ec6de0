"""A site that says what it got, and has no idea of who may come in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

PIECE = 65_536


class Echo(BaseHTTPRequestHandler):
    """It says which headers it got and how much of a body, and gives back what comes after an upgrade, of whatever kind."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if "upgrade" in self.headers.get("Connection", "").lower():
            self._go_on()
            return
        body, length = hashlib.sha256(), 0
        for piece in self._body():  # who answers before all of it has come resets the connection
            body.update(piece)
            length += len(piece)
        headers = [[name.lower(), value] for name, value in self.headers.items()]
        said = json.dumps(
            {"method": self.command, "path": self.path, "headers": headers, "length": length, "body": body.hexdigest()}
        )
        content = f"<!DOCTYPE html><title>The site</title><h1>The site</h1><pre>{said}</pre>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_POST = do_HEAD = do_PUT = do_OPTIONS = do_PROPFIND = do_GET  # noqa: N815 - their names are given

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return
        left = int(self.headers.get("Content-Length", 0))
        while left and (piece := self.rfile.read(min(left, PIECE))):
            left -= len(piece)
            yield piece

    def _go_on(self) -> None:
        """Speak another protocol from here on: every line comes back, behind the name of who it is."""
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers.get("Upgrade", ""))
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        while line := self.rfile.readline():
            self.wfile.write(self.headers.get("Remote-User", "nobody").encode() + b" " + line)
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name is given
        pass


def said_by(page: str) -> dict[str, Any]:
    """Return what such a site said."""
    found: dict[str, Any] = json.loads(page.partition("<pre>")[2].partition("</pre>")[0])
    return found
