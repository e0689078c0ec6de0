"""Who asks over HTTP: the token they bring, the reason of an operator, and where they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from passless.domain.secret import Secret
from passless.ports.directory import Actor, Operator
from passless.server.addresses import address_of

if TYPE_CHECKING:
    from litestar import Request

    from passless.server.site import Site

LONGEST_TOKEN = 512  # characters; ours are far shorter
LONGEST_REASON = 4500  # characters as they are sent: 500 of four bytes each, percent-encoded


def actor_of(request: Request[Any, Any, Any], site: Site) -> Actor:
    """Return who asks; nothing is read from cookies."""
    return actor_from(request.headers, address_of(request, site))


def actor_from(headers: Mapping[str, str], place: str) -> Actor:
    """Return who asks, by the headers under their names in small letters."""
    return Actor(
        token=_bearer(headers.get("authorization", "")),
        operator=_operator(headers.get("passless-reason"), headers.get("passless-ticket", "")),
        place=place,
    )


def _bearer(header: str) -> Secret | None:
    kind, _, token = header.partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
        return None
    return Secret(token)


def _operator(reason: str | None, ticket: str) -> Operator | None:
    if reason is None:
        return None
    return Operator(reason=unquote(reason[:LONGEST_REASON]), ticket=unquote(ticket[:LONGEST_REASON]))
