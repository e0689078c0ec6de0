"""What the store asks of an engine: to run a named statement, and all or none of several."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from passless.ports import StoreUnavailable

T = TypeVar("T")

TRIES = 8  # of what met another writer or lost its connection; ours, each try waits for the other one's end

Rows = Callable[..., list[tuple[Any, ...]]]  # runs a named statement and returns its rows


class Again(Exception):
    """Nothing was kept, and doing all of it again may help: two writers met, or the connection was lost before the end."""


class MaybeKept(Exception):
    """The connection was lost while a transaction ended: it may be kept or not."""


def persist(database: Database, step: Callable[[], T]) -> T:
    """Do something that can be done again, until it comes to an end.

    Raises:
        StoreUnavailable: it did not after some tries; nothing was kept, but where a look showed otherwise.
    """
    reason = ""
    for _ in range(TRIES):
        try:
            return step()
        except (Again, MaybeKept) as error:
            reason = str(error)
    raise StoreUnavailable(f'the store "{database.name}" is busy or cannot be reached ({reason or "the connection was lost"})')


class Transaction(Protocol):
    """What runs inside of one transaction. Its errors are those of the Store port, and each names the file or address."""

    def rows(self, statement: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement by its name and return its rows."""
        ...

    def run(self, statement: str, /, **parameters: Any) -> int:
        """Run a statement by its name and return how many rows it changed."""
        ...

    def part(self) -> AbstractContextManager[None]:
        """Undo what is run inside, and nothing else, when an error leaves it."""
        ...

    def is_open(self) -> bool:
        """Tell whether it can go on; some errors end all of it."""
        ...


class Turn(Transaction, Protocol):
    """What the one writer of all has in hand: it reads, and begins a transaction when there is something to write."""

    def transaction(self) -> AbstractContextManager[None]:
        """Keep everything that is run inside, or nothing."""
        ...


class Database(Protocol):
    """One open database. Its errors are those of the Store port, and each names the file or address.

    `Again` may come from everything that reads or writes, `MaybeKept` from the end of `writing`.
    """

    @property
    def name(self) -> str:
        """The file or address, for messages."""
        ...

    def rows(self, statement: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement that reads, by itself, and return its rows; it waits for no writer and sees all that was kept."""
        ...

    def writing(self) -> AbstractContextManager[Transaction]:
        """Keep everything that is run inside, or nothing. One thread at a time."""
        ...

    @property
    def takes_turns(self) -> bool:
        """Whether one writes at a time, of all processes."""
        ...

    def turn(self) -> AbstractContextManager[Turn]:
        """Hold what writes, for one thread; only where one writes at a time."""
        ...

    def reading(self) -> AbstractContextManager[Rows]:
        """See the same state of the database in everything that is run inside."""
        ...

    def was_replaced(self) -> bool:
        """Tell whether there may be another database now in the place of the one that was opened."""
        ...

    def goes_on(self) -> bool:
        """Tell whether reading goes on in the place of a replaced database, once it was found to be no old copy."""
        ...

    def reopen(self) -> None:
        """Let go of the database that was open and open the one in its place."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
