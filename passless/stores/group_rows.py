"""The rows that say who is in a group, for stores that were made before there were any."""

from __future__ import annotations

from typing import Any, Protocol

from passless.stores.documents import stored_account
from passless.stores.look_ups import look_ups

PAGE = 200  # accounts that are read at a time


class Connection(Protocol):
    """What both engines offer while they migrate."""

    def rows(self, statement: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement by its name and return its rows."""
        ...

    def run(self, statement: str, /, **parameters: Any) -> int:
        """Run a statement by its name and return how many rows it changed."""
        ...


def fill(connection: Connection) -> None:
    """Add the rows of every account that is in a group, inside the caller's transaction."""
    after = ""
    while page := connection.rows("page_accounts", after=after, pattern="%", page=PAGE):
        for row in page:
            account = stored_account(row).account
            for group, name in look_ups(account).groups:
                connection.run("add_to_group", group_key=group, name_key=name, account_id=account.id)
        after = page[-1][4]
