"""Security keys for programs outside of a browser: told to sshd, which asks for somebody, and to the person themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from passless.actions import nobody, reading
from passless.actions.parts import Parts
from passless.domain import names
from passless.domain.account import Account
from passless.domain.hardware_keys import HardwareKey, checks_person, hardware_keys, opens_hosts
from passless.domain.key_views import HardwareKeyView
from passless.domain.methods import kind_of
from passless.domain.relying_parties import Client
from passless.ports.directory import Actor

if TYPE_CHECKING:
    from passless.credentials.ssh_keys import SshKey


class Told(Struct, frozen=True):
    """What a host is told of a user: lines of authorized_keys, and whose account it is; empty for nobody's."""

    lines: tuple[str, ...] = ()
    account_id: str = ""


def listing(parts: Parts, actor: Actor, target: str) -> tuple[HardwareKeyView, ...]:
    """List the keys of an account that programs can ask, without anything secret: there is nothing secret in them."""
    found, _ = reading.look(parts, actor, target, "list")
    account, now = found.account, parts.now()
    opening = {one.id for one in opens_hosts(account, parts.store.uses(account.id), parts.rules, now)}
    return tuple(
        HardwareKeyView(
            id=one.id,
            name=one.name,
            kind=kind_of(one),
            rp_id=one.credential.rp_id,
            credential_id=one.credential.id,
            public_key=one.credential.public_key,
            two_factor=checks_person(one),
            opens_hosts=one.id in opening,
        )
        for one in hardware_keys(account)
    )


def authorized_keys(parts: Parts, party: Client, user: str) -> Told:
    """Return the lines of authorized_keys for a user of a host: of the account with exactly that name, in small letters.

    Who has no account goes the same way as who has one without keys (must hold 3). Two users of a host whose names differ in
    nothing but capitals or accents are never one account: only the plain form of a name is answered.
    """
    from passless.credentials.ssh_keys import authorized_line

    found, keys = opening(parts, party, user, parts.now())
    if found is None:
        return Told()
    lines = (authorized_line(key, verify=checks_person(one), comment=f"passless-{one.id}") for one, key in keys)
    return Told(tuple(lines), found.id)


def opening(
    parts: Parts, party: Client, user: str, now: datetime
) -> tuple[Account | None, tuple[tuple[HardwareKey, SshKey], ...]]:
    """Return the account of a user of a host, and which of its keys let them in there, as ssh knows them; None for nobody's."""
    typed = user if _is_text(user) else ""
    found = nobody.someone(parts, typed, now).account
    uses = parts.store.uses(found.id)
    keys = tuple(_for_ssh(opens_hosts(found, uses, parts.rules, now, party.requires)))
    if typed != user or not _is_of(found, user) or not party.has_user(found.groups):
        return None, ()
    return found, keys


def _for_ssh(keys: Iterable[HardwareKey]) -> Iterator[tuple[HardwareKey, SshKey]]:
    """Return the keys that ssh knows; nothing that anybody typed is in one, but base64 of the server's own name."""
    from passless.credentials.ssh_keys import NotForSsh, ssh_key

    for one in keys:
        with suppress(NotForSsh):
            yield one, ssh_key(one.credential.public_key, one.credential.rp_id)


def _is_text(user: str) -> bool:
    return not any("\ud800" <= one <= "\udfff" for one in user) and "\0" not in user


def _is_of(account: Account, user: str) -> bool:
    return not nobody.is_nobody(account) and names.key(account.name) == user
