"""What the store costs: `python -m tests.bench.stores [--accounts N] [--folder F] [--strace]`.

1. Reading and decoding one account among a million against among a thousand, warm: every account that is read was read before.
   Both stores take turns, in one process, and the best round of each counts.
2. Durable commits for each fsync: what one process commits in a second, against bare appends with fsync to a file in the same
   folder; the two take turns. `--strace` counts the fsync calls as well.
3. The same from 4 and from 16 threads at once, as in a server, each with an account of its own.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec

from passless.domain.account import Account, AccountId, Version
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.changes import AccountName
from passless.domain.use_state import Use
from passless.ports import Store, Write
from passless.stores import create_store, open_store
from passless.stores.documents import account_row
from passless.stores.sql_store import SqlStore
from passless.stores.sqlite import connect
from passless.stores.statements import statements
from tests.builders import a_code, a_passkey, a_password, a_security_key, a_totp, an_account, an_app_password

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
SMALL = 1_000  # accounts
READS = 20_000  # in a round
ROUNDS = 9
SECONDS = 1.0  # one round of commits or appends
BATCH = 10_000  # accounts inserted at once
RECORD = b"x" * 400  # about what an account's row and event take
READ_LIMIT = 1.3  # the bar: at most this much dearer among a million
THREADS = (1, 4, 16)
COMMIT_LIMIT = 0.45  # the bar: at least so many commits for each fsync


def template() -> Account:
    """An account as people have them: five methods, a recovery code, two app passwords."""
    return an_account(
        "template",
        methods=[a_password(), a_security_key(), a_security_key("spare key"), a_passkey(), a_totp()],
        codes=[a_code()],
        app_passwords=(an_app_password("Mail"), an_app_password("Calendar")),
        addresses=("template@example.org",),
        two_step=True,
    )


def numbered(number: int) -> tuple[str, str]:
    """Return the id and the name of an account; ids are spread like random ones."""
    return f"{random.Random(number).getrandbits(96):024x}", f"person {number:07}"


def accounts(count: int) -> Iterator[Account]:
    """Make up accounts."""
    first = template()
    for number in range(count):
        account_id, name = numbered(number)
        yield msgspec.structs.replace(
            first, id=AccountId(account_id), name=AccountName(name), addresses=(f"{number}@example.org",)
        )


def fill(path: Path, count: int) -> None:
    """Insert accounts without waiting for the disk."""
    connection = connect(path, "rw")
    connection.execute("PRAGMA synchronous = OFF")
    everybody = accounts(count)
    while batch := list(islice(everybody, BATCH)):
        connection.execute("BEGIN")
        connection.executemany(statements()["add_account"], [account_row(account, 1) for account in batch])
        addresses = [{"address_key": account.addresses[0], "account_id": account.id} for account in batch]
        connection.executemany(statements()["add_address"], addresses)
        connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def store_of(folder: Path, count: int) -> SqlStore:
    """Make a store with so many accounts and open it as anybody would."""
    path, state = folder / f"{count}.db", folder / "state"
    create_store(path, state=state, at=NOW, entropy=os.urandom).close()
    fill(path, count)
    return open_store(path, state=state, at=NOW)


def reader(store: SqlStore, count: int) -> Callable[[], float]:
    """Return what measures one read in microseconds of CPU time, over accounts from everywhere in the store."""
    chance = random.Random(count)
    ids = [AccountId(numbered(chance.randrange(count))[0]) for _ in range(READS)]

    def measure() -> float:
        read = store.read
        started = time.process_time()
        for account_id in ids:
            read(account_id)
        return (time.process_time() - started) / READS * 1e6

    return measure


def compare_reads(folder: Path, count: int) -> None:
    """Print what a read costs in a small and in a large store."""
    started = time.perf_counter()
    stores = [store_of(folder, SMALL), store_of(folder, count)]
    size = (folder / f"{count}.db").stat().st_size
    print(f"made {count:,} accounts in {time.perf_counter() - started:.0f} s, {size / count:.0f} bytes each")
    measures = [reader(store, many) for store, many in zip(stores, (SMALL, count), strict=True)]
    for measure in measures:
        measure()  # the warming
    rounds = [[measure() for measure in measures] for _ in range(ROUNDS)]
    few, many = (min(each) for each in zip(*rounds, strict=True))
    ratio = many / few
    print(f"read and decode one account among {SMALL:,}: {few:.1f} µs; among {count:,}: {many:.1f} µs")
    print(f"ratio {ratio:.2f} (at most {READ_LIMIT}): {'reached' if ratio <= READ_LIMIT else 'missed'}")
    for store in stores:
        store.close()


class Committer:
    """One process that changes one account again and again: the whole document, a use, an event and a notice."""

    def __init__(self, store: Store, number: int = 0) -> None:
        account_id, name = numbered(10**9 + number)
        fresh = [a_password(), a_security_key(f"key of {name}"), a_totp()]
        self.account = an_account(
            account_id, methods=fresh, codes=[a_code()], addresses=(f"{name}@example.org",), two_step=True
        )
        self.store = store
        self.version = self.store.commit(Write(at=NOW, account=self.account)) or Version(1)

    def commit(self) -> None:
        """Change the account once."""
        version, owner = self.version, self.account.id
        after = msgspec.structs.replace(self.account, display_name=f"change {version}")
        entry = AuditEntry(
            at=NOW, actor=owner, event="rename", outcome=Outcome.DONE, account_id=owner, account=owner, details={"to": "x"}
        )
        notice = Notice(id=f"{owner}-{version}", account_id=owner, at=NOW, code="renamed", message="the account was renamed")
        shown = (f"{owner}-{version - 1}",)
        use = Use(item="app", at=NOW, totp_step=version)
        self.version = (
            self.store.commit(
                Write(at=NOW, account=after, expected=version, events=(entry,), notices=(notice,), shown=shown, uses=(use,))
            )
            or version
        )

    def rate(self) -> float:
        """Return how many changes a second are accepted."""
        return rate(self.commit)


def new_store(folder: Path) -> SqlStore:
    """Make an empty store."""
    return create_store(folder / "commits.db", state=folder / "state", at=NOW, entropy=os.urandom)


def compare_threads(store: Store, folder: Path) -> None:
    """Print how many commits threads get a second that all commit at once."""
    committers = [Committer(store, number) for number in range(1, max(THREADS) + 1)]
    bare = os.open(folder / "more appends", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def append() -> None:
        os.write(bare, RECORD)
        os.fsync(bare)

    for threads in THREADS:
        with ThreadPoolExecutor(threads) as pool:
            found = [(rate(append), sum(pool.map(Committer.rate, committers[:threads]))) for _ in range(5)]
        fsyncs, commits = (statistics.median(each) for each in zip(*found, strict=True))
        print(f"{threads:2} threads: {commits:,.0f} durable commits/s; appends with fsync alone: {fsyncs:,.0f}/s")
    os.close(bare)


def rate(work: Callable[[], None]) -> float:
    """Return how many times a second something is done."""
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < SECONDS:
        work()
        count += 1
    return count / (time.perf_counter() - started)


def compare_commits(folder: Path) -> None:
    """Print how many commits one process makes for each fsync the disk does."""
    committer = Committer(new_store(folder))
    bare = os.open(folder / "appends", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def append() -> None:
        os.write(bare, RECORD)
        os.fsync(bare)

    committer.rate()
    rounds = [(rate(append), committer.rate()) for _ in range(ROUNDS)]
    appends, commits = (statistics.median(each) for each in zip(*rounds, strict=True))
    ratio = statistics.median(commit / fsync for fsync, commit in rounds)
    print(f"appends with fsync: {appends:,.0f}/s; commits of one process: {commits:,.0f}/s")
    print(f"commits for each fsync: {ratio:.2f} (at least {COMMIT_LIMIT}): {'reached' if ratio >= COMMIT_LIMIT else 'missed'}")
    compare_threads(committer.store, folder)
    committer.store.close()
    os.close(bare)


def count_fsyncs(folder: Path) -> None:
    """Print how many fsync calls a thousand commits make, as strace counts them."""
    if shutil.which("strace") is None:
        print("strace is not installed here")
        return
    command = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", sys.executable, "-m", "tests.bench.stores", "--commit-in"]
    found = subprocess.run([*command, str(folder)], check=True, capture_output=True, text=True).stderr
    calls = sum(int(line.split()[3]) for line in found.splitlines() if re.search(r" f(data)?sync$", line))
    print(f"fsync calls of 1,000 commits, with making, opening and closing the store: {calls:,}")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=None, help="where to measure; a temporary folder otherwise")
    parser.add_argument("--strace", action="store_true")
    parser.add_argument("--commit-in", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.commit_in is not None:
        committer = Committer(new_store(asked.commit_in))
        for _ in range(1000):
            committer.commit()
        committer.store.close()
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        compare_commits(folder)
        if asked.strace:
            (folder / "counted").mkdir()
            count_fsyncs(folder / "counted")
        if asked.accounts:
            compare_reads(folder, asked.accounts)


if __name__ == "__main__":
    main()
