"""The audit trail: what happened, and whether it is whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from typer import Context, Exit, Option

from passless.cli import arguments, trail
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Anywhere, Reading
from passless.domain.audit import AuditEvent

BROKEN = 8  # cli.md, "Exit status": something was found

app = group("Everything that happened, and whether the trail is whole.")

Since = Annotated[
    timedelta | None, Option("--since", parser=arguments.duration, metavar="TIME", help="Only the last 8h, 30d, ….")
]


@app.command("list", cls=Reading)
def list_events(
    ctx: Context, since: Since = None, everybody: Annotated[bool, Option("--all", help="Of every account.")] = False
) -> None:
    """What happened to the account, the oldest first."""
    run = current(ctx)
    run.show_each(trail.events(run, since=since, everybody=everybody), of=AuditEvent)


@app.command("verify", cls=Anywhere)
def verify(
    ctx: Context,
    head: Annotated[str | None, Option("--head", metavar="FILE", help="A checkpoint that was kept elsewhere.")] = None,
) -> None:
    """Check every event of every account, and every checkpoint: exit status 8 when something does not fit."""
    run = current(ctx)
    report = trail.verify(run, head)
    run.show(report)
    if not report.intact:
        raise Exit(BROKEN)


@app.command("export", cls=Reading)
def export(
    ctx: Context,
    since: Since = None,
    head: Annotated[str | None, Option("--head", metavar="FILE", help="Write a signed checkpoint here as well.")] = None,
) -> None:
    """Print the whole trail, or one account's with --account, as one JSON document a line; with --json as one array."""
    run = current(ctx)
    trail.keep_head(run, head)
    trail.print_all(run, trail.events(run, since=since, everybody=not run.given.account))
