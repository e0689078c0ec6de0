"""Measure mail sign-ins: `python -m tests.bench.mail`, as root, for Dovecot is started."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.mail.figures import Scale, figures


def main() -> None:
    """Print every figure as soon as it is there."""
    with tempfile.TemporaryDirectory(prefix="passless-mail-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for figure in figures(folder, Scale()):
            print(figure, flush=True)


if __name__ == "__main__":
    main()
