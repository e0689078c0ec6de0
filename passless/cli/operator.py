"""Operators of a server."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context, Option

from passless.cli import operators
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import ChangingAsOperator, Reading
from passless.domain.requests import RevokeOperator
from passless.domain.views import OperatorView

app = group("Who may help others on a server (operators).")

Account = Annotated[str, Argument(metavar="ACCOUNT", help="Whose account.")]


@app.command("add", cls=ChangingAsOperator)
def add(
    ctx: Context,
    account: Account,
    over: Annotated[
        list[str] | None, Option("--over", metavar="GROUP", help="Over whom; everybody if left out. May be repeated.")
    ] = None,
    first: Annotated[bool, Option("--first", help="One of the first two, made on the server's host.")] = False,
) -> None:
    """Make an account an operator, or say anew over whom it is one; every operator is told."""
    run = current(ctx).on(account)
    run.show(operators.add(run, tuple(over or ()), first=first))


@app.command("list", cls=Reading)
def list_operators(ctx: Context) -> None:
    """List the operators."""
    run = operators.as_themselves(current(ctx))
    run.show_each(run.attempt(run.directory.operators), of=OperatorView)


@app.command("remove", cls=ChangingAsOperator)
def remove(ctx: Context, account: Account) -> None:
    """Take an operator's rights away; the sessions of the account end."""
    run = operators.helping(current(ctx).on(account))
    run.show(run.change(RevokeOperator(), confirm=f'take the rights of an operator away from "{run.spoken_target}"?'))
