"""`GET /auth/NAME`: a proxy asks whether its client may come in. 204 is yes, 401 is no, and nothing else says either.

Like the interface `/api/v1` it is asked before Litestar, and its work is done with others'. A relying party that there is none
of is answered as a wrong password is: no proxy takes that for a fault, and none lets anybody in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, quote

from litestar.exceptions import MethodNotAllowedException

from passless.domain.errors import WrongUse
from passless.domain.relying_parties import Client
from passless.server import browser
from passless.server.addresses import place_of
from passless.server.batches import Batches
from passless.server.site import Site
from passless.server.web import sites
from passless.server.web.deciding import Granted, Question, Refused, decide, shown, told
from passless.server.web.sites import AUTH, Sites

UNDER = f"{AUTH}/".encode()
ROUTE = f"{AUTH}/{{name}}"
METHODS = frozenset({"GET", "HEAD"})
SENTENCE = b"Sign in with your name and an app password.\n"
NO_STORE = (b"cache-control", b"no-store")
SLASH = "\0"  # what a "/" within a part of an address has become (gate.py)
SIGN_IN = "sign-in"  # in the query: browsers are sent to sign in, for proxies that pass the answer on as it is
SHOWN = "shown"  # in the query: what of the client's own headers the site may see, for proxies that cannot take one cookie away
EXACT = "exact"  # in the query: only the account's name itself, for programs that go on with what was typed
FORWARDED_URI = b"x-forwarded-uri"
FORWARDED_METHOD = b"x-forwarded-method"

Answer = tuple[Mapping[str, Any], Mapping[str, Any]]


def is_question(scope: Any) -> bool:
    """Tell whether a proxy asks about its client, by the address as it was written."""
    raw: bytes = scope["raw_path"]
    return raw.startswith(UNDER) and len(raw) > len(UNDER) and b"/" not in raw[len(UNDER) :]


class Checks:
    """The answers to proxies."""

    def __init__(self, site: Site, batches: Batches) -> None:
        self._site = site
        self._batches = batches
        self._sites = Sites(site.parts)

    def is_asked(self, scope: Any) -> bool:
        """Tell whether a request is such a question, by its address as it was written."""
        return is_question(scope)

    async def answer(self, scope: Any, receive: Any) -> Answer:
        """Say whether somebody may come in."""
        scope["path_template"] = ROUTE
        if scope["method"] not in METHODS:
            raise MethodNotAllowedException(headers={"Allow": ", ".join(sorted(METHODS))})
        name = scope["path"][len(UNDER) :].replace(SLASH, "/")
        wishes = _wishes(scope["query_string"])
        asked = Question(headers=scope["headers"], place=place_of(scope, self._site), exact=EXACT in wishes)
        found, client = await self._batches.do(lambda: self._work(name, asked))
        if isinstance(found, Granted):
            scope["passless_account"] = found.account.id
            seen = shown(scope["headers"]) if SHOWN in wishes else ()
            return _message(204, (NO_STORE, *told(self._site, found), *seen))
        if SIGN_IN in wishes and client is not None and (address := self._sign_in(client, scope["headers"])):
            return _message(302, (NO_STORE, (b"location", address.encode())))
        return _refusal(name, found)

    def _work(self, name: str, asked: Question) -> tuple[Granted | Refused, Client | None]:
        client = self._sites.find_in(self._batches.turn, name)
        return decide(self._site, client, asked), client

    def _sign_in(self, client: Client, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """Return where a browser that opens a page is sent to; None for whoever is not one."""
        said = dict(headers)
        wants_page = b"text/html" in said.get(b"accept", b"") and said.get(FORWARDED_METHOD, b"GET") in {b"GET", b"HEAD"}
        if not wants_page or b"authorization" in said:
            return None
        to = quote(browser.path_here(said.get(FORWARDED_URI, b"/").decode("latin-1")), safe="")
        if not sites.is_elsewhere(client):
            return f"{self._site.url}{sites.path_of(client)}/sign-in?to={to}"
        origin = sites.origin_asked(client, headers)
        return None if origin is None else f"{origin}/.passless/sign-in?to={to}"


def _wishes(query: bytes) -> frozenset[str]:
    if not query:
        return frozenset()
    try:
        asked = parse_qs(query.decode("ascii"), keep_blank_values=True, max_num_fields=10)
    except ValueError as error:
        raise WrongUse("that is not understood") from error
    return frozenset(asked)


def _refusal(name: str, refused: Refused) -> Answer:
    headers = [NO_STORE, (b"www-authenticate", _challenge(name)), (b"content-type", b"text/plain; charset=utf-8")]
    headers.append((b"content-length", b"%d" % len(SENTENCE)))
    if refused.seconds:
        headers.append((b"retry-after", b"%d" % refused.seconds))
    return _message(401, headers, SENTENCE)


def _challenge(name: str) -> bytes:
    """Return what asks for name and secret (RFC 7617 §2); the realm is what was asked for, there or not."""
    realm = "".join(one if " " <= one <= "~" and one not in '"\\' else "'" for one in name[:80])
    return f'Basic realm="{realm}", charset="UTF-8"'.encode()


def _message(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> Answer:
    written = [*headers] if body or status == 204 else [*headers, (b"content-length", b"0")]
    return (
        {"type": "http.response.start", "status": status, "headers": written},
        {"type": "http.response.body", "body": body},
    )
