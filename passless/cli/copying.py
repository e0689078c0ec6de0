"""Copying an account to an encrypted file, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.actions.accounts import find
from passless.actions.who import identify
from passless.cli import accounts, outside_files
from passless.cli.failures import Contradiction, MissingInput
from passless.cli.vault_keys import PASSPHRASE_FLAG, new_passphrase
from passless.directories.local import account_copies as copies
from passless.directories.local import age_files, passphrase_files
from passless.directories.local.parts_of import parts_of
from passless.domain.errors import WrongUse
from passless.domain.names import are_same
from passless.output.machine_results import AccountExported, AccountImported, AccountsExported, AccountsImported
from passless.ports import NameTaken
from passless.ports.directory import Actor

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import Openers, SecretFile

COPY = "copy of an account"


def exported_as_asked(
    run: Run,
    path: str | None,
    passphrase_file: SecretFile | None,
    recipients: tuple[str, ...],
    *,
    everybody: bool,
    reason: str | None,
) -> AccountExported | AccountsExported | None:
    """Write a copy of one account, or of all."""
    if everybody:
        from passless.cli import store_copying

        return store_copying.exported(run, path, passphrase_file, recipients, reason)
    _no_reason(reason)
    return exported(run, path, passphrase_file, recipients)


def imported_as_asked(
    run: Run, path: str, name: str | None, openers: Openers, *, everybody: bool, reason: str | None
) -> AccountImported | AccountsImported:
    """Keep the account of a copy, or all that are in it."""
    if not everybody:
        _no_reason(reason)
        return imported(run, path, name, openers)
    if name is not None:
        raise Contradiction("--all", "--name")
    from passless.cli import store_copying

    return store_copying.imported(run, path, openers, reason)


def show_imported(run: Run, done: AccountImported | AccountsImported) -> None:
    """Say what came in; what could not ends the run as such."""
    if isinstance(done, AccountImported):
        run.show(done)
        return
    from passless.cli import store_copying

    store_copying.show_import(run, done)


def _no_reason(reason: str | None) -> None:
    """A reason is for copies of everybody: one account is copied by its own person alone."""
    if reason is not None:
        raise MissingInput("what the reason is for", "--all, for every account; one account is copied by its person alone")


def exported(
    run: Run, path: str | None, passphrase_file: SecretFile | None, recipients: tuple[str, ...]
) -> AccountExported | None:
    """Write a copy; None where it went to standard output."""
    if recipients:
        if passphrase_file is not None:
            raise Contradiction("--recipient", "--passphrase-file")
        age_files.check_recipients(recipients)
    view = run.view()
    made = AccountExported(account=view.account, file=path or "", methods=len(view.methods))
    if run.given.dry_run:
        return made
    run.attempt(lambda actor: _check_may(run, actor))
    outside_files.may_write(run, path)
    seal = _seal(run, passphrase_file, recipients)

    def copied(actor: Actor) -> bytes:
        parts = parts_of(run.directory)
        who = identify(parts, actor, find(parts, run.target, run.now()).account)
        return copies.export_account(parts, who, seal)

    where = outside_files.write(path, run.attempt(copied), what=COPY)
    return None if where is None else AccountExported(account=view.account, file=where, methods=len(view.methods))


def _seal(run: Run, passphrase_file: SecretFile | None, recipients: tuple[str, ...]) -> copies.Seal:
    """Return what seals the copy: for age recipients, or under a passphrase."""
    if recipients:
        return lambda content: age_files.seal_for(recipients, content)
    passphrase = new_passphrase(run, passphrase_file)
    return lambda content: passphrase_files.seal(content, passphrase, run.entropy)


def show_unless_streamed(run: Run, made: AccountExported | AccountsExported | None) -> None:
    """Say where the copy is; one that went to standard output is the result itself."""
    if made is not None:
        run.show(made)


def imported(run: Run, path: str, name: str | None, openers: Openers) -> AccountImported:
    """Check a copy and keep the account in it."""
    if path == outside_files.STREAM and any(one and one.path == path for one in (openers.passphrase, openers.identity)):
        raise WrongUse("standard input cannot be both the copy and what opens it", hint="read one of them from a file")
    inside = copies.read_copy(_opened(run, outside_files.read(path, what=COPY), openers))
    taken = any(are_same(one.account, name or inside.account.name) for one in accounts.found(run, ""))
    if taken:
        raise NameTaken(f'there is an account "{name or inside.account.name}" already', hint="give it another: --name NAME")
    parts = parts_of(run.directory if run.given.dry_run else run.founded_directory())
    ready = copies.prepare(parts, inside, name)
    if not run.given.dry_run:
        copies.keep(parts, ready, inside, place=run.place)
        run.tokens.choose(ready.account.id, ready.account.name)
    return AccountImported(
        applied=not run.given.dry_run,
        account=ready.account.name,
        account_id="" if run.given.dry_run else ready.account.id,
        methods=len(ready.account.methods),
        left_out=ready.left_out,
        exported_at=ready.exported_at,
    )


def _opened(run: Run, blob: bytes, openers: Openers) -> bytes:
    if age_files.is_age_file(blob):
        return age_files.unseal_with(run.secret(openers.identity, "Age identity", flag="--identity-file FILE"), blob)
    return passphrase_files.unseal(blob, run.secret(openers.passphrase, "Passphrase", flag=PASSPHRASE_FLAG))


def _check_may(run: Run, actor: Actor) -> None:
    """Ask for the proofs before the passphrase is asked for."""
    parts = parts_of(run.directory)
    who = identify(parts, actor, find(parts, run.target, run.now()).account)
    copies.check_may_export(parts, who, run.now())
