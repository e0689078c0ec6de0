"""Where pictures and tables are drawn: colours and boxes on a terminal, plain text everywhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from textwrap import wrap
from typing import Any

import msgspec
from msgspec import Struct
from rich import box
from rich.console import Console, ConsoleOptions, ConsoleRenderable, Group, RenderableType, RenderHook, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from passless.domain.names import printable, printable_lines
from passless.output.addressed import addressed

PLAIN_WIDTH = 200  # columns of a pipe, which has none; wide enough that little is broken
NARROWEST = 20  # columns that steps are folded to
WIDEST = 110  # columns; longer lines are hard to read
LONGEST_VALUE = 2000  # characters of one value
JUST_NOW = timedelta(seconds=45)
UNITS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)
# Columns that stay on one line.
UNBROKEN = frozenset({"kind", "strength", "last used", "added", "made", "expires", "event", "when (UTC)", "id"})
MONTHS_FROM = timedelta(days=120)  # nearer than this, days say it better


class Look(Struct, frozen=True, kw_only=True):
    """What views need to know of the place they are drawn at."""

    now: datetime
    is_terminal: bool
    width: int
    height: int = 0  # lines of the terminal; 0 where nobody knows


def console(*, stderr: bool) -> Console:
    """Return the console of stdout or stderr; no markup, so that no name can draw."""
    stream = sys.stderr if stderr else sys.stdout
    is_plain = not stream.isatty() or os.environ.get("TERM") == "dumb"
    made = Console(
        file=stream,
        markup=False,
        highlight=False,
        emoji=False,
        force_terminal=False if is_plain else None,
        no_color=True if is_plain or os.environ.get("NO_COLOR") else None,
        width=PLAIN_WIDTH if not stream.isatty() and not os.environ.get("COLUMNS") else None,
    )
    made.push_render_hook(_Shown())
    return made


class _Shown(RenderHook):
    """Lets nothing through that a terminal would obey but what is drawn here, by whichever way text came from outside."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Clean(one) for one in renderables]


class _Clean:
    def __init__(self, drawn: ConsoleRenderable) -> None:
        self._drawn = drawn

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._drawn, options):
            yield segment if segment.control else Segment(printable_lines(segment.text), segment.style)


def safe(text: object, style: str = "") -> Text:
    """Return text from outside: no control characters, no markup."""
    return Text(printable(addressed(str(text)), at_most=LONGEST_VALUE), style=style)


def mark(*, good: bool) -> Text:
    """Return a tick or a cross."""
    return Text("✓", style="green") if good else Text("✗", style="red")


def switch(*, on: bool) -> Text:
    """Return whether a setting is on."""
    return Text("on", style="green") if on else Text("off", style="dim")


def when(at: datetime | None, now: datetime, *, never: str = "never") -> Text:
    """Return a time as people say it."""
    return Text(never, style="dim") if at is None else Text(spoken(at, now))


def spoken(at: datetime, now: datetime) -> str:
    """Return a time such as `3 minutes ago` or `in 30 days`."""
    away = abs(at - now)
    if away < JUST_NOW:
        return "just now"
    away += timedelta(seconds=20)  # "in 30 days" is still said a moment later
    for unit, name in UNITS:
        if away >= unit and not (name == "month" and away < MONTHS_FROM):
            count = away // unit
            length = f"{count} {name}{'s' if count != 1 else ''}"
            return f"in {length}" if at > now else f"{length} ago"
    return "in a moment" if at > now else "a moment ago"


def table(look: Look, *columns: str, title: str = "") -> Table:
    """Return an empty table: with lines on a terminal, without in a pipe."""
    made = Table(
        box=box.SIMPLE_HEAD if look.is_terminal else None,
        title=Text(title, style="bold") if title else None,
        title_justify="left",
        header_style="bold dim" if look.is_terminal else "",
        show_edge=False,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for column in columns:
        made.add_column(Text(column), overflow="fold", no_wrap=column in UNBROKEN)
    return made


def listing(look: Look, columns: Sequence[str], lines: Iterable[Sequence[RenderableType]], *, nothing: str) -> RenderableType:
    """Return a table, or a sentence where there is nothing to put in it."""
    made = table(look, *columns)
    for line in lines:
        made.add_row(*line)
    return made if made.row_count else safe(nothing, "dim")


def facts(pairs: Iterable[tuple[str, RenderableType]]) -> Table:
    """Return names and what stands for them, one a line."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(Text(name), value)
    return grid


class Steps:
    """Steps, numbered: their sentences are folded, and what stands on lines below them is copied, so it is never broken."""

    def __init__(self, title: str, texts: Sequence[str], *, numbered: bool = True) -> None:
        self._title = title
        self._texts = texts
        self._numbered = numbered

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw them."""
        yield Text("")
        yield Text(self._title, style="bold")
        for number, text in enumerate(self._texts, start=1):
            sentence, *lines = text.split("\n") if self._numbered else ("", text)
            indent = 2 + (len(f"{len(self._texts)}. ") if self._numbered else 0)
            first = f"  {number}. ".ljust(indent)
            width = max(options.max_width - indent, NARROWEST)
            folded = wrap(safe(sentence).plain, width, break_long_words=False, break_on_hyphens=False)
            for place, line in enumerate(folded):
                yield Text.assemble((first if not place else " " * indent, "dim"), line, no_wrap=True, overflow="ignore")
            for one in lines:
                yield Text.assemble(" " * indent, safe(one, "cyan"), no_wrap=True, overflow="ignore")


def section(title: str, body: RenderableType) -> RenderableType:
    """Return a body under its title."""
    return Group(Text(""), Text(title, style="bold"), Padding(body, (0, 0, 0, 2)))


def stack(*parts: RenderableType | None) -> Group:
    """Return parts one under the other; what is None is left out."""
    return Group(*(part for part in parts if part is not None))


def command(text: str) -> Text:
    """Return a command to type."""
    return safe(text, "cyan")


def fields(result: Any, look: Look) -> RenderableType:
    """Return a result as its fields."""
    return facts((name.replace("_", " "), _value(value, look)) for name, value in _fields(result).items())


def rows(items: Sequence[Any], look: Look) -> RenderableType:
    """Return a list of results as a table of their fields."""
    if not items:
        return Text("there is nothing", style="dim")
    names = list(_fields(items[0]))
    lines = ([_value(value, look) for value in _fields(item).values()] for item in items)
    return listing(look, [name.replace("_", " ") for name in names], lines, nothing="")


def _fields(result: Any) -> dict[str, Any]:
    return msgspec.structs.asdict(result) if isinstance(result, Struct) else {"result": result}


def _value(value: Any, look: Look) -> RenderableType:
    match value:
        case None | "" | ():
            return Text("–", style="dim")
        case bool():
            return mark(good=value)
        case datetime():
            return when(value, look.now)
        case tuple() | list():
            return safe(", ".join(str(one) for one in value))
        case _:
            return safe(value)
