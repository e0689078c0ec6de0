"""`GET /auth/NAME` under nginx's auth_request, beside an empty route of the same server: `python -m tests.bench.web`.

In one run, in turn: the same nginx, the same page, the same clients; only what nginx asks before it sends the page differs. And
the same question among many accounts, each with an app password, against few.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from passless.actions import relying_parties
from passless.actions.parts import Access
from passless.domain.relying_parties import NewRelyingParty
from passless.ports.directory import Actor
from tests.bench.server import places
from tests.bench.server.figures import Figure, Measured, Scale, load_on, of_median, told
from tests.bench.server.places import NAMED, Place, Served
from tests.bench.server.processes import stop
from tests.free_ports import free_port

EMPTY_ASKED = 0.5  # of the empty route under the same nginx
MANY_ASKED = 1.3  # times the CPU of a question among a thousand
NAME = "web"
MODULE = "tests.bench.server.with_routes"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"  # where Debian has nginx
STARTS_WITHIN = 60.0  # seconds
CLOCK_TICK = 1e-6  # seconds of CPU, of a load too small to be measured
ASKING = f"""internal; proxy_pass_request_body off; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Content-Length ""; proxy_set_header Host {NAMED}; proxy_set_header X-Forwarded-For $remote_addr;"""


class Amount(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    seconds: float = 6.0
    warming: float = 2.0
    rounds: int = 3
    few: int = 1_000
    many: int = 100_000
    core: bool = True

    def scale(self, accounts: int) -> Scale:
        """Return it as the bench of the server has it."""
        return Scale(seconds=self.seconds, warming=self.warming, rounds=self.rounds, accounts=accounts, core=self.core)


def guard(place: Place) -> None:
    """Register the site on the host."""
    from tests.bench.server.layers import Inside

    inside = Inside(place)
    parts = inside.directory.parts
    try:
        relying_parties.add(_on_host(parts), Actor(), NewRelyingParty(name=NAME, kind="http"))
    finally:
        inside.directory.close()


def _on_host(parts: relying_parties.Parts) -> relying_parties.Parts:
    from msgspec.structs import replace

    return replace(parts, access=Access.OWNER)


@contextmanager
def nginx(folder: Path, upstream: int, core: int) -> Iterator[Served]:
    """Run nginx with two guarded folders of one page: one asks who it is, the other the empty route."""
    program, port = shutil.which("nginx", path=PATH), free_port()
    if program is None:
        raise FileNotFoundError("nginx is missing; install it with: apt-get install nginx-light")
    folder.mkdir(parents=True)
    for name in ("guarded", "empty"):
        (folder / "pages" / name).mkdir(parents=True)
        (folder / "pages" / name / "page").write_text("the page")
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"""{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{}}
http {{ access_log off; {temporary} keepalive_requests 1000000;
upstream passless {{ server 127.0.0.1:{upstream}; keepalive 32; keepalive_requests 1000000; }}
server {{ listen 127.0.0.1:{port}; root {folder}/pages;
location = /ask {{ proxy_pass http://passless/auth/{NAME}; {ASKING} }}
location = /nothing {{ proxy_pass http://passless/api/v1/bench/nothing; {ASKING} }}
location /guarded/ {{ auth_request /ask; }}
location /empty/ {{ auth_request /nothing; }} }} }}
"""
    )
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    process = subprocess.Popen((["taskset", "-c", str(core)] if core >= 0 else []) + command)
    try:
        _await(port)
        yield Served(process, port)
    finally:
        stop(process)


def _await(port: int) -> None:
    ends = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < ends:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("nginx does not start")


def a_place(folder: Path, accounts: int) -> Place:
    """Make a store of so many accounts, each with an app password, and a site; what another figure made is taken."""
    if folder.exists():
        return Place(folder)
    before, places.WITH_APP_PASSWORD = places.WITH_APP_PASSWORD, accounts
    try:
        place = Place(folder)
        place.make(accounts)
    finally:
        places.WITH_APP_PASSWORD = before
    guard(place)
    return place


def against_empty(folder: Path, amount: Amount) -> Iterator[Figure]:
    """Who it is against nothing, under one nginx."""
    place, scale, pairs = a_place(folder / str(amount.few), amount.few), amount.scale(amount.few), []
    with (
        place.serving(core=scale.server_core, module=MODULE) as served,
        nginx(folder / "nginx", served.port, scale.client_core) as front,
    ):
        _load(front, served, "guarded", scale)  # the last use is written once a minute
        for _ in range(amount.rounds):
            pairs.append((_load(front, served, "unguarded", scale), _load(front, served, "guarded", scale)))
    yield Figure(what="pages behind the empty route, under nginx", measured=told(of_median([one for one, _ in pairs])))
    yield Figure(
        what="pages behind /auth/web with app passwords, under nginx", measured=told(of_median([one for _, one in pairs]))
    )
    ratio = statistics.median(guarded.rate / empty.rate for empty, guarded in pairs)
    asked = f"at least {EMPTY_ASKED}"
    yield Figure(what="of the empty route", measured=f"{ratio:.2f}", asked=asked, reached=ratio >= EMPTY_ASKED)
    by_cpu = statistics.median(empty.cpu / max(guarded.cpu, CLOCK_TICK) for empty, guarded in pairs)
    yield Figure(what="the same by the CPU time of the server alone", measured=f"{by_cpu:.2f}")


def among_many(folder: Path, amount: Amount) -> Iterator[Figure]:
    """Who it is among many accounts and app passwords, against few: the same people ask, so that as many last uses are kept."""
    places_of, pairs = [a_place(folder / str(count), count) for count in (amount.few, amount.many)], []
    scales = amount.scale(amount.few), amount.scale(amount.many)
    with (
        places_of[0].serving(core=scales[0].server_core, module=MODULE) as small,
        places_of[1].serving(core=scales[1].server_core, module=MODULE) as large,
        nginx(folder / "nginx-few", small.port, scales[0].client_core) as before_small,
        nginx(folder / "nginx-many", large.port, scales[1].client_core) as before_large,
    ):
        for _ in range(amount.rounds):
            pairs.append(
                (
                    _load(before_small, small, "guarded", scales[0], spread=amount.few),
                    _load(before_large, large, "guarded", scales[1], spread=amount.few),
                )
            )
    yield Figure(what=f"among {amount.few:,} accounts and app passwords", measured=told(of_median([one for one, _ in pairs])))
    yield Figure(what=f"among {amount.many:,}", measured=told(of_median([one for _, one in pairs])))
    ratio = statistics.median(many.cpu / max(few.cpu, CLOCK_TICK) for few, many in pairs)
    asked = f"at most {MANY_ASKED}"
    yield Figure(what="many / few, CPU of the server", measured=f"{ratio:.2f}", asked=asked, reached=ratio <= MANY_ASKED)


def _load(front: Served, served: Served, job: str, scale: Scale, *, spread: int = 0) -> Measured:
    """Run a load on nginx; what counts is the CPU of the server behind it."""
    return load_on([Served(served.process, front.port)], job, scale, spread=spread)


FIGURES = {"empty": against_empty, "many": among_many}


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.web", description="How quickly a proxy is answered.")
    parser.add_argument(
        "names", nargs="*", choices=[*FIGURES, []], metavar="NAME", help=f"{', '.join(FIGURES)}; all if left out"
    )
    parser.add_argument("--accounts", type=int, default=100_000, help="how many are many")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each load")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    amount = Amount(seconds=asked.seconds, rounds=asked.rounds, many=asked.accounts)
    for name in asked.names or FIGURES:
        with tempfile.TemporaryDirectory() as folder:
            print(f"== {name}")
            for figure in FIGURES[name](Path(folder), amount):
                print(figure, flush=True)


if __name__ == "__main__":
    main()
