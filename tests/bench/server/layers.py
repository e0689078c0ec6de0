"""Where the time of a sign-in goes: the same sign-in through more and more of the server, in one process and one thread.

CPU time of the process, so that what waits for the disk does not count; each layer's share is what it adds to the one before.
"""

from __future__ import annotations

import asyncio
import cProfile
import os
import pstats
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from passless.actions.parts import SignUp
from passless.domain.methods import Kind
from passless.domain.requests import Answer, SignInWith
from passless.domain.secret import Secret
from passless.ports.directory import Actor
from passless.settings import Profile, Settings
from tests.bench.server import bounds
from tests.bench.server.passkeys import SoftPasskey
from tests.bench.server.places import NAMED, ORIGIN, RP_ID, Place

ROUNDS = 5
SIGN_INS = 200  # in a round
AT_ONCE = 10  # sign-ins that share a transaction
CHALLENGE = msgspec.json.Decoder(dict[str, Any])


class Inside:
    """The parts of a server, in this process."""

    def __init__(self, place: Place) -> None:
        from passless import wiring
        from passless.server.app import make_app
        from passless.server.counting import counting
        from passless.server.gate import Gate
        from passless.server.log import Log
        from passless.server.metrics import Metrics
        from passless.server.site import Site

        os.environ["PASSLESS_HOME"] = str(place.folder / "home")
        settings = Settings(os.environ)
        profile = Profile(name="server", place="store", address=place.store, vault_file=str(place.key_file))
        store = wiring.open_store(settings, profile, clock=now, entropy=os.urandom)
        self.directory = wiring.directory_over(
            store, settings, profile, clock=now, entropy=os.urandom, serving=SignUp.INVITATION
        )
        self.directory.parts.vault.key_id()
        metrics, log = Metrics(), Log(now)
        self.directory.parts = msgspec.structs.replace(self.directory.parts, store=counting(store, metrics))
        site = Site(directory=self.directory, url=ORIGIN)
        try:
            self.app: Any = make_app(site, log)
        except BaseException:
            self.directory.close()
            raise
        self.gate: Any = Gate(self.app, site, log=log, metrics=metrics, entropy=os.urandom)
        self._passkeys = [SoftPasskey(number, RP_ID, ORIGIN) for number in range(100)]
        self._turn = 0
        self.spent_signing = 0.0

    def passkey(self) -> SoftPasskey:
        """Return whose turn it is."""
        self._turn += 1
        return self._passkeys[self._turn % len(self._passkeys)]

    def answer(self, challenge: str) -> str:
        """Sign; what that costs is the client's, not the server's."""
        started = time.process_time()
        answer = self.passkey().answer(challenge)
        self.spent_signing += time.process_time() - started
        return answer

    async def directly(self) -> None:
        """Sign in through the directory alone."""
        actor = Actor(place="127.0.0.1")
        begun = self.directory.begin(actor, "", SignInWith(kind=Kind.PASSKEY))
        assert begun.public_key is not None
        answer = self.answer(CHALLENGE.decode(begun.public_key)["challenge"])
        self.directory.finish(actor, begun.ceremony, Answer(kind=Kind.PASSKEY, text=Secret(answer)))

    async def together(self) -> None:
        """Sign in several times in one transaction, as a server does what comes in at once."""
        with self.directory.parts.store.together():
            for _ in range(AT_ONCE):
                await self.directly()

    async def at_once(self, app: Any) -> None:
        """Sign in several times at once through an ASGI application."""
        await asyncio.gather(*(self.through(app) for _ in range(AT_ONCE)))

    async def through(self, app: Any) -> None:
        """Sign in through an ASGI application, without a network."""
        begun = CHALLENGE.decode(await ask(app, "/api/v1/ceremonies", b'{"type":"sign-in","kind":"passkey"}'))
        body = msgspec.json.encode({"kind": "passkey", "text": self.answer(begun["publicKey"]["challenge"])})
        done = await ask(app, f"/api/v1/ceremonies/{begun['ceremony']}", body)
        assert b'"token"' in done, done[:300]


def now() -> datetime:
    """What time it is."""
    return datetime.now(UTC)


class Come:
    """A body that is there already, as uvicorn hands most of them on."""

    more_body = False

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def receive(self) -> Any:
        """Return it."""
        return {"type": "http.request", "body": self._body, "more_body": False}


async def ask(app: Any, path: str, body: bytes) -> bytes:
    """Send one request to an ASGI application."""
    sent: list[Any] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", NAMED.encode()),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8080),
        "state": {},
    }

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, Come(body).receive, send)
    return b"".join(message.get("body", b"") for message in sent)


def cost(inside: Inside, sign_in: Callable[[], Awaitable[None]], rounds: int, each: int, *, of: int = 1) -> float:
    """Return the CPU time of one sign-in in seconds, the client's signature left out; `of`: how many each call makes."""

    async def many() -> float:
        started, inside.spent_signing = time.process_time(), 0.0
        for _ in range(each):
            await sign_in()
        return (time.process_time() - started - inside.spent_signing) / each / of

    found = [asyncio.run(many()) for _ in range(rounds)]
    return statistics.median(found)


def measure(place: Place, *, rounds: int = ROUNDS, each: int = SIGN_INS) -> dict[str, float]:
    """Return what a sign-in costs through each layer, in seconds of CPU."""
    inside, many = Inside(place), max(each // AT_ONCE, 1)
    try:
        check = bounds.cost(bounds.verification(), time.process_time, 0.2)
        return {
            "one ECDSA P-256 verification": check,
            "the directory alone, one sign-in after the other": cost(inside, inside.directly, rounds, each),
            f"the same, {AT_ONCE} in one transaction": cost(inside, inside.together, rounds, many, of=AT_ONCE),
            f"and the interface, {AT_ONCE} at once": cost(inside, lambda: inside.at_once(inside.app), rounds, many, of=AT_ONCE),
            "and the gate, with its log": cost(inside, lambda: inside.at_once(inside.gate), rounds, many, of=AT_ONCE),
        }
    finally:
        inside.directory.close()


def profile(place: Place, *, lines: int = 40) -> None:
    """Print what the directory spends its time on."""
    inside = Inside(place)
    profiler = cProfile.Profile()
    try:
        asyncio.run(inside.directly())

        async def many() -> None:
            for _ in range(SIGN_INS):
                await inside.directly()

        profiler.enable()
        asyncio.run(many())
        profiler.disable()
    finally:
        inside.directory.close()
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(lines)
