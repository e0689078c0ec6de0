"""How the store of a profile is doing: file, permissions, free space, integrity, and whether an old copy was put back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from passless.domain.names import printable
from passless.output.machine_results import Verdict

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.settings import Profile

SQLITE = "sqlite:///"
LEAST_SPACE = 50 * 1024 * 1024  # bytes; ours, room for a store's log to grow
AS_IT_SHOULD_BE = "ok"  # what SQLite's checks answer


def path_of(profile: Profile) -> Path | None:
    """Return the file of a profile's store; None where it has none on this machine."""
    if profile.place != "store" or not profile.address.startswith(SQLITE):
        return None
    return Path(profile.address.removeprefix(SQLITE))


def reach(profile: Profile) -> Iterator[Verdict]:
    """Connect to the database of a store; raises what keeps it from being used."""
    from passless import wiring

    wiring.reach_store(profile)
    address = printable(profile.address, at_most=200)
    yield Verdict(check="store", ok=True, message=f"{address} is reached, and lets this user in")


def look(path: Path) -> Iterator[Verdict]:
    """Look at the file from outside; nothing where it was not made yet."""
    shown = printable(str(path), at_most=200)
    if not path.exists():
        yield Verdict(check="store", ok=True, message=f"{shown}: not made yet", hint="make it: passless setup")
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    is_private = sys.platform == "win32" or not mode & 0o077
    yield Verdict(
        check="store",
        ok=is_private,
        message=f"{shown}, {_size(path.stat().st_size)}" + ("" if is_private else f", open to other people (mode {mode:04o})"),
        hint="" if is_private else f"close it: chmod 600 '{shown}'",
    )
    free = shutil.disk_usage(path.parent).free
    is_enough = free >= LEAST_SPACE
    yield Verdict(
        check="store",
        ok=is_enough and os.access(path, os.W_OK),
        message=f"{_size(free)} free beside it" + ("" if os.access(path, os.W_OK) else ", and it cannot be written to"),
        hint="" if is_enough else "make room: a full disk keeps every change from being kept",
    )


def open_and_look(run: Run, path: Path) -> Iterator[Verdict]:
    """Look into it; raises what opening a store raises."""
    from passless.directories.local.parts_of import parts_of

    if not path.exists():
        return
    fault = integrity(path)
    yield Verdict(
        check="store",
        ok=fault is None,
        message="the database is whole" if fault is None else f"the database is damaged: {fault}",
        hint="" if fault is None else "put the file aside and restore a copy",
    )
    store = parts_of(run.directory).store
    accounts = sum(1 for _ in run.directory.find())
    restored = store.restored_at
    yield Verdict(
        check="store",
        ok=True,
        message=f"store {store.id}, {accounts} {'account' if accounts == 1 else 'accounts'}"
        + (f"; an old copy was put back on {restored:%Y-%m-%d}" if restored else ""),
        hint="sessions, passes and open ceremonies of before are void: passless audit verify" if restored else "",
    )


def integrity(path: Path) -> str | None:
    """Let SQLite check the file; return what is wrong."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=3)) as connection:
            answer = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return printable(str(error))
    return None if answer == AS_IT_SHOULD_BE else printable(answer)


def _size(octets: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if octets >= size:
            return f"{octets / size:.1f} {unit}"
    return f"{octets} bytes"
