"""Processes that are measured: where they listen, what they have used."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
CPU_GROUPS = Path("/sys/fs/cgroup/cpu")  # control groups, version 1
PERIOD = 20_000  # microseconds in which a share is counted
STOPS_WITHIN = 60.0  # seconds


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process and its children used up to now."""
    return sum(_own_cpu(one) for one in family(pid))


def family(pid: int) -> list[int]:
    """Return a process and everything it started that still runs."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in found for one in family(int(child)))]


def memory_of(pid: int) -> int:
    """Return the bytes of memory that a process holds (RSS), what it shares with files left out."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def whole_memory_of(pid: int) -> int:
    """Return the bytes of memory that a process holds (RSS), pages of files it looks at included."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


@contextmanager
def limited(pid: int, share: float) -> Iterator[bool]:
    """Hold a process to a share of one core for as long as the block lasts; tell whether that could be done (Linux, root)."""
    folder = CPU_GROUPS / f"passless-bench-{pid}"
    try:
        folder.mkdir()
        (folder / "cpu.cfs_period_us").write_text(str(PERIOD))
        (folder / "cpu.cfs_quota_us").write_text(str(int(PERIOD * share)))
        (folder / "cgroup.procs").write_text(str(pid))
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        (CPU_GROUPS / "cgroup.procs").write_text(str(pid))
        folder.rmdir()


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and wait for it."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _own_cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS
