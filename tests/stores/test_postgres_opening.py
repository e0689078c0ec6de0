"""Making a store on PostgreSQL, opening it, and what is said when that is not possible."""

from __future__ import annotations

import io
import logging
import os
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from passless.domain.account import AccountId
from passless.domain.changes import AccountName
from passless.domain.errors import PasslessError
from passless.domain.secret import Secret
from passless.ports import NameTaken, StoreDamaged, StoreNewer, StoreUnavailable, VersionMoved
from passless.stores import create_store_at, open_store_at, postgres, shared_state
from passless.stores import postgres as postgres_engine
from passless.stores.chain import event_row, start
from passless.stores.database import Again, MaybeKept, Transaction
from passless.stores.errors import StoreExists, StoreMissing
from passless.stores.postgres import PostgresConnection
from passless.stores.postgres_address import WrongStoreUrl, read_address
from passless.stores.postgres_faults import fault
from passless.stores.shared_state import move_into_place
from passless.stores.sql_store import SqlStore
from passless.stores.statements import locking_statements, migrations, statements
from tests.builders import NOW, an_account
from tests.stores.builders import a_session, a_use, a_write, an_entry, kept, repeatable_entropy
from tests.stores.postgres import Cluster, a_vault, cluster, create_at, name_in, open_at

ADA = AccountId("ada")
PASSWORD = "correct horse battery"


@pytest.fixture
def url(postgres: Cluster) -> str:
    """Return the URL of an empty database."""
    return postgres.new_database()


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[SqlStore]:
    """Return a new store."""
    with closing(create_at(url, tmp_path)) as made:
        yield made


def test_a_store_is_opened_as_it_was_made(store: SqlStore, url: str, tmp_path: Path) -> None:
    kept(store, an_account())
    with closing(open_at(url, tmp_path)) as again:
        assert (again.id, again.read(ADA).version, again.restored_at) == (store.id, 1, None)
    assert re.fullmatch("[a-z2-7]{24}", store.id)


def test_a_missing_store_is_never_made_by_opening_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match=name_in(url)):
        open_at(url, tmp_path)
    assert not (tmp_path / "state").exists()


def test_a_store_is_never_made_over_another(store: SqlStore, url: str, tmp_path: Path) -> None:
    kept(store, an_account())
    with pytest.raises(StoreExists, match=name_in(url)):
        create_at(url, tmp_path)
    assert store.read(ADA).version == 1


@pytest.mark.parametrize("table", ["CREATE TABLE heads (id int)", "CREATE TABLE store (colour text)"])
def test_a_database_of_something_else_is_left_alone(postgres: Cluster, url: str, tmp_path: Path, table: str) -> None:
    postgres.execute(table, name_in(url))
    with pytest.raises(StoreExists):
        create_at(url, tmp_path)
    with pytest.raises((StoreDamaged, StoreMissing)):
        open_at(url, tmp_path)
    assert postgres.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'", name_in(url)) == [
        (1,)
    ]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("UPDATE store SET schema_version = 99", StoreNewer),
        ("DELETE FROM store", StoreMissing),
        ("ALTER TABLE store ALTER schema_version TYPE text", StoreDamaged),
        ("UPDATE store SET id = '../x'", StoreDamaged),
        ("ALTER TABLE store DROP COLUMN totp_floor", StoreDamaged),
    ],
)
def test_a_store_that_cannot_be_used_says_so(
    postgres: Cluster, url: str, tmp_path: Path, change: str, error: type[PasslessError]
) -> None:
    create_at(url, tmp_path).close()
    postgres.execute(change, name_in(url))
    with pytest.raises(error, match=name_in(url)):
        open_at(url, tmp_path)


