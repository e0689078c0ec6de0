"""One transaction for several writes of one thread: who has many short things to do waits for the disk once.

Beside the groups (`groups.py`), in which each thread waits for its own write, it saves the threads: a server does a batch of
sign-ins in one, and answers when the block has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

from passless.domain.account import AccountId, Version
from passless.domain.errors import PasslessError
from passless.ports import Record, StoreUnavailable
from passless.stores.database import Turn


class Together:
    """What a thread reads and keeps while it holds the writer's turn. Where no transaction can begin it still reads."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.at: datetime | None = None  # of the last write; None before the first
        self.appended = 0  # events
        self.ended_bytes = 0
        self._records: dict[tuple[str, str], Record | None] = {}  # as they were read, until one may be written
        self._versions: dict[AccountId, Version] = {}  # of accounts, alike
        self._opened = ExitStack()
        self._lost: PasslessError | None = None
        try:
            self._opened.enter_context(turn.transaction())
        except PasslessError as error:
            self._lost = error

    def begin(self, at: datetime, *, moves: bool = True) -> None:
        """Begin a write; where the transaction did not begin or was lost it fails, and at once."""
        self.at = at if self.at is None else max(at, self.at)
        if moves:
            self._records.clear()
            self._versions.clear()
        self._check()

    def saw(self, account_id: AccountId, version: Version) -> None:
        """Remember at which version an account was read."""
        if self.turn.is_open():
            self._versions[account_id] = version

    def version_of(self, account_id: AccountId) -> Version | None:
        """Return the version that an account is at, if it was read: nobody else writes while the transaction is open."""
        return self._versions.get(account_id) if self.turn.is_open() else None

    def record(self, kind: str, key: str, read: Callable[[str, str], Record | None]) -> Record | None:
        """Return a record, read once: nobody else writes while the transaction is open."""
        if not self.turn.is_open():
            return read(kind, key)
        name = kind, key
        if name not in self._records:
            self._records[name] = read(kind, key)
        return self._records[name]

    def notice(self, error: PasslessError) -> None:
        """Remember an error that ended all of the transaction, and not only the write that met it."""
        if self._lost is None and not self.turn.is_open():
            self._lost = error

    def goes_on(self) -> bool:
        """Tell whether there is anything to keep; raise again what ended the transaction."""
        if self.at is None:
            return False
        self._check()
        return True

    def end(self) -> None:
        """Keep everything: it is on the disk when this returns."""
        self._opened.close()

    def _check(self) -> None:
        """Refuse to go on in a transaction that is over: what is written then would be kept by itself."""
        if self._lost is None and not self.turn.is_open():
            self._lost = StoreUnavailable("what was kept in the same transaction was lost")
        if self._lost is not None:
            raise same(self._lost)

    def undo(self, error: BaseException) -> None:
        """Keep nothing."""
        self._opened.__exit__(type(error), error, error.__traceback__)


class Own(threading.local):
    """What each thread has of its own."""

    together: Together | None = None


def same(error: PasslessError) -> PasslessError:
    """Return an error for somebody else who meets it."""
    return type(error)(error.message, hint=error.hint, code=error.code)
