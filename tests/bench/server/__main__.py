"""The command: `python -m tests.bench.server [NAME…]`, and what can be chosen with it: `--help`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.bench.server.figures import FIGURES, Scale


def main() -> None:
    """Measure what was named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.server", description="How good the server is.")
    parser.add_argument(
        "names", nargs="*", choices=[*FIGURES, []], metavar="NAME", help=f"{', '.join(FIGURES)}; all if left out"
    )
    parser.add_argument("--accounts", type=int, default=1_000_000, help="how many are many")
    parser.add_argument("--privacyidea", type=Path, default=None, help="the Python of an environment with privacyIDEA 3.14")
    parser.add_argument("--folder", type=Path, default=None, help="where stores are made; a temporary folder otherwise")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each load")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    scale = Scale(seconds=asked.seconds, rounds=asked.rounds, many=asked.accounts, python=asked.privacyidea)
    for name in asked.names or FIGURES:
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            print(f"== {name}")
            for figure in FIGURES[name](Path(folder), scale):
                print(figure, flush=True)


if __name__ == "__main__":
    main()
