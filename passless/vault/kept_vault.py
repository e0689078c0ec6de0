"""The vault of one store: its key ring read from a keeper, once, when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.errors import Unavailable
from passless.domain.sealed import KeyId, Sealed, Tag
from passless.ports import Entropy
from passless.vault import key_ring, sealing
from passless.vault.errors import VaultKeyForeign, VaultKeyMissing, VaultKeyUnreadable, VaultNotWritten
from passless.vault.keeper import Keeper, KeeperKind
from passless.vault.key_file import alone
from passless.vault.key_ring import KeyRing, VaultKey


class VaultState(Struct, frozen=True, kw_only=True):
    """What `vault status` and `doctor` show: where the key is kept, which keys there are, and what is wrong."""

    keeper: KeeperKind
    where: str
    ok: bool
    current: KeyId | None = None
    keys: tuple[KeyId, ...] = ()  # the current one first
    code: str = ""
    message: str = "the vault key is there"
    hint: str = ""


class KeptVault:
    """Seals and tags under the keys of one store, and keeps those keys.

    Threads may share it. Only `create` makes the first key, and only `rotate` a further one.
    """

    def __init__(self, store_id: str, keeper: Keeper, *, lock: Path, entropy: Entropy) -> None:
        self.store_id = store_id
        self._keeper = keeper
        self._lock = lock  # the file that changes to the key queue at
        self._entropy = entropy
        self._ring: KeyRing | None = None
        self._reading = Lock()
        self._sought: frozenset[KeyId] = frozenset()

    def key_id(self) -> KeyId:
        """Name the key that new seals are made under."""
        return self.ring().current

    def seal(self, secret: bytes, *, bound_to: str) -> Sealed:
        """Seal a secret to what it belongs to, such as `account/method`."""
        ring = self.ring()
        return sealing.seal(secret, ring.keys[ring.current], store_id=self.store_id, bound_to=bound_to, entropy=self._entropy)

    def open(self, sealed: Sealed, *, bound_to: str) -> bytes:
        """Return a sealed secret.

        Raises:
            SealBroken: it was made for something else, or changed.
            VaultKeyMissing: it was sealed under a key the vault does not have.
        """
        return sealing.unseal(sealed, self._key(sealed.key), store_id=self.store_id, bound_to=bound_to)

    def tag(self, secret: bytes, *, purpose: str) -> Tag:
        """Return the keyed hash of a machine-made secret under the current key."""
        ring = self.ring()
        return sealing.tag(secret, ring.keys[ring.current], store_id=self.store_id, purpose=purpose)

    def tags(self, secret: bytes, *, purpose: str) -> tuple[Tag, ...]:
        """Return the keyed hashes under every key still known, the current one first: what to look up."""
        ring = self.ring()
        return tuple(
            sealing.tag(secret, ring.keys[key_id], store_id=self.store_id, purpose=purpose) for key_id in ring.key_ids()
        )

    def reseal(self, sealed: Sealed, *, bound_to: str) -> Sealed:
        """Return the seal under the current key: the same one where it is so already."""
        if sealed.key == self.key_id():
            return sealed
        return self.seal(self.open(sealed, bound_to=bound_to), bound_to=bound_to)

    def has(self, key_id: KeyId) -> bool:
        """Tell whether a key is still there, among those that were read."""
        return key_id in self.ring().keys

    def ring(self) -> KeyRing:
        """Return the keys, read at the first use.

        Raises:
            VaultKeyMissing: the keeper has none.
            VaultKeyForeign: they belong to another store.
            VaultKeyUnreadable: what is kept is damaged, or not ours to read.
            VaultLocked: the keyring is locked or absent.
        """
        ring = self._ring
        if ring is not None:  # as nearly always: nobody is waited for
            return ring
        with self._reading:
            if self._ring is None:
                self._ring = self._read()
            return self._ring

    def reload(self) -> None:
        """Read the keys again at the next use: for a process that outlives a rotation or an import by another."""
        with self._reading:
            self._ring = None
            self._sought = frozenset()

    def create(self) -> KeyRing:
        """Make the first key of a new store; whoever comes second gets the key of the first.

        Only for a store that was made just now: nothing else may answer a missing key with a new one.
        """
        return self._change(lambda ring: ring or key_ring.new_key_ring(self.store_id, self._entropy))

    def rotate(self) -> KeyRing:
        """Make a new current key; the earlier ones stay, for what is sealed and tagged under them."""
        return self._change(lambda ring: key_ring.rotate(self._there(ring), self._entropy))

    def forget(self, key_id: KeyId) -> KeyRing:
        """Drop an earlier key; the caller knows that nothing is sealed or tagged under it any more."""
        return self._change(lambda ring: key_ring.forget(self._there(ring), key_id))

    def adopt(self, copy: KeyRing) -> KeyRing:
        """Keep the keys of a copy beside those that are here; without any here, the copy's current key is current.

        Raises:
            VaultKeyForeign: the copy, or what is kept, belongs to another store.
        """
        self._refuse_foreign(copy, "the copy")
        return self._change(lambda ring: key_ring.joined(ring, copy) if ring else copy)

    def describe(self) -> VaultState:
        """Say how things stand now; asks the keeper again, and raises nothing of the vault's."""
        here = VaultState(keeper=self._keeper.kind, where=self._keeper.where(), ok=True)
        try:
            ring = self._read()
        except Unavailable as error:
            return replace(here, ok=False, code=error.code, message=error.message, hint=error.hint)
        return replace(here, current=ring.current, keys=ring.key_ids())

    def _key(self, key_id: KeyId) -> VaultKey:
        """Find a key; one that is not known may be another process's new one, and is sought in the keeper once."""
        ring = self.ring()
        if key_id not in ring.keys:
            with self._reading:  # what is read here must not take the place of what another thread read later
                if key_id not in self._sought:
                    self._ring, self._sought = self._read(), self._sought | {key_id}
                ring = self._ring if self._ring is not None else ring
        if key_id not in ring.keys:
            raise VaultKeyMissing(f'the vault key "{key_id}", which this was sealed under, is missing')
        return ring.keys[key_id]

    def _read(self) -> KeyRing:
        return self._there(self._found())

    def _found(self) -> KeyRing | None:
        kept = self._keeper.read()
        if kept is None:
            return None
        try:
            ring = key_ring.decode_ring(kept)
        except ValueError as error:
            raise VaultKeyUnreadable(f'the vault key in "{self._keeper.where()}" is damaged') from error
        self._refuse_foreign(ring, f'"{self._keeper.where()}"')
        return ring

    def _there(self, ring: KeyRing | None) -> KeyRing:
        if ring is None:
            raise VaultKeyMissing(f'the vault key of this store is missing in "{self._keeper.where()}"')
        return ring

    def _refuse_foreign(self, ring: KeyRing, place: str) -> None:
        if ring.store_id != self.store_id:
            raise VaultKeyForeign(f'{place} holds the key of the store "{ring.store_id}", not of "{self.store_id}"')

    def _change(self, change: Callable[[KeyRing | None], KeyRing]) -> KeyRing:
        """Read, change, keep and read back, with no other process in between."""
        with alone(self._lock):
            before = self._found()
            after = change(before)
            if after != before:
                kept = key_ring.encode_ring(after)
                self._keeper.write(kept)
                if self._keeper.read() != kept:
                    raise VaultNotWritten(f'"{self._keeper.where()}" did not keep the vault key it was given')
            with self._reading:  # before the next change: two threads put their rings here in the order of their changes
                self._ring = after
        return after
