"""The rows beside an account by which it is found, and what a change does to them."""

from __future__ import annotations

from msgspec import Struct

from passless.domain.account import Account
from passless.domain.methods import credential_of
from passless.domain.names import key as name_key
from passless.stores.documents import plain


class LookUps(Struct, frozen=True, kw_only=True):
    """What one account is found by; of its e-mail addresses only those that stand for its name.

    `tags` are (key id, digest, id of the app password), `groups` (group, name of the account). `repeats`: a credential or tag
    stands twice in the same account.
    """

    credentials: frozenset[bytes] = frozenset()
    tags: frozenset[tuple[str, bytes, str]] = frozenset()
    addresses: frozenset[str] = frozenset()
    groups: frozenset[tuple[str, str]] = frozenset()
    repeats: bool = False


NOTHING = LookUps()


def are_found_differently(before: Account, after: Account) -> bool:
    """Tell whether anything changed that an account may be found by; most changes need no more than this look."""
    return (before.methods, before.app_passwords, before.address_names, before.groups, before.name) != (
        after.methods,
        after.app_passwords,
        after.address_names,
        after.groups,
        after.name,
    )


def look_ups(account: Account) -> LookUps:
    """Return what an account is found by."""
    credentials = [found.id for method in account.methods if (found := credential_of(method)) is not None]
    tags = {(tag.key, tag.digest, one.id) for one in account.app_passwords for tag in one.tags}
    addresses = frozenset(name_key(address) for address in account.address_names)
    groups = frozenset((plain(name_key(group)), name_key(account.name)) for group in account.groups)
    repeats = len(set(credentials)) < len(credentials) or len({tag[:2] for tag in tags}) < len(tags)
    return LookUps(
        credentials=frozenset(credentials), tags=frozenset(tags), addresses=addresses, groups=groups, repeats=repeats
    )
