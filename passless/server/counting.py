"""A store that counts the sign-ins it is told of, whichever way they came in."""

from __future__ import annotations

from typing import Any, cast

from passless.domain.account import Version
from passless.ports import Store, Write
from passless.server.metrics import Metrics

SIGN_IN = "sign-in"


class _Counting:
    """Everything of a store, and an eye on what is written into the trail."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, write: Write) -> Version | None:
        """Keep a write, and count the sign-ins in it."""
        version = self._store.commit(write)
        for entry in write.events:
            if entry.event == SIGN_IN:
                kind = entry.details.get("kinds") or entry.details.get("kind") or "unknown"
                self._metrics.signed_in(kind, entry.outcome)
        return version


def counting(store: Store, metrics: Metrics) -> Store:
    """Return a store that counts sign-ins."""
    return cast("Store", _Counting(store, metrics))
