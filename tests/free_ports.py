"""Ports for programs that have to be told theirs before they begin; what can, listens on port 0 instead."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")  # what the kernel hands out to whoever names no port
FIRST = 10_000
WORKERS = 8  # of a parallel run, each with ports of its own


def free_port() -> int:
    """Return a port of the loopback that nobody has, for TCP and for UDP; no port is returned twice.

    The kernel hands it out to nobody, so that no connection takes it in the moment before the program listens.
    """
    return next(one for one in _PORTS if _is_free(one))


def _ports() -> Iterator[int]:
    end = int(RANGE.read_text().split()[0]) if RANGE.exists() else 0
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    known = range(FIRST + worker, end, WORKERS)
    begins = random.SystemRandom().randrange(len(known)) if known else 0  # other runs on this machine begin elsewhere
    yield from known[begins:]
    yield from known[:begins]
    while True:
        yield _of_the_kernel()


def _of_the_kernel() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


_PORTS = _ports()
