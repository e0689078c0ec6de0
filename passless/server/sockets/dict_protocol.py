"""Dovecot's dict protocol, as far as looking something up goes: lines in, lines out, and nothing of passless.

A line is a letter and fields with tabs between them; what would break a line is escaped by the octet 1. Dovecot asks
`L<key>\\t<user>` and takes `O<value>`, `N` (there is none) or `F<why>` (not now). Answers come in the order of the questions.

The user stands last in a key and may be anything: a key is taken apart from the front, into as many pieces as it has and no
more, so that no name reaches into the place of the hash before it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address

from msgspec import Struct

LONGEST_LINE = 64 * 1024  # bytes; DICT_CLIENT_MAX_LINE_LENGTH of Dovecot
LONGEST_NAME = 1024  # bytes; longer than every name and address
HELLO, LOOK_UP, ITERATE = b"H", b"L", b"I"
NOT_THERE = b"N\n"
SHARED = b"shared/"  # what Dovecot puts before keys that belong to no user

_ESCAPED = {b"\x010": b"\0", b"\x011": b"\x01", b"\x01t": b"\t", b"\x01r": b"\r", b"\x01n": b"\n"}
_ESCAPES = {octet: escape for escape, octet in _ESCAPED.items()}
_LOG_IN = re.compile(rb"([a-z][a-z0-9_-]{0,31})/([0-9a-f]{64})/([^/]*)/(.*)", re.DOTALL)  # service, SHA-256, place, name


class BadLine(ValueError):
    """What is no line of this protocol; the message carries nothing of it."""


class LogIn(Struct, frozen=True):
    """Somebody signs in to a service: the SHA-256 of what they typed, from where, and the name that they typed.

    `plain`: whoever asks wants nothing but the name of the mailbox in the answer, and no JSON.
    """

    service: str
    digest: bytes
    place: str
    user: str
    plain: bool = False


class WhoIs(Struct, frozen=True):
    """Mail has come for somebody: is there such a person, and what are they called?"""

    user: str
    plain: bool = False


Question = LogIn | WhoIs


def escaped(text: bytes) -> bytes:
    """Return text as it stands in a field."""
    return re.sub(rb"[\x00\x01\t\r\n]", lambda found: _ESCAPES[found[0]], text)


def unescaped(field: bytes) -> bytes:
    """Return the text of a field; `BadLine` where the octet 1 stands before something else."""
    if b"\x01" not in field:
        return field
    return re.sub(rb"\x01(.?)", _original, field, flags=re.DOTALL)


def found(value: bytes) -> bytes:
    """Return the answer to a question: a value."""
    return b"O" + escaped(value) + b"\n"


def not_now(why: str) -> bytes:
    """Return the answer that nothing can be said now."""
    return b"F" + escaped(why.encode()) + b"\n"


def key_of(line: bytes) -> bytes:
    """Return the key that a line asks about."""
    return unescaped(line[1:].partition(b"\t")[0]).removeprefix(SHARED)


def question(key: bytes) -> Question | None:
    """Return what a key asks; None where it asks for nothing that could be there."""
    kind, _, rest = key.partition(b"/")
    match kind:
        case b"userdb" | b"mailbox":
            user = _text(rest)
            return None if user is None else WhoIs(user, kind == b"mailbox")
        case b"passdb" | b"sign-in":
            return _log_in(rest, plain=kind == b"sign-in")
        case _:
            return None


def _log_in(rest: bytes, *, plain: bool) -> LogIn | None:
    asked = _LOG_IN.fullmatch(rest)
    if asked is None:
        return None
    service, digest, place, name = asked.groups()
    user = _text(name)
    if user is None:
        return None
    return LogIn(service.decode(), bytes.fromhex(digest.decode()), _address(place), user, plain)


def _text(octets: bytes) -> str | None:
    """Return a name; what is too long or no text is nobody's."""
    if not octets or len(octets) > LONGEST_NAME:
        return None
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None


@lru_cache(maxsize=4096)  # a mail program comes back, and a webmail server is one address for everybody
def _address(octets: bytes) -> str:
    """Return where the mail program is; empty where Dovecot does not say, as for a local one."""
    try:
        return str(ip_address(octets.decode("ascii")))
    except ValueError:
        return ""


def _original(found: re.Match[bytes]) -> bytes:
    octet = _ESCAPED.get(found[0])
    if octet is None:
        raise BadLine("an escape of nothing")
    return octet
