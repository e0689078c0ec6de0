"""The bench of mail in small: that it still runs, and nothing about how fast."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.mail.figures import Scale, figures
from tests.strangers.mail.a_dovecot import need_dovecot
from tests.strangers.needing import missing

SMALL = Scale(seconds=0.3, rounds=1, active=8, many=40, each=3)


def test_every_figure_is_measured() -> None:
    need_dovecot()
    if not Path("/usr/lib/dovecot/modules/libdriver_sqlite.so").exists():
        missing("Dovecot's SQLite", install="apt-get install dovecot-sqlite")
    with tempfile.TemporaryDirectory(prefix="passless-mail-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        measured = list(figures(folder, SMALL))
    assert all(str(figure).startswith(figure.what) for figure in measured)
    assert [figure.what for figure in measured if figure.reached is not None] != []
