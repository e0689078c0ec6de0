"""How the walk-through speaks: short sentences, a step counter, and every question asked until it is answered."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from passless.cli import asking
from passless.cli.asking import NothingTyped
from passless.domain.errors import PasslessError, WrongUse
from passless.domain.names import printable
from passless.domain.secret import Secret
from passless.output.addressed import addressed

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console, RenderableType

_T = TypeVar("_T")

UP_AND_ERASE = "\x1b[{lines}A\x1b[J"  # ECMA-48 §8.3.22 and §8.3.39: cursor up, erase to the end of the page


class Talk:
    """Speaks on stderr, in colour where there is a terminal that shows it; not at all where nobody listens."""

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet
        self.lines = 0  # how many are on the screen, prompts and what was typed at them too

    def _print(self, *objects: RenderableType, style: str | None = None, end: str = "\n") -> None:
        shown = (addressed(one) if isinstance(one, str) else one for one in objects)
        with self._console.capture() as captured:
            self._console.print(*shown, style=style, end=end)
        printed = captured.get()
        self.lines += printed.count("\n")
        self._console.file.write(printed)
        self._console.file.flush()

    @cached_property
    def _console(self) -> Console:
        from passless.output.drawing import console

        made = console(stderr=True)
        made.quiet = self._is_quiet
        return made

    def heading(self, number: int, total: int | None, title: str, why: str) -> None:
        """Begin a step: which, of how many where that is known, what, and one sentence why."""
        self._print()
        of = "" if total is None else f" of {max(number, total)}"
        self._print(f"Step {number}{of}  ", style="bold cyan", end="")
        self._print(title, style="bold")
        self.say(f"{why[:1].upper()}{why[1:].removesuffix('.')}.")

    def say(self, text: str = "") -> None:
        """Say something."""
        self._print(text)

    def aside(self, text: str) -> None:
        """Say something less important; what is indented goes on so in its next line."""
        self._indented(text, len(text) - len(text.lstrip(" ")), style="dim")

    def _indented(self, text: str, indent: int, *, style: str = "") -> None:
        from rich.padding import Padding
        from rich.text import Text

        self._print(Padding(Text(addressed(text[indent:]), style=style), (0, 0, 0, indent), expand=False))

    def done(self, text: str) -> None:
        """Say that something worked."""
        self._print("✓ ", style="green", end="")
        self._print(text)

    def trouble(self, error: PasslessError) -> None:
        """Say what went wrong and what helps."""
        self._print("✗ ", style="red", end="")
        self._print(f"{printable(error.message, at_most=400)}.")
        self.aside(f"  {printable(error.hint, at_most=400)}")

    def draw(self, result: object, *, now: datetime) -> None:
        """Draw something, such as a QR code."""
        from passless.output.drawing import Look
        from passless.output.human import picture

        console = self._console
        height = console.height if console.is_terminal else 0
        self._print(picture(result, Look(now=now, is_terminal=console.is_terminal, width=console.width, height=height)))

    def show_big(self, text: str) -> int:
        """Show something to copy by hand; return how many lines it took."""
        self._print()
        self._print(f"    {text}", style="bold reverse" if self.can_erase else "bold")
        self._print()
        return 3

    @property
    def can_erase(self) -> bool:
        """Whether the terminal can take back what was shown."""
        return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def erase(self, lines: int) -> None:
        """Take the last lines back, where the terminal can."""
        if self.can_erase and lines:
            sys.stderr.write(UP_AND_ERASE.format(lines=lines))
            sys.stderr.flush()

    def line(self, question: str, default: str = "") -> str:
        """Ask for a line; Enter alone is the default."""
        return self._typed(f"{question} [{default}]" if default else question) or default

    def yes(self, question: str, *, default: bool = True) -> bool:
        """Ask a question of yes and no until it is answered."""
        while True:
            typed = self._typed(f"{question} [{'Y/n' if default else 'y/N'}]").casefold()
            if not typed:
                return default
            if typed in ("y", "yes", "n", "no"):
                return typed in ("y", "yes")
            self.aside("Type y or n.")

    def choose(self, question: str, options: Sequence[tuple[str, str]]) -> str:
        """Ask for one of several things, the first one by Enter alone."""
        self._list([printable(about, at_most=200) for _, about in options])
        while True:
            typed = self._typed(f"{question} [1]") or "1"
            for number, (word, _) in enumerate(options, start=1):
                if typed in (str(number), word):
                    return word
            self.aside(f"Type a number from 1 to {len(options)}.")

    def _list(self, sentences: Sequence[str]) -> None:
        from rich.table import Table

        grid = Table.grid(padding=(0, 2, 0, 0))
        for number, sentence in enumerate(sentences, start=1):
            grid.add_row(f"  {number}", sentence)
        self._print(grid)

    def _typed(self, question: str) -> str:
        typed = asking.line(question)
        self.lines += 1 + (len(question) + len(": ") + len(typed)) // self._console.width
        return typed

    def secret(self, question: str) -> Secret | None:
        """Ask for a secret that does not show; None for Enter alone."""
        typed = asking.hidden(question)
        self.lines += 1
        return Secret(typed) if typed else None

    def until_right(self, ask: Callable[[], _T]) -> _T:
        """Ask, and ask again for as long as the answer cannot be used; the end of the input ends it."""
        while True:
            try:
                return ask()
            except NothingTyped:
                raise
            except WrongUse as error:
                self.trouble(error)
