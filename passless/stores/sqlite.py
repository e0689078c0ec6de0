"""The SQLite engine: how the file is opened, how a transaction starts, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from passless.domain.errors import PasslessError
from passless.ports import StoreDamaged, StoreNewer, StoreUnavailable
from passless.stores.database import Rows
from passless.stores.errors import StoreMissing
from passless.stores.group_rows import fill
from passless.stores.statements import migrations, numbered_statements, split, statements

ENGINE = "sqlite"
APPLICATION_ID = 0x70736C73  # "psls", in the file's header (sqlite.org/pragma.html, application_id)
SCHEMA_VERSION = 4  # the number of the last migration
GROUPS_SINCE = 4  # the schema that knows who is in a group
BUSY_LIMIT = timedelta(seconds=5)  # how long a command waits for another's transaction before it says so
PAGE_BYTES = 4096  # of the file; SQLite's default, and what most disks write whole
MAPPED_BYTES = 2**31 - 2**16  # SQLite's own limit; large stores read pages without copying them
CACHE_KIBIBYTES = 64 * 1024  # a ceiling, taken only as pages are read
SHARED_KIBIBYTES = 4 * 1024  # the same of each connection where there are many: what the inner pages of a large store take
LOG_PAGES = 4000  # of the write-ahead log (16 MiB) before they are moved into the file; four times SQLite's default
KEPT_STATEMENTS = 128  # prepared statements; more than statements.sql has

ROOMY = (f"PRAGMA mmap_size = {MAPPED_BYTES}", f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")  # for a process with one connection
WRITER_KIBIBYTES = 32 * 1024  # and of the one of them that writes, which finds the places of what is new all over the file
LEAN = ("PRAGMA mmap_size = 0", f"PRAGMA cache_size = -{SHARED_KIBIBYTES}")  # a server of a million accounts stays small
LEAN_WRITER = ("PRAGMA mmap_size = 0", f"PRAGMA cache_size = -{WRITER_KIBIBYTES}")
SETTINGS = (
    "PRAGMA synchronous = FULL",  # an accepted change is on the disk
    f"PRAGMA wal_autocheckpoint = {LOG_PAGES}",
    "PRAGMA temp_store = MEMORY",  # what undoes a part of a transaction; a file costs as much as the part itself
    "PRAGMA trusted_schema = OFF",  # the file may come from anywhere
    "PRAGMA cell_size_check = ON",
)

FAULTS = (sqlite3.Error, UnicodeDecodeError)  # the second where a broken schema stands in SQLite's own message

REASONS = {
    sqlite3.SQLITE_BUSY: "is busy",
    sqlite3.SQLITE_LOCKED: "is busy",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_READONLY: "cannot be written to",
    sqlite3.SQLITE_PERM: "may not be opened",
    sqlite3.SQLITE_AUTH: "may not be opened",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_IOERR: "cannot be read or written",
    sqlite3.SQLITE_PROTOCOL: "is busy",
    sqlite3.SQLITE_NOLFS: "is too big for this file system",
    sqlite3.SQLITE_NOMEM: "needs more memory than there is",
    sqlite3.SQLITE_INTERRUPT: "was interrupted",
    sqlite3.SQLITE_MISUSE: "is closed",
}


def fault(error: Exception, path: Path) -> PasslessError:
    """Return the error that says what happened to the file."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, sqlite3.ProgrammingError):
        code = sqlite3.SQLITE_MISUSE
    if code is None or code == sqlite3.SQLITE_IOERR_SHORT_READ or (code & 0xFF) not in REASONS:
        return StoreDamaged(f'the store "{path}" is damaged ({error})')
    return StoreUnavailable(f'the store "{path}" {REASONS[code & 0xFF]}')


class Part:
    """A part of a transaction that may be undone alone."""

    __slots__ = ("_of",)

    def __init__(self, of: SqliteConnection) -> None:
        self._of = of

    def __enter__(self) -> None:
        self._of.tell("SAVEPOINT part")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if kind is not None and self._of.is_open():
            self._of.tell("ROLLBACK TO part")
        if kind is None or self._of.is_open():
            self._of.tell("RELEASE part")


