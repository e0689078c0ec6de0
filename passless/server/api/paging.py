"""Lists in parts: a cursor is an opaque word that says behind what the next part begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC
from itertools import islice
from typing import Any, TypeVar

import msgspec

from passless.credentials.passkeys import from_base64, to_base64
from passless.domain.audit import AuditEvent
from passless.domain.errors import WrongUse
from passless.ports import EventPlace
from passless.server.api.calls import Call, Parameter
from passless.wire import Page

T = TypeVar("T")

SHORTEST, LONGEST, USUAL = 1, 200, 100  # things on a page (docs/api.md)
LONGEST_CURSOR = 1024  # characters; that of the longest name is about 400

LIMIT = Parameter(
    name="limit",
    about="How many at most.",
    schema={"type": "integer", "minimum": SHORTEST, "maximum": LONGEST, "default": USUAL},
)
CURSOR = Parameter(
    name="cursor",
    about="Where the part before this one ended: its `next`.",
    schema={"type": "string", "minLength": 1, "maxLength": LONGEST_CURSOR, "pattern": "^[A-Za-z0-9_-]+$"},
)
PAGED = (CURSOR, LIMIT)


class BadCursor(WrongUse):
    """A cursor that was not given out here."""

    code = "bad-cursor"
    hint = "take the `next` of the page before, or begin again without a cursor"
    default = "that is no cursor"


class BadLimit(WrongUse):
    """A number of things on a page that cannot be."""

    code = "bad-limit"
    hint = f"a page has {SHORTEST} to {LONGEST} things"
    default = "that is no limit"


def limit_of(call: Call) -> int:
    """Return how many things may be on the page."""
    asked = call.query.get("limit", str(USUAL))
    if not (asked.isascii() and asked.isdecimal() and len(asked) <= 3 and SHORTEST <= int(asked) <= LONGEST):
        raise BadLimit
    return int(asked)


def name_after(cursor: str | None) -> str:
    """Return the name behind which the page begins; empty for the first page."""
    return "" if cursor is None else _read(cursor, str)


def place_after(cursor: str | None) -> EventPlace | None:
    """Return the place in the trail behind which the page begins."""
    return None if cursor is None else _read(cursor, EventPlace)


def name_of(thing: str) -> str:
    """Return the cursor behind a name."""
    return _write(thing)


def place_of(event: AuditEvent) -> str:
    """Return the cursor behind an event."""
    return _write(EventPlace(event.at.astimezone(UTC), event.account_id, event.seq))


def page(things: Iterable[T], limit: int, cursor_of: Callable[[T], str]) -> Page[T]:
    """Return one page of what is streamed from where the last page ended."""
    found = tuple(islice(things, limit + 1))
    return Page(items=found[:limit], next=cursor_of(found[limit - 1]) if len(found) > limit else None)


def part(things: Sequence[T], call: Call, name: Callable[[T], str]) -> Page[T]:
    """Return one page of a list that is read as a whole."""
    after = name_after(call.query.get("cursor"))
    if not after:
        return page(things, limit_of(call), lambda one: name_of(name(one)))
    found = next((number for number, one in enumerate(things) if name(one) == after), None)
    if found is None:
        raise BadCursor("what the cursor stood at is gone")
    return page(things[found + 1 :], limit_of(call), lambda one: name_of(name(one)))


def _write(place: Any) -> str:
    return to_base64(msgspec.json.encode(place))


def _read(cursor: str, kind: type[T]) -> T:
    if not 0 < len(cursor) <= LONGEST_CURSOR:
        raise BadCursor
    try:
        return msgspec.json.decode(from_base64(cursor), type=kind)
    except (msgspec.DecodeError, WrongUse, UnicodeError, RecursionError) as error:
        raise BadCursor from error
