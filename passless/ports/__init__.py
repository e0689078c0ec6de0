"""What the core asks of the outside: time, randomness, a vault, a store. The directory port stands in `ports.directory`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from msgspec import Struct

from passless.domain.account import Account, AccountId, Version
from passless.domain.audit import AuditEntry, AuditEvent, AuditReport, Notice
from passless.domain.ceremonies import Ceremony, CeremonyId
from passless.domain.changes import AccountName
from passless.domain.errors import NotFound, ProofNeeded, Unavailable, WrongUse
from passless.domain.sealed import KeyId, Sealed, Tag
from passless.domain.sessions import Session, SessionId
from passless.domain.use_state import Use, UseState

BRIEF = "brief/"  # what the keys of throttle counters begin with that only make somebody wait, for an hour at most

Clock = Callable[[], datetime]  # now, aware, UTC
Entropy = Callable[[int], bytes]  # that many random bytes


class Vault(Protocol):
    """Secrets that must be read back, sealed under the store's key, and keyed tags of those that need not be.

    Every operation raises `VaultLocked`, `VaultKeyMissing` or `VaultKeyForeign` (kind `Unavailable`) where the key cannot be
    had; none ever makes a new key.
    """

    def key_id(self) -> KeyId:
        """Name the key that new seals are made under."""
        ...

    def seal(self, secret: bytes, *, bound_to: str) -> Sealed:
        """Seal a secret to what it belongs to, such as `account/method`."""
        ...

    def open(self, sealed: Sealed, *, bound_to: str) -> bytes:
        """Return a sealed secret; `SealBroken` when it was made for something else or changed."""
        ...

    def reseal(self, sealed: Sealed, *, bound_to: str) -> Sealed:
        """Return the seal under the current key: the same one where it is so already."""
        ...

    def has(self, key_id: KeyId) -> bool:
        """Tell whether a key is still there, among those that were read."""
        ...

    def reload(self) -> None:
        """Read the keys again at the next use: another process may have rotated them."""
        ...

    def tag(self, secret: bytes, *, purpose: str) -> Tag:
        """Return the keyed hash of a machine-made secret under the current key."""
        ...

    def tags(self, secret: bytes, *, purpose: str) -> tuple[Tag, ...]:
        """Return the keyed hashes under every key still known, the current one first: what to look up."""
        ...


class NoSuchAccount(NotFound):
    """There is no such account."""

    code = "no-such-account"
    hint = "list the accounts: passless account list"


class VersionMoved(Unavailable):
    """Somebody else changed the account in between; the caller starts again from reading it."""

    code = "busy"
    hint = "try again"
    default = "the account was changed by somebody else at the same moment"


class AlreadyUsed(ProofNeeded):
    """A ceremony, code or proof is accepted once."""

    code = "already-used"
    hint = "begin again with a new one"
    default = "that was used before"


class NameTaken(WrongUse):
    """Another account has that name."""

    code = "name-taken"
    hint = "choose another name"


class CredentialTaken(WrongUse):
    """The key or passkey is already enrolled."""

    code = "already-enrolled"
    hint = "see what is enrolled: passless method list"
    default = "this key is already enrolled"


class StoreUnavailable(Unavailable):
    """The database is busy, full, read-only or gone."""

    code = "store-unavailable"
    hint = "check the folder and its free space: passless doctor"


class StoreDamaged(Unavailable):
    """The file is not a passless store, or it is broken."""

    code = "store-damaged"
    hint = "put the file aside and restore a copy, or choose another store: passless profile add NAME --store URL"


class StoreNewer(Unavailable):
    """The store was written by a newer passless."""

    code = "store-newer"
    hint = "install a newer passless"


GRANTS = (
    "oauth-client",
    "oauth-consent",
    "openid-key",
    "operator",
)  # kinds of records that last, and that somebody may take back
AS_IT_WAS = "as-it-was/"  # what the names of records begin with that are good in a new form alone


def item_of_record(kind: str, key: str) -> str:
    """Return what a record that was taken back is called among the `ended` of a write."""
    return f"record/{kind}/{key}"


def item_as_it_was(record: Record) -> str:
    """Return what a record is called among the `ended` of a write that is good in its new form alone."""
    return f"{AS_IT_WAS}{record.kind}/{sha256(record.document).hexdigest()}/{record.key}"


class Record(Struct, frozen=True, kw_only=True):
    """Something kept beside the accounts: an invitation, a client of OAuth, a grant under way, an answer to be repeated.

    `kind` and `key` together name it. `document` is its own JSON, with hashes in the place of secrets. What has an `ends_at` is
    swept after it and void where an old copy of the store was put back; what has none lasts. A record of an account goes
    with it. `version` is where it stood when it was read; 0 is one that is not there yet.
    """

    kind: str
    key: str
    document: bytes
    account_id: str = ""
    ends_at: datetime | None = None
    version: int = 0


class Write(Struct, frozen=True, kw_only=True):
    """One transaction as a value: all of it is kept, or none.

    `expected` is the version the account had when it was read; None makes a new account. A write without an account names the
    one whose `uses` and `ended` it holds in `account_id`, and with `expected` is kept only while that account is still at it.
    `consumes` comes before `begins`, so a ceremony can go on under its id; `ends_purpose` ends every open one of a purpose. A
    whole ceremony in `consumes` is one that was never kept: from then on its id is, as `USED`, until it would have expired.
    `updates` needs a session that was not ended and is still as it was read, but for when it was seen. With `among`, the ids of
    all sessions that its account had, nothing is kept where it has another one by now.
    `ended` names recovery codes, passes, app passwords, rights of an operator (`OperatorRights.item`) and records that were
    taken back (`item_of_record`) or are good in another form alone from now on (`item_as_it_was`): none must ever come back,
    not even with an old copy of the store.
    `puts` keeps records, each only over the version it was read at; `drops` removes them alike and first, each once.
    """

    at: datetime
    account: Account | None = None
    account_id: AccountId | None = None
    expected: Version | None = None
    delete: bool = False
    consumes: CeremonyId | Ceremony | None = None
    begins: Ceremony | None = None
    ends_purpose: str = ""
    uses: tuple[Use, ...] = ()
    opens: Session | None = None
    updates: Session | None = None
    ends: tuple[SessionId, ...] = ()
    among: tuple[SessionId, ...] | None = None
    ended: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    shown: tuple[str, ...] = ()
    events: tuple[AuditEntry, ...] = ()
    forgives: tuple[str, ...] = ()
    puts: tuple[Record, ...] = ()
    drops: tuple[Record, ...] = ()


class Stored(Struct, frozen=True):
    """An account as it was read, and the version to compare when it is saved."""

    account: Account
    version: Version


class StoredAppPassword(Struct, frozen=True):
    """An account as it was read by one of its app passwords, the id of that one, and when it was used last."""

    stored: Stored
    item: str
    last_used_at: datetime | None = None


class Attempts(Struct, frozen=True):
    """What a throttle counter stands at: how many in a row, and when the last one was."""

    count: int
    last_at: datetime


class EventPlace(Struct, frozen=True):
    """Where in the trail of everybody an event stands: the order is by time, then by account and number."""

    at: datetime
    account_id: str
    seq: int


class Store(Protocol):
    """One database of accounts.

    Every operation raises `StoreUnavailable` (busy, full, read-only, gone), `StoreDamaged` or `StoreNewer` (kind
    `Unavailable`), each naming the file or address, and has then changed nothing.
    """

    @property
    def id(self) -> str:
        """The store's own id, from which its RP ID follows."""
        ...

    @property
    def restored_at(self) -> datetime | None:
        """When an old copy was put back, if that was noticed; sessions, passes and ceremonies of before are void."""
        ...

    def read(self, account_id: AccountId) -> Stored:
        """Read one account; `NoSuchAccount` where there is none."""
        ...

    def read_named(self, name: AccountName) -> Stored:
        """Read one account by its name in the form `names.key` gives; `NoSuchAccount` where there is none."""
        ...

    def accounts(self, *, matching: str = "", after: str = "", groups: Collection[str] | None = None) -> Iterator[Stored]:
        """Stream all accounts in the order of their names, page by page; only those behind the name `after`.

        With groups only those in one of them, each once, and nobody else is read; groups are the same as names are.
        """
        ...

    def read_by_credential(self, credential_id: bytes) -> Stored:
        """Read the account a WebAuthn credential belongs to; `NoSuchAccount` where there is none."""
        ...

    def owner_of_credential(self, credential_id: bytes) -> AccountId | None:
        """Find the account a WebAuthn credential belongs to."""
        ...

    def owner_of_address(self, address: str) -> AccountId | None:
        """Find the account that an e-mail address stands for, written in any way that `names.key` takes for the same."""
        ...

    def read_by_app_password(self, tags: Iterable[Tag]) -> StoredAppPassword | None:
        """Read the account with an app password of one of these tags; the first found counts."""
        ...

    def uses(self, account_id: AccountId) -> Mapping[str, UseState]:
        """Return the use-state of every method and app password that was ever used, by its id."""
        ...

    def session(self, token_hash: bytes) -> Session | None:
        """Find a session by the hash of its token."""
        ...

    def sessions(self, account_id: AccountId) -> tuple[Session, ...]:
        """Return the account's sessions, the newest first, expired ones too."""
        ...

    def ceremony(self, ceremony_id: CeremonyId) -> Ceremony | None:
        """Return an open ceremony, or what is kept of one that was never kept and is used up (its purpose is `USED`)."""
        ...

    def notices(self, account_id: AccountId) -> tuple[Notice, ...]:
        """Return what the account has not been shown yet, the oldest first."""
        ...

    def commit(self, write: Write) -> Version | None:
        """Keep all of a write or nothing.

        Returns:
            The account's new version, where the write had one.
        Raises:
            VersionMoved: the account is no longer at `expected`, a record no longer at its version, the session of `updates`
                was ended or changed, or there is one beside those of `among`; read again and check everything again.
            AlreadyUsed: the ceremony, TOTP step or counter was used before.
            NameTaken: another account has that name, or one of the addresses that stand for it.
            CredentialTaken: a method or app password is already enrolled.
        """
        ...

    @property
    def keeps_together(self) -> bool:
        """Whether `together` saves anything; else many threads are quicker than one."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """Let all that this thread keeps in the block wait for the disk once, at its end: nobody is told of it before.

        What is refused is refused alone. `StoreUnavailable` at the end says that nothing in the block was kept.
        """
        ...

    def count_attempt(self, key: str, *, at: datetime) -> Attempts:
        """Add one to a throttle counter, durably, and return where it stood before."""
        ...

    def attempts(self, key: str) -> Attempts | None:
        """Return where a throttle counter stands."""
        ...

    def attempts_of(self, keys: Sequence[str]) -> Mapping[str, Attempts]:
        """Return where throttle counters stand, by their keys; those that never counted are left out."""
        ...

    def has_attempts(self, beginnings: Sequence[str]) -> bool:
        """Tell whether there is any throttle counter whose key begins with one of these."""
        ...

    def sweep(self, *, at: datetime) -> None:
        """Forget expired ceremonies, sessions and records, and idle counters: those of `BRIEF` after two days."""
        ...

    def events(
        self,
        account_id: AccountId | None = None,
        *,
        since: datetime | None = None,
        after: EventPlace | None = None,
        named: Collection[str] = (),
    ) -> Iterator[AuditEvent]:
        """Stream the audit trail of one account, or of all, the oldest first; only what comes behind `after`.

        `named` leaves out all events but those, in the trail of all; empty is every one.
        """
        ...

    def latest_events(self, account_id: AccountId, *, before: int | None = None) -> Iterator[AuditEvent]:
        """Stream the audit trail of one account, the newest first, as far as it is looked at; only what is before a `seq`."""
        ...

    def record(self, kind: str, key: str) -> Record | None:
        """Return what is kept under a name, or None. What is over is there until it is swept: the caller looks at `ends_at`."""
        ...

    def records(self, kind: str, *, account_id: str | None = None, after: str = "") -> Iterator[Record]:
        """Stream the records of a kind in the order of their keys; only those of an account, only those behind `after`.

        An empty `account_id` asks for those of no account; None for all. What is over is among them until it is swept.
        """
        ...

    def sign_new(self, *, at: datetime) -> None:
        """Sign what was written into the audit trail and is not signed; whoever runs for long asks for it now and then."""
        ...

    def verify(self, *, head: bytes | None = None) -> AuditReport:
        """Check the audit trail: every chain, every checkpoint, and against a checkpoint kept outside."""
        ...

    def seals(self) -> Iterator[tuple[AccountId, Sealed]]:
        """Stream every seal that is stored, for rotating the vault key."""
        ...

    def ended(self, items: Sequence[str]) -> frozenset[str]:
        """Return which recovery codes, passes and app passwords of these ids ended here for good, on whichever account."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
