"""Nobody: what stands in on a server for an account that is not there, and goes every way a real one goes (must hold 3).

What is made up follows from the name that was typed and a key that the store keeps: the same name is answered alike for
ever, and nobody outside can tell what was made up. The name itself is kept nowhere (it may be a password in the wrong field):
counters know it by 24 bits of a keyed hash, too few to find out which of many passwords it was.
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from passless.actions import store_secret
from passless.actions.accounts import Found, find
from passless.actions.catching_up import CaughtUp, catch_up
from passless.actions.parts import Access, Parts
from passless.domain import names
from passless.domain.account import Account, AccountId, Version
from passless.domain.changes import AccountName
from passless.domain.methods import (
    MEMORY,
    PHONE,
    Credential,
    MethodId,
    Passkey,
    Password,
    RpId,
    SecurityKey,
    Strength,
    Totp,
)
from passless.domain.recovery import RecoveryCode
from passless.domain.sealed import KeyId, Sealed
from passless.ports import NoSuchAccount

SIGN = "~"  # before the id of nobody; no id that we make has it
BUCKET = 3  # bytes of the hash that a name is counted under


def is_nobody(account: Account) -> bool:
    """Tell whether this account stands in for one that is not there."""
    return account.id.startswith(SIGN)


def someone(parts: Parts, target: str, now: datetime) -> Found:
    """Read an account for somebody at its door, by name or id; on a server nobody's where there is none.

    The store is asked the same whether there is one or not, and an account is read of what it said or of what is at hand.
    """
    if parts.access is not Access.NOBODY:
        return find(parts, target, now)
    name = name_hash(parts, target)
    try:
        found = find(parts, target, now)
    except NoSuchAccount:
        return nobody(parts, name, now)
    if names.are_same(found.account.name, target):
        look_for(parts, AccountId(name))  # by its id, as it was done for the others
    return found


def look_for(parts: Parts, account_id: AccountId) -> None:
    """Ask the store for an account that is not there."""
    with suppress(NoSuchAccount):
        parts.store.read(account_id)


def name_hash(parts: Parts, target: str) -> str:
    """Return what stands for a typed name: an id of nobody."""
    return SIGN + _keyed(store_secret.read(parts).key, "name", target)[:BUCKET].hex()


def nobody(parts: Parts, name: str, now: datetime) -> Found:
    """Return an account without any method; `name` is what `name_hash` made of the one that was typed."""
    usual = msgspec.json.decode(_usual_document(), type=Account)  # the work of reading one that is there
    catch_up(usual, parts.rules, now)
    account = replace(usual, id=AccountId(name), created_at=now, methods=(), recovery_codes=())
    return Found(account, account, Version(0), CaughtUp(account))


@cache
def _usual_document() -> bytes:
    """Return an account as most are: a password, an app, two keys, a code."""
    at, seed = datetime(2026, 1, 1, tzinfo=UTC), Sealed(key=KeyId("0" * 12), box=bytes(60))
    key = Credential(id=bytes(32), public_key=bytes(77), rp_id=RpId("passless.example"), aaguid="0" * 36, transports=("usb",))
    methods = (
        Password(id=MethodId("0"), name="password", device=MEMORY, added_at=at, hash="0" * 97, stands_alone=True),
        Totp(id=MethodId("1"), name="app", device=PHONE, added_at=at, seed=seed),
        SecurityKey(id=MethodId("2"), name="key", device=PHONE, added_at=at, credential=key, user_verified=True),
        Passkey(id=MethodId("3"), name="passkey", device=PHONE, added_at=at, credential=key),
    )
    code = RecoveryCode(id="4", hash="0" * 104, created_at=at, saved=True, created_with=Strength.TWO_FACTORS)
    usual = Account(
        id=AccountId(SIGN),
        name=AccountName(""),
        created_at=at,
        user_handle=bytes(32),
        finished=True,
        methods=methods,
        recovery_codes=(code,),
    )
    return msgspec.json.encode(usual)


def _keyed(key: bytes, use: str, name: str) -> bytes:
    text = f"{use}/{names.key(name)}".encode("utf-8", "surrogatepass")  # what was typed may not be text at all
    return hmac.digest(key, text, sha256)
