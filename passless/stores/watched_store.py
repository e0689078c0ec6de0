"""A database and its state folder, watched for an old copy that somebody puts in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import RLock
from typing import Any, TypeVar

import msgspec

from passless.ports import StoreDamaged, StoreNewer
from passless.stores import restoring
from passless.stores.checkpoints import write_outside
from passless.stores.database import Database
from passless.stores.documents import Row, Unreadable, WrittenByNewer, moment, stored_number
from passless.stores.errors import StoreReplaced
from passless.stores.recent_accounts import RecentAccounts
from passless.stores.state_folder import StateFolder

T = TypeVar("T")
S = TypeVar("S")

UNREADABLE = (Unreadable, msgspec.DecodeError)  # what a row causes that was changed outside of passless
ODD_ROW = (*UNREADABLE, TypeError, ValueError, OverflowError)  # and what else reading it back may raise


class _OldCopy(Exception):
    """The database lacks commits that were made."""


class WatchedStore:
    """What every operation of a store stands on: reads that name the file when it is broken, and numbered commits.

    Each commit counts up a number in the database and, when that is kept, in the state folder. A database that gives out a
    number the folder has seen before is an old copy. A crash between the two leaves the folder behind, which is no alarm.

    What is not seen: a copy of the database and the state folder together, and one that is written into the file of a running
    process, over which its write-ahead log then lies (SQLite calls that corruption; moving a file into place is fine).
    """

    def __init__(self, database: Database, state: StateFolder, *, store_id: str, at: datetime) -> None:
        """Look whether an old copy was put back since the state folder was last written, and make it harmless."""
        self._database = database
        self._state = state
        self._id = store_id
        self._lock = RLock()
        self._recent = RecentAccounts()
        self._unsigned = 0
        self._last_at = at
        self._restored_at: datetime | None = None
        self._restored_told = True
        self._totp_floor = 0
        self._read_own_row()
        self._notice_old_copy(at)

    @property
    def id(self) -> str:
        """The store's own id, from which its RP ID follows."""
        return self._id

    @property
    def restored_at(self) -> datetime | None:
        """When an old copy was put back, if that was noticed; sessions, passes and ceremonies of before are void."""
        return self._restored_at

    def tell_restored(self) -> datetime | None:
        """Return when an old copy was noticed, to whoever asks first; None to everybody after."""
        with self._lock:
            if self._restored_told:
                return None
            self._restored_told = True
            return self._restored_at if self._database.run("tell_restored") else None

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()
        self._state.close()

    def _page(self, statement: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            if self._database.was_replaced():
                raise StoreReplaced(f'the store "{self._database.name}" is not the file any more that was opened')
            return self._database.rows(statement, **parameters)

    def _rows(self, statement: str, read: Callable[[Row], T], /, **parameters: Any) -> list[T]:
        return [self._readable(read, row) for row in self._page(statement, **parameters)]

    def _readable(self, read: Callable[[S], T], row: S) -> T:
        try:
            return read(row)
        except ODD_ROW as error:
            raise self._fault(error) from error

    def _stream(self, read: Callable[[Row], T], rows: Iterable[Row]) -> Iterator[T]:
        try:
            for row in rows:
                yield read(row)
        except ODD_ROW as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> StoreDamaged | StoreNewer:
        if isinstance(error, WrittenByNewer):
            return StoreNewer(f'{error} in the store "{self._database.name}" was written by a newer passless')
        return StoreDamaged(f'the store "{self._database.name}" is damaged ({error})')

    @contextmanager
    def _commit(self, at: datetime) -> Iterator[None]:
        """Keep everything that is run inside, or nothing, as the commit of the next number.

        Raises:
            StoreReplaced: an old copy was put back; it is harmless now, and the caller starts again.
        """
        self._notice_replaced(at)
        try:
            with self._database.writing():
                found = self._database.rows("count_commit", writer=self._state.writer)
                if not found or self._state.has_seen(number := stored_number(found[0])):
                    raise _OldCopy
                yield
            self._state.record(number)
        except _OldCopy:
            self._notice_old_copy(at)
            raise self._replaced() from None
        except (*UNREADABLE, WrittenByNewer) as error:
            raise self._fault(error) from error

    def _notice_replaced(self, at: datetime) -> None:
        """Open the file that lies in the place of the one that was open, if there is another."""
        if not self._database.was_replaced():
            return
        before = self._restored_at
        self._database.reopen()
        self._read_own_row()
        if self._notice_old_copy(at) or self._restored_at != before:
            raise self._replaced()

    def _replaced(self) -> StoreReplaced:
        return StoreReplaced(f'an old copy was put in the place of the store "{self._database.name}"')

    def _notice_old_copy(self, at: datetime) -> bool:
        """Make an old copy harmless, or bring the state folder up to date; tell whether it was one."""
        try:
            if not restoring.is_behind(self._database, self._state):
                restoring.catch_up(self._database, self._state)
                return False
            with self._database.writing():
                if restoring.is_behind(self._database, self._state):
                    number, signed = restoring.void(self._database, self._state, self._id, at)
                else:
                    number, signed = 0, None  # another process was faster
        except ODD_ROW as error:
            raise self._fault(error) from error
        if number:
            self._state.record(number)
        if signed is not None:
            self._state.keep_checkpoint(write_outside(signed))
        self._read_own_row()
        return True

    def _read_own_row(self) -> None:
        found = self._database.rows("read_store")
        try:
            ((store_id, totp_floor, restored_at, told),) = found
            self._restored_at = None if restored_at is None else moment(restored_at)
            self._restored_told = bool(told)
            self._totp_floor = int(totp_floor)
        except ODD_ROW as error:
            raise self._fault(error) from error
        if store_id != self._id:
            raise StoreDamaged(f'another store lies in the place of "{self._database.name}"')
