"""What a store on PostgreSQL costs: `python -m tests.bench.shared_stores [--accounts N]`. It starts a server of its own.

1. Durable commits a second from 1, 4 and 16 threads of one process, beside bare appends with fsync in the same folder.
2. Sign-ins a second, as the store sees them (an attempt counted, a ceremony begun; then it is used, with a session, a use and
   an event), by one process and by two at once, 8 threads each; the two ways take turns.
3. Reading one account, warm, and such a sign-in, among a million accounts against among a thousand; both stores take turns.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg

from passless.domain.account import AccountId
from passless.domain.audit import AuditEntry
from passless.domain.ceremonies import Ceremony, CeremonyId
from passless.domain.sessions import Session, SessionId, SessionKind
from passless.domain.use_state import Use
from passless.ports import Store, Write
from passless.stores.documents import account_row
from tests.bench.stores import NOW, SMALL, accounts, compare_threads, numbered, rate
from tests.stores.builders import an_entry
from tests.stores.postgres import Cluster, cluster, create_at, open_at

THREADS = 8  # of each process
ROUNDS = 5
READS = 2000  # in a round
PROCESS_LIMIT = 1.5  # the bar: two processes do at least so many times what one does
SIZE_LIMIT = 1.3  # the bar: at most this much dearer among a million


def sign_in(store: Store, chance: random.Random, count: int) -> None:
    """Sign an account in, as far as the store has to do with it."""
    owner, mark = AccountId(numbered(chance.randrange(count))[0]), os.urandom(16).hex()
    store.count_attempt(f"{owner} {mark}", at=NOW)
    begun = Ceremony(
        id=CeremonyId(mark),
        purpose="sign-in",
        account_id=owner,
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=5),
        state=b"{}",
    )
    store.commit(Write(at=NOW, begins=begun))
    store.ceremony(begun.id)
    stored = store.read(owner)
    store.uses(owner)
    session = Session(
        id=SessionId(mark),
        account_id=owner,
        token_hash=mark.encode(),
        kind=SessionKind.DIRECT,
        created_at=NOW,
        seen_at=NOW,
        expires_at=NOW + timedelta(hours=24),
    )
    entry: AuditEntry = an_entry("sign-in", of=owner)
    store.commit(
        Write(
            at=NOW,
            account_id=owner,
            expected=stored.version,
            consumes=begun.id,
            uses=(Use(item="app", at=NOW),),
            opens=session,
            forgives=(f"{owner} {mark}",),
            events=(entry,),
        )
    )


def sign_ins(store: Store, seed: int, count: int) -> float:
    """Return how many sign-ins a second one thread gets through."""
    chance = random.Random(seed)
    return rate(lambda: sign_in(store, chance, count))


def process(url: str, folder: Path, gate: multiprocessing.Barrier, told: multiprocessing.Queue, seed: int) -> None:  # type: ignore[valid-type,type-arg]
    """Sign in with many threads, whenever all are ready."""
    store = open_at(url, folder)
    for number in range(ROUNDS):
        gate.wait()  # type: ignore[attr-defined]
        with ThreadPoolExecutor(THREADS) as pool:
            seeds = (seed + number * 1000 + thread for thread in range(THREADS))
            told.put(sum(pool.map(lambda one: sign_ins(store, one, SMALL), seeds)))
    store.close()


def at_once(url: str, folder: Path, processes: int) -> float:
    """Return how many sign-ins a second so many processes get through together."""
    context = multiprocessing.get_context("spawn")
    gate, told = context.Barrier(processes), context.Queue()
    running = [
        context.Process(target=process, args=(url, folder, gate, told, os.getpid() + 10**6 * one)) for one in range(processes)
    ]
    for one in running:
        one.start()
    found = [told.get() for _ in range(processes * ROUNDS)]
    for one in running:
        one.join()
    return sum(found) / ROUNDS


def compare_processes(url: str, folder: Path) -> None:
    """Print what two processes do beside one."""
    one, two = zip(*((at_once(url, folder, 1), at_once(url, folder, 2)) for _ in range(2)), strict=True)
    ratio = statistics.mean(two) / statistics.mean(one)
    print(f"sign-ins of one process: {statistics.mean(one):,.0f}/s; of two: {statistics.mean(two):,.0f}/s")
    print(f"ratio {ratio:.2f} (at least {PROCESS_LIMIT}): {'reached' if ratio >= PROCESS_LIMIT else 'missed'}")


def fill(url: str, count: int) -> None:
    """Insert accounts as fast as the server takes them."""
    with psycopg.connect(url) as connection:
        columns = ", ".join(account_row(next(accounts(1)), 1))
        with connection.cursor().copy(f"COPY accounts ({columns}) FROM STDIN".encode()) as copy:
            for account in accounts(count):
                copy.write_row(tuple(account_row(account, 1).values()))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE accounts")


def measured(work: Callable[[], object], times: int) -> float:
    """Return what one of so many takes, in microseconds."""
    started = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - started) / times * 1e6


def compare_sizes(server: Cluster, folder: Path, count: int) -> None:
    """Print what reading and signing in cost in a small and in a large store."""
    stores = []
    for many in (SMALL, count):
        url = server.new_database()
        store = create_at(url, folder / str(many))
        started = time.perf_counter()
        fill(url, many)
        print(f"made {many:,} accounts in {time.perf_counter() - started:.0f} s")
        stores.append((store, many, random.Random(many)))
    reads: list[list[float]] = [[], []]
    signs: list[list[float]] = [[], []]
    for _ in range(ROUNDS + 1):  # the first warms
        for place, (store, many, chance) in enumerate(stores):
            picked = random.Random(many)  # the same in each round, so that every account that is read was read before
            ids = iter([AccountId(numbered(picked.randrange(many))[0]) for _ in range(READS)])
            reads[place].append(measured(lambda store=store, ids=ids: store.read(next(ids)), READS))
            signs[place].append(measured(lambda store=store, chance=chance, many=many: sign_in(store, chance, many), 300))
    for name, (few, large) in (("reading one account", reads), ("signing in", signs)):
        small, big = statistics.median(few[1:]), statistics.median(large[1:])
        verdict = "reached" if big / small <= SIZE_LIMIT else "missed"
        print(f"{name} among {SMALL:,}: {small:.0f} µs; among {count:,}: {big:.0f} µs")
        print(f"ratio {big / small:.2f} (at most {SIZE_LIMIT}): {verdict}")
    for store, _, _ in stores:
        store.close()


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    asked = parser.parse_args()
    with cluster(shared_buffers="256MB") as server:
        folder = server.folder / "hosts"
        folder.mkdir()
        url = server.new_database()
        store = create_at(url, folder)
        compare_threads(store, folder)
        store.close()
        fill(url, SMALL)
        compare_processes(url, folder)
        if asked.accounts:
            compare_sizes(server, folder, asked.accounts)


if __name__ == "__main__":
    main()
