"""Files that are no store, are broken, or are too new."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passless.domain.account import Account, AccountId
from passless.domain.errors import PasslessError
from passless.ports import StoreDamaged, StoreNewer, StoreUnavailable, Write
from passless.stores.documents import Unreadable, further
from passless.stores.sql_store import SqlStore
from passless.stores.sqlite import APPLICATION_ID
from tests.builders import NOW, a_code, a_security_key, a_totp, an_account, an_app_password
from tests.stores.builders import a_ceremony, a_notice, a_session, a_use, a_write, an_entry, create, file_in, kept, reopen

NAMES = ("ada", "bob", "carl")
FILE = r"store\.db"
quickly = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def account_named(name: str) -> Account:
    """Return an account with something of everything."""
    return an_account(
        name,
        methods=[a_security_key(f"key of {name}"), a_totp()],
        codes=[a_code()],
        app_passwords=(an_app_password(f"mail of {name}"),),
    )


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a store with a little of everything, closed."""
    folder = tmp_path_factory.mktemp("sound")
    with closing(create(folder)) as store:
        for name in NAMES:
            kept(store, account_named(name))
            owner = AccountId(name)
            write = a_write(
                account_id=owner,
                opens=a_session(name, of=name),
                begins=a_ceremony(name, of=name),
                uses=(a_use(totp_step=1),),
                notices=(a_notice(name, of=name),),
                ended=("old",),
                events=tuple(an_entry(str(number), of=name) for number in range(20)),
            )
            store.commit(write)
            store.count_attempt(name, at=NOW)
    return folder


