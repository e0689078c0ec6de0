"""A PostgreSQL of the bench's own: in a folder, on a socket, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg

from passless.domain.account import Account
from tests.bench.server.places import BATCH, Place, rows_of
from tests.bench.server.processes import free_port

TABLES = {
    "add_account": "accounts",
    "add_address": "addresses",
    "add_credential": "credentials",
    "add_tag": "app_password_tags",
}
SETTINGS = ("fsync=on", "synchronous_commit=on", "shared_buffers=512MB", "max_connections=200", "listen_addresses=''")
USER = "postgres"


class Cluster:
    """A running PostgreSQL."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database."""
        return f"postgresql://{USER}@/{database}?host={self.folder}&port={self.port}"

    def create(self, database: str) -> str:
        """Make a database and return its address."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')  # type: ignore[call-overload]
        return self.url(database)

    @property
    def pid(self) -> int:
        """The process that all others belong to."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])


@contextmanager
def cluster(folder: Path, *, core: int = -1) -> Iterator[Cluster]:
    """Start a cluster as a user that is not root."""
    folder.mkdir(parents=True)
    if os.getuid() == 0:
        shutil.chown(folder, USER)
    binaries, port = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1], free_port()
    _run(folder, str(binaries / "initdb"), "-D", f"{folder}/data", "-U", USER, "--auth=trust", "--encoding=UTF8")
    options = " ".join(f"-c {setting}" for setting in (*SETTINGS, f"port={port}", f"unix_socket_directories={folder}"))
    placed = ("taskset", "-c", str(core)) if core >= 0 else ()
    _run(folder, *placed, str(binaries / "pg_ctl"), "-D", f"{folder}/data", "-w", "-o", options, "-l", f"{folder}/log", "start")
    try:
        yield Cluster(folder, port)
    finally:
        _run(folder, str(binaries / "pg_ctl"), "-D", f"{folder}/data", "-m", "fast", "-w", "stop")


def _run(folder: Path, *command: str) -> None:
    whole = ["runuser", "-u", USER, "--", *command] if os.getuid() == 0 else list(command)
    subprocess.run(whole, check=True, stdout=subprocess.DEVNULL, cwd=folder)


def fill(place: Place, accounts: Iterator[Account]) -> None:
    """Copy accounts in, table by table."""
    with psycopg.connect(place.store, autocommit=True) as connection:
        while batch := list(islice(accounts, BATCH)):
            with connection.transaction():
                for statement, rows in rows_of(batch).items():
                    _copy(connection, TABLES[statement], rows)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _copy(connection: psycopg.Connection[Any], table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    columns = ", ".join(rows[0])
    with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:  # type: ignore[call-overload]
        for row in rows:
            copy.write_row(list(row.values()))
