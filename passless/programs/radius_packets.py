"""RADIUS packets (RFC 2865, 2869), as far as a host asks with them: strict to read, and answers that nobody else could make.

A request carries no proof of who made it unless it has a Message-Authenticator, and older modules send none. What a password
decrypts to is the other proof, and is looked at by whoever knows what must stand there (`host_conversation`). Answers always
begin with a Message-Authenticator: without one MD5 alone would stand between a forger and a yes (CVE-2024-3596).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from enum import IntEnum

from msgspec import Struct

HEADER = 20  # bytes: code, identifier, length, authenticator (RFC 2865 §3)
AUTHENTICATOR_AT = 4  # where the authenticator begins
SMALLEST_ATTRIBUTE = 2  # bytes; an empty one should not be (RFC 2865 §5), but `login` names nobody's host like that
LONGEST_VALUE = 253  # bytes of an attribute (RFC 2865 §5)
LARGEST = 4096  # bytes of a packet (RFC 2865 §3)
BLOCK = 16  # bytes that are hidden at a time (RFC 2865 §5.2)
LONGEST_PASSWORD = 128  # bytes (RFC 2865 §5.2)
ACCESS_REQUEST = 1
ECHO, NO_ECHO = b"\0\0\0\1", b"\0\0\0\0"  # values of Prompt (RFC 2869 §5.10)


class Code(IntEnum):
    """What an answer says."""

    ACCEPT = 2
    REJECT = 3
    CHALLENGE = 11


class Attribute(IntEnum):
    """What is read or written; anything else in a request is passed over, but for what stands in `REFUSED`."""

    USER_NAME = 1
    USER_PASSWORD = 2
    REPLY_MESSAGE = 18
    STATE = 24
    CALLING_STATION_ID = 31
    NAS_IDENTIFIER = 32
    PROMPT = 76
    MESSAGE_AUTHENTICATOR = 80


REFUSED = frozenset({3, 33, 79})  # CHAP, proxies and EAP: no host asks in these ways, and half of one is no password
READ = frozenset(one.value for one in Attribute)


class BadPacket(Exception):
    """Nothing that is answered; the words are for the log."""


class Asked(Struct, frozen=True, kw_only=True):
    """An Access-Request as it was read. `is_signed`: a Message-Authenticator was right, so whoever made it has the secret."""

    identifier: int
    authenticator: bytes
    user: bytes
    password: bytes
    state: bytes | None = None
    caller: bytes = b""
    service: bytes = b""
    is_signed: bool = False


def read(packet: bytes, secret: bytes) -> Asked:
    """Return what a packet asks; `BadPacket` for everything but an Access-Request with a password, hidden as it must be."""
    if not HEADER <= len(packet) <= LARGEST or int.from_bytes(packet[2:4]) != len(packet):
        raise BadPacket("length")
    if packet[0] != ACCESS_REQUEST:
        raise BadPacket("code")
    found: dict[int, bytes] = {}
    signed_at: int | None = None
    for at, kind, value in _attributes(packet):
        if kind in REFUSED:
            raise BadPacket("attribute")
        if kind not in READ:
            continue
        if kind in found:
            raise BadPacket("twice")
        found[kind] = value
        if kind == Attribute.MESSAGE_AUTHENTICATOR:
            signed_at = at
    if signed_at is not None:
        _check_signature(packet, signed_at, secret)
    if Attribute.USER_NAME not in found:
        raise BadPacket("no user")
    authenticator = packet[AUTHENTICATOR_AT:HEADER]
    return Asked(
        identifier=packet[1],
        authenticator=authenticator,
        user=found[Attribute.USER_NAME],
        password=_password(found.get(Attribute.USER_PASSWORD), authenticator, secret, is_signed=signed_at is not None),
        state=found.get(Attribute.STATE),
        caller=found.get(Attribute.CALLING_STATION_ID, b""),
        service=found.get(Attribute.NAS_IDENTIFIER, b""),
        is_signed=signed_at is not None,
    )


def _attributes(packet: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Return where the value of each attribute begins, its kind, and the value."""
    at = HEADER
    while at < len(packet):
        size = packet[at + 1] if at + 1 < len(packet) else 0
        if size < SMALLEST_ATTRIBUTE or at + size > len(packet):
            raise BadPacket("attributes")
        yield at + 2, packet[at], packet[at + 2 : at + size]
        at += size


