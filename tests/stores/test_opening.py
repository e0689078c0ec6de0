"""Making a store and opening it."""

from __future__ import annotations

import re
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from passless.domain.account import AccountId
from passless.ports import StoreDamaged, StoreUnavailable
from passless.stores import create_store, making, sqlite
from passless.stores.errors import StateMissing, StoreExists, StoreMissing
from passless.stores.sql_store import SqlStore
from passless.stores.sqlite import SqliteDatabase
from passless.stores.statements import migrations, statements
from tests.builders import NOW, an_account
from tests.stores.builders import a_session, a_write, an_entry, create, file_in, kept, reopen, repeatable_entropy

ADA = AccountId("ada")


def state_file(folder: Path, name: str) -> Path:
    """Return a file of the store's state."""
    (found,) = (folder / "state").glob(f"*/{name}")
    return found


def test_a_missing_store_is_never_made_by_opening_it(folder: Path) -> None:
    with pytest.raises(StoreMissing, match=r"store\.db"):
        reopen(folder)
    assert not folder.exists()


def test_a_store_is_never_made_over_something_else(folder: Path) -> None:
    with closing(create(folder)) as store:
        kept(store, an_account())
    with pytest.raises(StoreExists, match=r"store\.db"):
        create(folder, seed=2)
    with closing(reopen(folder)) as store:
        assert store.read(ADA).version == 1
    assert len(list((folder / "state").iterdir())) == 1


