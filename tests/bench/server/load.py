"""The load: clients in a process of their own, so that what they cost is not the server's; `python -m tests.bench.server.load`.

It reads a `Load` from standard input, runs it, and prints a `Ran`.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from msgspec import Raw, Struct

from tests.bench.server.http import Connection
from tests.bench.server.passkeys import SoftPasskey

ROOT = Path(__file__).resolve().parents[3]


class Load(Struct, frozen=True, kw_only=True):
    """What is asked of which servers, by how many clients, for how long. Clients are spread over the ports."""

    job: str
    ports: tuple[int, ...]
    named: str  # the host that requests name
    origin: str = ""
    rp_id: str = ""
    clients: int = 16
    seconds: float = 5.0
    warming: float = 1.0
    accounts: int = 1000
    spread: int = 0  # from how many accounts, drawn at random, people sign in; 0: each client has some of its own
    secret: str = ""
    core: int = -1  # the core the clients run on; -1: any


class Ran(Struct, frozen=True, kw_only=True):
    """What came of it. `latencies` are percentiles in seconds of one whole job: begin and finish."""

    done: int
    failed: int
    seconds: float
    latencies: dict[str, float]
    cpu: float
    first_failure: str = ""

    @property
    def rate(self) -> float:
        """Jobs a second."""
        return self.done / self.seconds


class _Begun(Struct):
    ceremony: str
    challenge: Raw = msgspec.field(name="publicKey")


class _Options(Struct):
    challenge: str


_begun, _options = msgspec.json.Decoder(_Begun).decode, msgspec.json.Decoder(_Options).decode


class Failed(Exception):
    """A server did not do what it was asked."""


Job = Callable[[Connection, int], Awaitable[None]]


class SignIns:
    """Full sign-ins with a passkey: whoever the passkey says it is."""

    def __init__(self, load: Load) -> None:
        self._passkeys: dict[int, SoftPasskey] = {}
        self._load = load

    async def __call__(self, connection: Connection, number: int) -> None:
        """Begin, sign, finish."""
        begun = await connection.ask("POST", "/api/v1/ceremonies", b'{"type":"sign-in","kind":"passkey"}')
        if begun.status != 201:
            raise Failed(f"begin: {begun.status} {begun.body[:300]!r}")
        found = _begun(begun.body)
        answer = self._passkey(number).answer(_options(found.challenge).challenge)
        body = msgspec.json.encode({"kind": "passkey", "text": answer})
        done = await connection.ask("POST", f"/api/v1/ceremonies/{found.ceremony}", body)
        if done.status != 200 or b'"token"' not in done.body:
            raise Failed(f"finish: {done.status} {done.body[:300]!r}")

    def _passkey(self, number: int) -> SoftPasskey:
        if number not in self._passkeys:
            self._passkeys[number] = SoftPasskey(number, self._load.rp_id, self._load.origin)
        return self._passkeys[number]


class PrivacyIdeaSignIns(SignIns):
    """The same at privacyIDEA: `/validate/initialize` and `/validate/check`."""

    async def __call__(self, connection: Connection, number: int) -> None:
        """Begin, sign, finish."""
        begun = await connection.ask("POST", "/validate/initialize", b'{"type":"passkey"}')
        if begun.status != 200:
            raise Failed(f"begin: {begun.status} {begun.body[:300]!r}")
        asked = msgspec.json.decode(begun.body)["detail"]["passkey"]
        passkey = self._passkey(number)
        said, statement, signature = passkey.sign(text_base64(asked["challenge"]))
        body = {
            "transaction_id": asked["transaction_id"],
            "credential_id": text_base64(passkey.credential_id),
            "clientDataJSON": text_base64(said),
            "authenticatorData": text_base64(statement),
            "signature": text_base64(signature),
            "userHandle": text_base64(passkey.user_handle),
        }
        headers = {"Origin": self._load.origin}
        done = await connection.ask("POST", "/validate/check", msgspec.json.encode(body), headers)
        if done.status != 200 or b'"value":true' not in done.body.replace(b" ", b""):
            raise Failed(f"finish: {done.status} {done.body[:500]!r}")


class Asks:
    """One request and its answer, for routes of the bench."""

    def __init__(self, method: str, path: str, body: bytes = b"") -> None:
        self._asked = method, path, body

    async def __call__(self, connection: Connection, number: int) -> None:
        """Ask once."""
        answered = await connection.ask(*self._asked)
        if answered.status != 200:
            raise Failed(f"{answered.status} {answered.body[:300]!r}")


class AppPasswordChecks:
    """Right app passwords, each account's own."""

    def __init__(self, load: Load) -> None:
        self._load = load

    async def __call__(self, connection: Connection, number: int) -> None:
        """Check one."""
        from tests.bench.server.places import app_password_of, name_of

        body = msgspec.json.encode({"account": name_of(number), "password": app_password_of(number), "service": "imap"})
        answered = await connection.ask("POST", "/api/v1/bench/app-password", body)
        if answered.status != 200 or b"true" not in answered.body:
            raise Failed(f"{answered.status} {answered.body[:300]!r}")


