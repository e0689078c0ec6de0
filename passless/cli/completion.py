"""Completion for the person's shell: Typer's own, under a name of its own."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context
from typer.completion import install_callback, show_callback

from passless.cli.lazy import group
from passless.cli.options import Anywhere

app = group("Completion for your shell.")

Shell = Annotated[str | None, Argument(metavar="[bash|zsh|fish|powershell|pwsh]", help="Which shell; found out if left out.")]


@app.command("install", cls=Anywhere)
def install(ctx: Context, shell: Shell = None) -> None:
    """Install completion for a shell."""
    install_callback(ctx, ctx.command.params[0], shell or True)


@app.command("show", cls=Anywhere)
def show(ctx: Context, shell: Shell = None) -> None:
    """Print the completion script, to look at or to put somewhere else."""
    show_callback(ctx, ctx.command.params[0], shell or True)
