"""The key file: for machines without a keyring, and for servers."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from passless.vault.errors import VaultKeyUnreadable, VaultNotWritten
from passless.vault.keeper import KeeperKind

PRIVATE_FILE = 0o600  # mode; security.md, "Must hold" 2
PRIVATE_FOLDER = 0o700  # mode; security.md, "Must hold" 2
GROUP_MAY_READ = 0o640  # mode; as PostgreSQL takes a root-owned ssl_key_file (its manual, §18.9.1)
LARGEST_KEY_FILE = 1024 * 1024  # bytes; ours, some ten thousand keys


class KeyFile:
    """Keeps a key ring in a file of mode 0600, in a folder of mode 0700 where it makes one."""

    kind: ClassVar[KeeperKind] = "file"

    def __init__(self, path: Path) -> None:
        self.path = path

    def where(self) -> str:
        """Return the file's path."""
        return str(self.path)

    def read(self) -> bytes | None:
        """Return the file's content, or nothing where there is no file.

        Raises:
            VaultKeyUnreadable: it is no file, not ours to read, or open to others; the message names it.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe must not block
            with os.fdopen(descriptor, "rb") as file:
                self._refuse_unsafe(os.fstat(file.fileno()))
                return file.read(LARGEST_KEY_FILE)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise VaultKeyUnreadable(
                f'the key file "{self.path}" cannot be read: {_reason(error)}',
                hint="give yourself the right to read it, or choose another: passless profile set local --vault file",
            ) from error

    def write(self, kept: bytes) -> None:
        """Write the file aside and move it into place; after a crash it is the old one or the new one.

        Raises:
            VaultNotWritten: the disk is full, the folder not ours, …
        """
        aside = self.path.with_name(f".{self.path.name}.new")  # one name: what a crash left is removed by the next write
        try:
            make_private_folder(self.path.parent)
            aside.unlink(missing_ok=True)
            try:
                _write_through(aside, kept)
                aside.replace(self.path)
            finally:
                aside.unlink(missing_ok=True)
            _sync_folder(self.path.parent)
        except (OSError, ValueError) as error:
            raise VaultNotWritten(f'the key file "{self.path}" cannot be written: {_reason(error)}') from error

    def _refuse_unsafe(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise VaultKeyUnreadable(f'the key file "{self.path}" is not a file', hint="choose a file")
        allowed = GROUP_MAY_READ if found.st_uid == 0 else PRIVATE_FILE
        if sys.platform != "win32" and stat.S_IMODE(found.st_mode) & 0o077 & ~allowed:
            raise VaultKeyUnreadable(
                f'the key file "{self.path}" is open to other people (mode {stat.S_IMODE(found.st_mode):04o})',
                hint=f"close it: chmod 600 '{self.path}', and if others may have read it: passless vault rotate",
            )


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user only; one that exists is left as it is."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Keep other processes and threads from changing the same key meanwhile; the empty lock file stays behind.

    Raises:
        VaultNotWritten: the lock file cannot be made.
    """
    try:
        make_private_folder(lock.parent)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except (OSError, ValueError) as error:
        raise VaultNotWritten(f'the lock file "{lock}" cannot be made: {_reason(error)}') from error
    try:
        _wait_for_turn(descriptor)
        yield
    finally:
        os.close(descriptor)  # which ends the lock, as does the end of the process


def _wait_for_turn(descriptor: int) -> None:
    if sys.platform == "win32":  # pragma: no cover
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _write_through(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":  # pragma: no cover - folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: OSError | ValueError) -> str:
    """Return why, without the path that the message names already."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return reason.lower()
