"""Rotating a store's vault key: everything sealed moves under a new key, and the old one is forgotten last.

A crash at any point leaves everything readable: the new key is kept before anything is sealed under it, each account moves in
one transaction, and a key goes only when nothing in the store names it. Run again, it goes on where it stopped.

The secrets of the server itself, such as the keys that sign id_tokens, stand in records of their own and move alike.

An app that is being added has its seal in an open ceremony. Once the new key is current these are ended in one transaction, and
only then the seals are counted: a finish that came before has its seal on the account by now, one that comes later is refused
with its ceremony, and one that was begun later reads the keys again before it keeps anything (`actions.enrolling`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import sealed_records
from passless.domain.account import Account, AccountId
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.ceremonies import ENROL_TOTP
from passless.domain.methods import Totp
from passless.domain.sealed import KeyId, Sealed
from passless.ports import Clock, NoSuchAccount, Store, VersionMoved, Write
from passless.vault import KeptVault

TRIES = 50  # how often an account is read again when others were faster, as changes do
NO_SEAL = Sealed(key=KeyId(""), box=b"")  # in place of one, where only the rest counts


class Rotated(Struct, frozen=True, kw_only=True):
    """What a rotation did. `kept` are earlier keys that `app_passwords` still need: their hashes cannot be made anew."""

    key: KeyId
    accounts: int
    seals: int
    forgotten: tuple[KeyId, ...]
    kept: tuple[KeyId, ...] = ()
    app_passwords: int = 0


class VaultUse(Struct, frozen=True, kw_only=True):
    """What in a store depends on its vault: how many seals and app passwords under each key."""

    seals: dict[KeyId, int]
    app_passwords: dict[KeyId, int]

    @property
    def keys(self) -> frozenset[KeyId]:
        """Every key that something needs."""
        return frozenset(self.seals) | frozenset(self.app_passwords)


def count_use(store: Store) -> VaultUse:
    """Count what depends on the vault."""
    seals: dict[KeyId, int] = {}
    app_passwords: dict[KeyId, int] = {}
    for _, sealed in store.seals():
        seals[sealed.key] = seals.get(sealed.key, 0) + 1
    for record in sealed_records.everything(store):
        key = sealed_records.key_of(record)
        seals[key] = seals.get(key, 0) + 1
    for stored in store.accounts():
        for one in stored.account.app_passwords:
            for key in {tag.key for tag in one.tags}:
                app_passwords[key] = app_passwords.get(key, 0) + 1
    return VaultUse(seals=seals, app_passwords=app_passwords)


def rotate(store: Store, vault: KeptVault, clock: Clock, *, actor: str = "owner", place: str = "") -> Rotated:
    """Put a new key in front, move every seal under it, and forget the keys that nothing needs any more.

    Raises:
        VaultKeyMissing: a seal is under a key that is not there; nothing of its account is moved, and no key is forgotten.
        VaultLocked, VaultNotWritten: the keeper did not take the new key; nothing was changed.
    """
    check_readable(store, vault)
    ring = vault.rotate()
    store.commit(Write(at=clock(), ends_purpose=ENROL_TOTP))
    old = dict.fromkeys(account_id for account_id, sealed in store.seals() if sealed.key != ring.current)
    seals = sum(_move(store, vault, account_id, clock) for account_id in old)
    seals += sum(sealed_records.move(store, vault, record, clock()) for record in tuple(sealed_records.everything(store)))
    use = count_use(store)
    unneeded = [key for key in ring.key_ids() if key != ring.current and key not in use.keys]
    for key in unneeded:
        vault.forget(key)
    note(store, "rotate-vault-key", clock(), actor=actor, place=place, details={"key": ring.current, "seals": str(seals)})
    return Rotated(
        key=ring.current,
        accounts=len(old),
        seals=seals,
        forgotten=tuple(unneeded),
        kept=tuple(key for key in ring.key_ids() if key != ring.current and key in use.keys),
        app_passwords=sum(count for key, count in use.app_passwords.items() if key != ring.current),
    )


def check_readable(store: Store, vault: KeptVault) -> None:
    """Open every seal, so that nothing is started that could not be finished; raises what `Vault.open` raises."""
    vault.ring()
    for account_id in dict.fromkeys(account_id for account_id, _ in store.seals()):
        account = store.read(account_id).account
        for method in sealed_methods(account):
            vault.open(method.seed, bound_to=bound_to(account, method))
    for record in sealed_records.everything(store):
        sealed_records.check(vault, record)


def bound_to(account: Account, method: Totp) -> str:
    """Name what a method's seal belongs to, as the actions do."""
    from passless.actions.proving import bound_to as name_of

    return name_of(account.id, method.id)


def sealed_methods(value: object) -> Iterator[Totp]:
    """Find every method with a seal: on the account, in reported losses, and in what waits."""
    match value:
        case Totp():
            yield value
        case Struct():
            for field in value.__struct_fields__:
                yield from sealed_methods(getattr(value, field))
        case tuple():
            for part in value:
                yield from sealed_methods(part)
        case _:
            return


def with_seals(account: Account, seal: Callable[[Totp], Sealed]) -> Account:
    """Return the account with other seals in the places where it has some."""
    resealed: Account = _with_seals(account, seal)
    return resealed


def _with_seals(value: Any, seal: Callable[[Totp], Sealed]) -> Any:
    match value:
        case Totp():
            return replace(value, seed=seal(value))
        case Struct():
            old = msgspec.structs.asdict(value)
            new = {field: _with_seals(part, seal) for field, part in old.items()}
            changed = {field: part for field, part in new.items() if part is not old[field]}
            return replace(value, **changed) if changed else value
        case tuple():
            parts = tuple(_with_seals(part, seal) for part in value)
            return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts
        case _:
            return value


def _move(store: Store, vault: KeptVault, account_id: AccountId, clock: Clock) -> int:
    """Move the seals of one account under the current key; return how many there were."""
    for _ in range(TRIES):
        try:
            stored = store.read(account_id)
        except NoSuchAccount:
            return 0  # deleted meanwhile
        moved = _resealed(stored.account, vault)
        if moved == stored.account:
            return 0
        count = sum(1 for _ in sealed_methods(moved))
        try:
            store.commit(Write(at=clock(), account=moved, expected=stored.version))
        except VersionMoved:
            continue
        return count
    raise VersionMoved


def _resealed(account: Account, vault: KeptVault) -> Account:
    return with_seals(account, lambda method: vault.reseal(method.seed, bound_to=bound_to(account, method)))


def note(store: Store, event: str, at: datetime, *, actor: str, place: str, details: dict[str, str]) -> None:
    """Record what was done to the vault of the whole store."""
    entry = AuditEntry(at=at, actor=actor, event=event, outcome=Outcome.DONE, place=place, details=details)
    store.commit(Write(at=at, events=(entry,)))
