"""Write everything in the documentation that is made from the program: `python -m tests.docs`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.docs import commands, console, must_hold, pictures


def main() -> None:
    """Write what has changed, and say so."""
    for module in (commands, must_hold):
        module.main()
    for page in console.pages():
        before = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            after = console.rewritten(before, Path(folder))
        if after != before:
            page.write_text(after, encoding="utf-8")
            sys.stderr.write(f"{page.name}: written anew; read it before you keep it\n")
    pictures.main()


if __name__ == "__main__":
    main()
