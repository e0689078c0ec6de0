"""Asking the person: on the terminal, never in the way of results."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from passless.domain.errors import WrongUse
from passless.domain.names import printable, printable_lines
from passless.domain.secret import Secret
from passless.output.addressed import addressed

TRIES = 3  # how often a question is asked again
JOINED = "\x00"  # stands for a space that is no place to go on in the next line
NARROWEST = 40  # columns; below that the terminal's own way is no worse


class NothingTyped(WrongUse):
    """The person ended the input."""

    code = "nothing-typed"
    hint = "run it again and answer, or give it with a flag; see --help"
    default = "nothing was typed"


class TypedDifferently(WrongUse):
    """Two entries that must be the same were not."""

    code = "typed-differently"
    hint = "run it again and type the same twice"
    default = "the two entries differ"


def is_possible() -> bool:
    """Tell whether there is a person at a terminal: typing here, and reading what is asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def say(text: str) -> None:
    """Tell the person something that is no result; on a terminal no word is torn at its edge."""
    sys.stderr.write("\n".join(folded(line) for line in printable_lines(addressed(text)).split("\n")) + "\n")
    sys.stderr.flush()


def folded(line: str, *, indent: int | None = None) -> str:
    """Return a line as it fits the terminal, what goes on below indented as much as its beginning or as is said.

    What has no space, such as an address, is never broken, nor is a command, which people copy; nor anything off a terminal.
    """
    if not sys.stderr.isatty():
        return line
    from shutil import get_terminal_size

    width = get_terminal_size().columns
    if len(line) <= width or width < NARROWEST or " " not in line.strip():
        return line
    import re
    from textwrap import fill

    hanging = " " * (len(line) - len(line.lstrip(" ")) if indent is None else indent)
    whole = re.sub(r"passless(?: [^\s,;:()]+)+", lambda found: found[0].replace(" ", JOINED), line)
    folded_there = fill(whole, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)
    return folded_there.replace(JOINED, " ")


@contextmanager
def ending_the_line() -> Iterator[None]:
    """Let what comes after Ctrl-C, such as the shell's prompt, begin on a line of its own."""
    try:
        yield
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            say("")
        raise


def line(question: str) -> str:
    """Ask for a line of text."""
    sys.stderr.write(f"{printable_lines(question)}: ")
    sys.stderr.flush()
    with ending_the_line():
        typed = sys.stdin.readline()
    if not typed:
        say("")
        raise NothingTyped
    return typed.strip()


def secret(question: str) -> Secret:
    """Ask for a secret, again where Enter alone was pressed; what is typed does not show."""
    for _ in range(TRIES):
        typed = hidden(question)
        if typed:
            return Secret(typed)
        say("nothing was typed; type it, or leave with Ctrl-C")
    raise NothingTyped


def hidden(question: str) -> str:
    """Ask for a line that does not show; `NothingTyped` at the end of the input."""
    from getpass import getpass

    try:
        with ending_the_line():
            return getpass(f"{printable_lines(question)}: ", stream=sys.stderr)
    except EOFError as error:
        say("")
        raise NothingTyped from error


def new_secret(question: str) -> Secret:
    """Ask for a new secret, twice."""
    typed = secret(question)
    if secret(f"{question}, once more") != typed:
        raise TypedDifferently
    return typed


def yes(question: str) -> bool:
    """Ask a question that is answered with yes or no; anything but yes is no."""
    return line(f"{question} [y/N]").casefold() in ("y", "yes")


def choose(question: str, options: Sequence[tuple[str, str]]) -> str:
    """Ask for one of several things, each a word and what to say about it; return the word."""
    for number, (_, about) in enumerate(options, start=1):
        say(folded(f"  {number}  {printable(about)}", indent=5))
    for _ in range(TRIES):
        typed = line(f"{question} [1]") or "1"
        for number, (word, _) in enumerate(options, start=1):
            if typed in (str(number), word):
                return word
        say(f"type a number from 1 to {len(options)}")
    raise NothingTyped("none of these was chosen")
