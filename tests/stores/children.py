"""Processes of their own, for tests of what happens between processes and to one that dies."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress

Report = Callable[[bytes], None]
STRANGER = 65534  # nobody, on Linux


class Child:
    """A process that runs a piece of work and reports on a pipe."""

    def __init__(self, work: Callable[[Report], None], *, user: int | None = None) -> None:
        self._reader, writer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._reader)
            _work(work, writer, user)
        os.close(writer)

    def next_report(self, size: int) -> bytes:
        """Return the next report, or less where there is none any more."""
        return os.read(self._reader, size)

    def kill(self) -> bytes:
        """End it in the middle of what it does, and return what it had reported until then."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        return self.finish()

    def finish(self) -> bytes:
        """Wait for its end and return what it reported."""
        reported = b""
        while piece := os.read(self._reader, 65536):
            reported += piece
        os.waitpid(self._pid, 0)
        os.close(self._reader)
        return reported


def in_child(work: Callable[[], str], *, user: int | None = None) -> str:
    """Run something in a process of its own, as another user if asked to, and return what it said."""
    return Child(lambda report: report(work().encode()), user=user).finish().decode()


def _work(work: Callable[[Report], None], writer: int, user: int | None) -> None:
    status = 1
    try:
        if user is not None and os.geteuid() == 0:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        work(lambda report: _write(writer, report))
        status = 0
    except BaseException:  # noqa: BLE001 -- the parent is told
        _write(writer, traceback.format_exc().encode())
    finally:
        os._exit(status)


def _write(writer: int, report: bytes) -> None:
    os.write(writer, report)
