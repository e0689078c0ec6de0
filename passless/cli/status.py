"""The account at a glance."""

from __future__ import annotations

from typer import Context

from passless.cli.context import current
from passless.cli.lazy import single
from passless.cli.options import ReadingAsOperator

app = single()


@app.command("status", cls=ReadingAsOperator)
def status(ctx: Context) -> None:
    """The account at a glance, with next steps."""
    run = current(ctx)
    run.show(run.view())
