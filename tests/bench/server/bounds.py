"""What no server can go below: one signature checked, one commit on the disk."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

RECORD = "x" * 400  # about what a session and an event take


class Bound(Struct, frozen=True, kw_only=True):
    """Seconds of one ECDSA P-256 verification (CPU), and of one durable SQLite commit (wall)."""

    verification: float
    commit: float

    @property
    def rate(self) -> float:
        """How many sign-ins a second would be possible, if they cost nothing else."""
        return 1 / (self.verification + self.commit)

    def __str__(self) -> str:
        check, commit = (f"{seconds * 1e6:.0f} µs" for seconds in (self.verification, self.commit))
        return f"one ECDSA P-256 verification {check}, one durable SQLite commit {commit}: at most {self.rate:,.0f} a second"


def measure(folder: Path, *, rounds: int = 5, seconds: float = 0.5) -> Bound:
    """Measure both where the store will be; the median of some rounds."""
    folder.mkdir(parents=True, exist_ok=True)
    commits = Commits(folder / "bound.db")
    try:
        return Bound(
            verification=statistics.median(cost(verification(), time.process_time, seconds) for _ in range(rounds)),
            commit=statistics.median(cost(commits.one, time.perf_counter, seconds) for _ in range(rounds)),
        )
    finally:
        commits.close()


def cost(work: Callable[[], object], clock: Callable[[], float], seconds: float) -> float:
    """Return what one call takes, over so many seconds."""
    started, count = clock(), 0
    while (spent := clock() - started) < seconds:
        for _ in range(20):
            work()
        count += 20
    return spent / count


def verification() -> Callable[[], object]:
    """One bare check with a key that is ready."""
    private = ec.derive_private_key(7, ec.SECP256R1())
    message = bytes(37 + 32)
    signature, public = private.sign(message, ec.ECDSA(hashes.SHA256())), private.public_key()
    return lambda: public.verify(signature, message, ec.ECDSA(hashes.SHA256()))


class Commits:
    """One row and one commit, on the disk when it returns."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, content TEXT)")

    def one(self) -> None:
        """Keep one more row."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO rows (content) VALUES (?)", (RECORD,))
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