def test_an_older_store_is_brought_up_to_date(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(create_at(url, tmp_path)) as store:
        kept(store, an_account())
    script = tmp_path / "0003_colours.sql"
    script.write_text("CREATE TABLE colours (id text);\nDROP TABLE colours;\n")
    monkeypatch.setattr(postgres, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(postgres, "migrations", lambda engine: (*migrations(engine), (3, script)))
    with closing(open_at(url, tmp_path)) as store:
        assert (store.read(ADA).version, store._database.rows("schema_version")) == (1, [(3,)])


def test_an_address_of_before_stands_for_no_name(postgres: Cluster, url: str, tmp_path: Path) -> None:
    """Must hold 3: whoever typed it may only have claimed it; the account keeps it as a note."""
    with closing(create_at(url, tmp_path)) as store:
        kept(store, an_account(addresses=("ada@example.org",)))
    postgres.execute("INSERT INTO addresses VALUES ('ada@example.org', 'ada')", name_in(url))
    postgres.execute("UPDATE store SET schema_version = 1", name_in(url))
    postgres.execute("DROP TABLE account_groups", name_in(url))
    with closing(open_at(url, tmp_path)) as store:
        assert (store.owner_of_address("ada@example.org"), store.read(ADA).account.addresses) == (None, ("ada@example.org",))
        assert kept(store, an_account("bob", address_names=("ada@example.org",)))


def test_who_is_in_a_group_is_known_of_accounts_of_before(postgres: Cluster, url: str, tmp_path: Path) -> None:
    with closing(create_at(url, tmp_path)) as store:
        for name, group in (("ada", "Straße"), ("bob", "oslo"), ("eve", "strasse")):
            kept(store, an_account(name, groups=(group,)))
    postgres.execute("UPDATE store SET schema_version = 2", name_in(url))
    postgres.execute("DROP TABLE account_groups", name_in(url))
    with closing(open_at(url, tmp_path)) as store:
        assert [stored.account.name for stored in store.accounts(groups=("STRASSE",))] == ["ada", "eve"]


def test_a_database_that_keeps_no_unicode_is_refused(postgres: Cluster, tmp_path: Path) -> None:
    postgres.execute("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreUnavailable, match="SQL_ASCII"):
        create_at(postgres.url("ascii"), tmp_path)


def test_a_missing_database_is_named(postgres: Cluster, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="nowhere"):
        open_at(postgres.url("nowhere"), tmp_path)


def test_a_server_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        open_at(f"postgresql://ada@/name?host={tmp_path}", tmp_path)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("postgresql://ada@db.example.org:5433/accounts", "postgresql://db.example.org:5433/accounts"),
        ("postgres://ada@/accounts?host=/run/postgresql", "postgresql:///accounts"),
        ("postgresql://db.example.org/accounts?sslmode=verify-full", "postgresql://db.example.org/accounts"),
    ],
)
def test_a_place_is_called_by_its_host_and_database(address: str, name: str) -> None:
    assert read_address(address).name == name


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ada:s3cret@host/name",
        "postgresql://ada@host/name?password=s3cret",
        "postgresql://ada@host/name?sslpassword=s3cret",
        "postgresql://ada@host/",
        "postgresql://[s3cret/name",
        "postgresql://ada@host/name?s3cret=1",
        "mysql://ada@host/s3cret",
        "dbname=s3cret",
        "",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_not_repeated(address: str, tmp_path: Path) -> None:
    """Must hold 1: a password is never in an address, nor in what is said about it."""
    with pytest.raises(WrongStoreUrl) as caught:
        open_at(address, tmp_path)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value, chain=True)).replace(repr(address), "")


def test_an_address_of_sqlite_is_a_file(tmp_path: Path) -> None:
    place = {"state": tmp_path / "state", "at": NOW, "entropy": repeatable_entropy(), "open_vault": a_vault()}
    address = f"sqlite:///{tmp_path}/store.db"
    with closing(create_store_at(address, **place)) as store:
        kept(store, an_account())
    with closing(open_store_at(address, **place)) as store:
        assert store.read(ADA).version == 1


