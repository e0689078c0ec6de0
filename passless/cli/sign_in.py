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
        Kind | None,
        Option("--with", parser=arguments.proven_kind, metavar="KIND", help="Such as security-key, passkey, totp or password."),
    ] = None,
    begin: Annotated[bool, Option("--begin", help="Only begin, and print what the key is asked.")] = False,
    finish: Annotated[str | None, Option("--finish", metavar="ID", help="Finish what was begun.")] = None,
    browser: Annotated[bool, Option("--browser", help="At a server: in the browser of this machine.")] = False,
    device: Annotated[bool, Option("--device", help="At a server: on another device, with a code to type there.")] = False,
    password: PasswordFile = None,
    code: CodeFile = None,
    token: TokenFile = None,
    response: ResponseFile = None,
    pin: PinFile = None,
) -> None:
    """Sign in, or prove again that it is you."""
    run = current(ctx)
    files = proving.Files(password=password, code=code, token=token, response=response, pin=pin)
    wish = proving.Wish(kind=kind, begin=begin, finish=finish, files=files, browser=browser, device=device)
    run.show(proving.sign_in(run, wish))
