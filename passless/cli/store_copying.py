"""Copying every account of a store to an encrypted file, and back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from passless import private_files
from passless.actions.parts import Access
from passless.actions.who import Who, identify
from passless.cli import asking, outside_files
from passless.cli.failures import Contradiction, MissingInput
from passless.cli.vault_keys import PASSPHRASE_FLAG, new_passphrase
from passless.directories.local import account_copies, age_files, copy_streams
from passless.directories.local.parts_of import parts_of
from passless.directories.local.passphrase_files import AccountCopyDamaged
from passless.directories.local.store_copies import Reader, export_accounts
from passless.directories.local.store_imports import AccountCame, Came, StoreImport
from passless.domain.account import Account
from passless.domain.errors import WrongUse
from passless.domain.methods import SignInMethod
from passless.domain.names import clean, printable
from passless.output import json, writing
from passless.output.machine_results import AccountsExported, AccountsImported
from passless.ports.directory import Actor

if TYPE_CHECKING:
    from passless.actions.parts import Parts
    from passless.cli.context import Run
    from passless.cli.secret_files import Openers, SecretFile

COPY = "copy of the accounts"
TOLD_EACH = 1000  # accounts between two words about how far it is
BEGINNING = 64  # bytes that tell what a file is


class NotAllImported(WrongUse):
    """Some accounts of a copy are not here now."""

    code = "not-all-imported"
    hint = "see the accounts whose outcome is taken or damaged; what came in is here, and running it again does nothing twice"


def exported(
    run: Run, path: str | None, passphrase_file: SecretFile | None, recipients: tuple[str, ...], reason: str | None
) -> AccountsExported | None:
    """Write a copy of every account; None where it went to standard output."""
    if run.given.account:
        raise Contradiction("--all", "--account")
    if recipients:
        if passphrase_file is not None:
            raise Contradiction("--recipient", "--passphrase-file")
        age_files.check_recipients(recipients)
    parts = parts_of(run.directory)
    why, permission = _reason(parts, reason), _Permission(run, parts)
    count = sum(1 for stored in parts.store.accounts() if permission(stored.account) is not None)  # refused before it begins
    if run.given.dry_run:
        return AccountsExported(applied=False, accounts=count, left_out=permission.left_out, file="")
    outside_files.may_write(run, path)
    seal = _seal(run, passphrase_file, recipients)
    written = 0

    def tell(number: int) -> None:
        nonlocal written
        written = number
        _progress(run, f"{number} of {count} accounts", number)

    with _out(path) as out:
        seal(export_accounts(parts, permission, reason=why, place=run.place, tell=tell), out)
    permission.note()
    if path is None or path == outside_files.STREAM:
        return None
    return AccountsExported(applied=True, accounts=written, left_out=permission.left_out, file=str(Path(path).absolute()))


class _Permission:
    """Who may copy an account: the person themselves, or, of a server's store, whoever can open it on its machine."""

    def __init__(self, run: Run, parts: Parts) -> None:
        self._run = run
        self._parts = parts
        self._people: dict[str, tuple[Who, tuple[SignInMethod, ...]]] = {}

    def __call__(self, account: Account) -> tuple[SignInMethod, ...]:
        if self._parts.access is Access.NOBODY:
            return ()
        actor = Actor(token=self._run.tokens.token_of(account.id), place=self._run.place)
        who = identify(self._parts, actor, account)
        left_out = account_copies.check_may_export(self._parts, who, self._parts.now())
        self._people[account.id] = who, left_out
        return left_out

    @property
    def left_out(self) -> int:
        """How many methods stay behind."""
        return sum(len(left_out) for _, left_out in self._people.values())

    def note(self) -> None:
        """Tell everybody whose account was copied; of a server's store it is in the trail of the store."""
        for who, left_out in self._people.values():
            account_copies.note_export(self._parts, who, left_out, self._parts.now())


