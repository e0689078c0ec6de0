"""Configuration files of other programs: never over one that is there, and gone again where the program does not take them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from passless.domain.errors import Unavailable, WrongUse
from passless.private_files import reason, sync_folder

OPEN_FILE = 0o644  # mode; a program that runs as somebody else reads it
SECRET_FILE = 0o600  # mode; root's alone


class FileInTheWay(WrongUse):
    """A file that is there already, which may be somebody's work."""

    code = "file-in-the-way"
    hint = "put it aside, or write elsewhere: --to DIR"


class CannotWriteThere(Unavailable):
    """A folder that is not ours to write in."""

    code = "cannot-write-there"
    hint = "run it as root, or write elsewhere and move the files yourself: --to DIR"


class NewFile(Struct, frozen=True):
    """A file that is to be there; `group` is the id of the group that it is for, root's where it is left out.

    `together` names what may be there or not, as a whole; what belongs to everything has none.
    """

    path: Path
    content: str
    mode: int = OPEN_FILE
    group: int | None = None
    together: str = ""


def check_free(folder: Path, files: Sequence[Path], *, hint: str = FileInTheWay.hint) -> None:
    """Refuse before anything is made: a file in the way, or a folder where nothing can be written."""
    for path in files:
        if path.exists() or path.is_symlink():
            raise FileInTheWay(f'"{path}" is there already', hint=hint)
    if not folder.exists():
        raise CannotWriteThere(f'there is no folder "{folder}"', hint=f"make it: mkdir -p {shlex.quote(str(folder))}")
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise CannotWriteThere(f'nothing can be written in "{folder}"')


@contextmanager
def written(files: Sequence[NewFile]) -> Iterator[None]:
    """Write files for as long as the block ends well; where it does not, none of them stays, half written or whole."""
    with ExitStack() as made:
        for file in files:
            _write(file, made)
        yield
        made.pop_all()


def _write(file: NewFile, made: ExitStack) -> None:
    try:
        descriptor = os.open(file.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        made.callback(_take_away, file.path)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            if file.group is not None:
                os.fchown(out.fileno(), -1, file.group)
            os.fchmod(out.fileno(), file.mode)
            out.write(file.content)
            out.flush()
            os.fsync(out.fileno())
        sync_folder(file.path.parent)
    except FileExistsError as error:
        raise FileInTheWay(f'"{file.path}" is there already') from error
    except OSError as error:
        raise CannotWriteThere(f'"{file.path}" cannot be written: {reason(error)}') from error


def _take_away(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
