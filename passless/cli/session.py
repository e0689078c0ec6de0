"""Sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Argument, Context, Option

from passless.cli.context import current
from passless.cli.failures import one_or_all
from passless.cli.lazy import group
from passless.cli.options import Changing, ChangingAsOperator, Reading
from passless.domain.requests import EndSessions, ReportNotMe
from passless.domain.views import SessionView

if TYPE_CHECKING:
    from passless.cli.context import Run

app = group("Who is signed in, where and since when.")

SessionId = Annotated[str, Argument(metavar="ID", help="Its id; see: passless session list.")]


@app.command("list", cls=Reading)
def list_sessions(ctx: Context) -> None:
    """List the sessions, with place and time."""
    run = current(ctx)
    run.show_each(run.ask(lambda directory, actor, target: directory.sessions(actor, target)), of=SessionView)


@app.command("end", cls=ChangingAsOperator)
def end(
    ctx: Context,
    session: Annotated[str | None, Argument(metavar="[ID]", help="Its id; see: passless session list.")] = None,
    everything: Annotated[bool, Option("--all", help="All of them, this one and tokens for machines too.")] = False,
) -> None:
    """End one session, or all."""
    run = current(ctx)
    run.show(run.change(EndSessions(session=one_or_all(session, everything=everything, what="session"), all=everything)))
    _say_signed_out(run, everything=everything)


@app.command("not-me", cls=Changing)
def not_me(ctx: Context, session: SessionId) -> None:
    """Say that a sign-in was somebody else's: it ends, and the methods that opened it are turned off."""
    run = current(ctx)
    run.show(run.change(ReportNotMe(session=session), confirm="turn off the methods that opened this session?"))


def _say_signed_out(run: Run, *, everything: bool) -> None:
    """Say what one notices only with the next command."""
    if everything and not (run.json or run.given.dry_run or run.given.as_operator or run.given.reason):
        run.note("this terminal is signed out too; go on with: passless sign-in")
