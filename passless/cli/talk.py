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

if TYPE_CHECKING:
    from rich.console import Console

_T = TypeVar("_T")

UP_AND_ERASE = "\x1b[{lines}A\x1b[J"  # ECMA-48 §8.3.22 and §8.3.39: cursor up, erase to the end of the page


class Talk:
    """Speaks on stderr, in colour where there is a terminal that shows it; not at all where nobody listens."""

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet

    @cached_property
    def _console(self) -> Console:
        from passless.output.drawing import console

        made = console(stderr=True)
        made.quiet = self._is_quiet
        return made

    def heading(self, number: int, total: int, title: str, why: str) -> None:
        """Begin a step: which, of how many, what, and one sentence why."""
        self._console.print()
        self._console.print(f"Step {number} of {max(number, total)}  ", style="bold cyan", end="")
        self._console.print(title, style="bold")
        self.say(f"{why[:1].upper()}{why[1:].removesuffix('.')}.")

    def say(self, text: str = "") -> None:
        """Say something."""
        self._console.print(text)

    def aside(self, text: str) -> None:
        """Say something less important."""
        self._console.print(text, style="dim")

    def done(self, text: str) -> None:
        """Say that something worked."""
        self._console.print("✓ ", style="green", end="")
        self._console.print(text)

    def trouble(self, error: PasslessError) -> None:
        """Say what went wrong and what helps."""
        self._console.print("✗ ", style="red", end="")
        self._console.print(f"{printable(error.message, at_most=400)}.")
        self.aside(f"  {printable(error.hint, at_most=400)}")

    def show_big(self, text: str) -> int:
        """Show something to copy by hand; return how many lines it took."""
        self._console.print()
        self._console.print(f"    {text}", style="bold reverse" if self.can_erase else "bold")
        self._console.print()
        return 3

    @property
    def can_erase(self) -> bool:
        """Whether the terminal can take back what was shown."""
        return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def erase(self, lines: int) -> None:
        """Take the last lines back, where the terminal can."""
        if self.can_erase:
            sys.stderr.write(UP_AND_ERASE.format(lines=lines))
            sys.stderr.flush()

    def line(self, question: str, default: str = "") -> str:
        """Ask for a line; Enter alone is the default."""
        return asking.line(f"{question} [{default}]" if default else question) or default

    def yes(self, question: str, *, default: bool = True) -> bool:
        """Ask a question of yes and no until it is answered."""
        while True:
            typed = asking.line(f"{question} [{'Y/n' if default else 'y/N'}]").casefold()
            if not typed:
                return default
            if typed in ("y", "yes", "n", "no"):
                return typed in ("y", "yes")
            self.aside("Type y or n.")

    def choose(self, question: str, options: Sequence[tuple[str, str]]) -> str:
        """Ask for one of several things, the first one by Enter alone."""
        for number, (_, about) in enumerate(options, start=1):
            self.say(f"  {number}  {printable(about, at_most=200)}")
        while True:
            typed = asking.line(f"{question} [1]") or "1"
            for number, (word, _) in enumerate(options, start=1):
                if typed in (str(number), word):
                    return word
            self.aside(f"Type a number from 1 to {len(options)}.")

    def secret(self, question: str) -> Secret | None:
        """Ask for a secret that does not show; None for Enter alone."""
        typed = asking.hidden(question)
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
