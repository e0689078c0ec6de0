"""Nobody: what stands in on a server for an account that is not there, and goes every way a real one goes (must hold 3).

What is made up follows from the name that was typed and a key that the store keeps: the same name is answered alike for
ever, and nobody outside can tell what was made up. The name itself is kept nowhere (it may be a password in the wrong field):
counters know it by 24 bits of a keyed hash, too few to find out which of many passwords it was.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256, shake_256

import msgspec
from msgspec import Struct

from passless.actions.accounts import Found, find
from passless.actions.catching_up import catch_up
from passless.actions.parts import Access, Parts
from passless.domain import names
from passless.domain.account import Account, AccountId, Version
from passless.domain.changes import AccountName
from passless.domain.methods import Credential, Kind, RpId
from passless.ports import NoSuchAccount, Record, VersionMoved, Write

SIGN = "~"  # before the id of nobody; no id that we make has it
BUCKET = 3  # bytes of the hash that a name is counted under
KEY_SIZE = 32  # bytes; as long as the hash it keys (RFC 2104 §3)
KIND, NAME = "secret", "names"  # where the store keeps the key

LISTED = 4  # credentials that are named at least, real or not, so that their number tells nothing
SHAPES: dict[Kind, tuple[tuple[int, tuple[str, ...]], ...]] = {  # bytes of an id, and transports, as real ones have them
    Kind.SECURITY_KEY: ((48, ("nfc", "usb")), (64, ("nfc", "usb")), (64, ("usb",)), (48, ("usb",))),
    Kind.PASSKEY: ((32, ("internal",)), (20, ("hybrid", "internal")), (16, ("hybrid", "internal")), (32, ("usb",))),
}


class _Key(Struct, frozen=True, kw_only=True):
    key: bytes


def is_nobody(account: Account) -> bool:
    """Tell whether this account stands in for one that is not there."""
    return account.id.startswith(SIGN)


def someone(parts: Parts, target: str, now: datetime) -> Found:
    """Read an account for somebody at its door, by name or id; on a server nobody's where there is none.

    The store is asked the same whether there is one or not.
    """
    if parts.access is not Access.NOBODY:
        return find(parts, target, now)
    stand_in = nobody(parts, name_hash(parts, target), now)
    try:
        found = find(parts, target, now)
    except NoSuchAccount:
        return stand_in
    if names.are_same(found.account.name, target):
        look_for(parts, stand_in.account)  # by its id, as it was done for the others
    return found


def look_for(parts: Parts, stand_in: Account) -> None:
    """Ask the store for an account that is not there."""
    with suppress(NoSuchAccount):
        parts.store.read(stand_in.id)


def name_hash(parts: Parts, target: str) -> str:
    """Return what stands for a typed name: an id of nobody."""
    return SIGN + _keyed(parts, "name", target)[:BUCKET].hex()


def nobody(parts: Parts, name: str, now: datetime) -> Found:
    """Return an account without any method; `name` is what `name_hash` made of the one that was typed."""
    document = msgspec.json.encode(
        Account(
            id=AccountId(name), name=AccountName(""), created_at=now, user_handle=sha256(name.encode()).digest(), finished=True
        )
    )
    account = msgspec.json.decode(document, type=Account)  # as much work as reading a small one
    return Found(account, account, Version(0), catch_up(account, parts.rules, now))


def hidden_among(parts: Parts, target: str, kind: Kind, real: Sequence[Credential]) -> tuple[Credential, ...]:
    """Return credentials to name to somebody who has proven nothing: the real ones among made-up ones, in no order."""
    made = [_made_up(parts, target, kind, number) for number in range(LISTED)]
    return tuple(sorted((*real, *made[: max(0, LISTED - len(real))]), key=lambda one: one.id))


def _made_up(parts: Parts, target: str, kind: Kind, number: int) -> Credential:
    seed = _keyed(parts, f"credential/{kind}/{number}", target)
    size, transports = SHAPES[kind][seed[0] % len(SHAPES[kind])]
    return Credential(
        id=shake_256(seed).digest(size), public_key=b"", rp_id=parts.rules.rp_id or RpId(""), transports=transports
    )


def _keyed(parts: Parts, use: str, name: str) -> bytes:
    text = f"{use}/{names.key(name)}".encode("utf-8", "surrogatepass")  # what was typed may not be text at all
    return hmac.digest(_key(parts), text, sha256)


def _key(parts: Parts) -> bytes:
    """Return the store's key for names, made when it is first asked for. It needs no vault (must hold 14)."""
    kept = parts.store.record(KIND, NAME)
    if kept is None:
        made = Record(kind=KIND, key=NAME, document=msgspec.json.encode(_Key(key=parts.entropy(KEY_SIZE))))
        try:
            parts.store.commit(Write(at=parts.now(), puts=(made,)))
        except VersionMoved:  # another process was faster
            return _key(parts)
        kept = made
    return msgspec.json.decode(kept.document, type=_Key).key