def test_of_two_who_make_a_store_at_once_one_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Must hold 10: two writers at once; nothing half-made is left."""
    first = create(folder)
    really, looks = Path.exists, []

    def look_too_early(path: Path) -> bool:
        looks.append(path)
        return len(looks) > 1 and really(path)

    monkeypatch.setattr(Path, "exists", look_too_early)
    with pytest.raises(StoreExists, match=r"store\.db"):
        create(folder, seed=2)
    monkeypatch.undo()
    first.close()
    assert [path.name for path in file_in(folder).parent.iterdir()] == ["store.db"]
    assert len(list((folder / "state").iterdir())) == 1


def test_a_store_is_made_where_files_have_one_name_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    with closing(create(folder)) as store:
        kept(store, an_account())
    assert [path.name for path in file_in(folder).parent.iterdir()] == ["store.db"]


def test_a_state_folder_is_never_made_over_another(folder: Path) -> None:
    create(folder).close()
    file_in(folder).unlink()
    with pytest.raises(StoreExists, match="state"):
        create(folder, seed=1)


def test_two_stores_have_different_ids_that_name_a_host(tmp_path: Path) -> None:
    with closing(create(tmp_path / "one", seed=1)) as one, closing(create(tmp_path / "two", seed=2)) as two:
        assert one.id != two.id
        assert all(re.fullmatch("[a-z2-7]{24}", store.id) for store in (one, two))


def test_two_stores_share_a_folder_of_state(tmp_path: Path) -> None:
    for seed, name in ((1, "one.db"), (2, "two.db")):
        entropy = repeatable_entropy(seed)
        with closing(create_store(tmp_path / name, state=tmp_path / "state", at=NOW, entropy=entropy)) as store:
            kept(store, an_account())
    assert len(list((tmp_path / "state").iterdir())) == 2


def test_a_name_with_anything_in_it_can_be_a_store(tmp_path: Path) -> None:
    path = tmp_path / "50% æ? #1.db"
    with closing(create_store(path, state=tmp_path / "state", at=NOW, entropy=repeatable_entropy())) as store:
        kept(store, an_account())
    assert path.stat().st_size > 0


def test_folders_that_are_there_stay_as_they_are(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    create(folder).close()
    assert folder.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("obstacle", ["accounts", "state"])
def test_a_store_that_cannot_be_made_leaves_nothing(folder: Path, obstacle: str) -> None:
    """Must hold 10: nothing half-made is left."""
    folder.mkdir()
    (folder / obstacle).write_text("a file, where a folder is to be")
    with pytest.raises(StoreUnavailable, match=obstacle):
        create(folder)
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [obstacle]


@pytest.mark.parametrize("fault", [sqlite3.OperationalError("disk I/O error"), OSError(28, "no space left")])
def test_a_store_that_fails_half_way_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    """Must hold 10: nothing half-made is left."""

    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(*((sqlite, "run_migrations") if isinstance(fault, sqlite3.Error) else (making, "sync_folder")), fail)
    with pytest.raises((StoreDamaged, StoreUnavailable), match=r"store\.db"):
        create(folder)
    assert [path.name for path in folder.rglob("*") if path.is_file() and path.name != "store.db"] == []


def test_a_store_without_its_commits_is_not_opened(folder: Path) -> None:
    create(folder).close()
    state_file(folder, "commits").write_bytes(b"short")
    with pytest.raises(StateMissing, match="commits"):
        reopen(folder)


def test_a_state_folder_that_is_none_is_named(folder: Path) -> None:
    """Must hold 2: a file it cannot read is an error that names it."""
    create(folder).close()
    commits = state_file(folder, "commits")
    commits.unlink()
    commits.mkdir()
    with pytest.raises(StoreUnavailable, match="commits"):
        reopen(folder)


@pytest.mark.parametrize("name", ["ended", "checkpoint"])
def test_a_file_of_state_that_is_none_is_named(folder: Path, name: str) -> None:
    """Must hold 2: a file it cannot read is an error that names it."""
    with closing(create(folder)) as store:
        store.commit(a_write(events=(an_entry(),)))
    state_file(folder, name).unlink()
    state_file(folder, "commits").with_name(name).mkdir()

    def use() -> None:
        with closing(reopen(folder)) as store:
            store.commit(a_write(account_id=ADA, ended=("old",)))
            store.verify()

    with pytest.raises(StoreUnavailable, match=name):
        use()


def test_a_folder_that_is_a_file_is_named(folder: Path) -> None:
    folder.mkdir()
    (folder / "accounts").write_text("no folder")
    with pytest.raises(StoreUnavailable, match="accounts"):
        reopen(folder)


def test_a_closed_store_says_so(folder: Path) -> None:
    store = create(folder)
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.read(ADA)


def test_threads_take_turns(store: SqlStore) -> None:
    """Must hold 10: two writers at once lose no accepted change."""

    def work(number: int) -> None:
        for step in range(20):
            store.commit(a_write(opens=a_session(f"{number}-{step}")))
            assert len(store.sessions(ADA)) > 0

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.sessions(ADA)) == 80


def test_naming_the_package_loads_no_database() -> None:
    loaded = "import sys, passless.stores; print({'sqlite3', 'cryptography'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True).stdout == "set()\n"


def test_opening_a_store_loads_no_cryptography(folder: Path) -> None:
    create(folder).close()
    code = (
        "import sys, datetime, pathlib; from passless.stores import open_store; "
        f"open_store(pathlib.Path({str(file_in(folder))!r}), state=pathlib.Path({str(folder / 'state')!r}), "
        "at=datetime.datetime.now(datetime.UTC)).close(); print('cryptography' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"


def test_opening_a_store_writes_nothing(folder: Path) -> None:
    with closing(create(folder)) as store:
        kept(store, an_account())
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    reopen(folder).close()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_an_older_store_is_brought_up_to_date(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(create(folder)) as store:
        kept(store, an_account())
    following = sqlite.SCHEMA_VERSION + 1
    script = tmp_path / "colours.sql"
    script.write_text("-- what the next version may add;\nCREATE TABLE colours (\n    id text\n);\nDROP TABLE colours;\n")
    monkeypatch.setattr(sqlite, "SCHEMA_VERSION", following)
    monkeypatch.setattr(sqlite, "migrations", lambda engine: (*migrations(engine), (following, script)))
    with closing(reopen(folder)) as store:
        assert store.read(ADA).version == 1
    with closing(SqliteDatabase(file_in(folder))) as database:
        assert database.rows("schema_version") == [(following,)]


def test_an_address_of_before_stands_for_no_name(folder: Path) -> None:
    """Must hold 3: whoever typed it may only have claimed it; the account keeps it as a note."""
    with closing(create(folder)) as store:
        kept(store, an_account(addresses=("ada@example.org",)))
    with closing(sqlite3.connect(file_in(folder))) as connection:
        connection.execute("INSERT INTO addresses VALUES ('ada@example.org', 'ada')")
        connection.execute("UPDATE store SET schema_version = 2")
        connection.execute("DROP TABLE account_groups")
        connection.commit()
    with closing(reopen(folder)) as store:
        assert (store.owner_of_address("ada@example.org"), store.read(ADA).account.addresses) == (None, ("ada@example.org",))
        assert kept(store, an_account("bob", address_names=("ada@example.org",)))


def test_who_is_in_a_group_is_known_of_accounts_of_before(folder: Path) -> None:
    with closing(create(folder)) as store:
        for number in range(250):
            kept(store, an_account(f"person {number:03}", groups=("Straße",) if number > 240 else ()))
    with closing(sqlite3.connect(file_in(folder))) as connection:
        connection.execute("UPDATE store SET schema_version = 3")
        connection.execute("DROP TABLE account_groups")
        connection.commit()
    with closing(reopen(folder)) as store:
        found = [stored.account.name for stored in store.accounts(groups=("STRASSE",))]
    assert found == [f"person {number}" for number in range(241, 250)]


def test_an_operator_over_a_group_reads_no_other_account(folder: Path) -> None:
    """A group of ten among a million costs the group: both tables are searched by their keys."""
    create(folder).close()
    sql = statements()["page_accounts_of_a_group"]
    parameters = {"group_key": "sales", "after": "", "pattern": "%", "page": 200}
    with closing(sqlite3.connect(file_in(folder))) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
    assert len(plan) == 2
    assert all(line.startswith("SEARCH") for line in plan)


def test_a_migration_that_fails_changes_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Must hold 10: no half-made change."""
    create(folder).close()
    before = file_in(folder).read_bytes()
    following = sqlite.SCHEMA_VERSION + 1
    script = tmp_path / "colours.sql"
    script.write_text("CREATE TABLE colours (id text);\nCREATE TABLE accounts (id text);\n")
    with monkeypatch.context() as patched:
        patched.setattr(sqlite, "SCHEMA_VERSION", following)
        patched.setattr(sqlite, "migrations", lambda engine: ((following, script),))
        with pytest.raises(StoreDamaged, match=r"store\.db"):
            reopen(folder)
    assert file_in(folder).read_bytes() == before


