"""Living without a password."""

from __future__ import annotations

from typer import Context

from passless.cli import views
from passless.cli.arguments import PasswordFile
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Changing, Reading
from passless.domain.requests import PasswordlessOn, SetPassword

app = group("Live without a password, or set one again.")


@app.command("on", cls=Changing)
def on(ctx: Context) -> None:
    """Delete the password; what does not exist cannot be stolen."""
    run = current(ctx)
    run.show(run.change(PasswordlessOn(), confirm="delete the password?"))


@app.command("off", cls=Changing)
def off(ctx: Context, password: PasswordFile = None) -> None:
    """Set a password again."""
    run = current(ctx)
    new = run.new_secret(password, "New password", flag="--password-file FILE")
    run.show(run.change(SetPassword(password=new), confirm="turn passwordless off?"))


@app.command("status", cls=Reading)
def status(ctx: Context) -> None:
    """Say whether the account is passwordless, and what follows."""
    run = current(ctx)
    run.show(views.passwordless(run.view()))
