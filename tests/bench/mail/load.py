"""Sign-ins as Dovecot's login processes ask for them, on the socket of its auth process, many at a time."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

from msgspec import Struct

CONNECTIONS = 4
AT_ONCE = 8  # sign-ins under way on each
ATTRIBUTES = "service=imap\tsecured\tlip=127.0.0.1\trip=192.0.2.1\tnologin"


class Ran(Struct, frozen=True):
    """What came of it."""

    right: int
    seconds: float

    @property
    def rate(self) -> float:
        """Sign-ins a second."""
        return self.right / self.seconds


class Refused(Exception):
    """Somebody was refused who should not have been."""


def run(socket: Path, people: Sequence[tuple[str, str]], seconds: float) -> Ran:
    """Sign people in, one after the other and many at once, for some seconds."""
    return asyncio.run(_run(socket, people, seconds))


def run_whole(port: int, people: Sequence[tuple[str, str]], seconds: float) -> Ran:
    """Let mail programs connect, sign in and leave, some at a time."""
    return asyncio.run(_run_whole(port, people, seconds))


async def _run_whole(port: int, people: Sequence[tuple[str, str]], seconds: float) -> Ran:
    endless, begin = cycle(people), time.monotonic()
    done = await asyncio.gather(*(_program(port, endless, begin + seconds) for _ in range(CONNECTIONS)))
    return Ran(sum(done), time.monotonic() - begin)


async def _program(port: int, people: Iterator[tuple[str, str]], ends: float) -> int:
    right = 0
    while time.monotonic() < ends:
        user, secret = next(people)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"a LOGIN {user} {secret}\r\nb LOGOUT\r\n".encode())
        said = await reader.read()
        writer.close()
        if b"a OK" not in said:
            raise Refused(said.decode(errors="replace"))
        right += 1
    return right


async def _run(socket: Path, people: Sequence[tuple[str, str]], seconds: float) -> Ran:
    endless = cycle(_said(user, secret) for user, secret in people)
    begin = time.monotonic()
    done = await asyncio.gather(*(_connection(socket, endless, begin + seconds, number) for number in range(CONNECTIONS)))
    return Ran(sum(done), time.monotonic() - begin)


async def _connection(socket: Path, people: Iterator[str], ends: float, number: int) -> int:
    reader, writer = await asyncio.open_unix_connection(str(socket))
    writer.write(f"VERSION\t1\t2\nCPID\t{100_000 + number}\n".encode())
    while (await reader.readline()) != b"DONE\n":
        pass
    under_way = right = 0
    for under_way in range(1, AT_ONCE + 1):
        writer.write(_asked(under_way, next(people)))
    request = under_way
    while under_way:
        kind, _, rest = (await reader.readline()).partition(b"\t")
        if kind == b"FAIL" or not kind:
            raise Refused(rest.decode(errors="replace"))
        if kind != b"OK":
            continue
        right += 1
        under_way -= 1
        if time.monotonic() < ends:
            request, under_way = request + 1, under_way + 1
            writer.write(_asked(request, next(people)))
    writer.close()
    return right


def _said(user: str, secret: str) -> str:
    return base64.b64encode(f"\0{user}\0{secret}".encode()).decode()


def _asked(request: int, said: str) -> bytes:
    return f"AUTH\t{request}\tPLAIN\t{ATTRIBUTES}\tresp={said}\n".encode()
