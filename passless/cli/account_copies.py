"""Writing an account to an encrypted file, and reading one: what it takes is imported only when one of them is asked for."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context, Option, Typer

from passless.cli.context import current
from passless.cli.options import Changing, ChangingAnywhere
from passless.cli.secret_files import SecretFile, secret_file

PassphraseFile = Annotated[SecretFile | None, secret_file("--passphrase-file", "A file with the passphrase, or -.")]

IdentityFile = Annotated[SecretFile | None, secret_file("--identity-file", "A file with an age identity, or -.")]


def register(app: Typer) -> None:
    """Add the commands to the account's."""
    app.command("export", cls=Changing)(export)
    app.command("import", cls=ChangingAnywhere)(import_account)


def export(
    ctx: Context,
    file: Annotated[str | None, Argument(metavar="[FILE]", help="Where to; standard output if left out.")] = None,
    passphrase: PassphraseFile = None,
    recipients: Annotated[
        list[str] | None, Option("--recipient", metavar="AGE", help="For this age public key instead. May be repeated.")
    ] = None,
) -> None:
    """Write the account to one file that only a passphrase opens, to keep or to move it to another store."""
    from passless.cli import copying

    run = current(ctx)
    copying.show_unless_streamed(run, copying.exported(run, file, passphrase, tuple(recipients or ())))


def import_account(
    ctx: Context,
    file: Annotated[str, Argument(metavar="FILE", help="A copy made with export, or -.")],
    name: Annotated[str | None, Option("--name", metavar="NAME", help="What to call it here.")] = None,
    passphrase: PassphraseFile = None,
    identity: IdentityFile = None,
) -> None:
    """Make an account from such a file; everything is checked first."""
    from passless.cli import copying

    run = current(ctx)
    run.show(copying.imported(run, file, name, copying.Openers(passphrase=passphrase, identity=identity)))
