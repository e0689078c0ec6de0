"""How soon an ending is felt: `python -m tests.bench.endings`.

From the commit, by another process than the server, until `relying-party watch` has had the program (a stand-in) act on it;
and until each of many who listen was told.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import httpx
from msgspec import Struct

from passless import wiring
from passless.directories.local.parts_of import parts_of
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.relying_parties import MadeRelyingParty
from passless.ports import Write
from passless.settings import Settings
from tests.server.serving import Served, a_server
from tests.server.watching import PROFILE, register, watching

ADDRESS = "/relying-parties/endings"
ROUNDS = 20
LISTENERS = 1000
MILLISECONDS = 1000
OVERLOADED = b"HTTP/1.1 503"

End = Callable[[str], None]


class Told(Struct, frozen=True):
    """When the first and the last of many were told, and what else the server took for meanwhile; milliseconds."""

    first: float
    last: float
    health: float


@contextmanager
def another_process(folder: Path) -> Iterator[End]:
    """Return what ends somebody's account in the trail, from this process."""
    settings = Settings({"PASSLESS_HOME": str(folder / "home")})
    profile = settings.profile(PROFILE)
    directory = wiring.open_directory(settings, profile, clock=lambda: datetime.now(UTC), entropy=os.urandom, tell=print)

    def end(name: str) -> None:
        now = datetime.now(UTC)
        entry = AuditEntry(
            at=now, actor=name, event="delete-account", outcome=Outcome.DONE, account_id=f"id-of-{name}", account=name
        )
        parts_of(directory).store.commit(Write(at=now, events=(entry,)))

    with closing(directory):
        yield end


def to_the_program(folder: Path, served: Served, rounds: int) -> list[float]:
    """Return how long each took from the commit to the end of what the program was asked to do, sorted; milliseconds."""
    found = []
    with another_process(folder) as end, watching(folder, served.url) as watched:
        watched.await_note("watching for")
        for number in range(rounds):
            end(f"person-{number}")
            started = perf_counter()
            watched.await_line(account=f"person-{number}")
            found.append((perf_counter() - started) * MILLISECONDS)
    return sorted(found)


def to_many(folder: Path, served: Served, party: MadeRelyingParty, many: int) -> Told:
    """Let many listen, end something, and return when they were told."""
    with another_process(folder) as end:
        return asyncio.run(_to_many(served, party, many, end))


async def _to_many(served: Served, party: MadeRelyingParty, many: int, end: End) -> Told:
    assert party.secret is not None
    pair = f"{party.id}:{party.secret.reveal()}"
    headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=120) as client:
        cursor = (await client.get(ADDRESS)).json()["cursor"]
        said = {"Host": served.url.removeprefix("http://"), "Connection": "close", **headers}
        lines = (f"GET {ADDRESS}?wait=60&after={cursor} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()))
        question = "\r\n".join((*lines, "", "")).encode()
        told: list[float] = []

        async def listen() -> None:
            answer = OVERLOADED
            while answer.startswith(OVERLOADED):  # so many from one address at once are told to come again
                reader, writer = await asyncio.open_connection(*served.address)
                writer.write(question)
                answer = await reader.read()
                writer.close()
            told.append(perf_counter())
            assert b'"account":"ada"' in answer, answer

        async with asyncio.TaskGroup() as listening:
            for _ in range(many):
                listening.create_task(listen())
            while not await _all_wait(served, many):
                await asyncio.sleep(0)
            health = await _health(client)
            await asyncio.to_thread(end, "ada")
            started = perf_counter()
        return Told((min(told) - started) * MILLISECONDS, (max(told) - started) * MILLISECONDS, health)


async def _health(client: httpx.AsyncClient) -> float:
    started = perf_counter()
    await client.get("/healthz")
    return (perf_counter() - started) * MILLISECONDS


async def _all_wait(served: Served, many: int) -> bool:
    """Tell whether everybody's question is under way, by the server's own figures."""
    host, port = served.metrics
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://{host}:{port}/metrics")).text
    under_way = next(line for line in text.splitlines() if line.startswith("passless_http_requests_under_way "))
    return float(under_way.rpartition(" ")[2]) >= many


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, a_server(Path(folder), "--metrics-listen", "127.0.0.1:0") as served:
        made = register(Path(folder))
        found = to_the_program(Path(folder), served, ROUNDS)
        sys.stdout.write(f"to the program: median {found[len(found) // 2]:.0f} ms, slowest {found[-1]:.0f} ms of {ROUNDS}\n")
        told = to_many(Path(folder), served, made, LISTENERS)
        sys.stdout.write(
            f"to {LISTENERS} who listen: the first {told.first:.0f} ms, the last {told.last:.0f} ms; "
            f"/healthz while they wait {told.health:.1f} ms\n"
        )


if __name__ == "__main__":
    main()
