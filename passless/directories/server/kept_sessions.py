"""Where the session tokens of a server's profile are kept: in the system keyring, one entry per account.

The keyring is loaded when an entry is read or written: a session in a file needs none.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Literal, Protocol

from passless.domain.errors import PasslessError
from passless.domain.names import printable

IN_A_FILE = "{}, so the session is kept in a file that only you can read"
TO_CHANGE = "; to change that: passless profile set {} --vault keyring"
NOT_READ = "unlock your keyring and try again, or keep sessions in a file: passless profile set {} --vault file, then sign in"


class Entries(Protocol):
    """The part of a keyring that is used here."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return an entry."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Make or replace an entry."""
        ...

    def delete_password(self, service: str, username: str) -> None:
        """Remove an entry."""
        ...


class KeyringSessions:
    """The tokens of one profile at one origin; those of another origin are other entries, so they are never sent there."""

    def __init__(
        self,
        profile: str,
        origin: str,
        *,
        choice: Literal["auto", "keyring", "file"],
        entries: Callable[[], Entries] | None = None,
        limit: timedelta = timedelta(seconds=3),  # as the vault's key has it
    ) -> None:
        self.service = f"passless session {profile} {origin}"
        self._profile = profile
        self._choice = choice
        self._entries = entries or _entries
        self._limit = limit

    def read(self, account_id: str) -> str | None:
        """Return a token; `VaultLocked` (kind `Unavailable`) where the keyring does not answer."""
        from passless.vault.errors import VaultLocked
        from passless.vault.system_keyring import within

        try:
            return within(self._limit, lambda: self._entries().get_password(self.service, account_id))
        except VaultLocked as error:
            error.hint = NOT_READ.format(printable(self._profile))
            raise

    def write(self, account_id: str, token: str) -> str | None:
        """Keep a token and return None; else return what the person should know of its file."""
        if self._choice == "file":
            return ""
        from passless.vault.errors import NoKeyring, VaultLocked, VaultNotWritten
        from passless.vault.system_keyring import within

        try:
            within(self._limit, lambda: self._entries().set_password(self.service, account_id, token))
        except (VaultLocked, VaultNotWritten) as error:
            if self._choice == "keyring":
                error.hint = NOT_READ.format(printable(self._profile))
                raise
            told = IN_A_FILE.format(error.message)
            return told if isinstance(error, NoKeyring) else told + TO_CHANGE.format(printable(self._profile))
        return None

    def forget(self, account_id: str) -> None:
        """Remove a token; a keyring that does not answer keeps it until it expires at the server."""
        from passless.vault.system_keyring import within

        with suppress(PasslessError):
            within(self._limit, lambda: self._entries().delete_password(self.service, account_id))


def _entries() -> Entries:
    from passless.vault.system_keyring import real_keyring

    found: Any = real_keyring()  # the whole of a keyring, of which the vault's port names a part
    entries: Entries = found
    return entries
