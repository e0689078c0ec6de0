"""A full disk, and files that may not be written."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from passless.domain.account import AccountId
from passless.domain.errors import PasslessError
from passless.ports import Store
from passless.stores import open_store
from tests.builders import NOW, an_account
from tests.stores.builders import a_write, an_entry, create, file_in, kept, reopen
from tests.stores.children import STRANGER, in_child

ADA = AccountId("ada")
SMALL_DISK = "700k"  # holds a new store and a few hundred changes


def fill(store: Store) -> tuple[int, str]:
    """Change the account until something goes wrong; return the last accepted version and what went wrong."""
    version = 1
    while True:
        entry = an_entry(details={"text": "x" * 2000})
        try:
            store.commit(a_write(an_account(display_name=str(version + 1)), version, ended=(str(version),), events=(entry,)))
        except PasslessError as error:
            return version, error.code
        version += 1


def fill_and_check(folder: Path) -> str:
    """Fill the disk; what was accepted stays, what was refused changed nothing, also for the process that goes on."""
    store = reopen(folder)
    version, code = fill(store)
    found = store.read(ADA)
    assert (found.version, found.account.display_name) == (version, str(version))
    assert len(list(store.events(ADA))) == version - 1
    return f"{version} {code}"


def check_after(folder: Path, said: str) -> None:
    """Check what the next process finds once there is room again."""
    version, code = said.split()
    assert code == "store-unavailable"
    assert int(version) > 1
    with closing(reopen(folder)) as store:
        assert (store.read(ADA).version, store.restored_at) == (int(version), None)
        assert (store.verify().intact, store.verify().events) == (True, int(version) - 1)
        assert store.commit(a_write(an_account(), int(version))) == int(version) + 1


def test_a_file_that_may_not_grow_changes_nothing(folder: Path) -> None:
    """Must hold 10: a full disk loses no accepted change and leaves no half-made one."""
    with closing(create(folder)) as store:
        kept(store, an_account())

    def limited() -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
        return fill_and_check(folder)

    check_after(folder, in_child(limited))


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system with little room; only root can make one."""
    place.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(place)], check=False).returncode
    ):
        pytest.skip("no small file system can be made here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    """Must hold 10: a full disk loses no accepted change and leaves no half-made one."""
    with small_disk(tmp_path / "disk") as disk:
        with closing(create(disk)) as store:
            kept(store, an_account())
        said = in_child(lambda: fill_and_check(disk))
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        check_after(disk, said)


def test_a_store_is_not_made_on_a_full_disk(tmp_path: Path) -> None:
    """Must hold 10: a full disk leaves nothing half-made."""
    with small_disk(tmp_path / "disk") as disk:
        (disk / "ballast").write_bytes(b"x" * 650_000)

        def make() -> str:
            try:
                create(disk)
            except PasslessError as error:
                return error.code
            return "made"

        assert in_child(make) == "store-unavailable"
        assert list(file_in(disk).parent.glob("*")) == []
        assert list((disk / "state").glob("*")) == []


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that other users reach as well, unlike pytest's own."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    yield place
    for path in (place, *place.rglob("*")):
        path.chmod(0o700)
    shutil.rmtree(place)


def let_read(folder: Path, *, writable: tuple[str, ...] = ()) -> None:
    """Let everybody read what is in a folder, and write what is named."""
    for path in (folder, *folder.rglob("*")):
        mode = 0o755 if path.is_dir() else 0o644
        if path.name in writable or path.parent.name in writable:
            mode |= 0o022
        path.chmod(mode if os.geteuid() == 0 else mode & ~0o200 | (0o200 if path.name in writable else 0))


def change_and_say(folder: Path) -> str:
    """Try to change the account, and say what came of it."""
    try:
        store = open_store(file_in(folder), state=folder / "state", at=NOW)
        store.commit(a_write(an_account(two_step=True), 1))
    except PasslessError as error:
        return f"{error.code}: {error.message}"
    return "changed"


@pytest.mark.parametrize("writable", [(), ("state",), ("accounts",), ("state", "store.db"), ("state", "store.db", "commits")])
def test_a_read_only_store_changes_nothing_and_says_so(reachable: Path, writable: tuple[str, ...]) -> None:
    """Must hold 2: a file it cannot read is an error that names it."""
    with closing(create(reachable)) as store:
        kept(store, an_account())
    before = file_in(reachable).read_bytes()
    let_read(reachable, writable=writable)
    said = in_child(lambda: change_and_say(reachable), user=STRANGER)
    assert said.startswith("store-unavailable: ")
    assert str(reachable) in said
    assert file_in(reachable).read_bytes() == before


@pytest.mark.parametrize("closed", ["accounts", "store.db", "state", "commits", "ended", "checkpoint"])
def test_what_may_not_be_read_is_named(reachable: Path, closed: str) -> None:
    """Must hold 2: a file it cannot read is an error that names it, never ignored."""
    with closing(create(reachable)) as store:
        store.commit(a_write(an_account(), events=(an_entry(),)))
    let_read(reachable)
    owner = (STRANGER, STRANGER) if os.geteuid() == 0 else (-1, -1)
    for path in (reachable, *reachable.rglob("*")):
        os.chown(path, *owner)
        path.chmod(0o700 if path.is_dir() else 0o600)
    (found,) = reachable.rglob(closed)
    found.chmod(0o000)

    def use() -> str:
        try:
            store = open_store(file_in(reachable), state=reachable / "state", at=NOW)
            store.commit(a_write(account_id=ADA, ended=("old",)))
            store.verify()
        except PasslessError as error:
            return f"{error.code}: {error.message}"
        return "fine"

    said = in_child(use, user=STRANGER)
    assert said.startswith("store-unavailable: ")
    assert str(found) in said


def test_a_folder_that_may_not_be_written_holds_no_new_store(reachable: Path) -> None:
    reachable.chmod(0o555)

    def make() -> str:
        try:
            create(reachable)
        except PasslessError as error:
            return f"{error.code}: {error.message}"
        return "made"

    said = in_child(make, user=STRANGER)
    assert said.startswith("store-unavailable: ")
    assert str(reachable) in said


def modes_below(folder: Path) -> dict[str, str]:
    """Return what may be done with everything below a folder."""
    return {str(path.relative_to(folder)): stat.filemode(path.stat().st_mode) for path in folder.rglob("*")}


def test_everything_a_store_makes_is_private(folder: Path) -> None:
    """Must hold 2: files passless makes are 0600, folders 0700, whatever the umask."""
    before = os.umask(0)
    try:
        with closing(create(folder)) as store:
            store.commit(a_write(an_account(), ended=("old",), events=(an_entry(),)))
            store.checkpoint(at=NOW)
            found = modes_below(folder)
    finally:
        os.umask(before)
    assert {"accounts/store.db", "accounts/store.db-wal", "accounts/store.db-shm"} < set(found)
    assert {name.rpartition("/")[2] for name in found} >= {"audit.key", "commits", "ended", "checkpoint"}
    assert set(found.values()) == {"-rw-------", "drwx------"}
    assert stat.filemode(folder.stat().st_mode) == "drwx------"


def test_ended_items_are_private_even_when_their_file_was_lost(folder: Path) -> None:
    """Must hold 2: files passless makes are 0600."""
    before = os.umask(0)
    try:
        with closing(create(folder)) as store:
            (ended,) = (folder / "state").glob("*/ended")
            ended.unlink()
            store.commit(a_write(account_id=ADA, ended=("old",)))
            assert stat.filemode(ended.stat().st_mode) == "-rw-------"
    finally:
        os.umask(before)