def test_the_schema_is_that_of_the_last_migration() -> None:
    assert [number for number, _ in migrations("sqlite")] == list(range(1, sqlite.SCHEMA_VERSION + 1))


@pytest.mark.parametrize("name", sorted(statements()))
def test_every_statement_fits_the_schema_and_is_used(folder: Path, name: str) -> None:
    create(folder).close()
    sql = statements()[name]
    with closing(sqlite3.connect(file_in(folder))) as connection:
        connection.execute(f"EXPLAIN {sql}", dict.fromkeys(re.findall(r":(\w+)", sql)))
    code = "".join(path.read_text() for path in Path(sqlite.__file__).parent.glob("*.py"))
    assert f'"{name}"' in code


@pytest.mark.parametrize("name", sorted(statements()))
def test_every_statement_is_portable(name: str) -> None:
    """design.md, "Store": the same statements run on PostgreSQL and what is compatible with it."""
    words = "INSERT OR|REPLACE INTO|IFNULL|rowid|AUTOINCREMENT|SERIAL|GLOB|INSTR|PRAGMA|LISTEN|pg_[a-z_]+"
    assert not re.search(rf"(?i)\b({words})\b|[?]", statements()[name])


def test_a_store_is_durable_and_bounded_in_its_waiting(store: SqlStore) -> None:
    """Must hold 10: an accepted change is on the disk."""
    connection = store._database._writer.connection  # type: ignore[attr-defined]
    found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "busy_timeout")]
    assert found == ["wal", 2, 5000]


def test_a_commit_that_the_state_folder_cannot_note_is_kept(folder: Path) -> None:
    """Must hold 10: an accepted change is not reported as failed."""
    with closing(create(folder)) as store:
        store._state._commits.close()
        store._state._commits = state_file(folder, "commits").open("rb", buffering=0)
        kept(store, an_account())
    with closing(reopen(folder)) as store:
        assert (store.read(ADA).version, store.restored_at) == (1, None)


def test_a_store_whose_commits_cannot_be_read_says_so(folder: Path) -> None:
    """Must hold 2: a file it cannot read is an error that names it."""
    with closing(create(folder)) as store:
        store._state._commits.close()
        store._state._commits = (folder / "only written").open("wb", buffering=0)
        with pytest.raises(StoreUnavailable, match="commits"):
            kept(store, an_account())
        assert list(store.accounts()) == []


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """Let no file grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    answer = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, answer)


@pytest.mark.parametrize("room", [0, 5])
def test_what_ended_is_not_half_remembered(folder: Path, room: int) -> None:
    """Must hold 10: a full disk leaves no half-made change."""
    with closing(create(folder)) as store:
        store.commit(a_write(account_id=ADA, ended=("old",)))
        size = state_file(folder, "ended").stat().st_size
        with files_no_longer_than(size + room), pytest.raises(StoreUnavailable, match="ended"):
            store._state.add_ended([("ada", "new")])
    with closing(reopen(folder)) as store:
        assert store._state.ended() == (("ada", "old"),)


def test_a_file_of_state_that_cannot_be_written_keeps_its_content(store: SqlStore, folder: Path) -> None:
    """Must hold 2: files are written aside and moved into place."""
    store.commit(a_write(events=(an_entry(),)))
    store.checkpoint(at=NOW)
    before = state_file(folder, "checkpoint").read_bytes()
    with files_no_longer_than(10), pytest.raises(StoreUnavailable, match="checkpoint"):
        store._state.keep_checkpoint(b"x" * 100)
    assert state_file(folder, "checkpoint").read_bytes() == before
