"""The bench of proxies in small: that it still runs, and nothing about how fast."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bench.web import FIGURES, PATH, Amount
from tests.strangers.needing import missing

SMALL = Amount(seconds=0.2, warming=0, rounds=1, few=40, many=80, core=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where both figures have their stores."""
    return tmp_path_factory.mktemp("bench")


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_measured(name: str, folder: Path) -> None:
    if shutil.which("nginx", path=PATH) is None:
        missing("nginx", install="apt-get install nginx-light")
    figures = list(FIGURES[name](folder, SMALL))
    assert figures
    assert all(str(figure).startswith(figure.what) for figure in figures)
