"""What the store asks of an engine: to run a named statement, and all or none of several."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol


class Database(Protocol):
    """One open database. Its errors are those of the Store port, and each names the file or address."""

    @property
    def name(self) -> str:
        """The file or address, for messages."""
        ...

    def rows(self, statement: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement by its name and return its rows."""
        ...

    def run(self, statement: str, /, **parameters: Any) -> int:
        """Run a statement by its name and return how many rows it changed."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """Keep everything that is run inside, or nothing."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """See the same state of the database in everything that is run inside."""
        ...

    def was_replaced(self) -> bool:
        """Tell whether another file was put in the place of the one that is open."""
        ...

    def reopen(self) -> None:
        """Let go of the file that was open and open the one in its place."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
