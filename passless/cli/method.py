"""Sign-in methods."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context, Option

from passless.cli import arguments, enrolling, hardware_keys
from passless.cli.arguments import CodeFile, MethodName, PasswordFile, PinFile, ResponseFile
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Changing, ReadingAsOperator, Writing
from passless.domain.methods import Kind
from passless.domain.requests import MakeDefault, RemoveMethodNamed, RenameMethodTo
from passless.domain.views import MethodView

app = group("Sign-in methods: the ways to prove who you are.")


@app.command("list", cls=ReadingAsOperator)
def list_methods(ctx: Context) -> None:
    """List the account's sign-in methods."""
    run = current(ctx)
    run.show_each(run.view().methods, of=MethodView)


@app.command("add", cls=Changing)
def add(
    ctx: Context,
    kind: Annotated[Kind, Argument(metavar="KIND", parser=arguments.kind, help="Such as totp, security-key or passkey.")],
    name: Annotated[str | None, Option("--name", metavar="NAME", help="What to call it.")] = None,
    device: Annotated[str | None, Option("--device", metavar="NAME", help="The thing it lives on.")] = None,
    begin: Annotated[bool, Option("--begin", help="Only begin, and print what the answer needs.")] = False,
    finish: Annotated[str | None, Option("--finish", metavar="ID", help="Finish what was begun.")] = None,
    code: CodeFile = None,
    response: ResponseFile = None,
    pin: PinFile = None,
    password: PasswordFile = None,
) -> None:
    """Add a sign-in method: an authenticator app (totp), a security key, a passkey or a password."""
    run = current(ctx)
    files = enrolling.Files(code=code, response=response, pin=pin, password=password)
    wish = enrolling.Wish(kind=kind, name=name, device=device, begin=begin, finish=finish, files=files)
    run.show(enrolling.add(run, wish))


@app.command("rename", cls=Changing)
def rename(ctx: Context, method: MethodName, name: Annotated[str, Argument(metavar="NAME", help="The new name.")]) -> None:
    """Give a method another name."""
    run = current(ctx)
    run.show(run.change(RenameMethodTo(method=method, name=name)))


@app.command("default", cls=Changing)
def default(ctx: Context, method: MethodName) -> None:
    """Choose the method that is asked for first."""
    run = current(ctx)
    run.show(run.change(MakeDefault(method=method)))


@app.command("remove", cls=Changing)
def remove(ctx: Context, method: MethodName) -> None:
    """Take a method off the account; its sessions end."""
    run = current(ctx)
    run.show(run.change(RemoveMethodNamed(method=method), confirm=f'remove "{method}"?'))


@app.command("ssh-key", cls=Writing)
def ssh_key(
    ctx: Context,
    method: MethodName,
    to: Annotated[str, Option("--to", metavar="FILE", help="Where the file for ssh is written; FILE.pub beside it.")],
) -> None:
    """Write the file with which `ssh -i FILE` signs with a security key of the account; it holds no secret."""
    run = current(ctx)
    run.show(hardware_keys.write_ssh_key(run, method, to))


@app.command("pam-u2f", cls=ReadingAsOperator)
def pam_u2f(
    ctx: Context,
    user: Annotated[str | None, Option("--user", metavar="NAME", help="The user of the host; else the account's name.")] = None,
    finger: Annotated[
        bool, Option("--finger", help="Keys with a fingerprint reader: ask for the finger, not the PIN.")
    ] = False,
) -> None:
    """Print the line of pam_u2f for the account's security keys, for a host that works offline."""
    run = current(ctx)
    run.show(hardware_keys.mapping_of(run, user, finger=finger))
