"""Accounts that were read or kept a moment ago: the next change need not read them again, and the next look not decode them."""

from __future__ import annotations

from threading import Lock

from msgspec import Struct

from passless.domain.account import AccountId, Version
from passless.ports import Stored

REMEMBERED = 1024  # accounts; about five megabytes


class Remembered(Struct, frozen=True):
    """An account at a version, and what stood in its row: a change is kept only over that very row.

    `document`: what it was read from; empty where it was kept here and nobody has read it yet.
    """

    stored: Stored
    checksum: int
    document: str = ""


class RecentAccounts:
    """What stood in the rows of some accounts."""

    def __init__(self) -> None:
        self._known: dict[tuple[AccountId, Version], Remembered] = {}
        self._turn = Lock()

    def remember(self, stored: Stored, checksum: int, document: str = "") -> None:
        """Remember what was read or kept, and forget the oldest."""
        with self._turn:
            self._known[stored.account.id, stored.version] = Remembered(stored, checksum, document)
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]

    def find(self, account_id: AccountId, version: Version) -> Remembered | None:
        """Return what stood in the row of an account at a version."""
        return self._known.get((account_id, version))
