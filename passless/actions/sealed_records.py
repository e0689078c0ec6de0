"""Secrets of the server itself that must be read back, kept as records sealed under the store's vault key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions.parts import Parts
from passless.domain.sealed import KeyId, Sealed
from passless.ports import Record, Store, Vault, VersionMoved, Write

KINDS = ("openid-key", "relying-party-secret")  # every kind of such a record, for whoever replaces the vault key
TRIES = 50  # how often a record is read again when others were faster


class SealedDocument(Struct, frozen=True, kw_only=True):
    """The document of such a record; `about` is whatever its kind keeps beside the secret, in the open."""

    seal: Sealed
    about: msgspec.Raw = msgspec.Raw(b"{}")


def sealed(
    parts: Parts,
    kind: str,
    key: str,
    secret: bytes,
    *,
    about: bytes = b"{}",
    ends_at: datetime | None = None,
    version: int = 0,
) -> Record:
    """Return the record of a secret, to be kept."""
    document = SealedDocument(seal=parts.vault.seal(secret, bound_to=bound_to(kind, key)), about=msgspec.Raw(about))
    return Record(kind=kind, key=key, document=msgspec.json.encode(document), ends_at=ends_at, version=version)


def opened(parts: Parts, record: Record) -> bytes:
    """Return the secret of a record."""
    document = msgspec.json.decode(record.document, type=SealedDocument)
    return parts.vault.open(document.seal, bound_to=bound_to(record.kind, record.key))


def about(record: Record) -> bytes:
    """Return what is kept beside the secret, as JSON."""
    return bytes(msgspec.json.decode(record.document, type=SealedDocument).about)


def bound_to(kind: str, key: str) -> str:
    """Return what the seal of a record is bound to."""
    return f"record/{kind}/{key}"


def everything(store: Store) -> Iterator[Record]:
    """Return every such record."""
    for kind in KINDS:
        yield from store.records(kind)


def seal_of(record: Record) -> Sealed:
    """Return the seal of a record."""
    return msgspec.json.decode(record.document, type=SealedDocument).seal


def check(vault: Vault, record: Record) -> None:
    """Open a record; raises what `Vault.open` raises."""
    vault.open(seal_of(record), bound_to=bound_to(record.kind, record.key))


def move(store: Store, vault: Vault, record: Record, at: datetime) -> bool:
    """Seal a record under the current key; False where it is so already, or is gone."""
    found: Record | None = record
    for _ in range(TRIES):
        if found is None:
            return False
        document = msgspec.json.decode(found.document, type=SealedDocument)
        seal = vault.reseal(document.seal, bound_to=bound_to(found.kind, found.key))
        if seal == document.seal:
            return False
        try:
            store.commit(Write(at=at, puts=(replace(found, document=msgspec.json.encode(replace(document, seal=seal))),)))
            return True
        except VersionMoved:
            found = store.record(record.kind, record.key)
    raise VersionMoved


def settle(parts: Parts, kind: str, key: str, secret: bytes) -> None:
    """Seal what was kept just now once more, where the vault key was replaced at the same moment.

    Whoever replaced it may not have seen the record, and forgets the earlier key.
    """
    parts.vault.reload()
    for _ in range(TRIES):
        record = parts.store.record(kind, key)
        if record is None or seal_of(record).key == parts.vault.key_id():
            return
        document = msgspec.json.decode(record.document, type=SealedDocument)
        seal = parts.vault.seal(secret, bound_to=bound_to(kind, key))
        try:
            resealed = replace(record, document=msgspec.json.encode(replace(document, seal=seal)))
            parts.store.commit(Write(at=parts.now(), puts=(resealed,)))
        except VersionMoved:
            continue


def key_of(record: Record) -> KeyId:
    """Name the vault key that a record is sealed under."""
    return seal_of(record).key
