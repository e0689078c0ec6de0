"""Temporary passes."""

from __future__ import annotations

from typing import Annotated

from typer import Context, Option

from passless.cli import recovering
from passless.cli.arguments import Expires
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import ChangingAsOperator, ReadingAsOperator
from passless.cli.recovering import PASS_LIFETIME
from passless.domain.requests import IssuePass, RevokePass
from passless.domain.views import PassView

app = group("Let a person in for a while (operators).")


@app.command("issue", cls=ChangingAsOperator)
def issue(
    ctx: Context,
    expires: Expires = None,
    reusable: Annotated[bool, Option("--reusable", help="Works until it expires, not once.")] = False,
    length: Annotated[int, Option("--length", metavar="NUMBER", help="How many characters, 8 to 48.")] = 12,
) -> None:
    """Issue a temporary pass and show it once."""
    run = current(ctx)
    run.show(recovering.issue(run, IssuePass(lifetime=expires or PASS_LIFETIME, once=not reusable, length=length)))


@app.command("list", cls=ReadingAsOperator)
def list_passes(ctx: Context) -> None:
    """List the temporary pass, if there is one."""
    run = current(ctx)
    run.show_each(run.ask(lambda directory, actor, target: directory.passes(actor, target)), of=PassView)


@app.command("revoke", cls=ChangingAsOperator)
def revoke(ctx: Context) -> None:
    """Stop the temporary pass."""
    run = current(ctx)
    run.show(run.change(RevokePass(), confirm="revoke the temporary pass?"))
