"""One page on this machine for a ceremony of an embedded store: there for as long as the ceremony, and for one browser.

A browser makes passkeys for the address it is at, so the page stands at `http://STORE.passless.localhost:PORT`, which browsers
take for this machine (RFC 6761 §6.3) and which is the relying party of the store. Nobody else on the machine reads its
address: a secret stands in it, good for the first browser that comes, which then holds a cookie.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, Self, cast
from urllib.parse import parse_qsl

from msgspec import Struct
from msgspec.structs import replace

from passless.directories.local.parts_of import parts_of
from passless.domain.ceremonies import CEREMONY_LIFE
from passless.domain.errors import PasslessError, ProofNeeded
from passless.domain.requests import Answer, Enrol, SignInWith
from passless.domain.secret import Secret
from passless.domain.views import Begun, Outcome
from passless.ports.directory import Actor, Directory
from passless.server.browser import loopback_headers
from passless.server.pages.rendering import STATIC, page

OpenBrowser = Callable[[str], object]  # called with the address of the page

LONGEST_WAIT = timedelta(minutes=10)  # ours: two ceremonies, to find the finger or the phone
PATIENCE = 10.0  # seconds until an answer has to be there, once the form came
LARGEST_FORM = 64 * 1024  # bytes
MEDIA = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
KEPT = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=600"}  # the last page has them when the server is gone
COOKIE = "passless-ceremony"


class NobodyCame(ProofNeeded):
    """The page was not answered in time."""

    code = "nobody-came"
    hint = "begin again, and finish on the page that opens"
    default = "nobody finished on the page, so nothing was done"


class Shown(Struct, frozen=True, kw_only=True):
    """What the page says: `creates` a passkey, or asks for one."""

    begun: Begun
    creates: bool
    account: str
    name: str = ""
    device: str = ""
    problem: str = ""


class Sent(Struct, frozen=True, kw_only=True):
    """A form that came, and where its answer goes."""

    fields: Mapping[str, str]
    reply: Queue[str]
    written: Event

    def answer(self, content: str) -> None:
        """Send the answer, and see that it left before the server may go."""
        self.reply.put(content)
        self.written.wait(PATIENCE)


def serve_enrolment(directory: Directory, actor: Actor, target: str, request: Enrol, open_browser: OpenBrowser) -> Outcome:
    """Add a method in the browser of this machine, on an embedded store.

    Raises:
        Refused, and its kin: what `begin` raises.
        NobodyCame: nobody finished on the page.
    """
    with Door(directory) as door:
        here = replace(request, origin=door.origin)
        shown = Shown(
            begun=directory.begin(actor, target, here),
            creates=True,
            account=directory.read(actor, target).account,
            name=request.name or "",
            device=request.device or "this computer",
        )
        open_browser(door.show(shown))

        def finish(fields: Mapping[str, str], ceremony: str) -> Outcome:
            name, device = fields.get("name", "").strip() or None, fields.get("device", "").strip() or None
            text = Secret(fields.get("response", ""))
            return directory.finish(actor, ceremony, Answer(kind=request.kind, text=text, name=name, device=device))

        return door.settle(shown, finish, lambda: directory.begin(actor, target, here))


def serve_sign_in(directory: Directory, actor: Actor, target: str, request: SignInWith, open_browser: OpenBrowser) -> Outcome:
    """Sign in, or prove it again, in the browser of this machine, on an embedded store; `NobodyCame` where nobody does."""
    with Door(directory) as door:
        here = replace(request, origin=door.origin)
        shown = Shown(begun=directory.begin(actor, target, here), creates=False, account=directory.read(actor, target).account)
        open_browser(door.show(shown))

        def finish(fields: Mapping[str, str], ceremony: str) -> Outcome:
            return directory.finish(actor, ceremony, Answer(kind=request.kind, text=Secret(fields.get("response", ""))))

        return door.settle(shown, finish, lambda: directory.begin(actor, target, here))


class Door:
    """The page's server: threads take requests, the one that opened the door does what they ask."""

    def __init__(self, directory: Directory) -> None:
        host = parts_of(directory).rules.rp_id
        assert host is not None  # an embedded store always has one
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self.authority = f"{host}:{self._server.server_address[1]}"
        self.origin = f"http://{self.authority}"
        self._server.door = self
        self.secret = secrets.token_urlsafe(32)
        self.cookie = secrets.token_urlsafe(32)
        self.sent: Queue[Sent] = Queue(maxsize=1)
        self.shown: Shown | None = None
        self._taken = False
        self._lock = Lock()

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, name="loopback", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def show(self, shown: Shown) -> str:
        """Put the page there; return its address."""
        self.shown = shown
        return f"{self.origin}/{self.secret}"

    def takes(self, secret: str) -> bool:
        """Let the first browser in that knows the secret, and no other after it."""
        with self._lock:
            if self._taken or not hmac.compare_digest(secret.encode(), self.secret.encode()):
                return False
            self._taken = True
            return True

    def knows(self, cookie: str) -> bool:
        """Tell whether this is the browser that was let in."""
        return self._taken and hmac.compare_digest(cookie.encode("utf-8", "replace"), self.cookie.encode())

    def page(self) -> str:
        """Return the page as it is now."""
        assert self.shown is not None  # it is shown before a browser comes
        return _page("loopback.html", shown=self.shown)

    def settle(
        self, shown: Shown, finish: Callable[[Mapping[str, str], str], Outcome], begin_again: Callable[[], Begun]
    ) -> Outcome:
        """Wait for the form, and finish with it; what is wrong about it is said on the page, with a new challenge."""
        until = monotonic() + LONGEST_WAIT.total_seconds()
        while True:
            try:
                sent = self.sent.get(timeout=min(max(until - monotonic(), 0.0), CEREMONY_LIFE.total_seconds()))
            except Empty:
                raise NobodyCame from None
            try:
                outcome = finish(sent.fields, shown.begun.ceremony)
            except PasslessError as error:
                shown = self._again(shown, sent, error, begin_again)
                continue
            sent.answer(_page("loopback_done.html", creates=shown.creates))
            return outcome

    def _again(self, shown: Shown, sent: Sent, error: PasslessError, begin_again: Callable[[], Begun]) -> Shown:
        try:
            begun = begin_again()
        except PasslessError:
            sent.answer(_refused("That did not work. The terminal says why."))
            raise
        typed = {name: sent.fields.get(name, "") for name in ("name", "device")}
        self.shown = replace(shown, begun=begun, problem=error.message, **typed)
        sent.answer(self.page())
        return self.shown


