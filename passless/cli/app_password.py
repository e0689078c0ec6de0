"""App passwords."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context, Option

from passless.cli.arguments import Expires, words
from passless.cli.context import current
from passless.cli.failures import all_or_named
from passless.cli.lazy import group
from passless.cli.options import Changing, ChangingAsOperator, Reading
from passless.domain.requests import NewAppPassword, RevokeAppPasswordsNamed
from passless.domain.views import AppPasswordView

app = group("Passwords for programs that cannot do better.")


@app.command("create", cls=Changing)
def create(
    ctx: Context,
    name: Annotated[str, Argument(metavar="NAME", help="Where it will be used, such as 'Mail on phone'.")],
    services: Annotated[
        str | None, Option("--for", metavar="SERVICE,…", help="Only for these, such as imap,smtp or a web site's name.")
    ] = None,
    others: Annotated[
        str | None, Option("--for-other", metavar="NAME,…", help="Also for these, by the names that your own servers use.")
    ] = None,
    expires: Expires = None,
    device: Annotated[
        str | None, Option("--device", metavar="NAME", help="The device it is used on; ends with its loss.")
    ] = None,
    short: Annotated[bool, Option("--short", help="16 letters, for devices that take no more.")] = False,
) -> None:
    """Make an app password and show it once."""
    run = current(ctx)
    known, meant = words(services), words(others)
    request = NewAppPassword(name=name, services=(*known, *meant), known=known, lifetime=expires, device=device, short=short)
    run.show(run.change(request))


@app.command("list", cls=Reading)
def list_app_passwords(ctx: Context) -> None:
    """List the app passwords, and when each was last used."""
    run = current(ctx)
    run.show_each(run.ask(lambda directory, actor, target: directory.app_passwords(actor, target)), of=AppPasswordView)


@app.command("revoke", cls=ChangingAsOperator)
def revoke(
    ctx: Context,
    names: Annotated[list[str] | None, Argument(metavar="[NAME…]", help="Which ones, by id or name.")] = None,
    everything: Annotated[bool, Option("--all", help="All of them.")] = False,
) -> None:
    """Stop app passwords, for running connections too."""
    run = current(ctx)
    named = all_or_named(names, everything=everything, what="app password")
    run.show(run.change(RevokeAppPasswordsNamed(names=named, all=everything), confirm="revoke these app passwords?"))
