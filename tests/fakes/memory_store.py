"""A store in memory, for tests of what stands on the Store port."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec

from passless.domain.account import Account, AccountId, Version
from passless.domain.audit import AuditEntry, AuditEvent, AuditReport, Notice
from passless.domain.ceremonies import USED, Ceremony, CeremonyId
from passless.domain.changes import AccountName
from passless.domain.methods import credential_of
from passless.domain.names import key as name_key
from passless.domain.sealed import Sealed, Tag
from passless.domain.sessions import Session, SessionId
from passless.domain.use_state import Use, UseState
from passless.ports import (
    BRIEF,
    AlreadyUsed,
    Attempts,
    CredentialTaken,
    EventPlace,
    NameTaken,
    NoSuchAccount,
    Record,
    Stored,
    StoredAppPassword,
    VersionMoved,
    Write,
)


class MemoryStore:
    """Everything in dictionaries; a write is tried on copies that are kept when all of it was accepted."""

    def __init__(self, store_id: str = "memory", *, restored_at: datetime | None = None) -> None:
        self.id = store_id
        self.keeps_together = False
        self.restored_at = restored_at
        self._ended: set[tuple[str, str]] = set()
        self._accounts: dict[AccountId, Stored] = {}
        self._uses: dict[tuple[AccountId, str], UseState] = {}
        self._sessions: dict[SessionId, Session] = {}
        self._ceremonies: dict[CeremonyId, Ceremony] = {}
        self._notices: dict[str, Notice] = {}
        self._attempts: dict[str, Attempts] = {}
        self._events: list[AuditEvent] = []
        self._records: dict[tuple[str, str], Record] = {}

    def tell_restored(self) -> datetime | None:
        """Nothing is ever restored here."""
        return None

    def read(self, account_id: AccountId) -> Stored:
        """Read one account."""
        if account_id not in self._accounts:
            raise NoSuchAccount(f'there is no account with the id "{account_id}"')
        return self._accounts[account_id]

    def read_named(self, name: AccountName) -> Stored:
        """Read one account by its name."""
        for stored in self._accounts.values():
            if name_key(stored.account.name) == name_key(name):
                return stored
        raise NoSuchAccount(f'there is no account named "{name}"')

    def accounts(self, *, matching: str = "", after: str = "", groups: Collection[str] | None = None) -> Iterator[Stored]:
        """Stream all accounts in the order of their names."""
        wanted = None if groups is None else {name_key(group) for group in groups}
        among = [one for one in self._accounts.values() if wanted is None or wanted & set(map(name_key, one.account.groups))]
        behind = (one for one in among if name_key(one.account.name) > name_key(after))
        found = sorted(behind, key=lambda stored: name_key(stored.account.name))
        return iter([stored for stored in found if name_key(matching) in name_key(stored.account.name)])

    def read_by_credential(self, credential_id: bytes) -> Stored:
        """Read the account a WebAuthn credential belongs to."""
        owner = self.owner_of_credential(credential_id)
        if owner is None:
            raise NoSuchAccount("there is no account with this key or passkey")
        return self.read(owner)

    def owner_of_credential(self, credential_id: bytes) -> AccountId | None:
        """Find the account a WebAuthn credential belongs to."""
        return next((one.account.id for one in self._accounts.values() if credential_id in _credentials(one.account)), None)

    def owner_of_address(self, address: str) -> AccountId | None:
        """Find the account with an e-mail address."""
        wanted = name_key(address)
        return next((one.account.id for one in self._accounts.values() if wanted in _addresses(one.account)), None)

    def read_by_app_password(self, tags: Iterable[Tag]) -> StoredAppPassword | None:
        """Read the account with an app password of one of these tags."""
        wanted = set(tags)
        for stored in self._accounts.values():
            for one in stored.account.app_passwords:
                if set(one.tags) & wanted:
                    used = self._uses.get((stored.account.id, one.id))
                    return StoredAppPassword(stored, one.id, None if used is None else used.last_used_at)
        return None

    def uses(self, account_id: AccountId) -> Mapping[str, UseState]:
        """Return the use-state of every method and app password that was ever used."""
        return {item: use for (owner, item), use in self._uses.items() if owner == account_id}

    def session(self, token_hash: bytes) -> Session | None:
        """Find a session by the hash of its token."""
        return next((one for one in self._sessions.values() if one.token_hash == token_hash), None)

    def sessions(self, account_id: AccountId) -> tuple[Session, ...]:
        """Return the account's sessions, the newest first."""
        found = sorted((one for one in self._sessions.values() if one.account_id == account_id), key=lambda one: one.id)
        return tuple(sorted(found, key=lambda one: one.created_at, reverse=True))

    def ceremony(self, ceremony_id: CeremonyId) -> Ceremony | None:
        """Return an open ceremony."""
        return self._ceremonies.get(ceremony_id)

    def notices(self, account_id: AccountId) -> tuple[Notice, ...]:
        """Return what the account has not been shown yet, the oldest first."""
        found = (notice for notice in self._notices.values() if notice.account_id == account_id)
        return tuple(sorted(found, key=lambda notice: (notice.at, notice.id)))

    def commit(self, write: Write) -> Version | None:
        """Keep all of a write or nothing."""
        kept = {name: value.copy() for name, value in vars(self).items() if isinstance(value, dict | list | set)}
        try:
            return self._keep(write)
        except Exception:
            vars(self).update(kept)
            raise

    @contextmanager
    def together(self) -> Iterator[None]:
        """Nothing here waits for a disk."""
        yield

    def count_attempt(self, key: str, *, at: datetime) -> Attempts:
        """Add one to a throttle counter and return where it stood before."""
        before = self._attempts.get(key, Attempts(0, at))
        self._attempts[key] = Attempts(before.count + 1, at)
        return before

    def attempts(self, key: str) -> Attempts | None:
        """Return where a throttle counter stands."""
        return self._attempts.get(key)

    def attempts_of(self, keys: Sequence[str]) -> Mapping[str, Attempts]:
        """Return where throttle counters stand, by their keys."""
        return {key: self._attempts[key] for key in keys if key in self._attempts}

    def has_attempts(self, beginnings: Sequence[str]) -> bool:
        """Tell whether there is any throttle counter whose key begins with one of these."""
        return any(key.startswith(tuple(beginnings)) for key in self._attempts)

    def sweep(self, *, at: datetime) -> None:
        """Forget expired ceremonies, sessions and records, and idle counters."""
        self._sessions = {key: one for key, one in self._sessions.items() if not one.is_expired(at)}
        self._ceremonies = {key: one for key, one in self._ceremonies.items() if one.expires_at > at}
        self._records = {key: one for key, one in self._records.items() if one.ends_at is None or one.ends_at > at}
        idle_since = at - timedelta(days=90)
        brief_since = at - timedelta(days=2)
        self._attempts = {
            key: one
            for key, one in self._attempts.items()
            if (one.last_at > brief_since if key.startswith(BRIEF) else one.last_at > idle_since or one.count >= 100)
        }

    def events(
        self,
        account_id: AccountId | None = None,
        *,
        since: datetime | None = None,
        after: EventPlace | None = None,
        named: Collection[str] = (),
    ) -> Iterator[AuditEvent]:
        """Stream the audit trail of one account, or of all, the oldest first; only what comes behind `after`."""
        found = [event for event in self._events if since is None or event.at >= since]
        found = [event for event in found if not named or account_id is not None or event.event in named]
        if account_id is not None:
            least = 0 if after is None else after.seq
            return iter([event for event in found if event.account_id == account_id and event.seq > least])
        found.sort(key=_place)
        return iter([event for event in found if after is None or _place(event) > msgspec.structs.astuple(after)])

    def latest_events(self, account_id: AccountId, *, before: int | None = None) -> Iterator[AuditEvent]:
        """Stream the audit trail of one account, the newest first."""
        found = [event for event in self._events if event.account_id == account_id and (before is None or event.seq < before)]
        return reversed(found)

    def record(self, kind: str, key: str) -> Record | None:
        """Return what is kept under a name."""
        return self._records.get((kind, key))

    def records(self, kind: str, *, account_id: str | None = None, after: str = "") -> Iterator[Record]:
        """Stream the records of a kind in the order of their keys."""
        found = (one for _, one in sorted(self._records.items()) if one.kind == kind and one.key > after)
        return iter([one for one in found if account_id is None or one.account_id == account_id])

    def sign_new(self, *, at: datetime) -> None:
        """Nobody else reaches this memory."""

    def verify(self, *, head: bytes | None = None) -> AuditReport:
        """Nobody else reaches this memory."""
        return AuditReport(
            events=len(self._events), intact=True, first_broken=None, head="", checkpoint_at=None, truncated=head is not None
        )

    def seals(self) -> Iterator[tuple[AccountId, Sealed]]:
        """Stream every seal that is stored."""
        for stored in self._accounts.values():
            for sealed in _seals(stored.account):
                yield stored.account.id, sealed

    def ended(self, items: Sequence[str]) -> frozenset[str]:
        """Return which of these ids ended for good."""
        return frozenset(items) & {item for _, item in self._ended}

    def close(self) -> None:
        """Nothing is held."""

    def _keep(self, write: Write) -> Version | None:
        if write.consumes is not None:
            self._consume(write.consumes, write.at)
        if write.ends_purpose:
            self._ceremonies = {key: one for key, one in self._ceremonies.items() if one.purpose != write.ends_purpose}
        version = self._keep_account(write)
        for use in write.uses:
            self._keep_use(_owner(write), use)
        self._keep_sessions(write)
        self._keep_records(write)
        if write.begins is not None:
            if write.begins.id in self._ceremonies:
                raise AlreadyUsed
            self._ceremonies[write.begins.id] = write.begins
        self._notices |= {notice.id: notice for notice in write.notices}
        for notice_id in write.shown:
            self._notices.pop(notice_id, None)
        for key in write.forgives:
            self._attempts.pop(key, None)
        for entry in write.events:
            self._append(entry)
        if write.ended:
            self._ended |= {(_owner(write), item) for item in write.ended}
        return version

    def _consume(self, ended: CeremonyId | Ceremony, at: datetime) -> None:
        if isinstance(ended, Ceremony):
            used = msgspec.structs.replace(ended, purpose=USED, state=b"", session_id="", sealed=False)
            if used.id in self._ceremonies or used.expires_at <= at:
                raise AlreadyUsed
            self._ceremonies[used.id] = used
            return
        ceremony = self._ceremonies.pop(ended, None)
        if ceremony is None or ceremony.expires_at <= at:
            raise AlreadyUsed

    def _keep_account(self, write: Write) -> Version | None:
        if write.account is None and write.expected is None and not write.uses:
            return None
        owner = _owner(write)
        before = self._accounts.get(owner)
        if write.account is None:
            if before is None or (write.expected is not None and before.version != write.expected):
                raise VersionMoved
            return None
        if (before.version if before is not None else None) != write.expected:
            raise VersionMoved
        if write.delete:
            self._delete(owner)
            return None
        self._check_taken(write.account)
        version = Version((write.expected or 0) + 1)
        self._accounts[owner] = Stored(write.account, version)
        return version

    def _delete(self, owner: AccountId) -> None:
        del self._accounts[owner]
        self._uses = {key: use for key, use in self._uses.items() if key[0] != owner}
        self._sessions = {key: one for key, one in self._sessions.items() if one.account_id != owner}
        self._ceremonies = {key: one for key, one in self._ceremonies.items() if one.account_id != owner}
        self._notices = {key: one for key, one in self._notices.items() if one.account_id != owner}
        self._records = {key: one for key, one in self._records.items() if one.account_id != owner}

    def _keep_records(self, write: Write) -> None:
        for record in write.drops:
            self._check_record(record)
            del self._records[record.kind, record.key]
        for record in write.puts:
            self._check_record(record, 0)
            self._records[record.kind, record.key] = msgspec.structs.replace(record, version=record.version + 1)

    def _check_record(self, record: Record, missing: int | None = None) -> None:
        kept = self._records.get((record.kind, record.key))
        if (missing if kept is None else kept.version) != record.version:
            raise VersionMoved

    def _check_taken(self, account: Account) -> None:
        others = [stored.account for stored in self._accounts.values() if stored.account.id != account.id]
        if any(name_key(other.name) == name_key(account.name) for other in others):
            raise NameTaken(f'there is an account named "{account.name}" already')
        addresses = _addresses(account)
        if any(addresses & _addresses(other) for other in others):
            raise NameTaken("another account has that address")
        credentials, tags = _credentials(account), _tags(account)
        if len(set(credentials)) < len(credentials) or len(set(tags)) < len(tags):
            raise CredentialTaken
        if any(set(credentials) & set(_credentials(other)) or set(tags) & set(_tags(other)) for other in others):
            raise CredentialTaken

    def _keep_use(self, owner: AccountId, use: Use) -> None:
        before = self._uses.get((owner, use.item), UseState(item=use.item))
        if use.totp_step is not None and before.totp_step is not None and use.totp_step <= before.totp_step:
            raise AlreadyUsed
        if use.counter and not use.cloned and use.counter <= before.counter:
            raise AlreadyUsed
        self._uses[owner, use.item] = UseState(
            item=use.item,
            last_used_at=use.at,
            totp_step=before.totp_step if use.totp_step is None else use.totp_step,
            counter=max(before.counter, use.counter or 0),
            backed_up=before.backed_up if use.backed_up is None else use.backed_up,
            cloned=before.cloned or use.cloned,
        )

    def _keep_sessions(self, write: Write) -> None:
        if write.among is not None and any(one.id not in write.among for one in self.sessions(_owner(write))):
            raise VersionMoved
        if write.opens is not None:
            if write.opens.id in self._sessions or self.session(write.opens.token_hash) is not None:
                raise VersionMoved
            self._sessions[write.opens.id] = write.opens
        if write.updates is not None:
            there = self._sessions.get(write.updates.id)
            kept = None if there is None else write.updates.kept_over(there)
            if kept is None:
                raise VersionMoved
            self._sessions[kept.id] = kept
        for session_id in write.ends:
            self._sessions.pop(session_id, None)

    def _append(self, entry: AuditEntry) -> None:
        seq = 1 + sum(event.account_id == entry.account_id for event in self._events)
        fields = msgspec.structs.asdict(entry)
        self._events.append(AuditEvent(seq=seq, hash=f"{len(self._events) + 1:064x}", **fields))


def _place(event: AuditEvent) -> tuple[datetime, str, int]:
    return event.at, event.account_id, event.seq


def _owner(write: Write) -> AccountId:
    if write.account is not None:
        return write.account.id
    session = write.opens or write.updates
    owner = write.account_id
    if owner is None and session is not None:
        owner = AccountId(session.account_id)
    if owner is None:
        raise ValueError("a write with uses or ended items names its account")
    return owner


def _credentials(account: Account) -> list[bytes]:
    return [found.id for method in account.methods if (found := credential_of(method)) is not None]


def _tags(account: Account) -> list[tuple[str, bytes]]:
    return [(tag.key, tag.digest) for one in account.app_passwords for tag in set(one.tags)]


def _addresses(account: Account) -> set[str]:
    return {name_key(address) for address in account.address_names}


def _seals(value: object) -> Iterator[Sealed]:
    if isinstance(value, Sealed):
        yield value
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from _seals(getattr(value, field))
    elif isinstance(value, tuple):
        for part in value:
            yield from _seals(part)
