"""What a loss would leave."""

from __future__ import annotations

from typing import Annotated

from typer import Context, Option

from passless.cli.context import Run, current
from passless.cli.lazy import single
from passless.cli.options import Reading
from passless.domain.views import WhatIfView

app = single()


@app.command("what-if", cls=Reading)
def what_if(
    ctx: Context,
    lose: Annotated[
        list[str] | None, Option("--lose", metavar="THING", help="device:NAME or method:NAME; several are lost together.")
    ] = None,
) -> None:
    """What would be left after losing a device or a method."""
    show(current(ctx), tuple(lose or ()))


def show(run: Run, lost: tuple[str, ...]) -> None:
    """Show the loss that was named, or a list of all."""
    found = run.ask(lambda directory, actor, target: directory.what_if(actor, target, lost))
    if lost and run.json:
        run.show(found[0])
    else:
        run.show_each(found, of=WhatIfView)
