"""Every figure: what is measured, beside its bound or rival in the same run, and what is asked of it."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from tests.bench.server import bounds, layers
from tests.bench.server.load import Load, Ran, run
from tests.bench.server.places import NAMED, ORIGIN, RP_ID, Place, Served
from tests.bench.server.processes import TICKS, cpu_of, limited, memory_of, whole_memory_of

CLIENTS = 16
RATE_ASKED = 0.5  # of the bound, per second and core
SLOWEST_ASKED = 0.050  # seconds, p99 with 16 clients
RIVAL_ASKED = 10.0  # times privacyIDEA
APP_PASSWORD_ASKED = 0.5  # of the empty route
TWO_ASKED = 1.5  # times one process
MANY_ASKED = 1.3  # times the CPU of a sign-in among a thousand
MEMORY_ASKED = 300 * 1024 * 1024  # bytes
SHARE = 0.2  # of a core, to which each of two processes is held
SERVER_CORE, CLIENT_CORE = (0, 1) if (os.cpu_count() or 1) > 1 else (-1, -1)


class Scale(Struct, frozen=True, kw_only=True):
    """How much is measured; a small one keeps the bench working, and says nothing about speed."""

    seconds: float = 8.0
    warming: float = 2.0
    rounds: int = 3
    accounts: int = 1_000
    many: int = 1_000_000
    core: bool = True
    python: Path | None = None  # of an environment with privacyIDEA

    @property
    def server_core(self) -> int:
        """Where one server process runs alone."""
        return SERVER_CORE if self.core else -1

    @property
    def client_core(self) -> int:
        """Where the clients run."""
        return CLIENT_CORE if self.core else -1


class Figure(Struct, frozen=True, kw_only=True):
    """One line of a report."""

    what: str
    measured: str
    asked: str = ""
    reached: bool | None = None

    def __str__(self) -> str:
        verdict = {True: "  reached", False: "  MISSED", None: ""}[self.reached]
        return f"{self.what}: {self.measured}{f' (asked: {self.asked})' if self.asked else ''}{verdict}"


class Measured(Struct, frozen=True, kw_only=True):
    """A load against some server processes, and the CPU seconds that these used for each job."""

    ran: Ran
    cpu: float

    @property
    def rate(self) -> float:
        """Jobs a second."""
        return self.ran.rate


def of_median(found: list[Measured]) -> Measured:
    """Return the run in the middle."""
    return sorted(found, key=lambda one: one.rate)[len(found) // 2]


def load_on(served: list[Served], job: str, scale: Scale, *, spread: int = 0, core: int | None = None) -> Measured:
    """Run a load on servers and measure what they use for it."""
    load = Load(
        job=job,
        ports=tuple(one.port for one in served),
        named=NAMED,
        origin=ORIGIN,
        rp_id=RP_ID,
        clients=CLIENTS,
        seconds=scale.seconds,
        warming=0.0,
        accounts=scale.accounts,
        spread=spread,
        core=scale.client_core if core is None else core,
    )
    if scale.warming:
        run(msgspec_replace(load, seconds=scale.warming))
    before = sum(cpu_of(one.process.pid) for one in served)
    ran = run(load)
    spent = sum(cpu_of(one.process.pid) for one in served) - before
    if ran.failed or not ran.done:
        raise RuntimeError(f"{ran.failed} of {ran.done + ran.failed} failed: {ran.first_failure}")
    return Measured(ran=ran, cpu=max(spent, 1 / TICKS) / ran.done)  # less than a tick is counted as nothing


def msgspec_replace(load: Load, **changed: float) -> Load:
    """Return the load with something else in it."""
    from msgspec.structs import replace

    return replace(load, **changed)


def told(measured: Measured) -> str:
    """Return a run in words."""
    shown = ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in measured.ran.latencies.items())
    return f"{measured.rate:,.0f} a second, {measured.cpu * 1e6:,.0f} µs of CPU each; {shown}"


def sign_ins(folder: Path, scale: Scale) -> Iterator[Figure]:
    """Full sign-ins on one core against what one check and one commit would allow."""
    place = Place(folder / "sign-in")
    place.make(scale.accounts)
    found, limits = [], []
    with place.serving(core=scale.server_core) as served:
        for _ in range(scale.rounds):
            limits.append(bounds.measure(folder / "bound", rounds=3, seconds=min(scale.seconds / 10, 0.5)))
            found.append(load_on([served], "sign-in", scale))
    middle, bound = of_median(found), sorted(limits, key=lambda one: one.rate)[len(limits) // 2]
    yield Figure(what="bound", measured=str(bound))
    yield Figure(what=f"passkey sign-ins, {CLIENTS} clients, one core", measured=told(middle))
    ratio = statistics.median(one.rate / limit.rate for one, limit in zip(found, limits, strict=True))
    asked = f"at least {RATE_ASKED}"
    yield Figure(what="of the bound", measured=f"{ratio:.2f}", asked=asked, reached=ratio >= RATE_ASKED)
    quickest = max(limits, key=lambda one: one.rate)
    by_cpu = 1 / middle.cpu / quickest.rate
    shown = f"{by_cpu:.2f}: {1 / middle.cpu:,.0f} a second against {quickest.rate:,.0f}"
    yield Figure(
        what="of the best bound, by the CPU time of the server alone (a busy disk flatters the line above)", measured=shown
    )
    slowest = statistics.median(one.ran.latencies["p99"] for one in found)
    asked = f"at most {SLOWEST_ASKED * 1000:.0f} ms"
    yield Figure(what="p99", measured=f"{slowest * 1000:.0f} ms", asked=asked, reached=slowest <= SLOWEST_ASKED)


def where(folder: Path, scale: Scale) -> Iterator[Figure]:
    """Where the CPU time of a sign-in goes."""
    place = Place(folder / "where")
    place.make(scale.accounts)
    with quiet():
        found = layers.measure(place, rounds=scale.rounds, each=200 if scale.rounds > 1 else 5)
    before = 0.0
    for number, (layer, cost) in enumerate(found.items()):
        more = f", {(cost - before) * 1e6:+,.0f} µs" if number > 1 else ""
        yield Figure(what=layer, measured=f"{cost * 1e6:,.0f} µs of CPU{more}")
        before = cost


def privacyidea(folder: Path, scale: Scale) -> Iterator[Figure]:
    """The same job at privacyIDEA."""
    from tests.bench.server import privacyidea as rival

    if scale.python is None:
        yield Figure(what="privacyIDEA", measured="not measured: name its environment with --privacyidea V/bin/python")
        return
    place = Place(folder / "passless")
    place.make(scale.accounts)
    fastest, ours = None, []
    for threads in (1, 4):  # a process that does one thing after the other, and one with threads
        other = rival.PrivacyIdea(scale.python, folder / f"privacyidea-{threads}", workers=1, threads=threads)
        other.set_up()
        with other.serving(core=scale.server_core) as process:
            other.enrol(CLIENTS * 4)
            load = Load(
                job="privacyidea",
                ports=(other.port,),
                named=rival.RP_ID,
                origin=rival.ORIGIN,
                rp_id=rival.RP_ID,
                clients=CLIENTS,
                seconds=scale.seconds,
                warming=0.0,
                accounts=CLIENTS * 4,
                core=scale.client_core,
            )
            run(msgspec_replace(load, seconds=scale.warming))
            before = other.cpu(process)
            ran = run(load)
            measured = Measured(ran=ran, cpu=(other.cpu(process) - before) / max(ran.done, 1))
        if ran.failed or not ran.done:
            raise RuntimeError(f"privacyIDEA: {ran.failed} failed: {ran.first_failure}")
        yield Figure(what=f"privacyIDEA, one worker, {threads} thread(s)", measured=told(measured))
        fastest = measured if fastest is None or measured.rate > fastest.rate else fastest
        with place.serving(core=scale.server_core) as served:
            ours.append(load_on([served], "sign-in", scale))
    assert fastest is not None
    yield Figure(what="passless in the same run", measured=told(of_median(ours)))
    ratio = of_median(ours).rate / fastest.rate
    asked = f"at least {RIVAL_ASKED:.0f}"
    yield Figure(what="times privacyIDEA", measured=f"{ratio:.0f}", asked=asked, reached=ratio >= RIVAL_ASKED)
    per_cpu = fastest.cpu / of_median(ours).cpu
    yield Figure(what="CPU of privacyIDEA / CPU of passless, each sign-in", measured=f"{per_cpu:.0f}")


def app_passwords(folder: Path, scale: Scale) -> Iterator[Figure]:
    """A check of an app password against a route that does nothing."""
    place = Place(folder / "app-password")
    place.make(scale.accounts)
    pairs = []
    with place.serving(core=scale.server_core, module="tests.bench.server.with_routes") as served:
        load_on([served], "app-password", scale)  # the last use is written once a minute
        for _ in range(scale.rounds):
            pairs.append((load_on([served], "empty", scale), load_on([served], "app-password", scale)))
    yield Figure(what="the empty route", measured=told(of_median([one for one, _ in pairs])))
    yield Figure(what="app password checks", measured=told(of_median([one for _, one in pairs])))
    ratio = statistics.median(check.rate / empty.rate for empty, check in pairs)
    asked = f"at least {APP_PASSWORD_ASKED}"
    yield Figure(what="of the empty route", measured=f"{ratio:.2f}", asked=asked, reached=ratio >= APP_PASSWORD_ASKED)


def two_processes(folder: Path, scale: Scale) -> Iterator[Figure]:
    """Two server processes on one PostgreSQL against one.

    Two cores hold everything here: PostgreSQL and the clients take from what the second process could have. So it is measured
    with nothing pinned, beside the CPU that a sign-in takes in the server, in PostgreSQL and in the client; and once more with
    each server process held to a part of a core, which shows whether anything but cores keeps two from being twice one.
    """
    from tests.bench.server.postgres import cluster, process_of

    with cluster() as database:
        place = Place(folder / "two", database.new_database())
        place.make(scale.accounts)
        pairs, postgres = [], []
        with place.serving() as first, place.serving() as second:
            for _ in range(scale.rounds):
                one = load_on([first], "sign-in", scale, core=-1)
                before = cpu_of(process_of(database))
                both = load_on([first, second], "sign-in", scale, core=-1)
                postgres.append((cpu_of(process_of(database)) - before) / both.ran.done)
                pairs.append((one, both))
            limits = list(_held_back(first, second, scale))
    one, both = of_median([one for one, _ in pairs]), of_median([both for _, both in pairs])
    yield Figure(what="one process on PostgreSQL", measured=told(one))
    yield Figure(what="two processes", measured=told(both))
    client = both.ran.cpu / both.ran.done
    yield Figure(
        what="CPU of a sign-in",
        measured=f"server {both.cpu * 1e6:,.0f} µs, PostgreSQL {statistics.median(postgres) * 1e6:,.0f} µs, "
        f"client {client * 1e6:,.0f} µs",
    )
    ratio = statistics.median(two.rate / alone.rate for alone, two in pairs)
    cores = os.cpu_count() or 1
    asked = f"at least {TWO_ASKED}"
    yield Figure(what=f"two / one, on {cores} cores", measured=f"{ratio:.2f}", asked=asked, reached=ratio >= TWO_ASKED)
    yield from limits


def _held_back(first: Served, second: Served, scale: Scale) -> Iterator[Figure]:
    """What a second process adds where there are cores for it: each process is held to a part of one, nothing else is."""
    pairs = []
    with limited(first.process.pid, SHARE) as one_is, limited(second.process.pid, SHARE) as other_is:
        if not (one_is and other_is):
            yield Figure(what="two / one, each held to a part of a core", measured="not measured: it takes root and cgroups")
            return
        for _ in range(scale.rounds):
            pairs.append(tuple(load_on(each, "sign-in", scale, core=-1) for each in ([first], [first, second])))
    share = f"each held to {SHARE:.0%} of a core"
    yield Figure(what=f"one process, {share}", measured=told(of_median([one for one, _ in pairs])))
    yield Figure(what=f"two processes, {share}", measured=told(of_median([two for _, two in pairs])))
    ratio = statistics.median(two.rate / alone.rate for alone, two in pairs)
    asked = f"at least {TWO_ASKED}"
    yield Figure(what=f"two / one, {share}", measured=f"{ratio:.2f}", asked=asked, reached=ratio >= TWO_ASKED)


def many_accounts(folder: Path, scale: Scale) -> Iterator[Figure]:
    """A sign-in among a million accounts against one among a thousand, warm: the CPU of the server, and its memory."""
    few, many = Place(folder / "few"), Place(folder / "many")
    few.make(scale.accounts)
    many.make(scale.many)
    yield from _few_and_many("SQLite", few, many, scale)


def many_accounts_postgres(folder: Path, scale: Scale) -> Iterator[Figure]:
    """The same on PostgreSQL."""
    from tests.bench.server.postgres import cluster, process_of

    with cluster() as database:
        few, many = (Place(folder / name, database.new_database()) for name in ("few", "many"))
        few.make(scale.accounts)
        many.make(scale.many)
        yield from _few_and_many("PostgreSQL", few, many, scale, process_of(database))


def _few_and_many(engine: str, few: Place, many: Place, scale: Scale, database: int = 0) -> Iterator[Figure]:
    pairs, shares = [], []
    with few.serving(core=scale.server_core) as small, many.serving(core=scale.server_core) as large:
        for _ in range(scale.rounds):
            found = []
            for served, spread in ((small, scale.accounts), (large, scale.many)):
                before = cpu_of(database) if database else 0.0
                measured = load_on([served], "sign-in", scale, spread=spread)
                spent = (cpu_of(database) - before) / measured.ran.done if database else 0.0
                found.append((measured, measured.cpu + spent))
            pairs.append((found[0][0], found[1][0]))
            shares.append((found[0][1], found[1][1]))
        memory = memory_of(large.process.pid), whole_memory_of(large.process.pid)
    yield Figure(what=f"{engine}, among {scale.accounts:,}", measured=told(of_median([one for one, _ in pairs])))
    yield Figure(what=f"{engine}, among {scale.many:,}", measured=told(of_median([one for _, one in pairs])))
    time_ratio = statistics.median(small.rate / large.rate for small, large in pairs)
    cpu_ratio = statistics.median(large / small for small, large in shares)
    asked = f"at most {MANY_ASKED}"
    yield Figure(what=f"{engine}, time", measured=f"{time_ratio:.2f}", asked=asked, reached=time_ratio <= MANY_ASKED)
    whose = "server and database" if database else "server"
    yield Figure(what=f"{engine}, CPU of {whose}", measured=f"{cpu_ratio:.2f}")
    own, whole = (size / 1024 / 1024 for size in memory)
    asked = f"at most {MEMORY_ASKED // 1024 // 1024} MiB"
    yield Figure(
        what="memory of the server over all of them",
        measured=f"{whole:.0f} MiB resident, {own:.0f} MiB its own, the rest pages of files",
        asked=asked,
        reached=memory[1] <= MEMORY_ASKED,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Send what servers in this process log to nowhere."""
    import sys

    before = sys.stderr
    with Path(os.devnull).open("w") as nowhere:
        sys.stderr = nowhere
        try:
            yield
        finally:
            with suppress(OSError):
                nowhere.flush()
            sys.stderr = before


FIGURES = {
    "sign-in": sign_ins,
    "where": where,
    "privacyidea": privacyidea,
    "app-password": app_passwords,
    "two-processes": two_processes,
    "million": many_accounts,
    "million-postgres": many_accounts_postgres,
}
