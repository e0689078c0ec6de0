"""A store that counts the sign-ins it is told of, whichever way they came in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from passless.domain.account import Version
from passless.ports import Store, Write
from passless.server.metrics import Metrics

SIGN_IN = "sign-in"


class _Own(threading.local):
    waiting: list[Write] | None = None  # what a thread keeps together is counted when it is kept


class _Counting:
    """Everything of a store, and an eye on what is written into the trail."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._own = _Own()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if callable(found):
            setattr(self, name, found)  # asked for once
        return found

    def commit(self, write: Write) -> Version | None:
        """Keep a write, and count the sign-ins in it."""
        version = self._store.commit(write)
        if self._own.waiting is None:
            self._count(write)
        else:
            self._own.waiting.append(write)
        return version

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep writes together, and count the sign-ins in them when they are kept."""
        if self._own.waiting is not None:
            yield
            return
        waiting: list[Write] = []
        self._own.waiting = waiting
        try:
            with self._store.together():
                yield
        finally:
            self._own.waiting = None
        for write in waiting:
            self._count(write)

    def _count(self, write: Write) -> None:
        for entry in write.events:
            if entry.event == SIGN_IN:
                kind = entry.details.get("kinds") or entry.details.get("kind") or "unknown"
                self._metrics.signed_in(kind, entry.outcome)


def counting(store: Store, metrics: Metrics) -> Store:
    """Return a store that counts sign-ins."""
    return cast("Store", _Counting(store, metrics))
