"""A PostgreSQL server of the tests' own, on a unix socket in a temporary folder, and fresh databases in it.

`with cluster() as running: url = running.new_database()`; the fixture `postgres` of a test session gives one that is shared.
"""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from passless.domain.sealed import KeyId, Tag
from passless.ports import Vault
from passless.stores import create_store_at, open_store_at
from passless.stores.sql_store import SqlStore
from tests.builders import NOW

UNPRIVILEGED = "nobody"  # who runs the server when the tests run as root, which PostgreSQL refuses
SETTINGS = {"listen_addresses": "", "max_connections": "60", "shared_buffers": "64MB", "logging_collector": "off"}


def programs() -> Path | None:
    """Return the folder of PostgreSQL's newest server programs, or nothing where none is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    return found[-1].parent if found else None


class Cluster:
    """A running server."""

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self.folder = folder
        self.user = UNPRIVILEGED if os.geteuid() == 0 else getpass.getuser()
        self._bin = bin_folder
        self._numbers = count(1)

    def initialise(self, settings: dict[str, str]) -> None:
        """Make the server's files."""
        self._run("initdb", "-D", self._place, "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        lines = "".join(f"{name} = '{value}'\n" for name, value in (SETTINGS | settings).items())
        with (self.folder / "cluster" / "postgresql.conf").open("a") as file:
            file.write(f"{lines}unix_socket_directories = '{self.folder}'\n")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._run("pg_ctl", "start", "-w", "-s", "-D", self._place, "-l", str(self.folder / "log"))

    def stop(self, how: str = "immediate") -> None:
        """Stop the server; `immediate` is like a crash."""
        self._run("pg_ctl", "stop", "-w", "-s", "-D", self._place, "-m", how)

    def restart(self, how: str = "immediate") -> None:
        """Stop the server and start it again."""
        self.stop(how)
        self.start()

    def new_database(self, *, template: str = "template1") -> str:
        """Make a database and return its URL."""
        name = f"test_{next(self._numbers)}_{os.getpid()}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def new_schema(self) -> str:
        """Make a corner of a database that all share, much faster than a database, and return its URL."""
        name = f"corner_{next(self._numbers)}_{os.getpid()}"
        self.execute(f"CREATE SCHEMA {name}")
        return f"{self.url('postgres')}&options=-csearch_path%3D{name}"

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://tests@/{database}?host={self.folder}"

    def execute(self, command: str, database: str = "postgres", **values: Any) -> list[Any]:
        """Run something as the owner of everything."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(command.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def kill_connections(self, url: str) -> int:
        """End every connection to a database, in the middle of whatever it does; return how many there were."""
        found = self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %(name)s AND pid <> pg_backend_pid()",
            name=name_in(url),
        )
        return len(found)

    def copy(self, url: str) -> str:
        """Copy a database, as a dump would, and return the URL of the copy."""
        self.kill_connections(url)
        return self.new_database(template=name_in(url))

    def put_back(self, copy: str, url: str) -> None:
        """Put a copy in the place of a database, whoever uses that."""
        self.execute(f'DROP DATABASE "{name_in(url)}" WITH (FORCE)')
        self.execute(f'CREATE DATABASE "{name_in(url)}" TEMPLATE "{name_in(copy)}"')

    @property
    def _place(self) -> str:
        return str(self.folder / "cluster")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={UNPRIVILEGED}", "--regid", group(), "--clear-groups", *command]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            log = self.folder / "log"
            raise RuntimeError(done.stdout.decode() + (log.read_text() if log.exists() else ""))


def name_in(url: str) -> str:
    """Return the name of the database in a URL."""
    return url.partition("@/")[2].partition("?")[0]


def group() -> str:
    """Return the group of the user that runs the server under root."""
    return str(pwd.getpwnam(UNPRIVILEGED).pw_gid)


@contextmanager
def cluster(**settings: str) -> Iterator[Cluster]:
    """Run a server of its own for as long as the block lasts."""
    bin_folder = programs()
    if bin_folder is None:
        if os.environ.get("CI") == "true":
            raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="psls-pg-", dir="/tmp"))  # a socket's path is short
    try:
        running = Cluster(folder, bin_folder)
        if os.geteuid() == 0:
            shutil.chown(folder, UNPRIVILEGED, int(group()))
        running.initialise(settings)
        running.start()
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class KeyedVault:
    """As much of a vault as a store asks for: tags under a key that can be rotated."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys or ("key-1",)

    def reload(self) -> None:
        """Nothing is read."""

    def tags(self, secret: bytes, *, purpose: str) -> tuple[Tag, ...]:
        """Return a made-up hash for each key."""
        return tuple(Tag(key=KeyId(key), digest=f"{purpose} {key}".encode().ljust(32, b".")[:32]) for key in self.keys)


@cache
def a_vault() -> Callable[[str], Vault]:
    """Return what opens a vault."""
    return lambda store_id: KeyedVault()  # type: ignore[return-value]


def create_at(url: str, folder: Path, *, at: datetime = NOW) -> SqlStore:
    """Make a store in a fresh database, with the state of this host in a folder."""
    return create_store_at(url, state=folder / "state", at=at, entropy=os.urandom, open_vault=a_vault())


def open_at(url: str, folder: Path, *, at: datetime = NOW, keys: Sequence[str] = ("key-1",)) -> SqlStore:
    """Open the store of a database, as the next process on the host would whose state is in the folder."""

    def open_vault(store_id: str) -> Vault:
        return KeyedVault(*keys)  # type: ignore[return-value]

    return open_store_at(url, state=folder / "state", at=at, entropy=os.urandom, open_vault=open_vault)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """Return a running server for all tests of a session; import it in the conftest of a folder that uses it.

    It does not wait for the disk, which no crash of a process needs: tests that stop the server make one of their own.
    """
    with cluster(fsync="off", full_page_writes="off") as running:
        yield running