def _check_signature(packet: bytes, at: int, secret: bytes) -> None:
    """Hold a Message-Authenticator against the packet with zeros in its place (RFC 2869 §5.14)."""
    given = packet[at : at + BLOCK]
    blank = packet[:at] + bytes(BLOCK) + packet[at + BLOCK :]
    if packet[at - 1] != BLOCK + 2 or not hmac.compare_digest(given, hmac.digest(secret, blank, "md5")):
        raise BadPacket("signature")


def _password(sent: bytes | None, authenticator: bytes, secret: bytes, *, is_signed: bool) -> bytes:
    """Return the password; some programs leave an empty one out, which proves nothing by itself."""
    if sent is None and is_signed:
        return b""
    if not sent:
        raise BadPacket("no password")
    return revealed(sent, authenticator, secret)


def revealed(hidden: bytes, authenticator: bytes, secret: bytes) -> bytes:
    """Return the password behind what is sent (RFC 2865 §5.2), without the zeros that fill it up."""
    if len(hidden) % BLOCK or len(hidden) > LONGEST_PASSWORD:
        raise BadPacket("password")
    shown, before = b"", authenticator
    for at in range(0, len(hidden), BLOCK):
        block = hidden[at : at + BLOCK]
        shown += _xor(block, _md5(secret + before))
        before = block
    return shown.rstrip(b"\0")


def hidden(password: bytes, authenticator: bytes, secret: bytes) -> bytes:
    """Return a password as it is sent, for who asks (RFC 2865 §5.2)."""
    filled = password + bytes(-len(password) % BLOCK or (0 if password else BLOCK))
    sent, before = b"", authenticator
    for at in range(0, len(filled), BLOCK):
        before = _xor(filled[at : at + BLOCK], _md5(secret + before))
        sent += before
    return sent


def answer(code: Code, asked: Asked, secret: bytes, attributes: Iterable[tuple[Attribute, bytes]] = ()) -> bytes:
    """Return the packet that answers a request."""
    kept = b"".join(attribute(kind, value) for kind, value in attributes)
    signature = attribute(Attribute.MESSAGE_AUTHENTICATOR, bytes(BLOCK))
    front = bytes((code, asked.identifier)) + (HEADER + len(signature) + len(kept)).to_bytes(2)
    proof = hmac.digest(secret, front + asked.authenticator + signature + kept, "md5")
    body = attribute(Attribute.MESSAGE_AUTHENTICATOR, proof) + kept
    return front + _md5(front + asked.authenticator + body + secret) + body


def question(asked: Asked, secret: bytes, more: Iterable[tuple[Attribute, bytes]] = ()) -> bytes:
    """Return the packet that asks, with a Message-Authenticator: what a host sends, to see whether a server answers."""
    signature = attribute(Attribute.MESSAGE_AUTHENTICATOR, bytes(BLOCK))
    body = attribute(Attribute.USER_NAME, asked.user)
    body += attribute(Attribute.USER_PASSWORD, hidden(asked.password, asked.authenticator, secret))
    body += b"".join(attribute(kind, value) for kind, value in more)
    front = bytes((ACCESS_REQUEST, asked.identifier)) + (HEADER + len(signature) + len(body)).to_bytes(2) + asked.authenticator
    proof = hmac.digest(secret, front + signature + body, "md5")
    return front + attribute(Attribute.MESSAGE_AUTHENTICATOR, proof) + body


def is_answer(packet: bytes, asked: Asked, secret: bytes) -> bool:
    """Tell whether a packet answers a request, and was made with the secret."""
    if len(packet) < HEADER or packet[1] != asked.identifier:
        return False
    expected = _md5(packet[:AUTHENTICATOR_AT] + asked.authenticator + packet[HEADER:] + secret)
    return hmac.compare_digest(packet[AUTHENTICATOR_AT:HEADER], expected)


def value_of(packet: bytes, kind: Attribute) -> bytes:
    """Return an attribute of a packet that is whole; empty where it has none."""
    return next((value for _, found, value in _attributes(packet) if found == kind), b"")


def attribute(kind: Attribute, value: bytes) -> bytes:
    """Return an attribute as it is sent."""
    if not 0 < len(value) <= LONGEST_VALUE:
        raise ValueError(f"{kind.name} has {len(value)} bytes")
    return bytes((kind, len(value) + 2)) + value


def _md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()  # what the protocol asks; the secret has 256 bits


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))
