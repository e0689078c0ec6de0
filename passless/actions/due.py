"""What time alone does to accounts is done when its time comes, not when somebody next looks: programs have to be told of it.

A waiting change and the end of an app password or a sign-in method leave a record whose key begins with when that is. Servers
look at the first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from passless.actions import kept_names
from passless.actions.catching_up import catch_up, ended_for_good, method_over
from passless.actions.parts import Parts
from passless.domain.account import Account, AccountId
from passless.domain.errors import Unavailable
from passless.domain.methods import SignInMethod
from passless.ports import NoSuchAccount, Record, VersionMoved, Write

KIND = "due"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_AT_ONCE = 200  # accounts that are seen to in one go


def records(before: Account | None, after: Account) -> tuple[Record, ...]:
    """Return what is to be kept with an account so that what is new in it is not missed when its time comes."""
    had = {} if before is None else _ends(before)
    return tuple(
        Record(kind=KIND, key=f"{_key(at)}/{after.id}/{item}", document=b"{}", account_id=after.id)
        for item, at in _ends(after).items()
        if item not in had
    )


def raised(_: str, error: Exception) -> None:
    """Let a fault be one of whoever looks."""
    raise error


def settle(parts: Parts, on_fault: Callable[[str, Exception], None] = raised) -> datetime | None:
    """Do what time has done by now; return when the next is due, nothing where nothing is.

    What cannot be done now holds up nothing behind it, and is tried again the next time. `on_fault` is told of each record that
    we fail at, by its key, and why.

    Raises:
        Unavailable: nothing can be done now.
    """
    now, done = parts.now(), 0
    for record in parts.store.records(KIND):
        try:
            at = EPOCH + timedelta(microseconds=int(record.key.partition("/")[0]))
            if at > now:
                return at
            if done == MOST_AT_ONCE:
                return now
            parts.store.commit(_settled(parts, record, now))
            done += 1
        except VersionMoved:
            continue  # somebody else was faster, or comes again
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whoever looks at the time writes it down
            on_fault(record.key, error)
    return None


def _settled(parts: Parts, record: Record, now: datetime) -> Write:
    """Return what makes a record's account what it is by now."""
    try:
        stored = parts.store.read(AccountId(record.account_id))
    except NoSuchAccount:
        return Write(at=now, drops=(record,))
    caught_up = catch_up(stored.account, parts.rules, now)
    item = record.key.rpartition("/")[2]
    over = () if caught_up.deleted else tuple(method_over(one, stored.account, now) for one in _over(stored.account, item, now))
    if caught_up.account == stored.account and not caught_up.deleted:
        return Write(at=now, account_id=stored.account.id, events=over, drops=(record,))
    return Write(
        at=now,
        account=caught_up.account,
        expected=stored.version,
        delete=caught_up.deleted,
        ended=tuple(ended_for_good(stored.account, caught_up.account, deleted=caught_up.deleted)),
        notices=caught_up.notices,
        events=(*caught_up.events, *over),
        puts=kept_names.of_the_gone(parts, stored.account, now) if caught_up.deleted else (),
        drops=() if caught_up.deleted else (record,),  # with an account its records go
    )


def _ends(account: Account) -> dict[str, datetime]:
    passwords = {one.id: one.expires_at for one in account.app_passwords if one.expires_at is not None}
    methods = {one.id: one.expires_at for one in account.methods if one.expires_at is not None}
    return passwords | methods | {one.id: one.due_at for one in account.pending}


def _over(account: Account, item: str, now: datetime) -> tuple[SignInMethod, ...]:
    """Return the sign-in method of a record, where it is there still and its time is over."""
    return tuple(one for one in account.methods if one.id == item and one.expires_at is not None and one.expires_at <= now)


def _key(at: datetime) -> str:
    return f"{(at - EPOCH) // timedelta(microseconds=1):020d}"
