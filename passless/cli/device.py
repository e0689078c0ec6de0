"""The things that methods live on."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context

from passless.cli import taking_back
from passless.cli.arguments import CodeFile, PasswordFile, PinFile
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Changing, ChangingAsOperator, Reading
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
    code: CodeFile = None,
    password: PasswordFile = None,
    pin: PinFile = None,
) -> None:
    """Take back the report of a loss: the device is here, and proves it."""
    run = current(ctx)
    run.show(taking_back.found(run, device, taking_back.Files(code=code, password=password, pin=pin)))
