"""What holds for the whole run."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

import pytest


def pytest_configure() -> None:
    """Let Ctrl-C mean something again where a shell began this run in the background: programs that tests start inherit it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def no_server_writes_a_secret() -> Iterator[None]:
    """Search everything that servers wrote during the run for every secret that tests know (must hold 1)."""
    yield
    serving = sys.modules.get("tests.server.serving")
    if serving is not None:
        serving.check_all_logs()
