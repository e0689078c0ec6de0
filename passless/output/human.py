"""Results for people: one small view per type, drawn only when there is somebody to look at it.

A module of views registers them with `view.register` (one result) and `list_of` (a list), and stands in `DRAWERS`.
A type without a view is drawn as its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import singledispatch
from importlib import import_module
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from passless.output.writing import results

if TYPE_CHECKING:
    from rich.console import RenderableType

    from passless.output.drawing import Look

    ListView = Callable[[Sequence[Any], Look], RenderableType]

DRAWERS = (
    "account_views",
    "plan_views",
    "list_views",
    "made_views",
    "machine_views",
    "key_views",
    "relying_party_views",
    "hardware_key_views",
)

_lists: dict[type[Any], ListView] = {}


class Listing(Struct, frozen=True):
    """A list of things of one type, also when it is empty."""

    of: type[Any]
    items: tuple[Any, ...]


@singledispatch
def view(result: Any, look: Look) -> RenderableType:
    """Return the picture of a result; its fields, where its type has no view."""
    from passless.output.drawing import fields

    return fields(result, look)


def list_of(kind: type[Any]) -> Callable[[ListView], ListView]:
    """Register the picture of a list of things of one type."""

    def register(drawer: ListView) -> ListView:
        _lists[kind] = drawer
        return drawer

    return register


def print_result(result: Any, *, now: datetime) -> None:
    """Print a result to stdout."""
    _print(result, now, stderr=False)


def print_to_terminal(result: Any, *, now: datetime) -> None:
    """Draw something that is no result, beside the prompts."""
    _print(result, now, stderr=True)


def picture(result: Any, look: Look) -> RenderableType:
    """Return the picture of a result or a list."""
    if not isinstance(result, Listing):
        _find(type(result), view.registry)
        return view(result, look)
    _find(result.of, _lists)
    from passless.output.drawing import rows

    return _lists.get(result.of, rows)(result.items, look)


def _find(kind: type[Any], known: Mapping[Any, Any]) -> None:
    """Import modules of views until one draws this type; most results need the first alone, and starting is to be quick."""
    for name in DRAWERS:
        if kind in known:
            return
        import_module(f"passless.output.{name}")


def _print(result: Any, now: datetime, *, stderr: bool) -> None:
    from passless.output.drawing import Look, console

    out = console(stderr=stderr)
    drawn = picture(
        result, Look(now=now, is_terminal=out.is_terminal, width=out.width, height=out.height if out.is_terminal else 0)
    )
    with results():
        if out.is_terminal:
            out.print(drawn, crop=False)  # what is copied, such as a link, is never cut off
            return
        with out.capture() as captured:
            out.print(drawn, crop=False)
        out.file.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())
