"""Hold the coverage of branches against its floor: `python -m tests.coverage_floor REPORT.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

FLOOR = 95.0  # percent of branches, in each of these
PARTS = ("domain", "credentials", "stores", "actions")


def percent(report: dict[str, object], part: str) -> float:
    """Return how many of a part's branches the tests took."""
    covered = total = 0
    for path, measured in report["files"].items():  # type: ignore[attr-defined]
        if path.startswith(f"passless/{part}/"):
            covered += measured["summary"]["covered_branches"]
            total += measured["summary"]["num_branches"]
    return 100 * covered / total if total else 0.0


def main(path: str) -> int:
    """Print each part's figure; fail when one is below the floor."""
    report = json.loads(Path(path).read_text())
    figures = {part: percent(report, part) for part in PARTS}
    for part, figure in figures.items():
        print(f"branches covered in {part}: {figure:.1f} % (floor {FLOOR:.0f} %)")
    return 1 if any(figure < FLOOR for figure in figures.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
