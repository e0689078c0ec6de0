"""Invitations to a server."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context, Option

from passless.cli import invitations, operators
from passless.cli.arguments import Expires
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import ChangingAsOperator, Reading
from passless.domain.requests import NewInvitation
from passless.domain.views import InvitationView

app = group("Invite people to a server (operators).")


@app.command("create", cls=ChangingAsOperator)
def create(
    ctx: Context,
    groups: Annotated[
        list[str] | None, Option("--group", metavar="GROUP", help="A group that the account will be in. May be repeated.")
    ] = None,
    name: Annotated[str, Option("--name", metavar="NAME", help="What the account is called; else its person says.")] = "",
    email: Annotated[
        str, Option("--email", metavar="ADDRESS", help="An address of theirs that programs may take for the name.")
    ] = "",
    expires: Expires = None,
) -> None:
    """Make a link with which somebody makes their account, and show it once."""
    run = operators.helping(operators.as_themselves(current(ctx)))
    run.show(invitations.create(run, NewInvitation(groups=tuple(groups or ()), name=name, email=email), expires))


@app.command("list", cls=Reading)
def list_invitations(ctx: Context) -> None:
    """List the invitations that nobody has taken yet."""
    run = operators.as_themselves(current(ctx))
    run.show_each(run.attempt(run.directory.invitations), of=InvitationView)


@app.command("revoke", cls=ChangingAsOperator)
def revoke(ctx: Context, invitation: Annotated[str, Argument(metavar="INVITATION", help="Its id.")]) -> None:
    """Stop an invitation."""
    run = operators.helping(operators.as_themselves(current(ctx)))
    run.show(invitations.revoke(run, invitation))
