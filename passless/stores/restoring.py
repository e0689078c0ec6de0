"""What happens when an old copy of the store was put back: nothing that was over comes back with it.

Sessions, temporary passes, open ceremonies and records with an end are void, but for those that give nobody anything
(`remove_all_passing_records`); recovery codes, app passwords, rights of operators and records that were taken back stay ended;
no code of an authenticator app from before this moment is accepted. What was known outside of the database decides,
so a person who puts back the state folder as well is not noticed: it belongs to another folder than the store.
Where others wrote to the store too, on other hosts or with a folder that is lost, what they ended is not known here;
then everything goes that somebody may have taken back: rights of operators, relying parties and what people agreed to.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from passless.domain.account import Account, AccountId
from passless.domain.audit import AuditEntry, Outcome
from passless.ports import AS_IT_WAS, GRANTS, Stored, Write, item_as_it_was, item_of_record
from passless.stores.checkpoints import Broken, Signed, digest, read_body, read_outside
from passless.stores.database import Database, Rows, Transaction
from passless.stores.documents import EPOCH, micros, stored_account, stored_record
from passless.stores.keeping import keep_account
from passless.stores.recent_accounts import RecentAccounts
from passless.stores.state_folder import StateFolder
from passless.stores.trail import append, sign_heads

TOTP_STEP = timedelta(seconds=30)  # RFC 6238 §5.2, the default; security.md, "TOTP"
EVENT = "store-restored"
ACTOR = "passless"
RIGHTS = "operator"  # the kind of record that is kept beside each operator's account


def is_behind(rows: Rows, state: StateFolder) -> bool:
    """Tell whether the database lacks commits that were made, by this process or another one that shares the state.

    The outside is read first: a commit that another process makes in between can only put the database ahead.
    """
    for writer, known in state.known().items():
        found = rows("read_writer", writer=writer)
        if not found or found[0][0] < known:
            return True
    return False


def void(
    transaction: Transaction, state: StateFolder, store_id: str, at: datetime, *, unseen: bool = False
) -> tuple[int, Signed | None]:
    """Make everything void that must not come back, inside the caller's transaction.

    Args:
        transaction: the caller's.
        state: what is known outside.
        store_id: whose store it is.
        at: when the old copy was noticed.
        unseen: nobody noticed it but whoever put it back, so what is known outside says nothing.

    Returns:
        The number of this commit and the checkpoint, both to be kept outside.
    """
    transaction.run("begin_era")
    found = transaction.rows("read_writer", writer=state.writer)
    here, known = found[0][0] if found else 0, state.last_commit()
    number, ended = max(here, known) + 1, state.ended()
    transaction.run("remove_all_sessions")
    transaction.run("remove_all_ceremonies")
    transaction.run("remove_all_passing_records")
    knows_all = not unseen and not others(transaction.rows, state)
    strip_accounts(transaction, ended, at)
    take_back_records(transaction, ended)
    if not knows_all:
        take_back_grants(transaction, at)
    for account_id, item in ended:
        transaction.run("add_ended", account_id=account_id, item=item, writer=state.writer)
    keep_writers(transaction, state, number)
    if not state.is_shared:
        transaction.run("forget_other_writers", writer=state.writer)  # of a folder that is lost
    transaction.run("mark_restored", at=micros(at), totp_floor=(at - EPOCH) // TOTP_STEP)
    details = {"lost-commits": str(max(known - here, 0)) if found and not unseen else "unknown"}
    if not knows_all:
        transaction.run("mark_unknown")
        details["ended"] = ",".join(GRANTS)
    entry = AuditEntry(at=at, actor=ACTOR, event=EVENT, outcome=Outcome.DONE, details=details)
    append(transaction, store_id, [entry])
    lost = lost_checkpoint(transaction, state, store_id)
    return number, sign_heads(transaction, store_id, state.audit_keys()[0], at=at, lost=lost)


def others(rows: Rows, state: StateFolder) -> bool:
    """Tell whether somebody may have written to the store whose state is not here."""
    known = state.known()
    return any(writer not in known for (writer,) in rows("all_writers"))


def keep_writers(transaction: Transaction, state: StateFolder, number: int) -> None:
    """Say in the database what is known outside: this commit, and those of the others who share the state."""
    transaction.run("keep_writer", writer=state.writer, commits=number, ended_bytes=state.ended_bytes())
    for writer, known in state.known().items():
        found = transaction.rows("read_writer", writer=writer)
        if writer != state.writer and (not found or found[0][0] < known):
            transaction.run("keep_writer", writer=writer, commits=known, ended_bytes=0)


def strip_accounts(transaction: Transaction, ended: tuple[tuple[str, str], ...], at: datetime) -> None:
    """Take every temporary pass and every ended item from the accounts of an old copy, and the records of rights with them."""
    gone: dict[str, set[str]] = {account_id: set() for (account_id,) in transaction.rows("accounts_with_a_pass")}
    for account_id, item in ended:
        gone.setdefault(account_id, set()).add(item)
    for account_id, items in gone.items():
        for row in transaction.rows("read_account", id=account_id):
            stored = stored_account(row)
            keep_without(transaction, stored, without(stored.account, items), at)


def take_back_records(transaction: Transaction, ended: tuple[tuple[str, str], ...]) -> None:
    """Remove every record that was taken back; one that was given again since goes as well, for nobody can tell.

    One that is good in a new form alone goes where this is the form before: with the secret that a relying party had, say.
    """
    known = {item for _, item in ended}
    for kind in GRANTS:
        front = item_of_record(kind, "")
        for item in known:
            if item.startswith(front):
                transaction.run("remove_named_record", kind=kind, key=item.removeprefix(front))
    for item in known:
        if item.startswith(AS_IT_WAS):
            _, kind, _, key = item.split("/", maxsplit=3)
            if any(item_as_it_was(stored_record(row)) == item for row in transaction.rows("read_record", kind=kind, key=key)):
                transaction.run("remove_named_record", kind=kind, key=key)


def take_back_grants(transaction: Transaction, at: datetime) -> None:
    """Take back whatever somebody may have taken back since: rights of operators, relying parties, what people agreed to."""
    for row in transaction.rows("accounts_with_rights"):
        stored = stored_account(row)
        keep_without(transaction, stored, msgspec.structs.replace(stored.account, operator=None), at)
    for kind in GRANTS:
        transaction.run("remove_records_of_kind", kind=kind)


def keep_without(transaction: Transaction, stored: Stored, after: Account, at: datetime) -> None:
    """Keep what is left of an account, where it has something less."""
    if after == stored.account:
        return
    keep_account(transaction, RecentAccounts(), Write(at=at, account=after, expected=stored.version))
    if after.operator is None and stored.account.operator is not None:
        transaction.run("remove_named_record", kind=RIGHTS, key=after.id)


def without(account: Account, items: set[str]) -> Account:
    """Return an account without its temporary pass and without what ended."""
    rights = account.operator
    return msgspec.structs.replace(
        account,
        temporary_pass=None,
        operator=None if rights is not None and rights.item in items else rights,
        recovery_codes=tuple(code for code in account.recovery_codes if code.id not in items),
        app_passwords=tuple(one for one in account.app_passwords if one.id not in items),
    )


def lost_checkpoint(transaction: Transaction, state: StateFolder, store_id: str) -> Signed | None:
    """Return the checkpoint that is known outside and that the database does not have."""
    content = state.checkpoint()
    if content is None:
        return None
    try:
        outside = read_outside(content)
        body = read_body(outside)
    except Broken:
        return None
    if body.store != store_id:
        return None
    kept = transaction.rows("read_checkpoint", number=body.number)
    return None if kept and digest(Signed(*kept[0][1:])) == digest(outside) else outside


def catch_up(database: Database, state: StateFolder) -> None:
    """Bring the state folder up to the database after a crash or a loss of power left it behind."""
    found = database.rows("read_writer", writer=state.writer)
    if not state.has_seen(found[0][0]):
        state.record(found[0][0])
    if state.ended_bytes() == found[0][1]:
        return
    with database.writing() as transaction:
        commits, size = transaction.rows("lock_writer", writer=state.writer)[0]
        if state.ended_bytes() != size:
            rows = transaction.rows("read_ended", writer=state.writer)
            size = state.replace_ended([(AccountId(account_id), item) for account_id, item in rows])
            transaction.run("keep_writer", writer=state.writer, commits=commits, ended_bytes=size)
