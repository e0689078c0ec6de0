"""The security key itself: what it says, its PIN, what it keeps, and erasing it."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context, Option

from passless.cli import keys
from passless.cli.arguments import PinFile
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Anywhere, ChangingAnywhere
from passless.cli.secret_files import SecretFile, secret_file
from passless.devices.reader import KeyCredential, KeyFingerprint, KeyState

app = group("The security key itself: PIN, credentials, fingerprints, reset.")
pin_app = group("The key's own PIN.")
credential_app = group("The passkeys that the key itself keeps.")
fingerprint_app = group("The fingers that the key knows.")
app.add_typer(pin_app, name="pin")
app.add_typer(credential_app, name="credential")
app.add_typer(fingerprint_app, name="fingerprint")

On = Annotated[str | None, Option("--key", metavar="KEY", help="Which key, by id, serial number or name.")]
NewPinFile = Annotated[SecretFile | None, secret_file("--new-pin-file", "A file with the new PIN, or -.")]
Finger = Annotated[str, Argument(metavar="FINGER", help="Its id or name.")]


@app.command("list", cls=Anywhere)
def list_keys(ctx: Context) -> None:
    """List the keys that are plugged in, also those that cannot be used, and why."""
    run = current(ctx)
    run.show_each(keys.plugged_in(), of=KeyState)


@app.command("info", cls=Anywhere)
def describe(ctx: Context, on: On = None) -> None:
    """Show what one key says about itself."""
    run = current(ctx)
    run.show(keys.Keys(run, on).describe())


@pin_app.command("set", cls=ChangingAnywhere)
def set_pin(ctx: Context, on: On = None, new_pin: NewPinFile = None) -> None:
    """Give the key its first PIN; with one it is two factors in itself."""
    run = current(ctx)
    run.show(keys.Keys(run, on, new_pin=new_pin).set_pin())


@pin_app.command("change", cls=ChangingAnywhere)
def change_pin(ctx: Context, on: On = None, pin: PinFile = None, new_pin: NewPinFile = None) -> None:
    """Replace the key's PIN."""
    run = current(ctx)
    run.show(keys.Keys(run, on, pin=pin, new_pin=new_pin).change_pin())


@credential_app.command("list", cls=Anywhere)
def list_credentials(ctx: Context, on: On = None, pin: PinFile = None) -> None:
    """List the passkeys that the key itself keeps."""
    run = current(ctx)
    run.show_each(keys.Keys(run, on, pin=pin).credentials(), of=KeyCredential)


@credential_app.command("delete", cls=ChangingAnywhere)
def delete_credential(
    ctx: Context,
    credential: Annotated[str, Argument(metavar="CREDENTIAL", help="Its id, or the beginning of it.")],
    on: On = None,
    pin: PinFile = None,
) -> None:
    """Delete a passkey from the key, for good."""
    run = current(ctx)
    run.show(keys.Keys(run, on, pin=pin).delete_credential(credential))


@fingerprint_app.command("list", cls=Anywhere)
def list_fingerprints(ctx: Context, on: On = None, pin: PinFile = None) -> None:
    """List the fingers that the key knows."""
    run = current(ctx)
    run.show_each(keys.Keys(run, on, pin=pin).fingerprints(), of=KeyFingerprint)


@fingerprint_app.command("add", cls=ChangingAnywhere)
def add_fingerprint(
    ctx: Context,
    name: Annotated[str | None, Argument(metavar="[NAME]", help="What to call the finger.")] = None,
    on: On = None,
    pin: PinFile = None,
) -> None:
    """Let the key learn a finger."""
    run = current(ctx)
    run.show(keys.Keys(run, on, pin=pin).add_fingerprint(name))


@fingerprint_app.command("rename", cls=ChangingAnywhere)
def rename_fingerprint(
    ctx: Context,
    finger: Finger,
    name: Annotated[str, Argument(metavar="NAME", help="The new name.")],
    on: On = None,
    pin: PinFile = None,
) -> None:
    """Give a finger another name."""
    run = current(ctx)
    run.show(keys.Keys(run, on, pin=pin).rename_fingerprint(finger, name))


@fingerprint_app.command("remove", cls=ChangingAnywhere)
def remove_fingerprint(ctx: Context, finger: Finger, on: On = None, pin: PinFile = None) -> None:
    """Let the key forget a finger."""
    run = current(ctx)
    run.show(keys.Keys(run, on, pin=pin).remove_fingerprint(finger))


@app.command("reset", cls=ChangingAnywhere)
def reset(ctx: Context, on: On = None) -> None:
    """Erase everything on the key, for good: passkeys, fingers, PIN, and what it signs in to."""
    run = current(ctx)
    run.show(keys.Keys(run, on).reset())
