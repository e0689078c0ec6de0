"""A server with accounts, and a browser that has no engine: requests, cookies and forms."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pyotp
from litestar.testing import TestClient

from passless.actions.parts import Access, SignUp
from passless.directories.local import LocalDirectory
from passless.domain.account import AccountId
from passless.domain.methods import Kind, RpId
from passless.domain.operators import OperatorRights
from passless.domain.requests import Answer, Enrol, NewAccount, NewInvitation
from passless.domain.secret import Secret
from passless.domain.views import Applied, SignedIn
from passless.ports import Write
from passless.ports.directory import Actor, Operator
from passless.server.app import make_app
from passless.server.site import Site
from tests.directories.place import PASSWORD, Place, in_memory

URL = "https://passless.example"
HTML = {"Accept": "text/html"}


class Fields(HTMLParser):
    """The forms of a page: where each leads, and its hidden fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.forms.append((found.get("action") or "", {}))
        if tag == "input" and found.get("type") == "hidden" and self.forms:
            self.forms[-1][1][str(found["name"])] = found.get("value") or ""

    def to(self, action: str) -> dict[str, str]:
        """Return the hidden fields of the first form that leads somewhere."""
        return next(fields for address, fields in self.forms if address == action)


class World:
    """One server at an address, with a clock that one moves."""

    def __init__(self, folder: Path, url: str = URL) -> None:
        self.place: Place = in_memory(folder)
        self.url = url
        host = url.partition("//")[2].partition(":")[0]
        rules = msgspec.structs.replace(self.place.parts.rules, rp_id=RpId(host))
        self.place.change(access=Access.NOBODY, origin=url, rules=rules, sign_up=SignUp.INVITATION, on_host=False)
        self.clients: list[TestClient[Any]] = []

    @property
    def site(self) -> Site:
        return Site(directory=self.directory, url=self.url, name="Example passless")

    @property
    def directory(self) -> LocalDirectory:
        return LocalDirectory(self.place.parts)

    @property
    def host(self) -> LocalDirectory:
        """The directory as somebody at the machine itself uses it."""
        return LocalDirectory(msgspec.structs.replace(self.place.parts, on_host=True, sign_up=SignUp.OPEN))

    def browser(self, address: str = "203.0.113.7") -> Browser:
        """Return a browser somewhere, without cookies."""
        app = make_app(self.site)

        async def from_there(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "client": (address, 50000)}, receive, send)

        client = TestClient(from_there, base_url=self.url)
        client.__enter__()
        self.clients.append(client)
        return Browser(client, self.url)

    def account(self, name: str = "ada", *, password: str | None = PASSWORD, display_name: str = "") -> SignedIn:
        """Make an account, on the host."""
        secret = None if password is None else Secret(password)
        return self.host.create(Actor(place="203.0.113.7"), NewAccount(name=name, display_name=display_name, password=secret))

    def add_totp(self, made: SignedIn) -> pyotp.TOTP:
        """Put an authenticator app on an account, in a session that ends with it: it gets a new token; return the app."""
        signed_in = self.directory.sign_in(Actor(), made.account_id, Answer(kind=Kind.PASSWORD, text=Secret(PASSWORD)))
        assert isinstance(signed_in, SignedIn)
        actor = Actor(token=signed_in.token)
        begun = self.directory.begin(actor, made.account_id, Enrol(kind=Kind.TOTP))
        assert begun.secret is not None
        app = pyotp.TOTP(begun.secret.reveal())
        added = self.directory.finish(actor, begun.ceremony, Answer(kind=Kind.TOTP, text=Secret(self.code(app))))
        assert isinstance(added, Applied)
        self.directory.sign_out(Actor(token=added.token))
        return app

    def code(self, app: pyotp.TOTP) -> str:
        """Return the code that the app shows now."""
        return app.at(self.place.clock.now)

    def make_operator(self, account_id: str, over: tuple[str, ...] = ()) -> None:
        """Give an account an operator's rights."""
        stored = self.place.store.read(AccountId(account_id))
        account = msgspec.structs.replace(stored.account, operator=OperatorRights(since=self.place.clock.now, over=over))
        self.place.store.commit(Write(at=self.place.clock.now, account=account, expected=stored.version))

    def invitation(self, operator: SignedIn, **more: Any) -> str:
        """Return what stands in the fragment of an invitation's link."""
        return self.directory.invite(self.saying_why(operator), NewInvitation(**more)).secret.reveal()

    @staticmethod
    def saying_why(operator: SignedIn) -> Actor:
        """Return an operator who says why."""
        return Actor(token=operator.token, operator=Operator(reason="they are new", ticket=""))

    def close(self) -> None:
        for client in self.clients:
            client.__exit__(None, None, None)
        self.place.close()


class Browser:
    """Cookies and forms of one browser; it says where a form comes from, as browsers do."""

    def __init__(self, client: TestClient[Any], url: str) -> None:
        self.http = client
        self.url = url
        self.http.follow_redirects = False

    @property
    def cookies(self) -> dict[str, str]:
        return dict(self.http.cookies)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return self.http.get(path, headers={**HTML, "Sec-Fetch-Site": "none", **headers})

    def open(self, path: str) -> httpx.Response:
        """Open a page, and go where it leads."""
        answer = self.get(path)
        while answer.status_code == 303:
            answer = self.get(answer.headers["location"])
        return answer

    def send(self, path: str, form: Mapping[str, Any], **headers: str) -> httpx.Response:
        """Send a form as a page of ours does."""
        sent = {**HTML, "Origin": self.url, "Sec-Fetch-Site": "same-origin", **headers}
        sent["Content-Type"] = "application/x-www-form-urlencoded"
        return self.http.post(path, content=urlencode(form, doseq=True), headers={k: v for k, v in sent.items() if v})

    def fill(self, page: httpx.Response, action: str, **typed: Any) -> httpx.Response:
        """Fill in the form of a page that leads to an address, and send it."""
        return self.send(action, {**Fields(page.text).to(action), **typed})

    def sign_in(self, name: str = "ada", password: str = PASSWORD) -> httpx.Response:
        """Sign in with a password."""
        page = self.get("/sign-in?" + urlencode({"account": name, "with": "password"}))
        return self.fill(page, "/sign-in", secret=password)


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