class SqliteConnection:
    """One connection to the file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Take a connection that was opened; `path` is for messages."""
        self.connection = connection
        self._path = path
        self._statements = numbered_statements()

    def rows(self, statement: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement by its name and return its rows."""
        sql, names = self._statements[statement]
        try:
            return self.connection.execute(sql, list(map(parameters.__getitem__, names))).fetchall()
        except FAULTS as error:
            raise fault(error, self._path) from error

    def run(self, statement: str, /, **parameters: Any) -> int:
        """Run a statement by its name and return how many rows it changed."""
        sql, names = self._statements[statement]
        try:
            return self.connection.execute(sql, list(map(parameters.__getitem__, names))).rowcount
        except FAULTS as error:
            raise fault(error, self._path) from error

    def set(self, settings: Iterable[str]) -> None:
        """Change how the connection works, outside of any transaction."""
        for setting in settings:
            self.tell(setting)

    def part(self) -> Part:
        """Undo what is run inside, and nothing else, when an error leaves it."""
        return Part(self)

    def is_open(self) -> bool:
        """Tell whether the transaction can go on; a full disk may end all of it."""
        return self.connection.in_transaction

    @contextmanager
    def transaction(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
        """Keep everything that is run inside, or nothing."""
        try:
            self.tell(begin)
            yield
            self.tell("COMMIT")
        finally:
            with suppress(sqlite3.Error):  # what went wrong before is what is told
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the file."""
        try:
            self.connection.close()
        except FAULTS as error:
            raise fault(error, self._path) from error

    def tell(self, command: str) -> None:
        """Run a command."""
        try:
            self.connection.execute(command)
        except FAULTS as error:
            raise fault(error, self._path) from error


class SqliteDatabase:
    """One open file: a connection that writes, and, once threads read while it does, others that only read.

    A process of one thread never opens a second one.
    """

    def __init__(self, path: Path) -> None:
        """Open a store's file.

        Raises:
            StoreMissing: there is no such file; none is ever made here.
            StoreDamaged: it is not a store of passless, or is broken.
            StoreNewer: a newer passless wrote it.
        """
        self._path = path
        self._turn = Lock()
        self._place = self._look()
        if self._place is None:
            raise StoreMissing(f'there is no store at "{path}"')
        self._writer = self._connect()
        self._readers: list[tuple[SqliteConnection, object]] = []
        self._has_company = False
        self._is_lean = False

    @property
    def name(self) -> str:
        """The file."""
        return str(self._path)

    def rows(self, statement: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement that reads, by itself, and return its rows; it never waits for the disk of a writer."""
        if not self._has_company and self._turn.acquire(blocking=False):
            try:
                return self._writer.rows(statement, **parameters)
            finally:
                self._turn.release()
        self._has_company = True
        with self._reader() as reader:
            return reader.rows(statement, **parameters)

    @contextmanager
    def writing(self) -> Iterator[SqliteConnection]:
        """Keep everything that is run inside, or nothing; one writer at a time."""
        with self._turn:
            self._make_lean()
            with self._writer.transaction():
                yield self._writer

    @property
    def takes_turns(self) -> bool:
        """One writes at a time."""
        return True

    @contextmanager
    def turn(self) -> Iterator[SqliteConnection]:
        """Hold the connection that writes; nobody else in this process writes meanwhile."""
        with self._turn:
            self._make_lean()
            yield self._writer

    @contextmanager
    def reading(self) -> Iterator[Rows]:
        """See the same state of the file in everything that is run inside."""
        with self._reader() as reader, reader.transaction("BEGIN"):
            yield reader.rows

    def was_replaced(self) -> bool:
        """Tell whether another file was put in the place of the one that is open, or none is left."""
        return self._look() != self._place

    def goes_on(self) -> bool:
        """Reading goes on only after a write that opened the file in the place of the other."""
        return False

    def reopen(self) -> None:
        """Let go of the file that was open and open the one in its place."""
        with self._turn:
            self._let_go()
            self._place = self._look()
            if self._place is None:
                raise StoreMissing(f'there is no store at "{self._path}" any more')
            self._writer, self._is_lean = self._connect(), False

    def close(self) -> None:
        """Let go of the file."""
        with self._turn:
            self._let_go()

    def _make_lean(self) -> None:
        """Let go of memory that many connections would each take, once there are many."""
        if self._has_company and not self._is_lean:
            self._writer.set(LEAN_WRITER)
            self._is_lean = True

    def _let_go(self) -> None:
        self._place = None  # a reader that is in use is closed when it comes back
        self._writer.close()
        while self._readers:
            self._readers.pop()[0].close()

    @contextmanager
    def _reader(self) -> Iterator[SqliteConnection]:
        """Borrow a connection that only reads."""
        is_new = False
        try:
            reader, place = self._readers.pop()
        except IndexError:
            place = self._place
            if place is None:
                raise StoreUnavailable(f'the store "{self._path}" is closed') from None
            reader = self._connect()
            is_new = True
        try:
            if is_new:
                reader.set(LEAN)
            yield reader
        finally:
            if place == self._place:
                self._readers.append((reader, place))
            else:
                reader.close()

    def _look(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 -- before every commit, and three times as fast as Path.stat
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f'the store "{self._path}" cannot be opened ({error.strerror})') from error
        return found.st_dev, found.st_ino

    def _check_whole(self) -> None:
        """Refuse a file that ends inside a page: SQLite would take the missing part for zeros.

        Not while a write-ahead log lies beside it, which may hold that page.
        """
        log = self._path.with_name(f"{self._path.name}-wal")
        try:
            is_whole = self._path.stat().st_size % PAGE_BYTES == 0 or (log.exists() and log.stat().st_size > 0)
        except OSError as error:
            raise StoreUnavailable(f'the store "{self._path}" cannot be opened ({error.strerror})') from error
        if not is_whole:
            raise StoreDamaged(f'the store "{self._path}" is damaged (it ends inside a page)')

    def _connect(self) -> SqliteConnection:
        self._check_whole()
        try:
            with ExitStack() as opened:
                connection = opened.enter_context(closing(connect(self._path, "rw")))
                (application,) = connection.execute("PRAGMA application_id").fetchone()
                if application != APPLICATION_ID:
                    raise StoreDamaged(f'"{self._path}" is not a store of passless')
                for setting in SETTINGS + ROOMY:
                    connection.execute(setting)
                migrate(connection, self._path)
                opened.pop_all()
        except FAULTS as error:
            raise fault(error, self._path) from error
        return SqliteConnection(connection, self._path)


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a file with SQLite; only the mode `rwc` makes one."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_LIMIT.total_seconds(),
        isolation_level=None,
        check_same_thread=False,
        cached_statements=KEPT_STATEMENTS,
    )


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a store of an older passless up to date, in one transaction; nothing to do is one look-up.

    Raises:
        StoreNewer: a newer passless wrote it.
    """
    if schema_version(connection, path) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        since = schema_version(connection, path)
        run_migrations(connection, since=since)
        if since < GROUPS_SINCE:
            fill(SqliteConnection(connection, path))
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def schema_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema that the file has; 0 is a new one."""
    found = connection.execute(statements()["schema_version"]).fetchone()
    version = found[0] if found else None
    if not isinstance(version, int):
        raise StoreDamaged(f'the store "{path}" is damaged (it has no schema version)')
    if version > SCHEMA_VERSION:
        raise StoreNewer(f'the store "{path}" was written by a newer passless (schema {version})')
    return version


def run_migrations(connection: sqlite3.Connection, *, since: int) -> None:
    """Run the migrations after a schema version, inside the caller's transaction."""
    for number, script in migrations(ENGINE):
        if number > since:
            for statement in split(script):
                connection.execute(statement)
    connection.execute(statements()["set_schema_version"], {"version": SCHEMA_VERSION})


def make_file(path: Path, *, store_id: str, writer: str, at: int) -> None:
    """Make a new, empty store in a file that must not exist yet; private to its owner.

    Raises:
        StoreUnavailable: the folder cannot be written to, or the disk is full.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = connect(path, "rw")
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(f'the store "{path}" cannot be made ({error})') from error
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        run_migrations(connection, since=0)
        connection.execute(statements()["make_store"], {"id": store_id, "version": SCHEMA_VERSION, "at": at})
        connection.execute(statements()["add_writer"], {"writer": writer})
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise fault(error, path) from error
    finally:
        connection.close()
