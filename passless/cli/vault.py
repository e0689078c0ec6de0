"""The vault: the key that seals what must be read back."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context

from passless.cli import vault_keys
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Anywhere, ChangingAnywhere
from passless.cli.secret_files import SecretFile, secret_file

app = group("The key that seals what must be read back.")

PassphraseFile = Annotated[SecretFile | None, secret_file("--passphrase-file", "A file with the passphrase, or -.")]


@app.command("status", cls=Anywhere)
def status(ctx: Context) -> None:
    """Where the vault key is kept, whether it is there, and what depends on it."""
    run = current(ctx)
    run.show(vault_keys.status(run))


@app.command("export", cls=ChangingAnywhere)
def export(
    ctx: Context,
    file: Annotated[str | None, Argument(metavar="[FILE]", help="Where to; standard output if left out.")] = None,
    passphrase: PassphraseFile = None,
) -> None:
    """Copy the vault keys to a file that only a passphrase opens; keep it away from this machine."""
    run = current(ctx)
    vault_keys.show_copy(run, vault_keys.export(run, file, passphrase))


@app.command("import", cls=ChangingAnywhere)
def import_keys(
    ctx: Context,
    file: Annotated[str, Argument(metavar="FILE", help="A copy made with export, or -.")],
    passphrase: PassphraseFile = None,
) -> None:
    """Bring the vault keys back from a copy; keys that are here already stay."""
    run = current(ctx)
    run.show(vault_keys.bring_back(run, file, passphrase))


@app.command("rotate", cls=ChangingAnywhere)
def rotate(ctx: Context) -> None:
    """Replace the vault key and seal everything under the new one."""
    run = current(ctx)
    run.show(vault_keys.rotate(run))
