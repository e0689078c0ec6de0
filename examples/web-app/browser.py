"""A browser without a screen, for trying a sign-in from a terminal: it keeps cookies, follows redirects and fills in forms.

python3 browser.py visit URL --cookies FILE [--account NAME --with password|totp --secret-file FILE]
python3 browser.py until-out URL --cookies FILE

`visit` opens a page of the app, signs in at passless where it is sent there, lets the app know who it is, and prints the page's
heading. `until-out` asks for the page until the app sends it away to sign in, and prints when that was.
"""

from __future__ import annotations

import argparse
import html.parser
import re
import sys
import time
from http.cookiejar import LWPCookieJar
from pathlib import Path
from urllib import request
from urllib.parse import urlencode, urljoin, urlsplit


class Forms(html.parser.HTMLParser):
    """The forms of a page: where each leads, its fields, what is typed into it, and its buttons."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            form = {
                "action": said.get("action", ""),
                "method": said.get("method", "get"),
                "fields": {},
                "typed": [],
                "buttons": {},
            }
            self.found.append(form)
        elif self.found and tag in ("input", "button") and "name" in said:
            form = self.found[-1]
            if tag == "button":
                form["buttons"].setdefault(said["name"], []).append(said.get("value", ""))
            elif said.get("type") == "hidden":
                form["fields"][said["name"]] = said.get("value", "")
            else:
                form["typed"].append(said["name"])


class Browser:
    """Somebody at a terminal."""

    def __init__(self, cookies: Path) -> None:
        self.jar = LWPCookieJar(str(cookies))
        if cookies.exists():
            self.jar.load(ignore_discard=True)
        self.opener = request.build_opener(request.HTTPCookieProcessor(self.jar))

    def open(self, address: str, form: dict[str, str] | None = None) -> tuple[str, str]:
        """Open an address, or send a form there; return where that leads to, and the page."""
        asked = request.Request(address, None if form is None else urlencode(form).encode(), {"Accept": "text/html"})
        if form is not None:
            parts = urlsplit(address)
            asked.add_header("Origin", f"{parts.scheme}://{parts.netloc}")
        with self.opener.open(asked) as answer:
            where, page = answer.url, answer.read().decode()
            goes_on = (answer.headers.get("Refresh") or "").partition("url=")[2]
        self.jar.save(ignore_discard=True)
        return self.open(goes_on) if goes_on else (where, page)

    def visit(self, address: str, account: str, way: str, secret: str) -> str:
        """Open a page of the app, signing in on the way."""
        where, page = self.open(address)
        while urlsplit(where).netloc != urlsplit(address).netloc:
            where, page = self._fill(where, page, account, way, secret)
        return page

    def _fill(self, where: str, page: str, account: str, way: str, secret: str) -> tuple[str, str]:
        for form in Forms(page).found:
            to = urljoin(where, form["action"])
            if "approve" in form["buttons"].get("answer", ()):
                return self.open(to, {**form["fields"], "answer": "approve"})
            if "secret" in form["typed"] and form["fields"].get("kind") == way:
                return self.open(to, {**form["fields"], "secret": secret})
            if form["method"] == "get" and {"account", "secret"} & {*form["typed"], *form["fields"]}:
                return self.open(f"{to}?{urlencode({**form['fields'], 'account': account, 'with': way})}")
        raise SystemExit(f"{where} has no form that fits:\n{page}")


def main() -> None:
    """Do what was asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["visit", "until-out"])
    parser.add_argument("address")
    parser.add_argument("--cookies", type=Path, required=True)
    parser.add_argument("--account", default="")
    parser.add_argument("--with", dest="way", default="password")
    parser.add_argument("--secret-file", type=argparse.FileType(), default=None)
    said = parser.parse_args()
    browser = Browser(said.cookies)
    if said.what == "visit":
        secret = "" if said.secret_file is None else said.secret_file.read().strip()
        page = browser.visit(said.address, said.account, said.way, secret)
        print(re.search(r"<h1>(.*?)</h1>", page)[1])
        return
    began = time.monotonic()
    while browser.open(said.address)[0].startswith(said.address):
        if time.monotonic() > began + 30:
            sys.exit("still in after 30 seconds")
        time.sleep(0.02)
    print(f"{time.time():.3f}")


if __name__ == "__main__":
    main()
