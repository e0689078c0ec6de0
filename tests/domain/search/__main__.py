"""Search by a command: `python -m tests.domain.search --methods 4 --devices 3 --minutes 10`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.domain.search.attackers_table import PAGE, written_into
from tests.domain.search.every_theft import follow_every_theft
from tests.domain.search.model import large_alphabet, small_alphabet
from tests.domain.search.moves import Limits
from tests.domain.search.search import search


def main() -> int:
    """Search, print what was seen, and fail where somebody is locked out or a thief is alone."""
    parser = argparse.ArgumentParser(prog="python -m tests.domain.search", description=__doc__)
    parser.add_argument("--methods", type=int, default=3, help="how many methods an account may have")
    parser.add_argument("--devices", type=int, default=2, help="on how many devices")
    parser.add_argument("--no-losses", action="store_true", help="leave reported losses and recoveries out")
    parser.add_argument("--minutes", type=float, default=10, help="when to stop")
    parser.add_argument("--attackers", action="store_true", help="search for thieves instead, on every kind of old account")
    parser.add_argument("--write", type=Path, metavar="PAGE", help=f"write the table of thieves to a page, such as {PAGE}")
    asked = parser.parse_args()
    if asked.write is not None:
        asked.write.write_text(written_into(asked.write.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    if asked.attackers:
        thefts = follow_every_theft(methods=asked.methods, seconds=asked.minutes * 60)
        print(thefts)
        return 1 if thefts.alone else 0
    alphabet = large_alphabet() if asked.devices > 2 else small_alphabet()
    limits = Limits(
        alphabet=alphabet,
        methods=asked.methods,
        devices=asked.devices,
        losses=0 if asked.no_losses else 1,
        recoveries=not asked.no_losses,
    )
    report = search(limits, seconds=asked.minutes * 60)
    print(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
