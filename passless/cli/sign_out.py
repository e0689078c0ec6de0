"""Signing out."""

from __future__ import annotations

from typing import Annotated

from typer import Context, Option

from passless.cli import signing_out
from passless.cli.context import current
from passless.cli.lazy import single
from passless.cli.options import Changing

app = single()


@app.command("sign-out", cls=Changing)
def sign_out(
    ctx: Context,
    everywhere: Annotated[
        bool, Option("--everywhere", help="All sessions of the account, and its tokens for machines.")
    ] = False,
) -> None:
    """End the session in use, or all of them."""
    run = current(ctx)
    run.show(signing_out.sign_out(run, everywhere=everywhere))
