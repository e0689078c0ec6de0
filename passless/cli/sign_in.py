"""Signing in."""

from __future__ import annotations

from typing import Annotated

from typer import Context, Option

from passless.cli import arguments, proving
from passless.cli.arguments import CodeFile, PasswordFile, PinFile, ResponseFile, TokenFile
from passless.cli.context import current
from passless.cli.lazy import single
from passless.cli.options import Reading
from passless.domain.methods import Kind

app = single()


@app.command("sign-in", cls=Reading)
def sign_in(
    ctx: Context,
    kind: Annotated[
        Kind | None, Option("--with", parser=arguments.kind, metavar="KIND", help="Such as password, totp or security-key.")
    ] = None,
    begin: Annotated[bool, Option("--begin", help="Only begin, and print what the key is asked.")] = False,
    finish: Annotated[str | None, Option("--finish", metavar="ID", help="Finish what was begun.")] = None,
    password: PasswordFile = None,
    code: CodeFile = None,
    token: TokenFile = None,
    response: ResponseFile = None,
    pin: PinFile = None,
) -> None:
    """Sign in, or prove again that it is you."""
    run = current(ctx)
    files = proving.Files(password=password, code=code, token=token, response=response, pin=pin)
    run.show(proving.sign_in(run, proving.Wish(kind=kind, begin=begin, finish=finish, files=files)))
