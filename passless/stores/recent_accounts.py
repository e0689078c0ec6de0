"""Accounts that were read or kept a moment ago, so that the next change need not read them again to see what it changes."""

from __future__ import annotations

from threading import Lock

from passless.domain.account import Account, AccountId, Version

REMEMBERED = 256  # accounts; about a megabyte


class RecentAccounts:
    """What stood in the rows of some accounts. The row's checksum goes with it: a change is kept only over that very row."""

    def __init__(self) -> None:
        self._known: dict[tuple[AccountId, Version], tuple[Account, int]] = {}
        self._turn = Lock()

    def remember(self, account: Account, version: Version, checksum: int) -> None:
        """Remember what was read or kept, and forget the oldest."""
        with self._turn:
            self._known[account.id, version] = account, checksum
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]

    def find(self, account_id: AccountId, version: Version) -> tuple[Account, int] | None:
        """Return the account at a version, with its row's checksum."""
        return self._known.get((account_id, version))
