"""Two proofs at every sign-in."""

from __future__ import annotations

from typer import Context

from passless.cli import views
from passless.cli.arguments import PasswordFile
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Changing, Reading
from passless.cli.secret_files import read_if_given
from passless.domain.requests import TwoStepOff, TwoStepOn

app = group("Ask for two proofs at every sign-in, or for one again.")


@app.command("on", cls=Changing)
def on(ctx: Context) -> None:
    """Ask for two proofs from now on."""
    run = current(ctx)
    run.show(run.change(TwoStepOn()))


@app.command("off", cls=Changing)
def off(ctx: Context, password: PasswordFile = None) -> None:
    """Ask for one proof again; app passwords end, and a short password is replaced."""
    run = current(ctx)
    run.show(run.change(TwoStepOff(password=read_if_given(password)), confirm="turn two-step off, and end all app passwords?"))


@app.command("status", cls=Reading)
def status(ctx: Context) -> None:
    """Say whether two-step is on, and what follows."""
    run = current(ctx)
    run.show(views.two_step(run.view()))
