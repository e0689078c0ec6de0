"""What a copy of an account holds, and whether that can be an account here: a file from outside poisons no store."""

from __future__ import annotations

import binascii
import re
from base64 import b32decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from passless.directories.local.passphrase_files import AccountCopyDamaged
from passless.directories.local.vault_care import sealed_methods
from passless.domain.account import MAXIMUM_METHODS, SCHEMA, Account
from passless.domain.methods import MethodId, Password, Totp
from passless.domain.names import BadName, clean
from passless.domain.operators import LONGEST_LINE, MAXIMUM_GROUPS

if TYPE_CHECKING:
    from passless.directories.local.store_copies import Kept

HANDLE_LENGTH = 32  # bytes; as accounts are made
SHORTEST_SEED = 16  # bytes; RFC 4226 R6, 128 bits
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # ours: every sum with a time stays one that can be written
LATEST = datetime(2200, 1, 1, tzinfo=UTC)  # ours
LONGEST_ADDRESS = 254  # characters of an e-mail address (RFC 5321 §4.5.3.1.3, without the brackets)
OUR_ID = re.compile("[0-9a-z]{1,64}")  # as `random_codes.new_id` makes them, with room for longer ones


class Inside(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a copy holds: the account without seals, and what was sealed, by method."""

    account: Account
    secrets: dict[MethodId, bytes]
    store_id: str
    exported_at: datetime
    left_out: tuple[str, ...] = ()  # names of methods that did not come along, because the account has only one factor


def check_whole(inside: Inside, now: datetime) -> None:
    """Refuse what cannot be an account here with `AccountCopyDamaged`."""
    account = inside.account
    sealed = {method.id for method in account.methods if isinstance(method, Totp)}
    are_right = sealed == set(inside.secrets) and all(_is_our_time(moment) for moment in _moments(inside))
    _check_account(account, now, inside.secrets, are_right=are_right)


def check_kept(kept: Kept, now: datetime) -> None:
    """Refuse what cannot be an account here, of those that keep their id, with `AccountCopyDamaged`."""
    account = kept.account
    sealed = {method.id for method in sealed_methods(account)}
    owners = {notice.account_id for notice in kept.notices}
    are_right = (
        OUR_ID.fullmatch(account.id) is not None
        and sealed == set(kept.secrets)
        and owners <= {account.id}
        and all(_is_our_time(moment) for moment in _moments(kept))
        and all(use.counter >= 0 and (use.totp_step or 0) >= 0 for use in kept.uses)
    )
    _check_account(account, now, kept.secrets, are_right=are_right)


def _check_account(account: Account, now: datetime, secrets: dict[MethodId, bytes], *, are_right: bool) -> None:
    ids = [method.id for method in account.methods]
    is_whole = (
        are_right
        and account.schema <= SCHEMA
        and len(account.user_handle) == HANDLE_LENGTH
        and len(set(ids)) == len(ids) <= MAXIMUM_METHODS
        and sum(isinstance(method, Password) for method in account.methods) <= 1
        and all(_is_seed(seed) for seed in secrets.values())
        and account.created_at <= now
        and all(address.isprintable() and 0 < len(address) <= LONGEST_ADDRESS for address in account.addresses)
        and set(account.address_names) <= set(account.addresses)
        and len(account.groups) <= MAXIMUM_GROUPS
        and len(_over(account)) <= MAXIMUM_GROUPS
        and all(_is_line(ids) for ids in _lines(account))
    )
    if not is_whole:
        raise AccountCopyDamaged("the account in this copy is not one that can be here")
    try:
        for method in account.methods:
            clean(method.name, what="name of a method")
            clean(method.device, what="device name")
        for group in (*account.groups, *_over(account)):
            clean(group, what="name of a group")
        if account.display_name:
            clean(account.display_name, what="display name")
    except BadName as error:
        raise AccountCopyDamaged(f"in this copy, {error.message}") from error


def _over(account: Account) -> tuple[str, ...]:
    return () if account.operator is None else account.operator.over


def _lines(account: Account) -> Iterator[tuple[str, ...]]:
    yield account.invited_by
    yield () if account.operator is None else account.operator.granted_by
    yield () if account.helped is None else account.helped.by


def _is_line(ids: tuple[str, ...]) -> bool:
    return len(ids) <= LONGEST_LINE and all(OUR_ID.fullmatch(one) is not None for one in ids)


def _is_our_time(moment: datetime) -> bool:
    return moment.utcoffset() == timedelta(0) and EARLIEST <= moment < LATEST


def _moments(value: object) -> Iterator[datetime]:
    """Find every time in a value of the domain."""
    match value:
        case datetime():
            yield value
        case Struct():
            for field in value.__struct_fields__:
                yield from _moments(getattr(value, field))
        case tuple():
            for part in value:
                yield from _moments(part)
        case _:
            return


def _is_seed(octets: bytes) -> bool:
    """Tell whether it is the base 32 of a seed that is long enough."""
    try:
        return len(b32decode(octets)) >= SHORTEST_SEED
    except binascii.Error:
        return False
