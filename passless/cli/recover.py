"""Getting back in."""

from __future__ import annotations

from typing import Annotated

from typer import Context, Option

from passless.cli import arguments, operators, recovering, views
from passless.cli.arguments import CodeFile, Expires, PasswordFile, PinFile
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Changing, ChangingAsOperator, ReadingAsOperator
from passless.cli.recovering import ProofFile
from passless.domain.methods import Kind
from passless.domain.requests import EndRecovery

app = group("Get back in after losing everything else.")


@app.command("start", cls=ChangingAsOperator)
def start(
    ctx: Context,
    code: CodeFile = None,
    kind: Annotated[
        Kind | None,
        Option("--with", parser=arguments.further_kind, metavar="KIND", help="The further proof that two-step asks for."),
    ] = None,
    proof: ProofFile = None,
    password: PasswordFile = None,
    pin: PinFile = None,
    lost: Annotated[list[str] | None, Option("--lost", metavar="DEVICE", help="What was lost (operators).")] = None,
    expires: Expires = None,
) -> None:
    """Begin a recovery with the recovery code; an operator begins one with a temporary pass for the person."""
    run = current(ctx)
    files = recovering.Files(code=code, proof=proof, password=password, pin=pin)
    run.show(recovering.start(run, recovering.Wish(kind=kind, files=files, lost=tuple(lost or ()), lifetime=expires)))


@app.command("approve", cls=ChangingAsOperator)
def approve(
    ctx: Context,
    wish: Annotated[str | None, Option("--id", metavar="ID", help="What is agreed to, by its id: in scripts.")] = None,
) -> None:
    """Agree to what another operator asked for, where the policy wants two; they then ask once more."""
    run = current(ctx)
    run.show(operators.approve(run, wish))


@app.command("finish", cls=Changing)
def finish(ctx: Context) -> None:
    """Finish the recovery, once there is a way in and a new recovery code."""
    run = current(ctx)
    run.show(run.change(EndRecovery()))


@app.command("status", cls=ReadingAsOperator)
def status(ctx: Context) -> None:
    """Say where a recovery stands, what waits, and what can be taken back."""
    run = current(ctx)
    run.show(views.recovery(run.view()))


@app.command("cancel", cls=Changing)
def cancel(
    ctx: Context,
    waiting: Annotated[str | None, Option("--waiting", metavar="ID", help="Cancel only this waiting change.")] = None,
) -> None:
    """Cancel a recovery or what waits, from an older method: what was enrolled in it goes."""
    run = current(ctx)
    run.show(recovering.cancel(run, waiting))
