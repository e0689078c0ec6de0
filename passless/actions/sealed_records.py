"""Secrets of the server itself that must be read back, kept as records sealed under the store's vault key."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from passless.actions.parts import Parts
from passless.domain.sealed import Sealed
from passless.ports import Record


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
