"""The program: the shared options, Typer's completion, and the commands of the table."""

from __future__ import annotations

import os
from typing import Any

from typer._completion_classes import completion_init
from typer.completion import install_callback, show_callback
from typer.core import TyperOption

from passless.cli.lazy import LazyGroup
from passless.cli.options import version

HELP = "Go passwordless from the terminal, and never get locked out on the way."


def program() -> LazyGroup:
    """Build the program; no command is imported yet."""
    if "_PASSLESS_COMPLETE" in os.environ:
        completion_init()
    return LazyGroup(
        name="passless",
        help=HELP,
        params=[
            version(),
            _completion("--install-completion", install_callback, "Install completion for the current shell."),
            _completion("--show-completion", show_callback, "Show completion for the current shell."),
        ],
        epilog="Start with: passless setup",
    )


def _completion(name: str, callback: Any, line: str) -> TyperOption:
    return TyperOption(param_decls=[name], is_flag=True, expose_value=False, callback=callback, help=line)
