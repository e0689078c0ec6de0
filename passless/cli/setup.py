"""The walk-through."""

from __future__ import annotations

from typing import Annotated

from typer import Context, Option

from passless.cli import arguments, walking
from passless.cli.arguments import InvitationFile, PasswordFile, PinFile
from passless.cli.context import current
from passless.cli.lazy import single
from passless.cli.options import Changing
from passless.domain.methods import Kind
from passless.domain.safety.next_steps import Goal

app = single()


@app.command("setup", cls=Changing)
def setup(
    ctx: Context,
    goal: Annotated[Goal, Option("--goal", help="Where to get to.")] = Goal.PASSWORDLESS,
    methods: Annotated[
        list[Kind] | None,
        Option(
            "--method", parser=arguments.kind, metavar="KIND", help="A method to add: security-key or totp. May be repeated."
        ),
    ] = None,
    display_name: Annotated[str | None, Option("--display-name", metavar="TEXT", help="The name to show.")] = None,
    email: Annotated[str | None, Option("--email", metavar="ADDRESS", help="Where notices go.")] = None,
    password: PasswordFile = None,
    no_password: Annotated[bool, Option("--no-password", help="Passwordless from the start.")] = False,
    pin: PinFile = None,
    invitation: InvitationFile = None,
) -> None:
    """Walk through everything that is missing: account, methods, recovery code, two-step, passwordless.

    Leave it with Ctrl-C whenever you like; run again, it goes on where it stopped.
    """
    run = current(ctx)
    wish = walking.Wish(
        goal=goal,
        kinds=tuple(methods or ()),
        display_name=display_name or "",
        email=email,
        password=password,
        no_password=no_password,
        pin=pin,
        invitation=invitation,
    )
    walking.walk(run, wish).show()
