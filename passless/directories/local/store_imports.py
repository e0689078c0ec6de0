"""Bringing the accounts of a copy into a store, one transaction each; how far it is stands in the store itself.

An import that was cut short and is run again goes on behind the last account it kept. What is there already stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import due, operators
from passless.actions.accounts import check_address_is_free, check_no_ones_address, check_not_kept
from passless.actions.parts import Access, Parts
from passless.directories.local.account_copies import follow_key
from passless.directories.local.copy_checks import check_kept
from passless.directories.local.store_copies import Ending, Kept, Line, Opening, note
from passless.directories.local.vault_care import NO_SEAL, bound_to, with_seals
from passless.domain.account import Account
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.errors import PasslessError, WrongUse
from passless.domain.methods import Totp, credential_of
from passless.domain.names import clean_account, printable
from passless.domain.sealed import Sealed
from passless.domain.use_state import Use
from passless.ports import CredentialTaken, NameTaken, NoSuchAccount, Record, VersionMoved, Write

IMPORT = "accounts-import"  # the kind of record that says how far an import is
SHOWN = 100  # characters of a name that was not checked yet


class Came(StrEnum):
    """What came of one account."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"  # it is here already
    CHANGED_HERE = "changed-here"  # it is here already, and was changed since: it stays as it is
    TAKEN = "taken"  # another account has its name, an address or a key
    DAMAGED = "damaged"  # it cannot be an account here


class AccountCame(Struct, frozen=True, kw_only=True):
    """What came of one line of a copy; `line` counts from 1, after the opening."""

    line: int
    account: str
    outcome: Came
    account_id: str = ""
    code: str = ""
    message: str = ""
    left_out: tuple[str, ...] = ()


class Progress(Struct, frozen=True, kw_only=True):
    """How far an import is, as its record holds it."""

    line: int = 0


class AnotherImport(WrongUse):
    """The same copy is being imported by another process."""

    code = "another-import"
    hint = "wait until it is done, and run this again: nothing is done twice"
    default = "another import of this copy is under way"


class IdTaken(WrongUse):
    """Another account here has the same id."""

    code = "id-taken"
    hint = "bring it in by itself: passless account export, passless account import"
    default = "another account here has the same id by chance: bring it in by itself"


class StoreImport:
    """One import of one copy: takes its lines in their order."""

    def __init__(self, parts: Parts, tell: Callable[[AccountCame], None], *, reason: str, place: str, dry_run: bool) -> None:
        self._parts = parts
        self._tell = tell
        self._reason = reason
        self._place = place
        self._dry_run = dry_run
        self._opening: Opening | None = None
        self._record: Record | None = None
        self.continued_after = 0
        self.counts = dict.fromkeys(Came, 0)

    def take(self, number: int, line: Line | None) -> None:
        """Do what a line asks."""
        match line:
            case Opening():
                self._open(line)
            case Ending():
                self._end()
            case _ if number <= self.continued_after:
                return
            case _:
                came = self._damaged(number) if line is None else self._account(number, line)
                self.counts[came.outcome] += 1
                self._tell(came)

    def _open(self, opening: Opening) -> None:
        self._opening = opening
        self._record = self._parts.store.record(IMPORT, opening.id)
        if self._record is not None:
            self.continued_after = msgspec.json.decode(self._record.document, type=Progress).line
        if not self._dry_run:
            details = {"copy": opening.id, "from_store": opening.store_id, "continued_after": str(self.continued_after)}
            note(self._parts, "import-accounts", self._place, details | ({"reason": self._reason} if self._reason else {}))

    def _end(self) -> None:
        """Forget how far it was: run once more, it looks at every account again."""
        if self._record is not None and not self._dry_run:
            self._parts.store.commit(Write(at=self._parts.now(), drops=(self._record,)))

    def _damaged(self, number: int) -> AccountCame:
        return AccountCame(
            line=number,
            account="",
            outcome=Came.DAMAGED,
            code="account-copy-damaged",
            message="the account in this line cannot be read by this version of passless",
        )

    def _account(self, number: int, kept: Kept) -> AccountCame:
        came = AccountCame(line=number, account=printable(kept.account.name, at_most=SHOWN), outcome=Came.IMPORTED)
        try:
            check_kept(kept, self._parts.now())
            ready = prepare(self._parts, kept)
            came = replace(came, account_id=ready.id, left_out=_left_out(self._parts, kept, ready))
            found = self._here(ready)
            if found is not None:
                return replace(came, outcome=found, left_out=())
            check_not_kept(self._parts, ready.name, ready.id, is_given=True)
            check_no_ones_address(self._parts, ready.name, ready.id)
            for address in ready.address_names:
                check_address_is_free(self._parts, address, ready.id)
            if self._dry_run:
                self._check_free(ready)
            else:
                self._keep(number, kept, ready)
        except (NameTaken, CredentialTaken, IdTaken) as error:
            return _refused(came, Came.TAKEN, error)
        except WrongUse as error:
            if isinstance(error, AnotherImport):
                raise
            return _refused(came, Came.DAMAGED, error)
        return came

    def _here(self, ready: Account) -> Came | None:
        """Tell whether the account is here already, and whether it is the same.

        Raises:
            IdTaken: another account has its id; ids are short.
        """
        try:
            here = self._parts.store.read(ready.id).account
        except NoSuchAccount:
            return None
        if here.user_handle != ready.user_handle:
            raise IdTaken
        came = ready if ready.finished else replace(ready, created_at=here.created_at)
        return Came.UNCHANGED if with_seals(here, lambda _: NO_SEAL) == came else Came.CHANGED_HERE

    def _check_free(self, ready: Account) -> None:
        """Refuse what another account has already, as keeping it would."""
        store = self._parts.store
        try:
            store.read_named(ready.name)
        except NoSuchAccount:
            pass
        else:
            raise NameTaken(f'there is an account named "{ready.name}" already')
        if any(store.owner_of_address(address) is not None for address in ready.address_names):
            raise NameTaken("another account has one of its addresses")
        held = (credential_of(method) for method in ready.methods)
        if any(one is not None and store.owner_of_credential(one.id) is not None for one in held):
            raise CredentialTaken

    def _keep(self, number: int, kept: Kept, ready: Account) -> None:
        parts, now = self._parts, self._parts.now()
        opening, before = self._opening, self._record
        assert opening is not None  # the first line of every copy

        def sealed(method: Totp) -> Sealed:
            return parts.vault.seal(kept.secrets[method.id], bound_to=bound_to(ready, method))

        progress = Record(
            kind=IMPORT,
            key=opening.id,
            document=msgspec.json.encode(Progress(line=number)),
            version=0 if before is None else before.version,
        )
        entry = AuditEntry(
            at=now,
            actor="owner",
            event="import-account",
            outcome=Outcome.DONE,
            account_id=ready.id,
            account=ready.name,
            place=self._place,
            details={"copy": opening.id, "from_store": opening.store_id},
        )
        write = Write(
            at=now,
            account=with_seals(ready, sealed),
            uses=uses_of(kept, self._parts),
            notices=kept.notices,
            events=(entry,),
            puts=(progress, *_rights(ready), *due.records(None, ready)),
        )
        self._commit(write, progress)
        if kept.secrets:
            follow_key(parts, ready.id, sealed)

    def _commit(self, write: Write, progress: Record) -> None:
        try:
            self._parts.store.commit(write)
        except VersionMoved as error:
            raise AnotherImport from error
        self._record = self._parts.store.record(IMPORT, progress.key)