def imported(run: Run, path: str, openers: Openers, reason: str | None) -> AccountsImported:
    """Check a whole copy, and then bring its accounts in, one after the other."""
    if path == outside_files.STREAM:
        raise WrongUse("a copy of all accounts is read twice, so it cannot come from standard input", hint="give its file")
    parts = parts_of(run.directory if run.given.dry_run else run.founded_directory())
    work = StoreImport(
        parts, lambda came: _show(run, came), reason=_reason(parts, reason), place=run.place, dry_run=run.given.dry_run
    )
    with _opened(path) as file:
        pour = _pour(run, file, openers)
        whole = Reader(lambda number, line: _progress(run, f"{number} accounts checked", number))
        pour(whole)
        whole.finish()
        work_reader = Reader(work.take)
        pour(work_reader)
        work_reader.finish()
    return AccountsImported(
        applied=not run.given.dry_run,
        continued_after=work.continued_after,
        imported=work.counts[Came.IMPORTED],
        unchanged=work.counts[Came.UNCHANGED],
        changed_here=work.counts[Came.CHANGED_HERE],
        taken=work.counts[Came.TAKEN],
        damaged=work.counts[Came.DAMAGED],
    )


def show_import(run: Run, done: AccountsImported) -> None:
    """Print what came of it all; `NotAllImported` where something is not here now."""
    run.show(done)
    missing = done.taken + done.damaged
    if missing:
        raise NotAllImported(f"{missing} {'account' if missing == 1 else 'accounts'} could not come in")


def _reason(parts: Parts, reason: str | None) -> str:
    if reason is not None:
        return clean(reason, what="reason")
    if parts.access is Access.NOBODY:
        raise MissingInput("the reason for touching everybody's account", "--reason TEXT")
    return ""


def _seal(
    run: Run, passphrase_file: SecretFile | None, recipients: tuple[str, ...]
) -> Callable[[Iterator[bytes], BinaryIO], None]:
    if recipients:
        return lambda content, out: age_files.seal_stream_for(recipients, content, out)
    passphrase = new_passphrase(run, passphrase_file)
    return lambda content, out: copy_streams.seal_stream(content, out, passphrase, run.entropy)


def _pour(run: Run, file: BinaryIO, openers: Openers) -> Callable[[Reader], None]:
    """Return what hands the content of a file to a reader, from its beginning, each time it is called."""
    beginning = file.read(BEGINNING)
    if age_files.is_age_file(beginning):
        identity = run.secret(openers.identity, "Age identity", flag="--identity-file FILE")

        def pour(reader: Reader) -> None:
            file.seek(0)
            age_files.unseal_stream_with(identity, file, reader)

        return pour
    if not copy_streams.is_stream(beginning):
        raise AccountCopyDamaged("this is no copy of all accounts of a store")
    passphrase = run.secret(openers.passphrase, "Passphrase", flag=PASSPHRASE_FLAG)

    def pour_chunks(reader: Reader) -> None:
        file.seek(0)
        for chunk in copy_streams.open_stream(file, passphrase):
            reader.write(chunk)

    return pour_chunks


@contextmanager
def _out(path: str | None) -> Iterator[BinaryIO]:
    if path is None or path == outside_files.STREAM:
        with writing.results():
            sys.stdout.flush()
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    try:
        with private_files.replacing(Path(path)) as file:
            yield file
    except (OSError, ValueError) as error:
        why = private_files.reason(error)
        raise private_files.UnwritableFile(f'the {COPY} "{printable(path, at_most=200)}" cannot be written: {why}') from error


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    named = printable(path, at_most=200)
    try:
        if not Path(path).is_file():
            raise outside_files.BadFile(f'there is no file "{named}"', hint="give its name; it is read twice, so no pipe")
        file = Path(path).open("rb")  # noqa: SIM115 - what goes wrong later is told by whoever reads
    except (OSError, ValueError) as error:
        why = private_files.reason(error)
        raise outside_files.BadFile(f'the {COPY} "{named}" cannot be read: {why}') from error
    with file:
        yield file


def _show(run: Run, came: AccountCame) -> None:
    """Print one account's outcome: all of them for programs, those to look at for people."""
    if run.json:
        json.print_one(came)
        return
    if came.outcome in (Came.TAKEN, Came.DAMAGED):
        line = f'{came.outcome}: account {came.line} "{came.account}": {came.message}'
    elif came.left_out:
        line = f'{came.outcome}: "{came.account}", but {"; ".join(came.left_out)}'
    else:
        return
    writing.write(printable(line, at_most=len(line)).encode() + b"\n")


def _progress(run: Run, text: str, number: int) -> None:
    """Say how far it is to a person who waits."""
    if number and number % TOLD_EACH == 0 and not run.json and sys.stderr is not None and sys.stderr.isatty():
        asking.say(text)
