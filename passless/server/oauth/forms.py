"""What clients send: read strictly, before authlib sees it.

Every parameter comes once (RFC 6749 §3.1, §3.2), one without a value counts as left out, and what is repeated in an error's
description holds only the characters that it may (RFC 6749 §5.2; authlib fails on others).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from msgspec import Struct

from passless.domain.errors import WrongUse
from passless.domain.secret import Secret

FORM = "application/x-www-form-urlencoded"
LONGEST_FORM = 16 * 1024  # bytes of a query or a body
MOST_PARAMETERS = 40
REPEATED = ("client_id", "redirect_uri", "response_type", "grant_type", "scope")  # what a description may repeat
_PLAIN = frozenset(map(chr, range(0x20, 0x7F))) - {'"', "\\"}


class Malformed(WrongUse):
    """A request that is no form, or says something twice."""

    code = "invalid_request"
    hint = "go back to the program that sent you here, and begin again"


class Credentials(Struct, frozen=True, kw_only=True):
    """How a client says who it is, and by which way: `none`, `client_secret_basic` or `client_secret_post`."""

    client_id: str
    secret: Secret | None
    method: str


def read(content: bytes) -> dict[str, str]:
    """Read a query or a body.

    Raises:
        Malformed: it is no text, is too long, names something twice, or has characters that cannot be in it.
    """
    if len(content) > LONGEST_FORM:
        raise Malformed("the request is too long")
    try:
        pairs = parse_qsl(content.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError as error:
        raise Malformed("the request cannot be read") from error
    names = [name for name, _ in pairs]
    if len(names) > len(set(names)):
        raise Malformed("the request names something twice")
    values = {name: value for name, value in pairs if value}
    if any(not _PLAIN.issuperset(values.get(name, "")) for name in REPEATED):
        raise Malformed("the request has characters that cannot be in it")
    return values


def read_body(content_type: str | None, body: bytes) -> dict[str, str]:
    """Read what was posted; it must say that it is a form."""
    if (content_type or "").partition(";")[0].strip().lower() != FORM:
        raise Malformed(f"send it as {FORM}")
    return read(body)


def credentials(authorization: str | None, values: Mapping[str, str]) -> Credentials | None:
    """Return how a client says who it is; None where it does not.

    Raises:
        Malformed: it says so in two ways (RFC 6749 §2.3).
    """
    client_id, secret = values.get("client_id"), values.get("client_secret")
    if authorization is not None and authorization.partition(" ")[0].lower() == "basic":
        found = _basic(authorization.partition(" ")[2].strip())
        if secret is not None or (found is not None and client_id not in (None, found.client_id)):
            raise Malformed("the client says who it is in two ways")
        return found
    if client_id is None:
        return None
    if secret is None:
        return Credentials(client_id=client_id, secret=None, method="none")
    return Credentials(client_id=client_id, secret=Secret(secret), method="client_secret_post")


def _basic(encoded: str) -> Credentials | None:
    """Read HTTP Basic, whose two halves are encoded as in a form (RFC 6749 §2.3.1)."""
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeError):
        return None
    if not colon or not secret:
        return None
    return Credentials(client_id=unquote_plus(client_id), secret=Secret(unquote_plus(secret)), method="client_secret_basic")