def _page(template: str, **values: Any) -> str:
    return page(template, site_name="passless", form_token="", signed_in=False, path="/", **values)


class _Server(ThreadingHTTPServer):
    """Connections that browsers open ahead of need hold nothing up."""

    daemon_threads = True
    door: Door


class _Handler(BaseHTTPRequestHandler):
    """One request; refused before anything is looked at where it is not for this address."""

    server_version, sys_version = "passless", ""
    timeout = PATIENCE

    @property
    def door(self) -> Door:
        return cast(_Server, self.server).door

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Write nothing: a secret stands in the address."""

    def do_GET(self) -> None:
        if self.headers.get("Host") != self.door.authority:
            return self._answer(421, _refused("This page is not for that address."))
        path = self.path.partition("?")[0]
        name = path.removeprefix("/static/")
        if path.startswith("/static/") and name in STATIC:
            return self._static(name)
        if self.door.takes(path.removeprefix("/")):
            return self._answer(303, "", ("Location", "/"), ("Set-Cookie", self._cookie()))
        if path == "/" and self.door.knows(self._given_cookie()):
            return self._answer(200, self.door.page())
        return self._answer(404, _refused("This page was opened before, or its time is over. Begin again in the terminal."))

    def do_POST(self) -> None:
        door = self.door
        is_ours = self.headers.get("Host") == door.authority and self.headers.get("Origin") == door.origin
        if not is_ours or self.path != "/" or not door.knows(self._given_cookie()):
            return self._answer(403, _refused("That form did not come from this page."))
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > LARGEST_FORM:
            return self._answer(413, _refused("That form is not understood."))
        content = self.rfile.read(int(length)).decode("latin-1")
        fields = dict(parse_qsl(content, keep_blank_values=True))
        sent = Sent(fields=fields, reply=Queue(maxsize=1), written=Event())
        try:
            door.sent.put(sent, timeout=PATIENCE)
            self._answer(200, sent.reply.get(timeout=PATIENCE))
        except (Empty, Full):
            self._answer(503, _refused("The terminal does not answer any more."))
        finally:
            sent.written.set()
        return None

    def _cookie(self) -> str:
        return f"{COOKIE}={self.door.cookie}; Path=/; HttpOnly; SameSite=Lax"

    def _given_cookie(self) -> str:
        given = (one.strip().partition("=") for one in self.headers.get("Cookie", "").split(";"))
        return next((value for name, _, value in given if name == COOKIE), "")  # http.cookies reads some for minutes

    def _static(self, name: str) -> None:
        content = (files("passless.server.pages") / "static" / name).read_bytes()
        self._send(200, content, MEDIA[name.rpartition(".")[2]], KEPT)

    def _answer(self, status: int, content: str, *more: tuple[str, str]) -> None:
        self._send(status, content.encode(), "text/html; charset=utf-8", {**loopback_headers(), **dict(more)})

    def _send(self, status: int, content: bytes, media_type: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": media_type, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


def _refused(words: str) -> str:
    return _page("loopback_refused.html", words=words)
