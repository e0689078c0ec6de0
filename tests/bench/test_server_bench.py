"""The bench of the server in small: that it still runs, and nothing about how fast."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bench.server.figures import FIGURES, Scale

SMALL = Scale(seconds=0.3, warming=0.1, rounds=1, accounts=40, many=80, core=False)
NEEDS_POSTGRESQL = {"two-processes", "million-postgres"}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_measured(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    if name in NEEDS_POSTGRESQL and not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("PostgreSQL is not installed here")
    if name in NEEDS_POSTGRESQL and shutil.which("runuser") is None:
        pytest.skip("runuser is not there to start PostgreSQL with")
    folder = tmp_path_factory.mktemp("bench")
    for parent in (folder, *folder.parents[:2]):
        if name in NEEDS_POSTGRESQL:
            parent.chmod(0o755)  # PostgreSQL runs as somebody else
    figures = list(FIGURES[name](folder, SMALL))
    assert figures
    assert all(str(figure).startswith(figure.what) for figure in figures)
