"""The robot arm that Yubico's device tests ask to touch a key and to pull it out, over plain HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.software_key import SoftwareKey


@contextmanager
def controller(key: SoftwareKey, port: int = 6) -> Iterator[str]:
    """Serve one key in one USB port; the address to give to `--controller`."""
    actions: dict[str, Callable[[], None]] = {
        "/": lambda: None,
        f"/usb{port}/touch/on": key.hold,
        f"/usb{port}/touch/off": key.release,
        f"/usb{port}/power/on": key.plug,
        f"/usb{port}/power/off": key.unplug,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            action = actions.get(self.path)
            if action:
                action()
            self.send_response(200 if action else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
