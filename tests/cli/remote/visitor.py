"""Somebody in a browser without scripts, who reads the server's pages and sends their forms; also what BROWSER starts.

    python tests/cli/remote/visitor.py FILE ADDRESS

signs in at the address with the password in the file, and lets in who asked.
"""

from __future__ import annotations

import html
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlencode, urljoin, urlsplit

import httpx

PATIENCE = 60  # seconds for an answer of a busy machine


class Form:
    """One form: where it goes, and its fields with what stands in them."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.fields: dict[str, str] = {}
        self.typed: list[str] = []


class Forms(HTMLParser):
    """The forms of a page that are sent by POST."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.all: list[Form] = []
        self._is_posted = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_posted = given.get("method") == "post"
            if self._is_posted:
                self.all.append(Form(given["action"]))
        if tag == "input" and self._is_posted and "name" in given:
            self.all[-1].fields[given["name"]] = given.get("value", "")
            if given.get("type") != "hidden" and "hidden" not in given:
                self.all[-1].typed.append(given["name"])


class Visitor:
    """One browser with its cookies; it follows redirects, and says where they led."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.http = httpx.Client(headers={"Accept": "text/html"}, trust_env=False, timeout=PATIENCE)
        self.page = ""
        self.address = origin

    def goes_to(self, address: str) -> Visitor:
        """Open an address."""
        return self._followed(self.http.get(urljoin(self.address, address)))

    def sends(self, action: str, **typed: str) -> Visitor:
        """Send the form of the page that goes there and has what is typed."""
        form = next(one for one in Forms(self.page).all if one.action == action and set(one.typed) <= typed.keys())
        sent = urlencode({**form.fields, **typed})
        headers = {
            "Origin": self.origin,
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self._followed(self.http.post(urljoin(self.address, action), content=sent, headers=headers))

    def signs_in(self, account: str, password: str) -> Visitor:
        """Type the name where it is asked, then the password."""
        query = urlsplit(self.address).query
        if "account=" not in query or "account=&" in f"{query}&":
            self.goes_to(f"{self.address}&account={account}" if query else f"{self.address}?account={account}")
        self.goes_to(f"{self.address}&with=password")
        return self.sends("/sign-in", **{self._typed("/sign-in"): password})

    def closes(self) -> None:
        self.http.close()

    def _typed(self, action: str) -> str:
        return next(one.typed[0] for one in Forms(self.page).all if one.action == action and one.typed)

    def _followed(self, answer: httpx.Response) -> Visitor:
        while answer.is_redirect:
            answer = self.http.get(urljoin(str(answer.url), answer.headers["location"]))
        self.page, self.address = answer.text, str(answer.url)
        assert answer.status_code == 200, self.page
        return self


def main(file: str, address: str) -> None:
    """Sign in where it is asked, approve, and be sent back."""
    account, password = Path(file).read_text().splitlines()
    Path(f"{file}.started-with").write_text(address)
    if address.startswith("file:"):
        found = re.search(r'content="0; url=([^"]*)"', Path(unquote(urlsplit(address).path)).read_text())
        assert found is not None
        address = html.unescape(found[1])
    visitor = Visitor("{0.scheme}://{0.netloc}".format(urlsplit(address)))
    visitor.goes_to(address)
    if urlsplit(visitor.address).path == "/sign-in":
        visitor.signs_in(account, password)
    if urlsplit(visitor.address).path == "/oauth/authorize":
        visitor.sends("/oauth/authorize", answer="approve")
    visitor.closes()


if __name__ == "__main__":
    main(*sys.argv[1:])
