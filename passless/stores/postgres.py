"""The PostgreSQL engine: a pool of connections, transactions that are sure to be kept, and what a lost connection means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Lock
from typing import Any, NoReturn

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from passless.domain.errors import PasslessError
from passless.domain.secret import Secret
from passless.ports import StoreDamaged, StoreNewer, StoreUnavailable
from passless.stores.database import Again, MaybeKept, Rows
from passless.stores.errors import StoreExists, StoreMissing
from passless.stores.group_rows import fill
from passless.stores.postgres_address import PostgresAddress
from passless.stores.postgres_faults import fault, is_lost, unreachable
from passless.stores.statements import locking_statements, migrations, split

ENGINE = "postgresql"
SCHEMA_VERSION = 3  # the number of the last migration
GROUPS_SINCE = 3  # the schema that knows who is in a group
CONNECTIONS = 10  # of one process at most; PostgreSQL has 100 for all, if nobody raised that
CONNECT_LIMIT = timedelta(seconds=5)  # how long one try to connect may take
POOL_LIMIT = timedelta(seconds=10)  # how long to wait for a connection: longer than a restart of the server
PREPARED_AFTER = 2  # uses of a statement on a connection, before the server keeps its plan

# An accepted change is on the server's disk, whatever its default; nobody waits for ever, nor holds rows while frozen.
SETTINGS = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
SET lock_timeout = '5s';
SET idle_in_transaction_session_timeout = '10s';
SET default_transaction_isolation = 'read committed'
"""

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresConnection:
    """One connection to the database."""

    def __init__(self, connection: Connection, name: str) -> None:
        """Take a connection that was opened; `name` is for messages."""
        self.connection = connection
        self._cursor = connection.cursor(binary=True)
        self._statements = locking_statements()
        self._name = name

    def rows(self, statement: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement by its name and return its rows."""
        try:
            return self._cursor.execute(self._statements[statement], parameters).fetchall()
        except psycopg.Error as error:
            raise fault(error, self._name, self.connection) from None

    def run(self, statement: str, /, **parameters: Any) -> int:
        """Run a statement by its name and return how many rows it changed."""
        try:
            return self._cursor.execute(self._statements[statement], parameters).rowcount
        except psycopg.Error as error:
            raise fault(error, self._name, self.connection) from None

    @contextmanager
    def part(self) -> Iterator[None]:
        """Undo what is run inside, and nothing else, when an error leaves it."""
        self.tell(b"SAVEPOINT part")
        try:
            yield
        except BaseException:
            with suppress(PasslessError, Again):  # what went wrong before is what is told
                self.tell(b"ROLLBACK TO SAVEPOINT part")
            raise
        self.tell(b"RELEASE SAVEPOINT part")

    def is_open(self) -> bool:
        """Tell whether the transaction can go on."""
        return not self.connection.closed and self.connection.info.transaction_status == TransactionStatus.INTRANS

    @contextmanager
    def transaction(self, begin: bytes) -> Iterator[None]:
        """Keep everything that is run inside, or nothing.

        Raises:
            MaybeKept: the connection was lost while it ended.
        """
        self.tell(begin)
        try:
            yield
        except BaseException:
            with suppress(PasslessError, Again):
                self.tell(b"ROLLBACK")
            raise
        try:
            self._cursor.execute(b"COMMIT", prepare=False)
        except psycopg.Error as error:
            if is_lost(error, self.connection):
                raise MaybeKept from None
            raise fault(error, self._name, self.connection) from None
        if self._cursor.statusmessage != "COMMIT":
            raise Again("the transaction had failed before its end")

    def tell(self, command: bytes) -> None:
        """Run a command that returns nothing."""
        try:
            self._cursor.execute(command, prepare=False)
        except psycopg.Error as error:
            raise fault(error, self._name, self.connection) from None


class PostgresDatabase:
    """One open database: connections are lent by a pool, which replaces those that broke."""

    def __init__(self, address: PostgresAddress, password: Secret | None) -> None:
        """Open the database of a store.

        Raises:
            StoreMissing: it holds no store.
            StoreUnavailable: it cannot be reached.
            StoreDamaged, StoreNewer: what it holds is not usable here.
        """
        self._address = address
        self._turn = Lock()
        self._was_lost = False
        with connected(address, password) as connection:
            migrate(connection, address.name)
        self._pool = ConnectionPool(
            "",
            kwargs=parameters(address, password),
            configure=configure,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=POOL_LIMIT.total_seconds(),
            reconnect_timeout=POOL_LIMIT.total_seconds(),
            num_workers=1,
            open=True,
            name="passless",
        )

    @property
    def name(self) -> str:
        """The address, without the user."""
        return self._address.name

    def rows(self, statement: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement that reads, by itself, and return its rows."""
        with self._lent() as connection:
            return connection.rows(statement, **parameters)

    @contextmanager
    def writing(self) -> Iterator[PostgresConnection]:
        """Keep everything that is run inside, or nothing; other processes write at the same time."""
        with self._turn, self._lent() as connection, connection.transaction(b"BEGIN"):
            yield connection

    @property
    def takes_turns(self) -> bool:
        """Many write at once, and who held rows for as long as many things take would keep the others waiting."""
        return False

    def turn(self) -> NoReturn:
        """There are none."""
        raise NotImplementedError

    @contextmanager
    def reading(self) -> Iterator[Rows]:
        """See the same state of the database in everything that is run inside."""
        begin = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        with self._lent() as connection, connection.transaction(begin):
            yield connection.rows

    def was_replaced(self) -> bool:
        """Tell whether a connection was lost: an old copy may have been restored meanwhile."""
        return self._was_lost

    def goes_on(self) -> bool:
        """Most connections are lost for other reasons: reading goes on where it is no old copy."""
        return True

    def reopen(self) -> None:
        """Take the database for the same until a connection is lost again."""
        self._was_lost = False

    def close(self) -> None:
        """Let go of all connections."""
        self._pool.close()

    @contextmanager
    def _lent(self) -> Iterator[PostgresConnection]:
        """Borrow a connection; one that broke goes, and so do those that broke with it."""
        try:
            connection = self._pool.getconn()
        except PoolTimeout:
            self._was_lost = True
            raise StoreUnavailable(f'the store "{self.name}" cannot be reached, or has no connection left') from None
        except PoolClosed:
            raise StoreUnavailable(f'the store "{self.name}" is closed') from None
        try:
            yield PostgresConnection(connection, self.name)
        finally:
            broke = connection.closed or connection.broken
            self._was_lost = self._was_lost or broke
            self._pool.putconn(connection)
            if broke:
                self._pool.check()


def parameters(address: PostgresAddress, password: Secret | None) -> dict[str, Any]:
    """Return what a connection is made with; with an empty password libpq looks into its file, not into the environment."""
    ours = {
        "application_name": "passless",
        "connect_timeout": int(CONNECT_LIMIT.total_seconds()),
        "client_encoding": "utf8",
        "keepalives_idle": 10,  # seconds, as the two below count: a server that vanished is noticed within 25
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,  # milliseconds
    }
    secret = {"password": "" if password is None else password.reveal()}
    return {**ours, **address.parameters, **secret, "autocommit": True, "prepare_threshold": PREPARED_AFTER}


def configure(connection: Connection) -> None:
    """Make a new connection ready. Whole numbers always go as one type, so that a statement has one plan."""
    connection.adapters.register_dumper(int, Int8BinaryDumper)
    connection.execute(SETTINGS)


@contextmanager
def connected(address: PostgresAddress, password: Secret | None) -> Iterator[PostgresConnection]:
    """Connect once, outside of the pool.

    Raises:
        StoreUnavailable: that is not possible; the message says why.
    """
    try:
        connection = psycopg.connect("", **parameters(address, password))
        configure(connection)
    except psycopg.Error as error:
        raise unreachable(error, address.name) from None
    try:
        yield PostgresConnection(connection, address.name)
    except Again as error:
        raise StoreUnavailable(f'the store "{address.name}" is busy or was lost ({error})') from None
    finally:
        connection.close()


def reach(address: PostgresAddress, password: Secret | None) -> None:
    """Connect once and look; a database that holds no store yet is as good as one that does.

    Raises:
        StoreUnavailable, StoreDamaged, StoreNewer: it cannot be used.
    """
    with connected(address, password) as connection, suppress(StoreMissing):
        schema_version(connection, address.name)


def migrate(connection: PostgresConnection, name: str) -> None:
    """Bring a store of an older passless up to date, in one transaction; nothing to do is one look-up.

    Raises:
        StoreMissing, StoreDamaged: the database holds no store, or something else.
        StoreNewer: a newer passless wrote it.
    """
    if schema_version(connection, name) == SCHEMA_VERSION:
        return
    with connection.transaction(b"BEGIN"):
        connection.rows("lock_store")
        since = schema_version(connection, name)
        run_migrations(connection, since=since)
        if since < GROUPS_SINCE:
            fill(connection)


def schema_version(connection: PostgresConnection, name: str) -> int:
    """Return the schema that the database has."""
    found = connection.rows("schema_version")
    if not found:
        raise StoreMissing(f'there is no store at "{name}"')
    if not isinstance(found[0][0], int):
        raise StoreDamaged(f'the store "{name}" is damaged (it has no schema version)')
    if found[0][0] > SCHEMA_VERSION:
        raise StoreNewer(f'the store "{name}" was written by a newer passless (schema {found[0][0]})')
    return found[0][0]


def run_migrations(connection: PostgresConnection, *, since: int) -> None:
    """Run the migrations after a schema version, inside the caller's transaction."""
    for number, script in migrations(ENGINE):
        if number > since:
            for statement in split(script):
                connection.tell(statement.encode())
    connection.run("set_schema_version", version=SCHEMA_VERSION)


def make_tables(address: PostgresAddress, password: Secret | None, *, store_id: str, at: int) -> None:
    """Make a new, empty store in a database that has none.

    Raises:
        StoreExists: it has one, or other tables of the same names.
        StoreUnavailable: it cannot be reached or written to, or keeps text in another way than UTF-8.
    """
    with connected(address, password) as connection:
        ((encoding,),) = connection.connection.execute("SHOW server_encoding").fetchall()
        if encoding != "UTF8":
            raise StoreUnavailable(f'the database of "{address.name}" keeps text as {encoding}', hint="make one with UTF8")
        try:
            with connection.transaction(b"BEGIN"):
                run_migrations(connection, since=0)
                connection.run("make_store", id=store_id, version=SCHEMA_VERSION, at=at)
        except (Again, StoreDamaged) as error:
            raise StoreExists(
                f'"{address.name}" holds tables of the same names already ({error})',
                hint="use it as it is, or another database",
            ) from None
