"""A server, a key or a file says what it likes: no text of theirs reaches a terminal as anything but text, in any look."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from passless.cli import asking, failures
from passless.domain.errors import PasslessError
from passless.domain.names import printable_lines
from passless.domain.secret import Secret
from passless.domain.views import AccountView, ProblemView
from passless.output import human
from passless.output import json as as_json
from passless.output.writing import escaped

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OBEYED = "\x1b\x07\x7f\x85\x9b\x9d\u061c\u200b\u2028\u202e\ufeff\U000e0041"  # ECMA-48 controls, and what turns or hides text
NASTY = f"[red]x[/]\x1b[31m\x9b2Jy{OBEYED}z"

for module in human.DRAWERS:
    import_module(f"passless.output.{module}")
RESULTS = [kind for kind in human.view.registry if kind is not object]
LISTED = list(human._lists)


def nasty(kind: Any) -> Any:
    """Return a value of a type whose every text is nasty."""
    return _nasty(kind if isinstance(kind, inspect.Type) else inspect.type_info(kind))


def _nasty(kind: inspect.Type) -> Any:
    match kind:
        case inspect.StructType():
            return kind.cls(**{field.name: _nasty(field.type) for field in kind.fields})
        case inspect.StrType():
            return NASTY
        case inspect.VarTupleType() | inspect.ListType():
            return (_nasty(kind.item_type),)
        case inspect.TupleType():
            return tuple(map(_nasty, kind.item_types))
        case inspect.DictType():
            return {_nasty(kind.key_type): _nasty(kind.value_type)}
        case inspect.UnionType():
            return _nasty(next(one for one in kind.types if not isinstance(one, inspect.NoneType)))
        case inspect.EnumType():
            return next(iter(kind.cls))
        case inspect.CustomType():
            return Secret(NASTY) if kind.cls is Secret else _other(kind.cls)
        case _:
            return PLAIN[type(kind)]


def _other(kind: type) -> Any:
    return NASTY if kind is object else None


PLAIN = {
    inspect.IntType: 1,
    inspect.FloatType: 1.0,
    inspect.BoolType: True,
    inspect.BytesType: b'{"a": "b"}',
    inspect.DateTimeType: NOW,
    inspect.TimeDeltaType: timedelta(hours=1),
    inspect.RawType: msgspec.Raw(b"{}"),
    inspect.AnyType: NASTY,
    inspect.NoneType: None,
}


def obeyed(text: str) -> set[str]:
    return set(OBEYED) & set(text)


def all_results() -> list[Any]:
    return list(_results())


def _results() -> Iterator[Any]:
    for kind in RESULTS:
        try:
            yield pytest.param(nasty(kind), id=kind.__name__)
        except TypeError:  # a union of results, each of which is looked at by itself
            continue
    for kind in LISTED:
        yield pytest.param(human.Listing(kind, (nasty(kind),)), id=f"list of {kind.__name__}")


@pytest.mark.parametrize("result", all_results())
def test_no_picture_holds_what_a_terminal_obeys(result: Any, capsys: pytest.CaptureFixture[str]) -> None:
    human.print_result(result, now=NOW)
    human.print_to_terminal(result, now=NOW)
    shown = capsys.readouterr()
    assert shown.out
    assert obeyed(shown.out + shown.err) == set()


def test_nearly_every_result_is_looked_at() -> None:
    assert len(all_results()) >= len(RESULTS) + len(LISTED) - 4


@pytest.mark.parametrize("kind", [AccountView, *LISTED], ids=lambda kind: str(kind.__name__))
def test_no_document_holds_what_a_terminal_obeys(kind: type[Any], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """And to a program it is the same document."""
    result = nasty(kind)
    as_json.print_one(result)
    as_json.print_each([result])
    written = capsysbinary.readouterr().out.decode()
    assert obeyed(written) == set()
    one, _, each = written.partition("\n")
    plain = json.loads(msgspec.json.encode(result))
    assert json.loads(one) == plain
    assert json.loads(each) == [plain]


@given(st.dictionaries(st.text(), st.text()))
def test_an_escaped_document_says_the_same(document: dict[str, str]) -> None:
    written = msgspec.json.encode(document)
    assert json.loads(escaped(written)) == json.loads(written) == msgspec.json.decode(escaped(written))
    assert escaped(escaped(written)) == escaped(written)


def test_a_document_from_a_key_or_server_stays_one() -> None:
    """Space between its parts is not escaped, for there an escape means nothing."""
    written = b'{"a":\n\t[1, "\xc2\x9b\xc2\xa0 \xf0\x9f\x94\x91"]}'
    assert escaped(written) == b'{"a":\n\t[1, "\\u009b\\u00a0 \xf0\x9f\x94\x91"]}'


@pytest.mark.parametrize("is_json", [False, True])
def test_no_failure_holds_what_a_terminal_obeys(is_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    error = failures.PlanRefused([nasty(ProblemView)])
    failures.tell(error, as_json=is_json)
    failures.tell(PasslessError(NASTY, hint=NASTY, code=NASTY), as_json=is_json)
    said = capsys.readouterr().err
    assert obeyed(said) == set()
    assert said.count("\n") == (2 if is_json else 4)


def test_nothing_that_is_said_or_asked_holds_what_a_terminal_obeys(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking.say(f"{NASTY}\nsecond line")
    monkeypatch.setattr(sys, "stdin", StringIO())
    with pytest.raises(asking.NothingTyped):
        asking.line(NASTY)
    said = capsys.readouterr().err
    assert obeyed(said) == set()
    assert said.split("\n")[1] == "second line"
    assert printable_lines("é\nü 🔑") == "é\nü 🔑"
