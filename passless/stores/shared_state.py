"""What one host knows of a store that several processes and hosts share: a folder for each process that writes at once.

Each process holds one of the numbered folders alone, the lowest that is free, and counts its commits there as a writer of its
own. So processes do not queue for one row, a process can tell afterwards whether its last commit was kept, and whatever process
starts next on this host sees what any of them had committed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Self

from passless.ports import Entropy, StoreUnavailable
from passless.private_files import sync_folder
from passless.stores.private_files import make_folder, write_file
from passless.stores.state_folder import StateFolder

AUDIT_PURPOSE = "audit key"  # of the vault's tags that sign checkpoints
MOST_WRITERS = 1000  # on one host; ours, to end a search that finds no free number


class SharedState(StateFolder):
    """The folder of one process, among those of the others on this host."""

    is_shared = True

    def __init__(self, folder: Path, keys: Callable[[], tuple[bytes, ...]]) -> None:
        """Open a process's folder; `keys` returns the audit keys, the first of them the present one."""
        super().__init__(folder)
        self._checkpoint = folder.parent / "checkpoint"
        self._settled = folder.parent / "settled"
        self._keys = keys

    @classmethod
    def take(
        cls, folder: Path, keys: Callable[[], tuple[bytes, ...]], entropy: Entropy, register: Callable[[str], None]
    ) -> Self:
        """Take the first folder that no other process holds, made where there is none.

        A new writer is known to the database before its folder is there: the other way round a crash between the two would
        look like an old copy.
        """
        make_folder(folder)
        for _ in range(MOST_WRITERS):
            for place in numbered(folder):
                taken = cls(place, keys)
                if taken.is_alone():
                    return taken
                taken.close()
            made = folder / f".{entropy(8).hex()}"
            with closing(StateFolder.create(made, entropy, with_key=False)) as fresh:
                register(fresh.writer)
            move_into_place(made, folder)
        raise StoreUnavailable(f'no process can keep its state in "{folder}"')

    def is_alone(self) -> bool:
        """Hold the folder until the process ends, unless another one does."""
        try:
            if sys.platform == "win32":  # pragma: no cover
                import msvcrt

                msvcrt.locking(self._commits.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self._commits.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def is_new_here(self) -> bool:
        """Tell whether others wrote to the store before it was first opened on this host, and nobody was told."""
        return not self._settled.exists()

    def settle(self) -> None:
        """Know the host from now on as one that has the store."""
        write_file(self._settled, b"")

    def known(self) -> Mapping[str, int]:
        """Return the number of the last commit of every writer on this host."""
        found = {}
        for place in numbered(self._folder.parent):
            with closing(StateFolder(place)) as one:
                found[one.writer] = one.last_commit()
        return found

    def ended(self) -> tuple[tuple[str, str], ...]:
        """Return the items that must never come back, whoever on this host ended them."""
        return tuple(item for place in numbered(self._folder.parent) for item in self.items_in(place / "ended"))

    def audit_keys(self) -> tuple[bytes, ...]:
        """Return the private keys that the last checkpoint may be signed with; the first signs the next one."""
        return self._keys()


def numbered(folder: Path) -> Iterator[Path]:
    """Return the folders of processes, the lowest number first."""
    found = (path for path in folder.iterdir() if path.name.isdecimal())
    return iter(sorted(found, key=lambda path: int(path.name)))


def next_place(folder: Path) -> Iterator[Path]:
    """Return the names a new process's folder may get, the first that seems free first."""
    first = max((int(path.name) for path in numbered(folder)), default=0) + 1
    return (folder / str(number) for number in range(first, first + MOST_WRITERS))


def move_into_place(made: Path, folder: Path) -> None:
    """Give a new folder the next number that nobody else gave at the same moment."""
    for place in next_place(folder):
        try:
            made.rename(place)
        except FileExistsError:
            continue
        except OSError as error:
            if place.exists():
                continue
            raise StoreUnavailable(f'the folder "{place}" cannot be made ({error.strerror})') from error
        sync_folder(folder)
        return
