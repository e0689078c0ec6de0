"""A secret hides itself (security.md, "Must hold" 1)."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import msgspec
import pytest

from passless.domain.secret import Secret

TEXT = "correct horse battery staple"


@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        "{}".format,
        "{!r}".format,
        "{:>40}".format,
        lambda secret: f"{secret}",
        lambda secret: " ".join(map(str, [secret])),
    ],
)
def test_no_way_of_printing_shows_it(shown: object) -> None:
    assert TEXT not in shown(Secret(TEXT))
    assert "hidden" in shown(Secret(TEXT))


def test_nor_does_what_holds_it() -> None:
    assert TEXT not in repr([Secret(TEXT), {"a": Secret(TEXT)}])


@pytest.mark.parametrize("encode", [msgspec.json.encode, msgspec.msgpack.encode, json.dumps, msgspec.to_builtins])
def test_no_encoder_takes_it(encode: object) -> None:
    with pytest.raises((TypeError, msgspec.ValidationError)) as refused:
        encode({"password": Secret(TEXT)})
    assert TEXT not in str(refused.value)


@pytest.mark.parametrize("keep", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_is_neither_pickled_nor_copied(keep: object) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        keep(Secret(TEXT))


def test_it_is_no_key_of_a_dictionary() -> None:
    with pytest.raises(TypeError, match="not hashable"):
        hash(Secret(TEXT))


def test_a_traceback_with_the_values_of_every_frame_does_not_show_it() -> None:
    def fails(password: Secret) -> None:
        raise ValueError(f"refused {password}")

    try:
        fails(Secret(TEXT))
    except ValueError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "Secret(hidden)" in shown
    assert "password = Secret(hidden)" in shown


def test_nor_does_a_log(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("passless").warning("the password %s was refused", Secret(TEXT))
    assert caplog.messages == ["the password Secret(hidden) was refused"]


def test_two_are_equal_when_their_text_is() -> None:
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret("other")
    assert Secret("blåbær") == Secret("blåbær")


def test_it_never_equals_a_text() -> None:
    assert Secret(TEXT) != TEXT


def test_it_is_revealed_on_purpose_only() -> None:
    secret = Secret("blåbær")
    assert (secret.reveal(), secret.encode(), len(secret), bool(secret)) == ("blåbær", "blåbær".encode(), 6, True)
    assert not Secret("")


def test_it_has_no_attributes_to_print() -> None:
    assert not hasattr(Secret(TEXT), "__dict__")
