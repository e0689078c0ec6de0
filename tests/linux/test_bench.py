"""The bench of sign-in on Linux in small: that it still runs, and nothing about how fast."""

from __future__ import annotations

from tests.bench.pam import measure
from tests.linux.host import Host


def test_both_are_measured(host: Host) -> None:
    theirs, ours = measure(host, 1)
    assert len(theirs) == len(ours) == 1
