"""Every account of a store in one encrypted file, and back: moving between stores, such as from SQLite to PostgreSQL.

Inside are lines of JSON: what the copy is, one line for each account, and an end that counts them. Accounts keep their ids, so
that an import that is run again finds what it made. What was used, what waits, what was reported lost, groups and the rights of
operators come along. Sessions, ceremonies, temporary passes, approvals, invitations, the audit trail and app passwords do not:
the hashes of these are keyed with the other store's vault.

Both directions hold one account at a time. How it is sealed stands in `copy_streams` and `age_files`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions.parts import Parts
from passless.directories.local.passphrase_files import AccountCopyDamaged
from passless.directories.local.vault_care import NO_SEAL, bound_to, sealed_methods, with_seals
from passless.domain.account import Account
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.methods import MethodId, SignInMethod
from passless.domain.safety.ways_in import replace_methods
from passless.domain.use_state import UseState
from passless.ports import Write

LONGEST_LINE = 4 * 1024 * 1024  # bytes; ours, far more than the largest account
Permit = Callable[[Account], tuple[SignInMethod, ...]]  # refuses a copy, or says which methods it must leave out


class Opening(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="accounts", tag_field="line"):
    """What the copy is; `id` names it, so that an import that was cut short is found again."""

    form: int  # the version of these lines
    id: str
    store_id: str
    exported_at: datetime


class Kept(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="account", tag_field="line"):
    """One account without seals, what was sealed by method, and what is kept beside it."""

    account: Account
    secrets: dict[MethodId, bytes] = {}
    uses: tuple[UseState, ...] = ()
    notices: tuple[Notice, ...] = ()
    left_out: tuple[str, ...] = ()  # names of methods whose secret was not proven enough for


class Ending(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="end", tag_field="line"):
    """That nothing is missing."""

    accounts: int


FORM = 1
Line = Opening | Kept | Ending
_decode = msgspec.json.Decoder(Line).decode


def export_accounts(parts: Parts, permit: Permit, *, reason: str, place: str, tell: Callable[[int], None]) -> Iterator[bytes]:
    """Return the lines of a copy, account by account. That it is made is in the audit trail before the first line.

    Args:
        parts: of the store.
        permit: asked about every account; what it raises ends the copy.
        reason: why, for the audit trail.
        place: where this is done.
        tell: hears how many accounts are written.
    Raises:
        VaultKeyMissing, …: a secret that belongs to an account cannot be read.
    """
    now = parts.now()
    opening = Opening(form=FORM, id=parts.entropy(16).hex(), store_id=parts.store.id, exported_at=now)
    note(parts, "export-accounts", place, {"copy": opening.id} | ({"reason": reason} if reason else {}))
    yield _line(opening)
    count = 0
    for stored in parts.store.accounts():
        yield _line(kept_of(parts, stored.account, permit(stored.account)))
        count += 1
        tell(count)
    yield _line(Ending(accounts=count))


def kept_of(parts: Parts, account: Account, left_out: tuple[SignInMethod, ...]) -> Kept:
    """Return what of an account goes into a copy."""
    rest = tuple(method for method in account.methods if method not in left_out)
    account = replace(replace_methods(account, rest), temporary_pass=None, app_passwords=(), approval=None)
    secrets = {
        method.id: parts.vault.open(method.seed, bound_to=bound_to(account, method)) for method in sealed_methods(account)
    }
    uses = parts.store.uses(account.id)
    known = {method.id for method in account.methods}
    return Kept(
        account=with_seals(account, lambda _: NO_SEAL),
        secrets=secrets,
        uses=tuple(use for item, use in uses.items() if item in known),
        notices=parts.store.notices(account.id),
        left_out=tuple(method.name for method in left_out),
    )


def note(parts: Parts, event: str, place: str, details: dict[str, str]) -> None:
    """Record what was done to all accounts of the store."""
    now = parts.now()
    entry = AuditEntry(at=now, actor="owner", event=event, outcome=Outcome.DONE, place=place, details=details)
    parts.store.commit(Write(at=now, events=(entry,)))


class Reader:
    """Takes the content of a copy in pieces as they are opened, and hands on its lines in their order.

    `take` gets every line that can be read, with its number; for a line that cannot it gets None.
    """

    def __init__(self, take: Callable[[int, Line | None], None]) -> None:
        self._take = take
        self._rest = bytearray()
        self._number = 0
        self._is_at_end = False

    def write(self, piece: bytes) -> int:
        """Take the next piece.

        Raises:
            AccountCopyDamaged: this is no copy of accounts, or of another form.
        """
        self._rest += piece
        *lines, rest = self._rest.split(b"\n") if b"\n" in piece else [self._rest]
        self._rest = bytearray(rest)
        if len(rest) > LONGEST_LINE:
            raise AccountCopyDamaged("this is no copy of a store's accounts: a line in it is too long")
        for line in lines:
            self._read(bytes(line))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits."""

    def finish(self) -> None:
        """Refuse a copy whose end is missing."""
        if self._rest or not self._is_at_end:
            raise AccountCopyDamaged("this copy of a store's accounts is cut short")

    def _read(self, line: bytes) -> None:
        try:
            found: Line | None = _decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            found = None
        if self._is_at_end:
            raise AccountCopyDamaged("something stands behind the end of this copy of a store's accounts")
        if (self._number == 0) is not isinstance(found, Opening) or (isinstance(found, Opening) and found.form != FORM):
            raise AccountCopyDamaged("this copy of a store's accounts cannot be read by this version of passless")
        if isinstance(found, Ending):
            self._is_at_end = True
            if found.accounts != self._number - 1:
                raise AccountCopyDamaged("accounts are missing in this copy")
        self._take(self._number, found)
        self._number += 1


def _line(value: Line) -> bytes:
    return msgspec.json.encode(value) + b"\n"
