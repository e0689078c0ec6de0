"""The Store port over a database of named statements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from heapq import merge
from operator import itemgetter

from passless.domain.account import AccountId, Version
from passless.domain.audit import AuditEvent, AuditReport, Notice
from passless.domain.ceremonies import Ceremony, CeremonyId
from passless.domain.changes import AccountName
from passless.domain.errors import Unavailable
from passless.domain.names import key as name_key
from passless.domain.sealed import Sealed, Tag
from passless.domain.sessions import Session
from passless.domain.use_state import UseState
from passless.ports import BRIEF, Attempts, EventPlace, NoSuchAccount, Record, Stored, StoredAppPassword, Write
from passless.stores import ending, keeping, trail
from passless.stores.checkpoints import write_outside
from passless.stores.database import Transaction
from passless.stores.documents import (
    SEALED_FIELD,
    Row,
    account_seals,
    further,
    micros,
    moment,
    plain,
    stored_account,
    stored_ceremony,
    stored_event,
    stored_notice,
    stored_record,
    stored_session,
    stored_use,
)
from passless.stores.ending import stored_attempts
from passless.stores.groups import Piece
from passless.stores.verifying import verify
from passless.stores.watched_store import WatchedStore

PAGE = 200  # accounts that are read at a time
ATTEMPTS_KEPT = timedelta(days=90)  # design.md, "wait": the longest one; a counter idle for longer is forgotten
BRIEFLY_KEPT = timedelta(days=2)  # longer than anybody waits for one of these counters
ATTEMPTS_NEVER_FORGOTTEN = 100  # security.md, "failed proofs": what this many turned off stays off
ASKED_AT_ONCE = 4  # throttle counters that one statement reads, or beginnings of keys that it looks for
LAST = "\U0010ffff"  # of all characters: everything that begins alike stands before this
CHECKPOINT_EVENTS = 1000  # a process that runs for long signs after so many events


class SqlStore(WatchedStore):
    """One store, open. What threads want kept at once is kept together; every process opens it for itself."""

    def read(self, account_id: AccountId) -> Stored:
        """Read one account; `NoSuchAccount` where there is none."""
        found = self._rows("read_account", self._remember, id=plain(account_id))
        if not found:
            raise NoSuchAccount(f'there is no account with the id "{plain(account_id)}"')
        return found[0]

    def read_named(self, name: AccountName) -> Stored:
        """Read one account by its name in the form `names.key` gives; `NoSuchAccount` where there is none."""
        found = self._rows("read_named_account", self._remember, name_key=plain(name_key(name)))
        if not found:
            raise NoSuchAccount(f'there is no account named "{plain(name)}"')
        return found[0]

    def accounts(self, *, matching: str = "", after: str = "", groups: Collection[str] | None = None) -> Iterator[Stored]:
        """Stream all accounts in the order of their names, page by page; only those behind the name `after`."""
        if groups is None:
            rows = self._account_rows(matching, after)
        else:
            wanted = sorted({plain(name_key(group)) for group in groups})
            rows = _each_once(merge(*(self._account_rows(matching, after, group) for group in wanted), key=itemgetter(4)))
        yield from self._stream(stored_account, rows)

    def read_by_credential(self, credential_id: bytes) -> Stored:
        """Read the account a WebAuthn credential belongs to; `NoSuchAccount` where there is none."""
        found = self._rows("read_account_by_credential", self._remember, credential_id=credential_id)
        if not found:
            raise NoSuchAccount("there is no account with this key or passkey")
        return found[0]

    def owner_of_credential(self, credential_id: bytes) -> AccountId | None:
        """Find the account a WebAuthn credential belongs to."""
        found = self._rows("credential_owner", lambda row: AccountId(row[0]), credential_id=credential_id)
        return next(iter(found), None)

    def owner_of_address(self, address: str) -> AccountId | None:
        """Find the account with an e-mail address."""
        found = self._rows("address_owner", lambda row: AccountId(row[0]), address_key=plain(name_key(address)))
        return next(iter(found), None)

    def read_by_app_password(self, tags: Iterable[Tag]) -> StoredAppPassword | None:
        """Read the account with an app password of one of these tags, which one it is, and when that was used last."""
        for tag in tags:
            found = self._rows("read_account_by_tag", self._with_app_password, digest=tag.digest, key_id=plain(tag.key))
            if found:
                return found[0]
        return None

    def uses(self, account_id: AccountId) -> Mapping[str, UseState]:
        """Return the use-state of every method and app password that was ever used, by its id."""
        floor = self._totp_floor
        found = self._rows("read_uses", lambda row: stored_use(row, floor), account_id=plain(account_id))
        return {use.item: use for use in found}

    def session(self, token_hash: bytes) -> Session | None:
        """Find a session by the hash of its token."""
        return next(iter(self._rows("read_session", stored_session, token_hash=token_hash)), None)

    def sessions(self, account_id: AccountId) -> tuple[Session, ...]:
        """Return the account's sessions, the newest first, expired ones too."""
        return tuple(self._rows("read_sessions", stored_session, account_id=plain(account_id)))

    def ceremony(self, ceremony_id: CeremonyId) -> Ceremony | None:
        """Return an open ceremony."""
        return next(iter(self._rows("read_ceremony", stored_ceremony, id=plain(ceremony_id))), None)

    def notices(self, account_id: AccountId) -> tuple[Notice, ...]:
        """Return what the account has not been shown yet, the oldest first."""
        return tuple(self._rows("read_notices", stored_notice, account_id=plain(account_id)))

    def commit(self, write: Write) -> Version | None:
        """Keep all of a write or nothing; the errors are those of the port."""
        together, order = self._own.together, keeping.order_of(write)
        seen = None if together is None else together.version_of(AccountId(order))
        piece = Piece(
            write,
            lambda transaction: keeping.keep(transaction, self._recent, write, seen=seen),
            order=order,
            moves=bool(write.puts or write.drops or write.account is not None),
        )
        version: Version | None = self._keep_piece(piece)
        self._sign_for_once(write.at)
        return version

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let all that this thread keeps in the block wait for the disk once, at its end."""
        with super().together():
            yield
        self._sign_for_once(self._last_at)

    def count_attempt(self, key: str, *, at: datetime) -> Attempts:
        """Add one to a throttle counter, durably, and return where it stood before."""
        before: Attempts = self._keep_piece(Piece(Write(at=at), counts=key, moves=False))
        return before

    def attempts(self, key: str) -> Attempts | None:
        """Return where a throttle counter stands."""
        return next(iter(self._rows("read_attempts", stored_attempts, key=plain(key))), None)

    def attempts_of(self, keys: Sequence[str]) -> Mapping[str, Attempts]:
        """Return where throttle counters stand, by their keys; those that never counted are left out."""
        found: dict[str, Attempts] = {}
        for some in ending.places(keys, ASKED_AT_ONCE):
            found.update(self._rows("read_some_attempts", lambda row: (str(row[0]), stored_attempts(row[1:])), **some))
        return {key: found[kept] for key in keys if (kept := plain(key)) in found}

    def has_attempts(self, beginnings: Sequence[str]) -> bool:
        """Tell whether there is any throttle counter whose key begins with one of these."""
        return any(self._rows("has_attempts", lambda row: bool(row[0]), **some)[0] for some in _ranges(beginnings))

    def sweep(self, *, at: datetime) -> None:
        """Forget expired ceremonies, sessions and records, and idle counters."""
        idle_since = micros(at - ATTEMPTS_KEPT)

        def forget(transaction: Transaction) -> None:
            for statement in ("remove_old_sessions", "remove_old_ceremonies", "remove_old_records"):
                transaction.run(statement, at=micros(at))
            transaction.run("remove_idle_attempts", idle_since=idle_since, kept_from=ATTEMPTS_NEVER_FORGOTTEN)
            transaction.run("remove_brief_attempts", first=BRIEF, last=BRIEF + LAST, idle_since=micros(at - BRIEFLY_KEPT))

        self._keep(Write(at=at), forget)

    def events(
        self,
        account_id: AccountId | None = None,
        *,
        since: datetime | None = None,
        after: EventPlace | None = None,
        named: Collection[str] = (),
    ) -> Iterator[AuditEvent]:
        """Stream the audit trail of one account, or of all, the oldest first; only what comes behind `after`."""
        if account_id is None:
            rows = trail.of_all(self._page, since, after, named)
        else:
            rows = trail.of_account(self._page, AccountId(plain(account_id)), since, after)
        yield from self._stream(stored_event, rows)

    def latest_events(self, account_id: AccountId, *, before: int | None = None) -> Iterator[AuditEvent]:
        """Stream the audit trail of one account, the newest first, as far as it is looked at; only what is before a `seq`."""
        yield from self._stream(stored_event, trail.of_account_backwards(self._page, AccountId(plain(account_id)), before))

    def record(self, kind: str, key: str) -> Record | None:
        """Return what is kept under a name, also when its time is over and it was not swept yet."""
        together = self._own.together
        return self._record(kind, key) if together is None else together.record(kind, key, self._record)

    def _record(self, kind: str, key: str) -> Record | None:
        return next(iter(self._rows("read_record", stored_record, kind=plain(kind), key=plain(key))), None)

    def records(self, kind: str, *, account_id: str | None = None, after: str = "") -> Iterator[Record]:
        """Stream the records of a kind in the order of their keys; only those of an account, only those behind `after`."""
        yield from self._stream(stored_record, self._record_rows(plain(kind), account_id, (plain(after),)))

    def sign_new(self, *, at: datetime) -> None:
        """Sign what any process has written into the audit log and nobody has signed."""
        if self._page("any_unsigned"):
            self.checkpoint(at=at)

    def checkpoint(self, *, at: datetime) -> None:
        """Sign where the audit log stands, and keep the signature outside of the database too."""
        with self._lock:
            key = self._state.audit_keys()[0]
            signed = self._keep(Write(at=at), lambda transaction: trail.sign_heads(transaction, self._id, key, at=at))
            self._unsigned = 0
            if signed is not None:
                self._state.keep_checkpoint(write_outside(signed))

    def verify(self, *, head: bytes | None = None) -> AuditReport:
        """Check the audit trail: every chain, every checkpoint, and against a checkpoint kept outside.

        Against the person who owns the file and the audit key this is evidence, not proof.
        """
        return self._persist(lambda: self._readable(self._verify, head))

    def seals(self) -> Iterator[tuple[AccountId, Sealed]]:
        """Stream every seal that is stored, for rotating the vault key."""
        with_seals = (row for row in self._account_rows("") if SEALED_FIELD in str(row[1]))
        for stored in self._stream(stored_account, with_seals):
            yield from account_seals(stored.account)

    def ended(self, items: Sequence[str]) -> frozenset[str]:
        """Return which recovery codes, passes and app passwords of these ids ended here for good, on whichever account."""
        return frozenset(
            found for item in items for found in self._rows("find_ended", lambda row: str(row[0]), item=plain(item))
        )

    def close(self) -> None:
        """Let go of the database, after signing what was written into the audit log."""
        with self._lock:
            try:
                if self._unsigned:
                    self.checkpoint(at=self._last_at)
            except Unavailable:
                pass  # everything is kept; the next process signs, and `verify` says what is missing
            finally:
                self._unsigned = 0
                super().close()

    def _sign_for_once(self, at: datetime) -> None:
        """Sign where the audit log stands, if it is time; what hinders it takes back no change that was kept.

        Never before what moved it is on the disk.
        """
        if self._unsigned < CHECKPOINT_EVENTS or self._own.together is not None:
            return
        with self._lock:
            if self._unsigned < CHECKPOINT_EVENTS:
                return
            try:
                self.checkpoint(at=at)
            except Unavailable:
                self._unsigned = 0  # tried again after as many events; `verify` says what is missing

    def _verify(self, head: bytes | None) -> AuditReport:
        with self._database.reading() as rows:
            return verify(rows, self._state, self._id, head)

    def _account_rows(self, matching: str, behind: str = "", group: str | None = None) -> Iterator[Row]:
        after: Row = (plain(name_key(behind)),)
        statement, more = ("page_accounts", {}) if group is None else ("page_accounts_of_a_group", {"group_key": group})
        pattern = like(plain(name_key(matching)))
        while page := self._page(statement, after=after[0], pattern=pattern, page=PAGE, **more):
            yield from page
            after = further(page[-1][4:], after)

    def _record_rows(self, kind: str, account_id: str | None, after: Row) -> Iterator[Row]:
        statement, more = "page_records", {}
        if account_id is not None:
            statement, more = "page_records_of_an_account", {"account_id": plain(account_id)}
        while page := self._page(statement, kind=kind, after=after[0], page=PAGE, **more):
            yield from page
            after = further(page[-1][1:2], after)

    def _remember(self, row: Row) -> Stored:
        """Read an account from its row; a row that was read before, to the letter, is not read again."""
        account_id, document, version, kept_sum = row[:4]
        if (together := self._own.together) is not None:
            together.saw(account_id, version)
        known = self._recent.find(account_id, version)
        if known is not None and known.document == document and known.checksum == kept_sum:
            return known.stored
        stored = stored_account(row)
        self._recent.remember(stored, kept_sum, document)
        return stored

    def _with_app_password(self, row: Row) -> StoredAppPassword:
        last_used_at = None if row[5] is None else moment(row[5])
        return StoredAppPassword(self._remember(row), str(row[4]), last_used_at)


def _ranges(beginnings: Sequence[str]) -> Iterator[dict[str, str]]:
    """Return the first keys that begin so, and what is behind the last, as the parameters of one statement each."""
    for some in ending.places(beginnings, ASKED_AT_ONCE):
        yield some | {f"last{name.removeprefix('key')}": first + LAST for name, first in some.items()}


def _each_once(rows: Iterable[Row]) -> Iterator[Row]:
    """Return rows that come in the order of their names without those of the same account as the one before."""
    last = None
    for row in rows:
        if row[0] != last:
            yield row
        last = row[0]


def like(text: str) -> str:
    """Return the pattern that finds a text anywhere, taken literally."""
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return f"%{text}%"
