"""A server with a person's browser and the programs that ask it, short enough to read as sentences."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from litestar.testing import TestClient

from passless.actions.parts import Access
from passless.directories.local import LocalDirectory
from passless.domain.account import AccountId
from passless.domain.operators import OperatorRights
from passless.domain.relying_parties import MadeRelyingParty, NewRelyingParty
from passless.domain.requests import NewAccount
from passless.domain.secret import Secret
from passless.domain.views import SignedIn
from passless.ports import Write
from passless.ports.directory import Actor
from passless.server.app import make_app
from passless.server.site import Site
from tests.directories.place import PASSWORD, Place, in_memory

URL = "https://passless.example"
CALLBACK = "http://127.0.0.1:49152/callback"
WEB_CALLBACK = "https://mail.example/signed-in"
VERIFIER = "correct-horse-battery-staple-correct-horse-battery"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
HTML = {"Accept": "text/html"}


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Fields(HTMLParser):
    """The hidden inputs of a page's forms, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and found.get("type") == "hidden":
            self.hidden[str(found["name"])] = found.get("value") or ""

    def handle_data(self, data: str) -> None:
        self.words.append(data)


class World:
    """One server process."""

    def __init__(self, place: Place) -> None:
        self.place = place
        place.change(access=Access.NOBODY, origin=URL)
        self.site = Site(directory=LocalDirectory(self.place.parts), url=URL)
        self.app = make_app(self.site)

    def http(self, address: str = "203.0.113.7") -> TestClient[Any]:
        """Return a program or browser somewhere, without cookies."""
        app = self.app

        async def from_there(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "client": (address, 50000)}, receive, send)

        client = TestClient(from_there, base_url=URL)
        client.follow_redirects = False
        return client

    def close(self) -> None:
        self.place.close()

    def account(self, name: str = "ada") -> SignedIn:
        """Make an account with a password, on the host."""
        host = LocalDirectory(self.place.parts)
        made = host.create(Actor(place="203.0.113.7"), NewAccount(name=name, password=Secret(PASSWORD)))
        self.place.keep_secret(made.token)
        return made

    def register(self, name: str = "mail", **more: Any) -> MadeRelyingParty:
        """Register a relying party on the host."""
        self.place.change(on_host=True)
        host = LocalDirectory(self.place.parts)
        self.place.change(on_host=False)
        made = host.add_relying_party(Actor(), NewRelyingParty(name=name, **{"redirect_uris": (WEB_CALLBACK,), **more}))
        if made.secret is not None:
            self.place.keep_secret(made.secret)
        return made

    def make_operator(self, account_id: str, over: tuple[str, ...] = ()) -> None:
        """Give an account an operator's rights."""
        import msgspec

        stored = self.place.store.read(AccountId(account_id))
        account = msgspec.structs.replace(stored.account, operator=OperatorRights(since=self.place.clock.now, over=over))
        self.place.store.commit(Write(at=self.place.clock.now, account=account, expected=stored.version))

    def browser(self, signed_in: SignedIn | None = None, **more: Any) -> Browser:
        """Return a browser, with somebody signed in."""
        return Browser(self, signed_in, **more)

    def program(self, address: str = "203.0.113.7") -> Program:
        """Return a program that posts forms."""
        return Program(self, address)


class Browser:
    """A browser: its cookies, and what a person does in it."""

    def __init__(self, world: World, signed_in: SignedIn | None, address: str = "203.0.113.7") -> None:
        self.world = world
        self.http = world.http(address)
        if signed_in is not None:
            self.sign_in(signed_in)

    def sign_in(self, signed_in: SignedIn) -> None:
        """Hold a session."""
        self.http.cookies.set("__Host-passless-session", signed_in.token.reveal())

    def ask(self, **more: str | None) -> httpx.Response:
        """Open the address that a program sent the browser to; None leaves a parameter out."""
        return self.http.get(f"/oauth/authorize?{urlencode(asked(**more))}", headers=HTML)

    def post(self, path: str, form: Mapping[str, str], **headers: str) -> httpx.Response:
        """Send a form as a page of ours does."""
        sent = {"Origin": URL, "Sec-Fetch-Site": "same-origin", **HTML, **headers}
        content_type = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.http.post(path, content=urlencode(form), headers={**sent, **content_type})

    def answer(self, page: httpx.Response, said: str = "approve", **more: str) -> httpx.Response:
        """Answer the question of a page."""
        assert page.status_code == 200, page.text
        return self.post(page.request.url.path, {**Fields(page.text).hidden, "answer": said, **more})

    def agree(self, **more: str | None) -> dict[str, str]:
        """Let a program sign in; return what the browser takes back to it."""
        return carried(self.answer(self.ask(**more)))


class Program:
    """Something that asks the server's endpoints."""

    def __init__(self, world: World, address: str) -> None:
        self.world = world
        self.http = world.http(address)

    def post(self, path: str, *, basic: tuple[str, str] | None = None, **form: str) -> httpx.Response:
        """Post a form."""
        auth = httpx.BasicAuth(*basic) if basic else None
        return self.http.post(path, data=form, auth=auth)

    def exchange(self, code: str, **more: Any) -> httpx.Response:
        """Exchange a code for a token."""
        known = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "client_id": "passless-cli"}
        form = {**known, "code_verifier": VERIFIER, **more}
        return self.post("/oauth/token", **{name: value for name, value in form.items() if value is not None})

    def begin_device(self, **more: str) -> httpx.Response:
        """Ask for a device code."""
        return self.post("/oauth/device_authorization", **{"client_id": "passless-cli", **more})

    def poll(self, device_code: str, **more: Any) -> httpx.Response:
        """Look whether somebody approved."""
        form = {"grant_type": DEVICE_GRANT, "device_code": device_code, "client_id": "passless-cli", **more}
        return self.post("/oauth/token", **form)


def asked(**more: str | None) -> dict[str, str]:
    """Return the parameters of an authorization request of the command line, changed."""
    usual: dict[str, str | None] = {
        "response_type": "code",
        "client_id": "passless-cli",
        "redirect_uri": CALLBACK,
        "state": "opaque state",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (usual | more).items() if value is not None}


def carried(answer: httpx.Response, to: str | None = None) -> dict[str, str]:
    """Return what a browser carries back to a program."""
    assert answer.status_code == 303, answer.text
    location = urlsplit(answer.headers["location"])
    if to is not None:
        assert answer.headers["location"].startswith(f"{to}?")
    return {name: value for name, (value,) in parse_qs(location.query, strict_parsing=True).items()}


def world_in(folder: Path) -> World:
    """Make a server over a store in memory."""
    return World(in_memory(folder))
