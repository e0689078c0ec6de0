"""The key file: for machines without a keyring, and for servers."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from passless import private_files
from passless.vault.errors import VaultKeyUnreadable, VaultNotWritten
from passless.vault.keeper import KeeperKind

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
            with os.fdopen(private_files.open_quickly(self.path), "rb") as file:
                self._refuse_unsafe(os.fstat(file.fileno()))
                return file.read(LARGEST_KEY_FILE)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise VaultKeyUnreadable(
                f'the key file "{self.path}" cannot be read: {private_files.reason(error)}',
                hint="give yourself the right to read it, or choose another: passless profile set local --vault file",
            ) from error

    def write(self, kept: bytes) -> None:
        """Write the file aside and move it into place; after a crash it is the old one or the new one.

        Raises:
            VaultNotWritten: the disk is full, the folder not ours, …
        """
        try:
            private_files.make_folder(self.path.parent)
            for left in self.path.parent.glob(f".{self.path.name}.*"):  # keys that a killed process left; changes queue
                left.unlink(missing_ok=True)
            private_files.replace_file(self.path, kept)
        except (OSError, ValueError) as error:
            raise VaultNotWritten(f'the key file "{self.path}" cannot be written: {private_files.reason(error)}') from error

    def _refuse_unsafe(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise VaultKeyUnreadable(f'the key file "{self.path}" is not a file', hint="choose a file")
        allowed = GROUP_MAY_READ if found.st_uid == 0 else private_files.PRIVATE_FILE
        if sys.platform != "win32" and stat.S_IMODE(found.st_mode) & 0o077 & ~allowed:
            raise VaultKeyUnreadable(
                f'the key file "{self.path}" is open to other people (mode {stat.S_IMODE(found.st_mode):04o})',
                hint=f"close it: chmod 600 '{self.path}', and if others may have read it: passless vault rotate",
            )


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Keep other processes and threads from changing the same key meanwhile; the empty lock file stays behind.

    Raises:
        VaultNotWritten: the lock file cannot be made.
    """
    try:
        descriptor = private_files.open_lock(lock)
    except (OSError, ValueError) as error:
        raise VaultNotWritten(f'the lock file "{lock}" cannot be made: {private_files.reason(error)}') from error
    with private_files.turn(descriptor):
        yield
