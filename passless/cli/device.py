"""The things that methods live on."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context, Option

from passless.cli import arguments, proving, taking_back
from passless.cli.arguments import CodeFile, PasswordFile, PinFile, ResponseFile
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Changing, ChangingAsOperator, Reading
from passless.domain.methods import Kind
from passless.domain.requests import ReportLostDevice
from passless.domain.views import DeviceView

app = group("The things your methods live on, and what to do when one is lost.")

DeviceName = Annotated[str, Argument(metavar="NAME", help="The device; see: passless device list.")]


@app.command("list", cls=Reading)
def list_devices(ctx: Context) -> None:
    """List the devices, what lives on each, and whether you would get in without it."""
    run = current(ctx)
    run.show_each(run.ask(lambda directory, actor, target: directory.devices(actor, target)), of=DeviceView)


@app.command("lost", cls=ChangingAsOperator)
def lost(ctx: Context, device: DeviceName) -> None:
    """Turn off everything on a lost or stolen device at once."""
    run = current(ctx)
    run.show(run.change(ReportLostDevice(device=device), confirm=f'turn off everything on "{device}"?'))


@app.command("found", cls=Changing)
def found(
    ctx: Context,
    device: DeviceName,
    kind: Annotated[
        Kind | None, Option("--with", parser=arguments.proven_kind, metavar="KIND", help="What is on it, such as security-key.")
    ] = None,
    begin: Annotated[bool, Option("--begin", help="Only begin, and print what the key is asked.")] = False,
    finish: Annotated[str | None, Option("--finish", metavar="ID", help="Answer what was begun.")] = None,
    code: CodeFile = None,
    password: PasswordFile = None,
    response: ResponseFile = None,
    pin: PinFile = None,
) -> None:
    """Take back the report of a loss: the device is here, and proves it."""
    run = current(ctx)
    files = proving.Files(code=code, password=password, response=response, pin=pin)
    run.show(taking_back.found(run, taking_back.Wish(device=device, kind=kind, begin=begin, finish=finish, files=files)))
