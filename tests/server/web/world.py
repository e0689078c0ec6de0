"""A server, a site that a proxy guards, and browsers at it, short enough to read as sentences."""

from __future__ import annotations

import base64
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from passless.directories.local import LocalDirectory
from passless.domain.relying_parties import MadeRelyingParty
from passless.ports.directory import Actor
from passless.server.app import make_app
from passless.server.site import Site
from tests.actions.a_server import counted
from tests.directories.person import Person
from tests.directories.place import in_memory
from tests.server.oauth.world import HTML, URL, Browser, Fields, World

SERVER_COOKIE = "__Host-passless-session"
SITE = "https://app.example"
CALLBACK = f"{SITE}/.passless/callback"


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"}


class Sites(World):
    """A server that guards sites."""

    def guard(self, name: str = "web", **more: Any) -> MadeRelyingParty:
        """Register a site; without more it is at the server's own address."""
        return self.register(name, **{"kind": "http", "redirect_uris": (), **more})

    def guard_elsewhere(self, name: str = "web", **more: Any) -> MadeRelyingParty:
        """Register a site with an address of its own."""
        return self.guard(name, redirect_uris=(CALLBACK,), **more)

    def person(self, name: str = "ada", *, two_step: bool = True) -> Person:
        """Somebody with an account, an address, and an authenticator app; they are signed in."""
        self.place.change(on_host=True)
        email = f"{name}@example.org" if name.isascii() and name.isalnum() else None
        person = Person(self.place, name, at="203.0.113.7").create(email=email)
        self.place.change(on_host=False)
        if two_step:
            person.app = person.add_app()  # type: ignore[attr-defined]
            person.new_code()
            person.turn_on_two_step()
            person.with_password()
        return person

    def ask(self, path: str = "/auth/web", address: str = "203.0.113.7", **headers: str) -> httpx.Response:
        """Ask as a proxy does."""
        return self.http(address).get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def check(self, name: str, secret: str, path: str = "/auth/web", address: str = "203.0.113.7") -> httpx.Response:
        """Ask about somebody's app password."""
        return self.ask(path, address, **basic(name, secret))

    def remove(self, made: MadeRelyingParty) -> None:
        """Forget a site, on the host."""
        self.place.change(on_host=True)
        self.place.directory.remove_relying_party(Actor(), made.id)
        self.place.change(on_host=False)

    def counted(self, patch: pytest.MonkeyPatch) -> Counter[str]:
        """Count from now on what the server does."""
        done = counted(self.place, patch)
        self.site = Site(directory=LocalDirectory(self.place.parts), url=URL)
        self.app = make_app(self.site)
        return done

    def visitor(self, person: Person | None = None) -> Visitor:
        """Return a browser of somebody at the server, and at the site."""
        browser = self.browser()
        if person is not None and person.token is not None:
            browser.http.cookies.set(SERVER_COOKIE, person.token.reveal())
        return Visitor(self, browser)


class Visitor:
    """A browser at a site and at the server: two origins, two jars of cookies, and the site's proxy in between."""

    def __init__(self, world: Sites, at_server: Browser) -> None:
        self.world = world
        self.at_server = at_server
        self.jar: dict[str, str] = {}

    def at_site(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Ask for one of the site's own addresses, as its proxy hands it on: `/.passless/…`."""
        inner = path.replace("/.passless/", "/auth/web/", 1)
        sent = {"X-Forwarded-Host": "app.example", "Sec-Fetch-Site": "same-origin", **HTML, **headers, **self.cookie()}
        answer = self.world.http().request(method, inner, headers=sent)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if "max-age=0" in line.lower():
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        return answer

    def cookie(self) -> dict[str, str]:
        """Return the header with the site's cookies."""
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items())} if self.jar else {}

    def ask(self) -> httpx.Response:
        """Open a page of the site: what its proxy asks about the browser."""
        return self.world.http().get("/auth/web", headers=self.cookie())

    def begin(self, to: str = "/") -> str:
        """Begin to sign in at the site; return where the browser is sent."""
        answer = self.at_site(f"/.passless/sign-in?{urlencode({'to': to})}")
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def agree(self, address: str, said: str = "approve") -> str:
        """Go to the server, answer its question if there is one, and return where it sends the browser."""
        path = address.removeprefix(URL)
        page = self.at_server.http.get(path, headers=HTML)
        if page.status_code == 200:
            page = self.at_server.post("/oauth/authorize", {**Fields(page.text).hidden, "answer": said})
        assert page.status_code == 303, page.text
        return str(page.headers["location"])

    def come_back(self, address: str) -> httpx.Response:
        """Come back to the site."""
        assert address.startswith(f"{CALLBACK}?"), address
        return self.at_site(address.removeprefix(SITE), **{"Sec-Fetch-Site": "cross-site"})

    def sign_in(self, to: str = "/") -> httpx.Response:
        """Sign in at the site, from the beginning to the end."""
        return self.come_back(self.agree(self.begin(to)))


def said(address: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


def sites_in(folder: Path) -> Sites:
    """Make a server over a store in memory."""
    return Sites(in_memory(folder))
