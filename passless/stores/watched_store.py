"""A database and what is known of it outside, watched for an old copy that somebody puts in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from threading import RLock
from typing import Any, TypeVar

import msgspec

from passless.domain.errors import PasslessError
from passless.ports import StoreDamaged, StoreNewer, StoreUnavailable, Write
from passless.stores import ending, restoring
from passless.stores.checkpoints import Signed, write_outside
from passless.stores.database import Again, Database, MaybeKept, Transaction, Turn, persist
from passless.stores.documents import Row, Unreadable, WrittenByNewer, moment, stored_number
from passless.stores.errors import StoreReplaced
from passless.stores.groups import Groups, Piece
from passless.stores.recent_accounts import RecentAccounts
from passless.stores.state_folder import StateFolder
from passless.stores.together import Own, Together, same

T = TypeVar("T")
S = TypeVar("S")

UNREADABLE = (Unreadable, msgspec.DecodeError)  # what a row causes that was changed outside of passless
ODD_ROW = (*UNREADABLE, TypeError, ValueError, OverflowError)  # and what else reading it back may raise

TOLD, UNKNOWN = 1, 2  # of an old copy: it was said already; it was not, and nobody here knew what ended since

Do = Callable[[Transaction, Sequence[Piece]], Sequence[Piece]]  # does the work of a group and returns what it accepted


class _OldCopy(Exception):
    """The database lacks commits that were made, or was made harmless by somebody else."""


class _NothingKept(Exception):
    """Every piece of a group was refused, so there is nothing to wait for the disk for."""


class _Spoilt(Exception):
    """One piece of a group made all of it fail; its cause says how."""


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
        self._groups = Groups(self._keep_group)
        self._own = Own()
        self._recent = RecentAccounts()
        self._unsigned = 0
        self._last_at = at
        self._restored_at: datetime | None = None
        self._restored_told = True
        self._took_grants = False
        self._totp_floor = 0
        self._era = 0
        self._persist(lambda: self._notice_old_copy(at))
        self._persist(self._read_own_row)  # after it: another process may have made an old copy harmless a moment ago

    @property
    def id(self) -> str:
        """The store's own id, from which its RP ID follows."""
        return self._id

    @property
    def restored_at(self) -> datetime | None:
        """When an old copy was put back, if that was noticed; sessions, passes and ceremonies of before are void."""
        return self._restored_at

    def tell_new_here(self) -> bool:
        """Tell whoever asks first whether others wrote to the store before this host had it: it can know no old copy then."""
        was_new = self._state.is_new_here()
        if was_new:
            self._state.settle()
        return was_new

    @property
    def took_grants(self) -> bool:
        """Whether with that old copy all went that somebody may have taken back, as nobody here could know what was."""
        return self._took_grants

    def take_for_old_copy(self, *, at: datetime) -> None:
        """Make void what must not come back, because somebody says that this is an old copy."""

        def void() -> tuple[int, Signed | None]:
            with self._database.writing() as transaction:
                transaction.rows("lock_store")
                return restoring.void(transaction, self._state, self._id, at, unseen=True)

        with self._lock:
            self._keep_outside(*self._persist(void))
            self._persist(self._read_own_row)

    def tell_restored(self) -> datetime | None:
        """Return when an old copy was noticed, to whoever asks first; None to everybody after."""
        with self._lock:
            if self._restored_told:
                return None
            self._restored_told = True
            told = self._keep(Write(at=self._last_at), lambda transaction: transaction.run("tell_restored"))
            return self._restored_at if told else None

    def close(self) -> None:
        """Let go of the database and of the state folder, also where one of them cannot be closed as it should."""
        with closing(self._state):
            self._database.close()

    def _page(self, statement: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
        return self._persist(lambda: self._read(statement, parameters))

    def _read(self, statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        if self._own.together is not None:
            return self._own.together.turn.rows(statement, **parameters)
        if self._database.was_replaced():
            with self._lock:
                self._look_again()
        return self._database.rows(statement, **parameters)

    def _look_again(self) -> None:
        """Go on reading where it is not an old copy that took the place of the database; else only a write clears it up."""
        if not self._database.goes_on() or restoring.is_behind(self._database.rows, self._state):
            raise StoreReplaced(f'the store "{self._database.name}" is not the one any more that was opened')
        self._database.reopen()

    def _rows(self, statement: str, read: Callable[[Row], T], /, **parameters: Any) -> list[T]:
        together = self._own.together
        rows = self._page(statement, **parameters) if together is None else together.turn.rows(statement, **parameters)
        if not rows:
            return []
        try:
            return [read(row) for row in rows]
        except ODD_ROW as error:
            raise self._fault(error) from error

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

    def _keep(self, write: Write, work: Callable[[Transaction], T]) -> T:
        """Keep a piece of work as part of the next transaction; its errors are its own."""
        kept: T = self._keep_piece(Piece(write, work))
        return kept

    def _keep_piece(self, piece: Piece) -> Any:
        together = self._own.together
        return self._groups.keep(piece) if together is None else self._keep_in(together, piece)

    @property
    def keeps_together(self) -> bool:
        """Whether `together` saves anything; else many threads are quicker than one."""
        return self._database.takes_turns

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let all that this thread keeps in the block wait for the disk once, at its end.

        What is refused is refused alone, as ever. Nobody may be told of anything before the block has ended.

        Raises:
            StoreUnavailable: nothing of the whole block was kept.
        """
        if not self._database.takes_turns or self._own.together is not None or self._database.was_replaced():
            yield
            return
        try:
            with self._held(self._database.turn()) as together:
                yield
        except _OldCopy:
            self._notice_old_copy(self._last_at)
            self._read_own_row()
            raise self._replaced() from None
        self._unsigned += together.appended

    @contextmanager
    def _held(self, turn: AbstractContextManager[Turn]) -> Iterator[Together]:
        with turn as held:
            self._own.together = together = Together(held)
            try:
                try:
                    yield together
                finally:
                    self._own.together = None
                self._last_at = together.at or self._last_at
                number = self._number(held, together.ended_bytes) if together.goes_on() else 0
                together.end()
            except BaseException as error:
                together.undo(error)
                raise
        if number:
            self._state.record(number)

    def _keep_in(self, together: Together, piece: Piece) -> Any:
        """Keep a piece as a part of what this thread keeps together."""
        if together.at is None and self._database.was_replaced():
            raise self._replaced()
        together.begin(piece.write.at, moves=piece.moves)
        try:
            with together.turn.part():
                if piece.work is not None:
                    piece.result = piece.work(together.turn)
                appended = ending.finish(together.turn, (piece,), self._id)
                ended_bytes = ending.end_items(together.turn, (piece,), self._state)
        except (*UNREADABLE, WrittenByNewer) as error:
            raise self._fault(error) from error
        except PasslessError as error:
            together.notice(error)
            raise
        together.appended += appended
        together.ended_bytes += ended_bytes
        return piece.result

    def _keep_group(self, group: Sequence[Piece]) -> None:
        """Keep a group in one transaction.

        Few writes are refused, so all are done in a row first; when one is, each is tried by itself in a second transaction,
        and where that fails as a whole, each gets one of its own.
        """
        try:
            self._persist(lambda: self._keep_once(group, ending.do_all))
        except _Spoilt as spoilt:
            if len(group) == 1:
                group[0].error = spoilt.__cause__
            else:
                self._keep_each(group)
        except PasslessError as error:
            refuse(group, error)

    def _keep_each(self, group: Sequence[Piece]) -> None:
        try:
            self._persist(
                lambda: self._keep_once(group, lambda transaction, pieces: ending.try_each(transaction, pieces, self._fault))
            )
        except _Spoilt:
            for piece in group:
                self._keep_group([piece])
        except PasslessError as error:
            refuse(group, error)

    def _keep_once(self, group: Sequence[Piece], do: Do) -> None:
        """Keep what `do` accepts of a group as the commit of the next number.

        Raises:
            StoreReplaced: an old copy was put back; it is harmless now, and the callers start again.
            Again: nothing was kept.
        """
        at = max(piece.write.at for piece in group)
        self._notice_replaced(at)
        number = 0
        try:
            with self._database.writing() as transaction:
                appended, ended_bytes = self._do(do, transaction, group)
                number = self._number(transaction, ended_bytes)
        except _NothingKept:
            return
        except _OldCopy:
            self._notice_old_copy(at)
            self._read_own_row()
            raise self._replaced() from None
        except MaybeKept as error:
            if not self._was_kept(number):
                raise Again("the connection was lost") from error
        self._state.record(number)
        self._unsigned += appended
        self._last_at = at

    def _do(
        self,
        do: Do,
        transaction: Transaction,
        group: Sequence[Piece],
    ) -> tuple[int, int]:
        """Do what a group wants; return how many events there were, and how much was added to the file of ended items."""
        try:
            if not (accepted := do(transaction, group)):
                raise _NothingKept
            return ending.finish(transaction, accepted, self._id), ending.end_items(transaction, accepted, self._state)
        except (*UNREADABLE, WrittenByNewer) as error:
            raise _Spoilt from self._fault(error)
        except (PasslessError, *ODD_ROW) as error:
            raise _Spoilt from error

    def _number(self, transaction: Transaction, ended_bytes: int) -> int:
        """Count the commit; `_OldCopy` where this number was given out before."""
        found = transaction.rows("count_commit", writer=self._state.writer, era=self._era, size=ended_bytes)
        if not found or self._state.has_seen(number := stored_number(found[0])):
            raise _OldCopy
        return number

    def _was_kept(self, number: int) -> bool:
        """Find out whether a commit is there whose end nobody heard of; the row waits for whoever may still be ending it.

        Raises:
            StoreUnavailable: nobody can tell now.
        """
        try:
            return self._persist(lambda: self._commits_now() >= number)
        except StoreUnavailable as error:
            hint = "the change may have been kept: look before you make it again"
            raise StoreUnavailable(error.message, hint=hint) from error

    def _commits_now(self) -> int:
        with self._database.writing() as transaction:
            found = transaction.rows("lock_writer", writer=self._state.writer)
            return stored_number(found[0]) if found else 0

    def _persist(self, step: Callable[[], T]) -> T:
        return persist(self._database, step)

    def _notice_replaced(self, at: datetime) -> None:
        """Open the database that lies in the place of the one that was open, if there is another."""
        if not self._database.was_replaced():
            return
        before = self._restored_at
        self._database.reopen()
        self._read_own_row()
        was_old = self._notice_old_copy(at)
        self._read_own_row()
        if was_old or self._restored_at != before:
            raise self._replaced()

    def _replaced(self) -> StoreReplaced:
        return StoreReplaced(f'an old copy was put in the place of the store "{self._database.name}"')

    def _notice_old_copy(self, at: datetime) -> bool:
        """Make an old copy harmless, or bring the state folder up to date; tell whether it was one."""
        try:
            if not restoring.is_behind(self._database.rows, self._state):
                restoring.catch_up(self._database, self._state)
                return False
            with self._database.writing() as transaction:
                transaction.rows("lock_store")
                if restoring.is_behind(transaction.rows, self._state):
                    number, signed = restoring.void(transaction, self._state, self._id, at)
                else:
                    number, signed = 0, None  # another process was faster
        except ODD_ROW as error:
            raise self._fault(error) from error
        self._keep_outside(number, signed)
        return True

    def _keep_outside(self, number: int, signed: Signed | None) -> None:
        if number:
            self._state.record(number)
        if signed is not None:
            self._state.keep_checkpoint(write_outside(signed))

    def _read_own_row(self) -> None:
        """Read what the store says of itself; the era comes first, so that it is never newer than the rest."""
        era, found = self._database.rows("read_era", writer=self._state.writer), self._database.rows("read_store")
        try:
            ((store_id, totp_floor, restored_at, told),) = found
            self._restored_at = None if restored_at is None else moment(restored_at)
            self._restored_told = told == TOLD
            self._took_grants = self._took_grants or told == UNKNOWN
            self._totp_floor = int(totp_floor)
            self._era = stored_number(era[0]) if era else 0
        except ODD_ROW as error:
            raise self._fault(error) from error
        if store_id != self._id:
            raise StoreDamaged(f'another store lies in the place of "{self._database.name}"')


def refuse(group: Sequence[Piece], error: PasslessError) -> None:
    """Tell every thread of a group what went wrong with all of it."""
    for piece in group:
        piece.error = same(error)
