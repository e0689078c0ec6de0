"""Carrying out a `Write`, inside one transaction of the transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from msgspec.structs import replace

from passless.domain.account import Account, AccountId, Version
from passless.domain.ceremonies import USED, Ceremony, CeremonyId
from passless.domain.sessions import Session, SessionId
from passless.domain.use_state import Use
from passless.ports import AlreadyUsed, CredentialTaken, NameTaken, Record, Stored, VersionMoved, Write
from passless.stores.database import Transaction
from passless.stores.documents import (
    account_row,
    ceremony_row,
    micros,
    plain,
    record_row,
    session_row,
    stored_account,
    stored_session,
)
from passless.stores.look_ups import NOTHING, LookUps, are_found_differently, look_ups
from passless.stores.recent_accounts import RecentAccounts

# What goes with an account.
BELONGING = ("remove_uses", "remove_sessions", "remove_ceremonies", "remove_notices", "remove_records")


def owner_of(write: Write) -> AccountId:
    """Return the account that a write is about.

    Raises:
        ValueError: it names none.
    """
    if write.account is not None:
        return write.account.id
    if write.account_id is not None:
        return write.account_id
    session = write.opens or write.updates
    if session is None:
        raise ValueError("a write with uses or ended items names its account")
    return AccountId(session.account_id)


def order_of(write: Write) -> str:
    """Return what writes of a group are sorted by: the account they are about, as far as they say."""
    if write.account is not None:
        return write.account.id
    session = write.opens or write.updates
    return write.account_id or (session.account_id if session is not None else "")


def keep(transaction: Transaction, recent: RecentAccounts, write: Write, *, seen: Version | None = None) -> Version | None:
    """Keep everything but events, counters and ended items; the caller's transaction makes it all or nothing.

    `seen` is the version that the account was read at in this very transaction.
    """
    if write.consumes is not None:
        consume(transaction, write.consumes, write.at)
    if write.ends_purpose:
        transaction.run("remove_ceremonies_for", purpose=write.ends_purpose)
    version = keep_account(transaction, recent, write, seen)
    keep_uses(transaction, write)
    keep_sessions(transaction, write)
    keep_records(transaction, write)
    if write.begins is not None:
        begin(transaction, write.begins)
    for notice in write.notices:
        transaction.run(
            "add_notice",
            id=notice.id,
            account_id=notice.account_id,
            at=micros(notice.at),
            code=notice.code,
            message=plain(notice.message),
        )
    for notice_id in write.shown:
        transaction.run("remove_notice", id=plain(notice_id))
    return version


def consume(transaction: Transaction, ceremony: CeremonyId | Ceremony, at: datetime) -> None:
    """End a ceremony; `AlreadyUsed` where it is gone or too late. Of one that was never kept, keep that it is used."""
    if isinstance(ceremony, Ceremony):
        used = replace(ceremony, purpose=USED, state=b"", session_id="", sealed=False)
        if at >= ceremony.expires_at or not transaction.run("add_ceremony", **ceremony_row(used)):
            raise AlreadyUsed
    elif not transaction.run("consume_ceremony", id=plain(ceremony), at=micros(at)):
        raise AlreadyUsed


def begin(transaction: Transaction, ceremony: Ceremony) -> None:
    """Keep an open ceremony; two never share an id."""
    if not transaction.run("add_ceremony", **ceremony_row(ceremony)):
        raise AlreadyUsed("a ceremony with this id is open already")


def keep_account(transaction: Transaction, recent: RecentAccounts, write: Write, seen: Version | None = None) -> Version | None:
    """Make, change or delete the account, with the rows by which it is found; or check that it did not move."""
    if write.account is None:
        if write.expected is not None and (seen or locked_version(transaction, owner_of(write))) != write.expected:
            raise VersionMoved
        return None
    if write.expected is None:
        return add_account(transaction, recent, write.account)
    if write.delete:
        delete_account(transaction, write.account.id, write.expected)
        return None
    return change_account(transaction, recent, write.account, write.expected)


def account_version(transaction: Transaction, account_id: AccountId) -> Version | None:
    """Return the version an account is at."""
    found = transaction.rows("account_version", id=account_id)
    return Version(found[0][0]) if found else None


def locked_version(transaction: Transaction, account_id: AccountId) -> Version | None:
    """Return the version an account is at, and stays at until the transaction ends."""
    found = transaction.rows("lock_account", id=account_id)
    return Version(found[0][0]) if found else None


def stored(transaction: Transaction, account_id: AccountId, expected: Version) -> tuple[Account, int]:
    """Return the account as it stands and its row's checksum; `VersionMoved` where that is not the version that was read."""
    found = transaction.rows("read_account", id=account_id)
    if not found or found[0][2] != expected:
        raise VersionMoved
    return stored_account(found[0]).account, found[0][3]


def add_account(transaction: Transaction, recent: RecentAccounts, account: Account) -> Version:
    """Make a new account."""
    version = Version(1)
    row = account_row(account, version)
    if not transaction.run("add_account", **row):
        if account_version(transaction, account.id) is not None:
            raise VersionMoved(f'an account with the id "{account.id}" was made at the same moment')
        raise NameTaken(f'there is an account named "{account.name}" already')
    move_look_ups(transaction, account.id, NOTHING, look_ups(account))
    recent.remember(Stored(account, version), row["checksum"])
    return version


