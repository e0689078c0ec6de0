"""The accounts that a browser knows: their names in a cookie, so that one picks instead of typing, until one says forget."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Iterable

import msgspec
from litestar.datastructures import Cookie

from passless.domain.errors import WrongUse
from passless.domain.names import are_same, clean
from passless.server import browser
from passless.server.pages.visiting import Visit

COOKIE = "passless-accounts"
MOST = 5  # names that are kept
KEPT_FOR = 180 * 24 * 3600  # seconds; half a year


def names(visit: Visit) -> tuple[str, ...]:
    """Return the names, the last one used first; what somebody else wrote there is left out."""
    kept = visit.request.cookies.get(browser.cookie_name(visit.site, COOKIE), "")
    try:
        found = msgspec.json.decode(urlsafe_b64decode(kept.encode() + b"=="), type=list[str])
        return tuple(clean(name) for name in found[:MOST])
    except (msgspec.DecodeError, msgspec.ValidationError, Error, ValueError, WrongUse):
        return ()


def with_name(visit: Visit, name: str) -> Cookie:
    """Return the cookie after somebody signed in."""
    return _cookie(visit, (name, *_others(visit, name)))


def without(visit: Visit, name: str) -> Cookie:
    """Return the cookie after a name is forgotten."""
    return _cookie(visit, _others(visit, name))


def _others(visit: Visit, name: str) -> Iterable[str]:
    return (one for one in names(visit) if not are_same(one, name))


def _cookie(visit: Visit, kept: Iterable[str]) -> Cookie:
    chosen = list(kept)[:MOST]
    value = urlsafe_b64encode(msgspec.json.encode(chosen)).decode().rstrip("=") if chosen else ""
    return browser.cookie(visit.site, COOKIE, value, max_age=KEPT_FOR if chosen else 0)