class GuardedPages:
    """Pages of a site behind a proxy, each account's with its own app password."""

    def __init__(self) -> None:
        self._headers: dict[int, dict[str, str]] = {}

    async def __call__(self, connection: Connection, number: int) -> None:
        """Open one."""
        answered = await connection.ask("GET", "/guarded/page", headers=self._of(number))
        if answered.status != 200:
            raise Failed(f"{answered.status} {answered.body[:300]!r}")

    def _of(self, number: int) -> dict[str, str]:
        from tests.bench.server.places import app_password_of, name_of

        if number not in self._headers:
            pair = f"{name_of(number)}:{app_password_of(number)}".encode()
            self._headers[number] = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return self._headers[number]


def text_base64(content: bytes | str) -> str:
    """Return base64url without padding; of text, of its UTF-8."""
    from passless.credentials.passkeys import to_base64

    return to_base64(content.encode() if isinstance(content, str) else content)


def job_of(load: Load) -> Job:
    """Return what each client does again and again."""
    match load.job:
        case "sign-in":
            return SignIns(load)
        case "privacyidea":
            return PrivacyIdeaSignIns(load)
        case "app-password":
            return AppPasswordChecks(load)
        case "guarded":
            return GuardedPages()
        case "unguarded":
            return Asks("GET", "/empty/page")
        case "empty":
            return Asks("POST", "/api/v1/bench/empty", b'{"kind":"empty"}')
        case _:
            raise ValueError(load.job)


async def clients(load: Load) -> Ran:
    """Run every client until the time is over; what is done in the warming does not count."""
    job, latencies, failures = job_of(load), list[float](), list[str]()
    begins = time.perf_counter() + load.warming
    ends = begins + load.seconds

    async def client(own: int) -> None:
        connection = Connection("127.0.0.1", load.ports[own % len(load.ports)], load.named)
        chance, turn = random.Random(own), 0
        while (started := time.perf_counter()) < ends:
            # two clients never use one passkey at once: each draws from its own share
            share = max((load.spread or load.accounts) // load.clients, 1)
            number = own + load.clients * (chance.randrange(share) if load.spread else turn % min(share, 50))
            turn += 1
            try:
                await job(connection, number)
            except (Failed, OSError, asyncio.IncompleteReadError, ValueError) as error:
                failures.append(f"{type(error).__name__}: {error}")
                await connection.close()
                continue
            if started >= begins:
                latencies.append(time.perf_counter() - started)
        await connection.close()

    cpu = time.process_time()
    await asyncio.gather(*(client(own) for own in range(load.clients)))
    cpu = time.process_time() - cpu
    latencies.sort()
    shown = {name: latencies[int(len(latencies) * part)] for name, part in PERCENTILES.items()} if latencies else {}
    return Ran(
        done=len(latencies),
        failed=len(failures),
        seconds=load.seconds,
        latencies=shown,
        cpu=cpu,
        first_failure=next(iter(failures), ""),
    )


PERCENTILES = {"p50": 0.50, "p90": 0.90, "p99": 0.99}


def run(load: Load) -> Ran:
    """Run a load in a process of its own."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.bench.server.load"],
        input=msgspec.json.encode(load),
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
    )
    return msgspec.json.decode(found.stdout, type=Ran)


def main() -> None:
    """Run what standard input says."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    if load.core >= 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {load.core})
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(clients(load))))


if __name__ == "__main__":
    main()
