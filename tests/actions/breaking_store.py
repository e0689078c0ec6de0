"""A store that breaks, or is overtaken, at the moment a test says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from passless.domain.account import Version
from passless.ports import Store, StoreUnavailable, Write


class BreakingStore:
    """Another store behind it; `before` and `after` are called around the next commit that passes the test."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.before: Callable[[], None] | None = None
        self.after: Callable[[], None] | None = None
        self.only: Callable[[Write], bool] = lambda write: True

    def commit(self, write: Write) -> Version | None:
        """Keep a write, or break."""
        if not self.only(write):
            return self.store.commit(write)
        before, after, self.before, self.after = self.before, self.after, None, None
        if before is not None:
            before()
        version = self.store.commit(write)
        if after is not None:
            after()
        return version

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class Crash(Exception):
    """The process is gone."""


def crash() -> None:
    """End the process."""
    raise Crash


def disk_full() -> None:
    """Say what a full disk says."""
    raise StoreUnavailable("the disk is full")