def spoiled(sound: Path, folder: Path, spoil: Callable[[bytes], bytes]) -> Path:
    """Copy a store and change the bytes of its file."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)
    file_in(folder).write_bytes(spoil(file_in(folder).read_bytes()))
    return folder


def use_everything(store: SqlStore) -> None:
    """Run every operation; what cannot be right must not be believed."""
    for stored in store.accounts():
        assert stored.account == account_named(stored.account.name)
    for name in NAMES:
        owner = AccountId(name)
        store.owner_of_credential(f"key of {name}".encode())
        store.uses(owner)
        store.sessions(owner)
        store.session(name.encode())
        store.notices(owner)
        store.ceremony(a_ceremony(name).id)
        store.attempts(name)
        assert store.read(owner).account == account_named(name)
    for events in (store.events(), store.events(AccountId("ada"))):
        list(events)
    list(store.seals())
    store.verify()
    store.count_attempt("ada", at=NOW)
    store.commit(Write(at=NOW, account=account_named("ada"), expected=store.read(AccountId("ada")).version, ended=("code",)))
    store.commit(a_write(account_id=AccountId("ada"), uses=(a_use(totp_step=2),), events=(an_entry(),)))
    store.checkpoint(at=NOW)
    store.sweep(at=NOW)


def what_it_says(folder: Path) -> str:
    """Use a store that may be broken; return what the error says, or `fine`."""
    try:
        with closing(reopen(folder)) as store:
            use_everything(store)
    except PasslessError as error:
        return f"{error.code}: {error.message}"
    return "fine"


def check_says_so(folder: Path) -> None:
    """Use a store that may be broken: an error names the file, and no account is believed that is not as it was kept."""
    code, _, message = what_it_says(folder).partition(": ")
    if code == "no-such-account":
        return  # what finds the row is broken
    assert code in ("fine", "store-damaged", "store-unavailable", "store-newer", "store-state-missing", "busy", "already-used")
    assert code in ("fine", "busy", "already-used") or str(folder) in message


def test_a_sound_store_is_fine(sound: Path, tmp_path: Path) -> None:
    assert what_it_says(spoiled(sound, tmp_path / "copy", lambda content: content)) == "fine"


@quickly
@given(st.integers(1, 40), st.randoms(use_true_random=False))
def test_flipped_bytes_are_an_error_that_names_the_file(sound: Path, tmp_path: Path, count: int, chance: random.Random) -> None:
    """Must hold 2: a file it cannot read is an error that names it, never ignored."""

    def flip(content: bytes) -> bytes:
        changed = bytearray(content)
        for _ in range(count):
            changed[chance.randrange(len(changed))] ^= chance.randrange(1, 256)
        return bytes(changed)

    check_says_so(spoiled(sound, tmp_path / "copy", flip))


@quickly
@given(st.floats(0, 0.999))
def test_a_truncated_file_is_an_error_that_names_it(sound: Path, tmp_path: Path, part: float) -> None:
    """Must hold 2: a file it cannot read is an error that names it, never ignored."""
    content = file_in(sound).read_bytes()
    end = int(len(content) * part)
    said = what_it_says(spoiled(sound, tmp_path / "copy", lambda content: content[:end]))
    assert said.startswith("store-damaged") or not any(content[end:])
    assert str(tmp_path) in said or not any(content[end:])


@quickly
@given(st.binary(max_size=5000), st.booleans())
def test_garbage_is_an_error_that_names_the_file(sound: Path, tmp_path: Path, garbage: bytes, with_header: bool) -> None:
    """Must hold 2: a file it cannot read is an error that names it, never ignored."""
    folder = spoiled(sound, tmp_path / "copy", lambda content: (content[:100] if with_header else b"") + garbage)
    with pytest.raises((StoreDamaged, StoreUnavailable), match=FILE):
        reopen(folder)


@quickly
@given(st.integers(0, 40), st.binary(min_size=4000, max_size=4096))
def test_a_page_of_garbage_is_an_error_that_names_the_file(sound: Path, tmp_path: Path, page: int, garbage: bytes) -> None:
    """Must hold 2: a file it cannot read is an error that names it, never ignored."""
    check_says_so(
        spoiled(
            sound, tmp_path / "copy", lambda content: content[: page * 4096] + garbage + content[page * 4096 + len(garbage) :]
        )
    )


def test_an_empty_file_is_no_store(sound: Path, tmp_path: Path) -> None:
    folder = spoiled(sound, tmp_path / "copy", lambda content: b"")
    with pytest.raises(StoreDamaged, match=FILE):
        reopen(folder)
    assert file_in(folder).stat().st_size == 0


def test_a_database_of_another_program_is_no_store(sound: Path, tmp_path: Path) -> None:
    folder = spoiled(sound, tmp_path / "copy", lambda content: b"")
    with closing(sqlite3.connect(file_in(folder))) as other:
        other.execute("CREATE TABLE store (id text, schema_version int)")
    before = file_in(folder).read_bytes()
    with pytest.raises(StoreDamaged, match=rf"{FILE}.* is not a store of passless"):
        reopen(folder)
    assert file_in(folder).read_bytes() == before


def change(folder: Path, *statements: str) -> Path:
    """Change the file as another program would."""
    with closing(sqlite3.connect(file_in(folder), isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return folder


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE store SET schema_version = 99", StoreNewer),
        ("UPDATE store SET schema_version = 'new'", StoreDamaged),
        ("UPDATE store SET id = '../../elsewhere'", StoreDamaged),
        ("UPDATE store SET id = x'00'", StoreDamaged),
        ("UPDATE store SET restored_at = 9000000000000000000", StoreDamaged),
        ("UPDATE store SET totp_floor = 'x'", StoreDamaged),
        ("DELETE FROM store", StoreDamaged),
        ("DROP TABLE store", StoreDamaged),
        ("DROP TABLE writers", StoreDamaged),
        ("UPDATE writers SET commits = 'many'", StoreDamaged),
    ],
)
def test_a_store_that_cannot_be_opened_says_why(sound: Path, tmp_path: Path, statement: str, error: type[Exception]) -> None:
    """Must hold 2: a file it cannot read is an error that names it, never ignored."""
    folder = change(spoiled(sound, tmp_path / "copy", lambda content: content), statement)
    with pytest.raises(error, match=FILE):
        reopen(folder)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE accounts SET document = replace(document, 'ada', 'eve')", StoreDamaged),
        ("UPDATE accounts SET version = 7", StoreDamaged),
        ("UPDATE accounts SET document = x'00'", StoreDamaged),
        ("UPDATE accounts SET document = '{}', checksum = 0", StoreDamaged),
        ("UPDATE heads SET seq = 'x'", StoreDamaged),
        ("UPDATE heads SET hash = 7", StoreDamaged),
        ("UPDATE attempts SET attempts = 'x'", StoreDamaged),
        ("UPDATE sessions SET document = '{'", StoreDamaged),
        ("UPDATE ceremonies SET created_at = 'x'", StoreDamaged),
        ("UPDATE events SET outcome = 'x'", StoreDamaged),
        ("UPDATE notices SET made_at = 9000000000000000000", StoreDamaged),
    ],
)
def test_a_row_that_cannot_be_right_is_not_believed(
    sound: Path, tmp_path: Path, statement: str, error: type[Exception]
) -> None:
    """Must hold 2: a file it cannot read is an error that names it, never ignored."""
    folder = change(spoiled(sound, tmp_path / "copy", lambda content: content), statement)
    with closing(reopen(folder)) as store, pytest.raises(error, match=FILE):
        use_everything(store)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE accounts SET document = replace(document, 'ada', 'eve')", "UPDATE accounts SET checksum = checksum + 1"],
)
def test_nor_is_one_that_was_read_before(folder: Path, statement: str) -> None:
    """Must hold 2: what a process remembers of a row hides no damage to it."""
    with closing(create(folder)) as store:
        kept(store, an_account())
        assert store.read(AccountId("ada")) == store.read(AccountId("ada"))
        change(folder, statement)
        with pytest.raises(StoreDamaged, match=FILE):
            store.read(AccountId("ada"))


def test_what_another_process_changed_is_read_anew(folder: Path) -> None:
    with closing(create(folder)) as store, closing(reopen(folder)) as other:
        kept(store, an_account())
        assert store.read(AccountId("ada")).version == 1
        other.commit(a_write(an_account(display_name="Ada"), 1))
        found = store.read(AccountId("ada"))
        assert (found.version, found.account.display_name) == (2, "Ada")


def test_an_account_of_a_newer_passless_is_left_alone(folder: Path) -> None:
    with closing(create(folder)) as store:
        kept(store, an_account(schema=99))
    with closing(reopen(folder)) as store:
        with pytest.raises(StoreNewer, match=FILE):
            store.read(AccountId("ada"))
        with pytest.raises(StoreNewer, match=FILE):
            store.commit(a_write(an_account(), 1))


def test_a_store_is_known_by_its_header(sound: Path) -> None:
    assert file_in(sound).read_bytes()[68:72] == APPLICATION_ID.to_bytes(4, "big")


def test_rows_that_run_in_circles_are_not_followed() -> None:
    with pytest.raises(Unreadable):
        further(("ada",), ("bob",))


def test_a_broken_number_of_commits_is_an_error_that_names_the_file(sound: Path, tmp_path: Path) -> None:
    """Must hold 2: a file it cannot read is an error that names it, never ignored."""
    folder = spoiled(sound, tmp_path / "copy", lambda content: content)
    with closing(reopen(folder)) as store:
        change(folder, "UPDATE writers SET commits = x'00'")
        with pytest.raises(StoreDamaged, match=FILE):
            kept(store, an_account("dora"))
