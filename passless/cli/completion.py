"""Completion for the person's shell: Typer's own, under a name of its own."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context
from typer.completion import install_callback, show_callback

from passless.cli.lazy import group
from passless.cli.options import Anywhere
from passless.domain.errors import WrongUse
from passless.domain.names import printable

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")  # what Typer completes in

app = group("Completion for your shell.")

Shell = Annotated[str | None, Argument(metavar="[bash|zsh|fish|powershell|pwsh]", help="Which shell; found out if left out.")]


class UnknownShell(WrongUse):
    """A shell without completion, or none that could be found out."""

    code = "unknown-shell"
    hint = f"name one of {', '.join(SHELLS)}: passless completion show SHELL"
    default = "the shell could not be found out"


@app.command("install", cls=Anywhere)
def install(ctx: Context, shell: Shell = None) -> None:
    """Install completion for a shell."""
    install_callback(ctx, ctx.command.params[0], _known(shell))


@app.command("show", cls=Anywhere)
def show(ctx: Context, shell: Shell = None) -> None:
    """Print the completion script, to look at or to put somewhere else."""
    show_callback(ctx, ctx.command.params[0], _known(shell))


def _known(shell: str | None) -> str:
    """Return the shell, found out where none was named; `UnknownShell` where there is no completion for it."""
    found = shell or _found_out()
    if found not in SHELLS:
        raise UnknownShell(f'there is no completion for "{printable(found)}"' if found else None)
    return found


def _found_out() -> str:
    from shellingham import ShellDetectionFailure, detect_shell  # type: ignore[import-untyped]

    try:
        return str(detect_shell()[0])
    except ShellDetectionFailure:
        return ""
