"""Whether what runs as root is root's alone to change: sshd looks so at the programs that it runs, and PAM at nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

INSTALLED = ("site-packages", "dist-packages")  # names of folders in which all is somebody's package
LONGEST_ANSWER = 40  # seconds
OTHERS = 0o022  # the group and everybody may write


def first_of_others(paths: Iterable[Path]) -> Path | None:
    """Return the first of files and folders that others than root can change, or put something else in the place of.

    A file is as safe as every folder above it, and every link on the way. A folder above may be everybody's where nobody but
    its owner takes a file away (`/tmp`, sticky): what is root's in it stays.
    """
    seen: set[tuple[Path, bool]] = set()
    for path in paths:
        left = [(path, False)]
        while left:
            one, is_above = left.pop()
            if (one, is_above) in seen:
                continue
            seen.add((one, is_above))
            if one != one.parent:
                left.append((one.parent, True))
            try:
                there = one.lstat()
                if stat.S_ISLNK(there.st_mode):
                    left.append((one.parent / one.readlink(), is_above))
            except FileNotFoundError:
                continue  # it went meanwhile; who may make it again is said by its folder
            except OSError:
                return one
            if not _is_roots(there, is_above=is_above):
                return one
    return None


def _is_roots(there: os.stat_result, *, is_above: bool) -> bool:
    if there.st_uid != 0:
        return False
    is_kept = is_above and bool(there.st_mode & stat.S_ISVTX)
    return stat.S_ISLNK(there.st_mode) or is_kept or not there.st_mode & OTHERS


@cache
def of_python(executable: str) -> Path | None:
    """Return what others than root can change of what `python -I -m passless…` reads; None where there is nothing.

    One that cannot be asked where it looks is what others can change itself.
    """
    try:
        return first_of_others(_read_by(executable))
    except (OSError, subprocess.SubprocessError):
        return Path(executable)


def _read_by(executable: str) -> Iterator[Path]:
    """Return the interpreter, where its own libraries are, everything that is installed for it, and where else it looks.

    Of a folder that a `.pth` file names, and in which no packages are installed, it is what stands in it by name.
    """
    places = sysconfig.get_paths()
    yield from (Path(one).absolute() for one in (executable, sys.prefix, places["stdlib"], places["platstdlib"]))
    tops = dict.fromkeys((Path(places["purelib"]), Path(places["platlib"]), Path(__file__).parents[1]))
    yield from (one for top in tops for one in _whole(top))
    for place in _path_of(executable):
        yield place
        if place.name in INSTALLED and place not in tops:
            yield from _whole(place)
        elif place.is_dir():
            yield from place.iterdir()


def _whole(top: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(top):
        yield from (Path(folder, one) for one in ("", *folders, *files))


def _path_of(executable: str) -> tuple[Path, ...]:
    """Ask an interpreter where it looks for modules, with what its `.pth` files add; by now all of those are root's."""
    command = [executable, "-I", "-c", r"import sys; print(*sys.path, sep='\0', end='')"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LONGEST_ANSWER).stdout
    return tuple(Path(one) for one in said.split("\0") if one)