def test_a_password_opens_the_store_and_is_seen_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Must hold 1: it is in no log, error, or representation, and never taken from the environment."""
    log = io.StringIO()
    watcher = logging.StreamHandler(log)
    logging.getLogger().addHandler(watcher)
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    try:
        with cluster() as server:
            server.execute(f"CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
            hba = server.folder / "cluster" / "pg_hba.conf"
            hba.write_text("local all tests trust\nlocal all all scram-sha-256\n")
            server.restart("fast")
            url = server.new_database().replace("tests@", "guarded@")
            place: dict[str, Any] = {"state": tmp_path / "state", "at": NOW, "entropy": os.urandom, "open_vault": a_vault()}
            said = []
            with monkeypatch.context() as environment:
                environment.setenv("PGPASSWORD", PASSWORD)
                for password in (None, Secret("wrong horse")):
                    with pytest.raises(StoreUnavailable) as caught:
                        create_store_at(url, password=password, **place)
                    said.append("".join(traceback.format_exception(caught.value, chain=True)))
            with closing(create_store_at(url, password=Secret(PASSWORD), **place)) as store:
                kept(store, an_account())
                server.restart()
                said += [str(store.read(ADA)), repr(store._database._pool), repr(vars(store._database).values())]  # type: ignore[attr-defined]
    finally:
        logging.getLogger().removeHandler(watcher)
    assert PASSWORD not in "".join(said) + log.getvalue()
    assert "wrong horse" not in "".join(said) + log.getvalue()


def test_the_schema_is_that_of_the_last_migration() -> None:
    assert [number for number, _ in migrations("postgresql")] == list(range(1, postgres.SCHEMA_VERSION + 1))


def test_every_statement_fits_the_schema(store: SqlStore) -> None:
    with store._database._lent() as lent:  # type: ignore[attr-defined]
        for statement in locking_statements().values():
            sql = re.sub(r"%\(\w+\)s", "NULL", statement.decode())
            lent.connection.execute(f"EXPLAIN {sql}".encode())
            assert ":" not in sql
    assert set(locking_statements()) == set(statements())


def test_what_is_read_to_be_changed_is_held() -> None:
    """Must hold 12: two changes at once are checked one after the other."""
    held = {name for name, sql in locking_statements().items() if sql.endswith(b"FOR UPDATE")}
    assert held == {"lock_account", "lock_head", "lock_session", "lock_store", "lock_writer"}


def test_a_store_is_durable_and_bounded_in_its_waiting(postgres: Cluster, url: str, tmp_path: Path) -> None:
    """Must hold 10: an accepted change is on the disk, whatever the server's default."""
    postgres.execute(f'ALTER DATABASE "{name_in(url)}" SET synchronous_commit = off')
    with closing(create_at(url, tmp_path)) as store, store._database._lent() as lent:  # type: ignore[attr-defined]
        names = ("synchronous_commit", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_isolation")
        found = [lent.connection.execute(f"SHOW {name}".encode()).fetchone()[0] for name in names]
    assert found == ["on", "5s", "10s", "read committed"]


def test_an_account_that_somebody_else_holds_is_waited_for_a_bounded_time(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Must hold 10: the second waits a bounded time and says why it failed."""
    monkeypatch.setattr(postgres, "SETTINGS", postgres.SETTINGS.replace("lock_timeout = '5s'", "lock_timeout = '20ms'"))
    with closing(create_at(url, tmp_path)) as store:
        kept(store, an_account())
        with psycopg.connect(url) as holder:
            holder.execute("SELECT 1 FROM accounts FOR UPDATE")
            with pytest.raises(StoreUnavailable, match="is busy"):
                store.commit(a_write(an_account(two_step=True), 1))
        assert store.commit(a_write(an_account(two_step=True), 1)) == 2


def test_a_name_that_is_taken_at_the_same_moment_is_looked_at_again(
    store: SqlStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Must hold 12: two changes at once are checked one after the other."""
    kept(store, an_account())
    kept(store, an_account("bob"))
    real, first = PostgresConnection.run, iter([True])

    def run(connection: PostgresConnection, statement: str, /, **parameters: Any) -> int:
        if statement == "rename_account" and next(first, False):
            with psycopg.connect(url, autocommit=True) as other:
                other.execute("UPDATE accounts SET name_key = 'carl' WHERE id = 'bob'")
        return real(connection, statement, **parameters)

    monkeypatch.setattr(PostgresConnection, "run", run)
    with pytest.raises(NameTaken, match="carl"):
        store.commit(a_write(msgspec.structs.replace(an_account(), name=AccountName("carl")), 1))
    assert next(first, None) is None


def losing_the_end(store: SqlStore, *, kept_first: bool) -> Callable[[], AbstractContextManager[Transaction]]:
    """Return a way to write that loses its connection once, while the transaction ends."""
    real, lost = store._database.writing, iter([True])

    @contextmanager
    def writing() -> Iterator[Transaction]:
        loses = next(lost, False)
        try:
            with real() as transaction:
                yield transaction
                if loses and not kept_first:
                    raise MaybeKept
        finally:
            if loses and kept_first:
                raise MaybeKept

    return writing


@pytest.mark.parametrize("kept_first", [True, False])
def test_a_commit_whose_end_nobody_heard_of_is_kept_once(store: SqlStore, kept_first: bool) -> None:
    """Must hold 10: it is looked whether it is there; what is not is done again, and what is is not."""
    kept(store, an_account())
    store._database.writing = losing_the_end(store, kept_first=kept_first)  # type: ignore[method-assign]
    write = a_write(an_account(two_step=True), 1, uses=(a_use(totp_step=7),), opens=a_session(), events=(an_entry(),))
    assert store.commit(write) == 2
    assert (store.read(ADA).version, len(store.sessions(ADA)), len(list(store.events()))) == (2, 1, 1)
    store._database.writing = losing_the_end(store, kept_first=kept_first)  # type: ignore[method-assign]
    assert [store.count_attempt("ada", at=NOW).count, store.count_attempt("ada", at=NOW).count] == [0, 1]


def test_a_connection_that_dies_before_its_commit_arrives_loses_nothing(
    store: SqlStore, postgres: Cluster, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Must hold 10: whether it arrived is looked up on a new connection, and what did not is done again."""
    kept(store, an_account())
    real, blows = store._database.writing, iter([True])

    @contextmanager
    def writing() -> Iterator[Transaction]:
        with real() as transaction:
            yield transaction
            if next(blows, False):
                postgres.kill_connections(url)

    monkeypatch.setattr(store._database, "writing", writing)
    assert store.commit(a_write(an_account(two_step=True), 1, opens=a_session(), events=(an_entry(),))) == 2
    assert (len(store.sessions(ADA)), len(list(store.events())), store.verify().intact) == (1, 1, True)
    assert (store.restored_at, next(blows, None)) == (None, None)


def test_a_server_that_is_gone_for_long_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Must hold 10: what cannot be kept is told in bounded time, and can be done when the server is there again."""
    monkeypatch.setattr(postgres_engine, "POOL_LIMIT", timedelta(seconds=0.5))
    with cluster() as server, closing(create_at(server.new_database(), tmp_path)) as store:
        kept(store, an_account())
        server.stop()
        for ask in (lambda: store.read(ADA), lambda: store.commit(a_write(an_account(two_step=True), 1))):
            with pytest.raises(StoreUnavailable, match="cannot be reached"):
                ask()
        server.start()
        assert until_reached(lambda: store.commit(a_write(an_account(two_step=True), 1))) == 2


def until_reached(ask: Callable[[], object]) -> object:
    """Ask until the pool has found the server again; each try waits for it as long as the pool does."""
    while True:
        try:
            return ask()
        except StoreUnavailable:
            continue


def test_two_processes_that_start_at_once_get_a_folder_each(tmp_path: Path) -> None:
    for name, number in (("one", "1"), ("two", "2")):
        (tmp_path / f".{name}" / "commits").mkdir(parents=True)
        move_into_place(tmp_path / f".{name}", tmp_path)
        assert (tmp_path / number / "commits").is_dir()


def test_a_number_that_was_given_at_the_same_moment_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for taken in ("1", "2", ".fresh"):
        (tmp_path / taken / "commits").mkdir(parents=True)
    monkeypatch.setattr(shared_state, "numbered", lambda folder: iter(()))  # as it was a moment before
    move_into_place(tmp_path / ".fresh", tmp_path)
    assert (tmp_path / "3" / "commits").is_dir()


def test_a_folder_that_cannot_be_moved_is_named(tmp_path: Path) -> None:
    """Must hold 2: it is an error that names it."""
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        move_into_place(tmp_path / "missing", tmp_path)


def test_a_commit_that_nobody_can_look_for_says_that_it_may_be_kept(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Must hold 10: what is not known is not told as failed."""
    kept(store, an_account())
    lose = losing_the_end(store, kept_first=True)
    store._database.writing = lose  # type: ignore[method-assign]

    def unreachable() -> int:
        raise StoreUnavailable("the server is gone")

    monkeypatch.setattr(store, "_commits_now", unreachable)
    with pytest.raises(StoreUnavailable, match="gone") as caught:
        store.commit(a_write(an_account(two_step=True), 1))
    assert "may have been kept" in caught.value.hint
    assert store.read(ADA).version == 2


def test_a_transaction_that_failed_inside_is_never_taken_for_kept(store: SqlStore) -> None:
    """Must hold 10: the server ends such a one without a word."""

    def fail_inside() -> None:
        with store._database.writing() as transaction:
            transaction.run("begin_era")
            with suppress(PasslessError):
                transaction.run("mark_restored", at="no number", totp_floor=0)

    with pytest.raises(Again, match="failed before its end"):
        fail_inside()
    assert store._database.rows("read_era", writer=store._state.writer) == [(0,)]


def test_what_meets_others_again_and_again_is_told_in_the_end(store: SqlStore) -> None:
    tries: list[int] = []

    @contextmanager
    def writing() -> Iterator[Transaction]:
        tries.append(1)
        raise Again("could not serialize access")
        yield  # type: ignore[unreachable]

    store._database.writing = writing  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable, match="could not serialize access"):
        kept(store, an_account())
    assert len(tries) > 1


def test_a_value_that_the_database_does_not_take_refuses_its_own_write(store: SqlStore) -> None:
    with pytest.raises(StoreUnavailable, match="does not take"):
        kept(store, an_account("nul\0"))
    with pytest.raises(StoreUnavailable, match="so long"):
        store.count_attempt("".join(map(chr, range(0x3000, 0x7000))), at=NOW)
    assert kept(store, an_account()).id == ADA


def test_a_database_that_turned_read_only_says_so(store: SqlStore, postgres: Cluster, url: str) -> None:
    kept(store, an_account())
    postgres.execute(f'ALTER DATABASE "{name_in(url)}" SET default_transaction_read_only = on')
    postgres.kill_connections(url)
    with pytest.raises(StoreUnavailable, match="cannot be written to"):
        store.commit(a_write(an_account(two_step=True), 1))
    assert store.read(ADA).version == 1


def test_a_store_that_is_closed_says_so(store: SqlStore) -> None:
    store.close()
    with pytest.raises(StoreUnavailable, match="is closed"):
        store.read(ADA)


def test_a_refused_write_leaves_its_connection_usable(store: SqlStore) -> None:
    kept(store, an_account())
    for _ in range(20):
        with pytest.raises(VersionMoved):
            store.commit(a_write(an_account(), 7, opens=a_session()))
    assert (store.sessions(ADA), store.read(ADA).version) == ((), 1)


def test_a_message_shows_no_row_of_the_database(store: SqlStore) -> None:
    """Must hold 1: what a server tells of its rows is not told on, nor does a traceback show it."""
    row = event_row(an_entry(place="s3cret"), start("store", "ada"))
    with store._database._lent() as lent:  # type: ignore[attr-defined]
        lent.run("add_event", **row)
        with pytest.raises(Again) as caught:
            lent.run("add_event", **row)
    said = "".join(traceback.format_exception(caught.value, chain=True))
    assert "events_pkey" in said
    assert "Key (" not in said


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.errors.DeadlockDetected(), Again),
        (psycopg.errors.SerializationFailure(), Again),
        (psycopg.errors.AdminShutdown(), Again),
        (psycopg.OperationalError("server closed the connection"), Again),
        (psycopg.errors.DiskFull(), StoreUnavailable),
        (psycopg.errors.InsufficientPrivilege(), StoreUnavailable),
        (psycopg.errors.UndefinedTable(), StoreMissing),
        (psycopg.errors.IndexCorrupted(), StoreDamaged),
        (psycopg.ProgrammingError("odd"), StoreDamaged),
    ],
)
def test_each_error_of_a_server_has_its_meaning(error: psycopg.Error, kind: type[Exception]) -> None:
    assert type(fault(error, "name")) is kind