def change_account(transaction: Transaction, recent: RecentAccounts, after: Account, expected: Version) -> Version:
    """Keep the next version of an account, over the very row that is taken for the one before."""
    version = Version(expected + 1)
    row = account_row(after, version)
    known = recent.find(after.id, expected)
    if known is not None and transaction.run("change_account", expected=expected, expected_checksum=known.checksum, **row):
        before = known.stored.account
    else:
        before, kept_sum = stored(transaction, after.id, expected)
        if not transaction.run("change_account", expected=expected, expected_checksum=kept_sum, **row):
            raise VersionMoved
    if after.name != before.name:
        owner = transaction.rows("name_owner", name_key=row["name_key"])
        if owner and owner[0][0] != after.id:
            raise NameTaken(f'there is an account named "{after.name}" already')
        transaction.run("rename_account", id=after.id, name_key=row["name_key"])
    if are_found_differently(before, after):
        move_look_ups(transaction, after.id, look_ups(before), look_ups(after))
    recent.remember(Stored(after, version), row["checksum"])
    return version


def delete_account(transaction: Transaction, account_id: AccountId, expected: Version) -> None:
    """Delete an account and all it had; its audit trail stays."""
    account, _ = stored(transaction, account_id, expected)
    if not transaction.run("delete_account", id=account_id, expected=expected):
        raise VersionMoved
    move_look_ups(transaction, account_id, look_ups(account), NOTHING)
    for statement in BELONGING:
        transaction.run(statement, account_id=account_id)


def move_look_ups(transaction: Transaction, account_id: AccountId, before: LookUps, after: LookUps) -> None:
    """Turn the rows an account was found by into those it is found by now."""
    if after.repeats:
        raise CredentialTaken
    for credential_id in before.credentials - after.credentials:
        transaction.run("remove_credential", credential_id=credential_id)
    for key_id, digest, _ in before.tags - after.tags:
        transaction.run("remove_tag", key_id=key_id, digest=digest)
    for address in before.addresses - after.addresses:
        transaction.run("remove_address", address_key=address)
    move_groups(transaction, account_id, before, after)
    for credential_id in after.credentials - before.credentials:
        if not transaction.run("add_credential", credential_id=credential_id, account_id=account_id):
            raise CredentialTaken
    for key_id, digest, item in after.tags - before.tags:
        if not transaction.run("add_tag", key_id=key_id, digest=digest, account_id=account_id, item=item):
            raise CredentialTaken("this app password is already in use")
    for address in after.addresses - before.addresses:
        if not transaction.run("add_address", address_key=address, account_id=account_id):
            raise NameTaken(f'another account has the address "{address}"')


def move_groups(transaction: Transaction, account_id: AccountId, before: LookUps, after: LookUps) -> None:
    """Turn the rows that say in which groups an account was, under which name, into those of now."""
    for group, name in before.groups - after.groups:
        transaction.run("remove_from_group", group_key=group, name_key=name, account_id=account_id)
    for group, name in after.groups - before.groups:
        transaction.run("add_to_group", group_key=group, name_key=name, account_id=account_id)


def keep_uses(transaction: Transaction, write: Write) -> None:
    """Write down accepted uses; `AlreadyUsed` where one was made before."""
    if not write.uses:
        return
    owner = owner_of(write)
    if write.account is None and write.expected is None and locked_version(transaction, owner) is None:
        raise VersionMoved
    for use in write.uses:
        keep_use(transaction, owner, use)


def keep_use(transaction: Transaction, owner: AccountId, use: Use) -> None:
    """Write down one accepted use, in one statement that refuses an old TOTP step or counter.

    No step is accepted up to the store's floor, the moment at which an old copy was noticed.
    """
    kept = transaction.run(
        "keep_use",
        account_id=owner,
        item=use.item,
        at=micros(use.at),
        totp_step=use.totp_step,
        counter=use.counter or 0,
        backed_up=int(bool(use.backed_up)),
        says_backed_up=int(use.backed_up is not None),
        cloned=int(use.cloned),
    )
    if not kept:
        raise AlreadyUsed


def keep_sessions(transaction: Transaction, write: Write) -> None:
    """Open, update and end sessions; one that was ended is never updated back to life."""
    if write.among is not None:
        check_sessions(transaction, owner_of(write), write.among)
    if write.opens is not None and not transaction.run("add_session", **session_row(write.opens)):
        raise VersionMoved("a session with this id or token is open already")
    if write.updates is not None:
        update_session(transaction, write.updates)
    for session_id in write.ends:
        transaction.run("remove_session", id=plain(session_id))


def check_sessions(transaction: Transaction, owner: AccountId, known: Collection[SessionId]) -> None:
    """Make sure that an account has no other sessions; whoever opens one of it holds its row, and comes before or after."""
    locked_version(transaction, owner)
    if any(stored_session(row).id not in known for row in transaction.rows("read_sessions", account_id=plain(owner))):
        raise VersionMoved("somebody signed in to the account at the same moment")


def update_session(transaction: Transaction, session: Session) -> None:
    """Keep a session over the one that was read, and no other."""
    found = transaction.rows("lock_session", id=plain(session.id))
    kept = session.kept_over(stored_session(found[0])) if found else None
    if kept is None or not transaction.run("change_session", **session_row(kept)):
        raise VersionMoved("the session was ended or changed at the same moment")


def keep_records(transaction: Transaction, write: Write) -> None:
    """Remove and keep records, each only over the version it was read at; `VersionMoved` where it is at another."""
    for record in write.drops:
        if not transaction.run("remove_record", kind=plain(record.kind), key=plain(record.key), expected=record.version):
            raise record_moved(record)
    for record in write.puts:
        if record.version:
            kept = transaction.run("change_record", expected=record.version, **record_row(record))
        else:
            kept = transaction.run("add_record", **record_row(record))
        if not kept:
            raise record_moved(record)


def record_moved(record: Record) -> VersionMoved:
    """Return the error for a record that somebody else kept, changed or used first; its key may be a secret's hash."""
    return VersionMoved(f"the {record.kind} was kept, changed or used by somebody else at the same moment")
