"""The bench of the server in small: that it still runs, and nothing about how fast."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.server.figures import FIGURES, Scale

SMALL = Scale(seconds=0.3, warming=0.1, rounds=1, accounts=40, many=80, core=False)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_measured(name: str, tmp_path: Path) -> None:
    figures = list(FIGURES[name](tmp_path, SMALL))
    assert figures
    assert all(str(figure).startswith(figure.what) for figure in figures)
