"""Where pictures and tables are drawn: colours and boxes on a terminal, plain text everywhere else."""

from __future__ import annotations

import os
import sys

from rich.console import Console

NARROWEST = 40  # columns; below, tables are drawn as if there were this many
WIDEST_TEXT = 100  # columns; longer lines are hard to read
PLAIN_WIDTH = 200  # columns of a pipe, which has none; wide enough that nothing is cut


def console(*, stderr: bool) -> Console:
    """Return the console of stdout or stderr; no markup, so that no name can draw."""
    stream = sys.stderr if stderr else sys.stdout
    is_plain = not stream.isatty() or os.environ.get("TERM") == "dumb"
    return Console(
        file=stream,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=False,
        force_terminal=False if is_plain else None,
        no_color=True if is_plain or os.environ.get("NO_COLOR") else None,
        width=PLAIN_WIDTH if not stream.isatty() and not os.environ.get("COLUMNS") else None,
    )
