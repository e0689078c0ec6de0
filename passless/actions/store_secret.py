"""The secret that a store keeps to answer strangers with: every process that shares the store gives the same answers, for ever.

It is none of the vault's (must hold 14): keys and passkeys sign in without one, and a rotated key would give answers away.
Beside it stands what made-up credentials are modelled on: how long the ids of this store's own are.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256

import msgspec
from msgspec import Struct

from passless.actions.parts import Parts
from passless.ports import Record, VersionMoved, Write

KIND, NAME = "secret", "names"  # of its record
KEY_SIZE = 32  # bytes; as long as the hash it keys (RFC 2104 §3)


class StoreSecret(Struct, frozen=True, kw_only=True):
    """What is kept. `lengths` are those that were seen, by the kind of method; None where nobody has looked yet."""

    key: bytes
    lengths: Mapping[str, bytes] | None = None


def read(parts: Parts) -> StoreSecret:
    """Return the store's secret, made when it is first asked for."""
    return _decoded(_record(parts).document)


def keep_lengths(parts: Parts, lengths: Mapping[str, bytes]) -> None:
    """Keep the lengths that were seen, in the place of those that are kept.

    Raises:
        VersionMoved: somebody else did so at the same moment.
    """
    record = _record(parts)
    after = msgspec.structs.replace(_decoded(record.document), lengths=lengths)
    parts.store.commit(Write(at=parts.now(), puts=(msgspec.structs.replace(record, document=msgspec.json.encode(after)),)))


@lru_cache(maxsize=64)  # asked at every sign-in, and hardly ever another
def derived(key: bytes, use: str) -> bytes:
    """Return the key for one use, so that no two uses share one."""
    return hmac.digest(key, b"use/" + use.encode(), sha256)


def _record(parts: Parts) -> Record:
    kept = parts.store.record(KIND, NAME)
    if kept is not None:
        return kept
    made = Record(kind=KIND, key=NAME, document=msgspec.json.encode(StoreSecret(key=parts.entropy(KEY_SIZE))))
    try:
        parts.store.commit(Write(at=parts.now(), puts=(made,)))
    except VersionMoved:  # another process was faster
        return _record(parts)
    return msgspec.structs.replace(made, version=1)


@lru_cache(maxsize=64)
def _decoded(document: bytes) -> StoreSecret:
    return msgspec.json.decode(document, type=StoreSecret)
