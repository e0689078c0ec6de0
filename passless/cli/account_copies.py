"""Writing an account to an encrypted file, and reading one: what it takes is imported only when one of them is asked for."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context, Option, Typer

from passless.cli.context import current
from passless.cli.options import Changing, ChangingAnywhere
from passless.cli.secret_files import Openers, SecretFile, secret_file

PassphraseFile = Annotated[SecretFile | None, secret_file("--passphrase-file", "A file with the passphrase, or -.")]

All = Annotated[bool, Option("--all", help="Every account of the store, to move it to another.")]

Reason = Annotated[str | None, Option("--reason", metavar="TEXT", help="Why, for the audit trail; asked of a server's store.")]

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
    everybody: All = False,
    reason: Reason = None,
) -> None:
    """Write the account, or all of them, to one file that only a passphrase opens, to keep or to move to another store."""
    from passless.cli import copying

    run = current(ctx)
    copying.show_unless_streamed(
        run, copying.exported_as_asked(run, file, passphrase, tuple(recipients or ()), everybody=everybody, reason=reason)
    )


def import_account(
    ctx: Context,
    file: Annotated[str, Argument(metavar="FILE", help="A copy made with export, or -.")],
    name: Annotated[str | None, Option("--name", metavar="NAME", help="What to call it here.")] = None,
    passphrase: PassphraseFile = None,
    identity: IdentityFile = None,
    everybody: All = False,
    reason: Reason = None,
) -> None:
    """Make an account from such a file, or all that are in it; the whole file is checked first."""
    from passless.cli import copying

    run, openers = current(ctx), Openers(passphrase=passphrase, identity=identity)
    copying.show_imported(run, copying.imported_as_asked(run, file, name, openers, everybody=everybody, reason=reason))
