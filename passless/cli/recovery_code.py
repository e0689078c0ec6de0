"""The recovery code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Context, Option

from passless.cli import kits
from passless.cli.arguments import CodeFile
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Changing, Writing

app = group("The code on paper that brings you back.")

KitFile = Annotated[Path | None, Option("--kit", metavar="FILE", help="Write a page to print; .svg or .txt.")]


@app.command("new", cls=Changing)
def new(ctx: Context, kit: KitFile = None) -> None:
    """Make a recovery code and show it once; --yes takes it as saved."""
    kits.new_code(current(ctx), kit)


@app.command("confirm", cls=Changing)
def confirm(ctx: Context, code: CodeFile = None) -> None:
    """Type the new recovery code back, so that it is known to be saved; the one before ends."""
    run = current(ctx)
    run.show(kits.confirm(run, code))


@app.command("kit", cls=Writing)
def kit(
    ctx: Context,
    out: Annotated[
        Path | None, Option("--out", metavar="FILE", help="Where to; .svg or .txt. Text on stdout if left out.")
    ] = None,
    code: CodeFile = None,
) -> None:
    """Write one page to print: the recovery code typed back, how to use it, and when to practise."""
    run = current(ctx)
    run.show(kits.write_again(run, out, code))
