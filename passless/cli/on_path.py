"""Whether the shell finds the program by its name."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

PROGRAM = "passless"
FOR_ONE_PERSON = Path(".local") / "bin"  # where a person's own programs are (XDG Base Directory Specification 0.8)


def line_to_add(running: str, environ: Mapping[str, str]) -> str | None:
    """Return the line for the shell's profile without which the program is not found; None where it is found.

    Args:
        running: the path of the running program, `argv[0]`.
        environ: the environment, for `PATH` and `HOME`.
    """
    if shutil.which(PROGRAM, path=environ.get("PATH", "")) is not None:
        return None
    home = environ.get("HOME")
    if home and (Path(home) / FOR_ONE_PERSON / PROGRAM).exists():
        return f'export PATH="$HOME/{FOR_ONE_PERSON.as_posix()}:$PATH"'
    program = Path(running)
    if program.name != PROGRAM:  # run in another way, such as `python -m passless`
        return None
    return f'export PATH={shlex.quote(str(program.absolute().parent))}:"$PATH"'
