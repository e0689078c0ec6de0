"""Accounts: making, choosing, renaming and deleting them."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context, Option

from passless.cli import account_copies, accounts, operators
from passless.cli.arguments import InvitationFile, PasswordFile
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Anywhere, Changing, ChangingAnywhere, ChangingAsOperator, ReadingAsOperator
from passless.domain.requests import Delete
from passless.domain.views import AccountSummary

app = group("Make, choose, rename and delete accounts.")
account_copies.register(app)

Named = Annotated[str | None, Argument(metavar="[NAME]", help="Which account; the chosen one if left out.")]
DisplayName = Annotated[str | None, Option("--display-name", metavar="TEXT", help="The name to show.")]


@app.command("create", cls=ChangingAnywhere)
def create(
    ctx: Context,
    name: Annotated[str, Argument(metavar="NAME", help="What the account is called.")],
    display_name: DisplayName = None,
    email: Annotated[str | None, Option("--email", metavar="ADDRESS", help="Where notices go.")] = None,
    password: PasswordFile = None,
    no_password: Annotated[bool, Option("--no-password", help="Passwordless from the start.")] = False,
    invitation: InvitationFile = None,
) -> None:
    """Make an account, choose it and sign it in."""
    run = current(ctx)
    wish = accounts.Wish(
        name=name,
        display_name=display_name or "",
        email=email,
        password=password,
        no_password=no_password,
        invitation=invitation,
    )
    run.show(accounts.create(run, wish))


@app.command("list", cls=Anywhere)
def list_accounts(
    ctx: Context,
    matching: Annotated[str, Argument(metavar="[WORDS]", help="Only names with these words.")] = "",
) -> None:
    """List the accounts of the profile."""
    run = current(ctx)
    run.show_each(accounts.found(run, matching), of=AccountSummary)


@app.command("show", cls=ReadingAsOperator)
def show(ctx: Context, name: Named = None) -> None:
    """Show an account at a glance, as status does."""
    run = current(ctx).on(name)
    run.show(run.view())


@app.command("use", cls=ChangingAnywhere)
def use(ctx: Context, name: Annotated[str, Argument(metavar="NAME", help="Which account.")]) -> None:
    """Choose the account that commands act on."""
    run = current(ctx)
    run.show(accounts.choose(run, name))


@app.command("rename", cls=ChangingAsOperator)
def rename(
    ctx: Context,
    name: Annotated[str | None, Argument(metavar="[NAME]", help="The new name.")] = None,
    display_name: DisplayName = None,
) -> None:
    """Give the account another name, or another name to show; on a server that is not open only an operator gives names."""
    run = current(ctx)
    run.show(accounts.rename(run, name, display_name))


@app.command("groups", cls=ChangingAsOperator)
def groups(
    ctx: Context,
    name: Annotated[str, Argument(metavar="NAME", help="Which account.")],
    wanted: Annotated[list[str] | None, Argument(metavar="[GROUP]...", help="The groups it is in from now on.")] = None,
    none: Annotated[bool, Option("--none", help="In no group at all.")] = False,
) -> None:
    """Show the groups of an account on a server; an operator says which they are, in the place of those before."""
    run = current(ctx).on(name)
    run.show(operators.groups(run, tuple(wanted or ()), none=none))


@app.command("delete", cls=Changing)
def delete(ctx: Context, name: Named = None) -> None:
    """Delete the account and everything it has, for good."""
    run = current(ctx).on(name)
    run.show(accounts.deleted(run, lambda: run.change(Delete(), confirm=f'delete the account "{run.spoken_target}" for good?')))
