"""Security keys for programs outside of a browser: told to sshd, which asks for somebody, and to the person themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

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
    now = parts.now()
    typed = user if _is_text(user) else ""
    found = nobody.someone(parts, typed, now).account
    uses = parts.store.uses(found.id)
    keys = tuple(opens_hosts(found, uses, parts.rules, now, party.requires))
    if typed != user or not _is_of(found, user):
        return Told()
    return Told(tuple(_lines(keys)), found.id)


def _lines(keys: Sequence[HardwareKey]) -> Iterator[str]:
    """Write the keys that ssh knows; nothing that anybody typed is in a line, but base64 of the server's own name."""
    from passless.credentials.ssh_keys import NotForSsh, authorized_line, ssh_key

    for one in keys:
        with suppress(NotForSsh):
            key = ssh_key(one.credential.public_key, one.credential.rp_id)
            yield authorized_line(key, verify=checks_person(one), comment=f"passless-{one.id}")


def _is_text(user: str) -> bool:
    return not any("\ud800" <= one <= "\udfff" for one in user) and "\0" not in user


def _is_of(account: Account, user: str) -> bool:
    return not nobody.is_nobody(account) and names.key(account.name) == user
