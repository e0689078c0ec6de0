"""Whose mailbox it is: what a mail server is told of an account, and nothing else of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address

from passless.actions.accounts import find_id, owner_of_address
from passless.actions.parts import Parts
from passless.domain import names
from passless.domain.account import Account
from passless.domain.changes import AccountName
from passless.ports import NoSuchAccount

IN_A_PATH = "._-@+"  # beside letters and digits; with a slash or a colon a name would say where mail lies, and in which form


def mailbox_of(account: Account) -> str | None:
    """Return what a mail server calls an account: its name as names are compared; None where that could not be a folder's.

    However a name is written it is one mailbox. Mail servers put it into paths and commands, so it has nothing that means
    something there, and is no address of a machine.
    """
    return mailbox_named(account.name)


@lru_cache(maxsize=4096)
def mailbox_named(name: str) -> str | None:
    """Return what a mail server calls the account of a name."""
    called = names.key(name)
    return called if _is_plain(called) else None


def _is_plain(name: str) -> bool:
    if not all(one.isalnum() or one in IN_A_PATH for one in name):
        return False
    return bool(name) and not name.startswith((".", "-")) and not _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def find(parts: Parts, typed: str, now: datetime) -> Account | None:
    """Return the account that a name or an address stands for; whose address it is comes first."""
    if "@" in names.key(typed) and (owner := owner_of_address(parts, typed, now)) is not None:
        with suppress(NoSuchAccount):
            return find_id(parts, owner, now).account
    with suppress(NoSuchAccount):
        found = parts.store.read_named(AccountName(names.key(typed))).account
        return find_id(parts, found.id, now).account
    return None
