"""Dovecot's dict protocol: lines, escapes, and keys in which no name reaches into the place of a hash."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passless.server.sockets import dict_protocol
from passless.server.sockets.dict_protocol import BadLine, LogIn, WhoIs, escaped, found, key_of, not_now, question, unescaped

HASH = sha256(b"abcd efgh ijkl mnop qrst uvwx").hexdigest().encode()
OTHER = sha256(b"stolen").hexdigest().encode()


def passdb(user: bytes, *, service: bytes = b"imap", digest: bytes = HASH, place: bytes = b"192.0.2.1") -> bytes:
    return b"/".join((b"passdb", service, digest, place, user))


def test_a_sign_in_is_read() -> None:
    asked = question(passdb(b"ada"))
    assert asked == LogIn("imap", bytes.fromhex(HASH.decode()), "192.0.2.1", "ada")
    assert question(b"sign-in" + passdb(b"ada").removeprefix(b"passdb")) == LogIn(
        "imap", asked.digest, "192.0.2.1", "ada", True
    )
    assert question(b"userdb/ada@example.org") == WhoIs("ada@example.org")
    assert question(b"mailbox/a/b") == WhoIs("a/b", True)


def test_a_line_is_read_with_its_escapes_and_without_what_dovecot_puts_around_it() -> None:
    assert key_of(b"Lshared/passdb/imap\tada") == b"passdb/imap"
    assert key_of(b"Lshared/userdb/a\x01tb\x01nc\x011d\x01re\x010\tada") == b"userdb/a\tb\nc\x01d\re\0"
    assert found(b'{"user":"a\tb"}') == b'O{"user":"a\x01tb"}\n'
    assert not_now("later\n") == b"Flater\x01n\n"


@pytest.mark.parametrize("field", [b"\x01", b"a\x01", b"\x01x", b"\x01\x01", b"\x01\n"])
def test_an_escape_of_nothing_is_refused(field: bytes) -> None:
    with pytest.raises(BadLine):
        unescaped(field)


@given(st.binary())
def test_what_is_escaped_stays_in_its_field_and_comes_back(text: bytes) -> None:
    field = escaped(text)
    assert not set(field) & set(b"\t\n\r\0")
    assert unescaped(field) == text


@given(st.binary(max_size=200))
def test_no_name_changes_the_hash_the_service_or_the_place(name: bytes) -> None:
    asked = question(passdb(name))
    if asked is None:
        return
    assert isinstance(asked, LogIn)
    assert (asked.service, asked.digest.hex(), asked.place) == ("imap", HASH.decode(), "192.0.2.1")
    assert asked.user.encode() == name


@pytest.mark.parametrize(
    "name",
    [
        b"ada/" + OTHER,
        b"../imap/" + OTHER + b"/192.0.2.1/ada",
        OTHER + b"/192.0.2.1/ada",
        b"ada\tada",
        b"ada\nL" + passdb(b"eve", digest=OTHER),
    ],
)
def test_a_stolen_hash_as_a_name_is_nothing_but_a_name(name: bytes) -> None:
    (line,) = (b"L" + escaped(b"shared/" + passdb(name)) + b"\t" + escaped(name) + b"\n").split(b"\n")[:-1]
    asked = question(key_of(line))
    assert isinstance(asked, LogIn)
    assert (asked.digest.hex(), asked.user.encode()) == (HASH.decode(), name)


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"passdb",
        b"passdb/",
        passdb(b""),
        passdb(b"x" * (dict_protocol.LONGEST_NAME + 1)),
        passdb(b"\xff\xfe"),
        passdb(b"ada", digest=b""),
        passdb(b"ada", digest=HASH.upper()),
        passdb(b"ada", digest=HASH + b"00"),
        passdb(b"ada", digest=HASH[:-1]),
        passdb(b"ada", service=b""),
        passdb(b"ada", service=b"IMAP"),
        passdb(b"ada", service=b"x" * 40),
        b"priv/" + passdb(b"ada"),
        b"userdb/",
        b"userdb/\xff",
    ],
)
def test_what_asks_for_nothing_that_could_be_there_asks_for_nothing(key: bytes) -> None:
    assert question(key) is None


@pytest.mark.parametrize(("said", "place"), [(b"", ""), (b"::1", "::1"), (b"somewhere", ""), (b"\xff", "")])
def test_a_place_is_an_address_or_unknown(said: bytes, place: bytes) -> None:
    asked = question(passdb(b"ada", place=said))
    assert isinstance(asked, LogIn)
    assert asked.place == place
