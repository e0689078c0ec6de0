"""Reading what a passless server answers: documents, pages, and problems as the errors they were."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus

from msgspec import Struct

from passless import wire
from passless.directories.server.connection import Received
from passless.directories.server.errors import Challenge, NotPassless, ServerTroubled
from passless.domain.errors import PasslessError
from passless.domain.names import printable
from passless.domain.refused import Refused
from passless.domain.safety.context import Severity
from passless.domain.views import PlanView

API_VERSION = 1
DOCUMENT = "application/json"
PROBLEM = "application/problem+json"  # RFC 9457 §3
SIGN_IN_NEEDED = "sign-in-needed"
SIGN_IN = "passless sign-in"
SIGN_IN_AGAIN = f"sign in again: {SIGN_IN}"
CLOCK_MATTERS = timedelta(seconds=30)  # one step of RFC 6238 §5.2


class Planned(Struct, frozen=True, kw_only=True):
    """A plan."""

    plan: PlanView


class Repeated(Struct, frozen=True, kw_only=True):
    """Whether an answer was given before, and now leaves its secret out."""

    repeated: bool = False


def expect_document(received: Received, origin: str, *, had_token: bool) -> bytes:
    """Return the document of an answer, or raise what it says went wrong."""
    if received.status == HTTPStatus.NO_CONTENT:
        return b""
    if HTTPStatus.OK <= received.status < HTTPStatus.MULTIPLE_CHOICES:
        if received.media_type != DOCUMENT:
            raise _nothing_of_ours(received, origin)
        return received.content
    raise _failure(received, origin, had_token=had_token)


def _failure(received: Received, origin: str, *, had_token: bool) -> PasslessError:
    """Return the error of an answer that is none of success."""
    if received.media_type != PROBLEM:
        return _nothing_of_ours(received, origin)
    try:
        document = wire.decode(received.content, wire.ProblemDocument)
    except wire.NotUnderstood:
        return _nothing_of_ours(received, origin)
    found = _of_its_class(document)
    if had_token and found.code == SIGN_IN_NEEDED and "--account" not in found.hint:
        found.hint = SIGN_IN_AGAIN
    found.__cause__ = challenge_in(received.headers.get("www-authenticate", ""))
    return found


def _of_its_class(document: wire.ProblemDocument) -> PasslessError:
    """Return the error that was sent, of the class that it had there where that class is known here to anybody."""
    if document.kind == "refused":
        if any(one.severity == Severity.REFUSAL for one in document.problems):
            return wire.error_of(document)
        return PasslessError(document.detail, hint=document.hint, code=document.code)  # no problem says why
    kind = wire.KINDS.get(document.kind, PasslessError)
    found = next((one for one in _below(kind) if one.code == document.code and one.__init__ is PasslessError.__init__), kind)
    return found(document.detail, hint=document.hint, code=document.code)


def _below(kind: type[PasslessError]) -> Iterator[type[PasslessError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def challenge_in(header: str) -> Challenge | None:
    """Read what kind of fresh proof is asked for (RFC 9470 §3)."""
    if "insufficient_user_authentication" not in header:
        return None
    strength = re.search(r'acr_values="?([12])"?', header)
    max_age = re.search(r'max_age="?([0-9]{1,9})"?', header)
    return Challenge(int(strength[1]) if strength else 1, timedelta(seconds=int(max_age[1]) if max_age else 0))


def clock_hint(difference: timedelta | None) -> str | None:
    """Say that the clocks differ too much for codes; None where they do not."""
    if difference is None or abs(difference) <= CLOCK_MATTERS:
        return None
    seconds = int(abs(difference).total_seconds())
    word = "behind" if difference > timedelta(0) else "ahead of"
    return f"the clock here is {seconds} seconds {word} the server's; codes of authenticator apps need the right time"


def about_clock(error: PasslessError, difference: timedelta | None) -> PasslessError:
    """Add to a wrong code that the clock may be the reason."""
    if error.code == "wrong-code" and not isinstance(error, Refused) and (said := clock_hint(difference)) is not None:
        error.hint = f"{error.hint}; {said}"
    return error


def _nothing_of_ours(received: Received, origin: str) -> PasslessError:
    """Return what an answer means that no passless server gave."""
    status = received.status
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerTroubled(f'the server at "{origin}", or a proxy before it, has a fault ({status})')
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        where = printable(received.headers.get("location", "somewhere else"), at_most=200)
        return NotPassless(f'"{origin}" sends on to "{where}", and passless follows nobody')
    return NotPassless(f'what answers at "{origin}" is no passless server ({status})')