def prepare(parts: Parts, kept: Kept) -> Account:
    """Return the account as it would be here; nothing is kept, and nothing is sealed."""
    account, is_served = kept.account, parts.access is Access.NOBODY
    ended = parts.store.ended([code.id for code in account.recovery_codes])
    return replace(
        account,
        name=clean_account(account.name),
        created_at=account.created_at if account.finished else parts.now(),  # its day to be finished in begins here
        app_passwords=(),
        temporary_pass=None,
        approval=None,
        address_names=account.address_names if is_served else account.addresses,
        groups=account.groups if is_served else (),
        operator=account.operator if is_served else None,
        invited_by=account.invited_by if is_served else (),
        helped=account.helped if is_served else None,
        recovery_codes=tuple(code for code in account.recovery_codes if code.id not in ended),
    )


def _rights(account: Account) -> tuple[Record, ...]:
    """Return what stands beside an operator's account, so that it is found among them."""
    if account.operator is None:
        return ()
    document = msgspec.json.encode(account.operator)
    return (Record(kind=operators.KIND, key=account.id, document=document, account_id=account.id),)


def uses_of(kept: Kept, parts: Parts) -> tuple[Use, ...]:
    """Return what was used up: whatever an app showed up to now may have been, here or where the copy was made."""
    from passless.credentials.totp import step_at

    now = parts.now()
    step, known = step_at(now), {use.item: use for use in kept.uses}
    apps = tuple(
        Use(
            item=item,
            at=used.last_used_at if (used := known.get(item)) is not None and used.last_used_at is not None else now,
            totp_step=max(step, used.totp_step or 0) if used is not None else step,
        )
        for item in kept.secrets
    )
    others = tuple(
        Use(item=use.item, at=use.last_used_at or now, counter=use.counter, backed_up=use.backed_up, cloned=use.cloned)
        for use in kept.uses
        if use.item not in kept.secrets
    )
    return apps + others


def _left_out(parts: Parts, kept: Kept, ready: Account) -> tuple[str, ...]:
    """Say what cannot come along, and why."""
    names = tuple(f'"{printable(name, at_most=SHOWN)}": its secret was not copied: add it again' for name in kept.left_out)
    if len(ready.recovery_codes) < len(kept.account.recovery_codes):
        names = (*names, "the recovery code: it ended in this store: make another one")
    if kept.account.operator is not None and ready.operator is None:
        names = (*names, "the rights of an operator: an embedded store has no operators")
    return names


def _refused(came: AccountCame, outcome: Came, error: PasslessError) -> AccountCame:
    return replace(came, outcome=outcome, account_id="", code=error.code, message=error.message, left_out=())
