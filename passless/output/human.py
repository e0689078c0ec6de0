"""Results for people: one small view per type, drawn only when there is somebody to look at it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct


class Listing(Struct, frozen=True):
    """A list of things of one type, also when it is empty."""

    of: type[Any]
    items: tuple[Any, ...]


def print_result(result: Any, *, now: datetime) -> None:
    """Print a result to stdout."""
    from passless.output.drawing import console

    out = console(stderr=False)
    _print(out, result, now)


def print_to_terminal(result: Any, *, now: datetime) -> None:
    """Draw something that is no result, beside the prompts."""
    from passless.output.drawing import console

    _print(console(stderr=True), result, now)


def _print(out: Any, result: Any, now: datetime) -> None:
    out.print(result)
