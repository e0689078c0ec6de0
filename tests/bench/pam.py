"""What a sign-in on Linux costs, beside one whose only module runs `/bin/true`: `python -m tests.bench.pam`, as root.

Both are pamtester, in one run and in turn: the rival's service runs `pam_exec.so /bin/true`, the other one asks passless for a
code of an authenticator app over RADIUS, which is counted, checked, used up and written down. Each code works once, so that
every sign-in is another account's.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.linux.host import Host, need_root

MOST = 2.5  # times what the rival costs
RIVAL = "auth\trequired\tpam_exec.so /bin/true\n"


def sign_in(service: str, user: str, typed: str) -> float:
    """Return how many seconds one sign-in took."""
    begun = perf_counter()
    done = subprocess.run(
        ["pamtester", service, user, "authenticate"], input=typed, capture_output=True, text=True, check=False
    )
    taken = perf_counter() - begun
    assert done.returncode == 0, done.stdout + done.stderr
    return taken


def measure(host: Host, logins: int) -> tuple[list[float], list[float]]:
    """Return what each of the rival's and each of ours took."""
    rival = host.a_service(RIVAL)
    people = []
    for number in range(logins):
        with host.caller(f"bench{number}") as caller:
            caller.create(password=None)
            people.append((caller.name, caller.add_app()))
    sign_in(rival, "bench0", "")
    theirs, ours = [], []
    for name, app in people:
        theirs.append(sign_in(rival, name, ""))
        ours.append(sign_in(f"{host.service}-code", name, f"{app.now()}\n"))
    return theirs, ours


def run(folder: Path, logins: int) -> float:
    """Measure, print, and return the ratio."""
    host = Host(folder)
    try:
        with host.serving():
            theirs, ours = measure(host, logins)
    finally:
        host.close()
    ratio = median(ours) / median(theirs)
    print(f"pam_exec /bin/true: {median(theirs) * 1000:.1f} ms (median of {logins})")
    print(f"passless, a code: {median(ours) * 1000:.1f} ms")
    print(f"ratio: {ratio:.2f} (asked: at most {MOST})")
    return ratio


def main(arguments: Sequence[str]) -> int:
    """Run it; the status says whether it is fast enough."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pam", description="What a sign-in on Linux costs.")
    parser.add_argument("--logins", type=int, default=40, help="sign-ins of each kind, in turn")
    wanted = parser.parse_args(arguments)
    need_root()
    with tempfile.TemporaryDirectory() as folder:
        return 0 if run(Path(folder), wanted.logins) <= MOST else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
