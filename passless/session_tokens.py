"""Who is signed in on this machine, and which account is chosen: one file per profile in the state folder.

Tokens of an embedded store stand in the file. Those of a server are kept by a `TokenKeeper` where one works, and are bound to
the server's origin: a profile that moved knows nothing of its sessions elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless import private_files
from passless.domain.names import are_same
from passless.domain.secret import Secret
from passless.private_files import UnreadableFile

WHAT = "session file"


class TokenKeeper(Protocol):
    """Keeps tokens outside the file, by the account's id."""

    def read(self, account_id: str) -> str | None:
        """Return a token; an `Unavailable` error where the keeper does not answer."""
        ...

    def write(self, account_id: str, token: str) -> str | None:
        """Keep a token and return None; where it is to be kept in the file, return what the person should know of that."""
        ...

    def forget(self, account_id: str) -> None:
        """Remove a token, if it can be done."""
        ...


class SignedInAccount(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One account; `token` is empty once it signed out, and where it is `elsewhere`, with the keeper."""

    name: str
    token: str = ""
    elsewhere: bool = False

    def __repr__(self) -> str:
        return f"SignedInAccount(name={self.name!r})"


class _Kept(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The file: account ids and what is known of them; `origin` is a server's, `told` that tokens have to be in here."""

    chosen: str = ""
    accounts: dict[str, SignedInAccount] = {}
    origin: str = ""
    told: bool = False


class SessionTokens:
    """The session tokens of one profile. Nothing is read before it is asked for."""

    def __init__(self, path: Path, *, origin: str = "", keeper: TokenKeeper | None = None) -> None:
        self.path = path
        self._origin = origin
        self._keeper = keeper
        self._kept: _Kept | None = None

    @property
    def chosen(self) -> str | None:
        """The id of the account that commands act on when none is named."""
        return self._read().chosen or None

    def name_of(self, account_id: str) -> str | None:
        """Return the name an account had when it last signed in or was chosen."""
        found = self._read().accounts.get(account_id)
        return found.name if found else None

    def id_of(self, account: str) -> str | None:
        """Return the id of an account that is known here, by its id or name."""
        kept = self._read().accounts
        if account in kept:
            return account
        return next((one for one, entry in reversed(kept.items()) if are_same(entry.name, account)), None)

    def token_of(self, account: str) -> Secret | None:
        """Return the token of a signed-in account, by its id or name."""
        account_id = self.id_of(account)
        return None if account_id is None else self._token(account_id, self._read().accounts[account_id])

    def keep(self, account_id: str, name: str, token: Secret) -> str:
        """Note that an account signed in; return what the person should know of where the token is kept, once."""
        with private_files.alone(self.path):
            kept = self._read(again=True)
            why = "" if self._keeper is None else self._keeper.write(account_id, token.reveal())
            entry = SignedInAccount(name=name, token="" if why is None else token.reveal(), elsewhere=why is None)
            after = _with(kept, account_id, entry)
            stays = after.accounts.keys() - ({account_id} if why is not None else set())
            self._forget_elsewhere(kept, kept.accounts.keys() - stays)
            self._write(replace(after, told=kept.told or bool(why)))
        return "" if kept.told or why is None else why

    def renew(self, before: Secret, after: Secret) -> None:
        """Put the new token of a session in the place of the one that ended, where that is known here."""
        for account_id, entry in self._read().accounts.items():
            if self._token(account_id, entry) == before:
                self.keep(account_id, entry.name, after)
                return

    def choose(self, account_id: str, name: str) -> None:
        """Choose the account that commands act on."""
        with private_files.alone(self.path):
            kept = self._read(again=True)
            before = kept.accounts.get(account_id)
            entry = replace(before, name=name) if before else SignedInAccount(name=name)
            self._write(replace(_with(kept, account_id, entry), chosen=account_id))

    def rename(self, account_id: str, name: str) -> None:
        """Note an account's new name."""
        with private_files.alone(self.path):
            kept = self._read(again=True)
            if before := kept.accounts.get(account_id):
                self._write(_with(kept, account_id, replace(before, name=name)))

    def forget(self, token: Secret) -> None:
        """Drop a token that ended; the account stays chosen."""
        with private_files.alone(self.path):
            kept = self._read(again=True)
            ended = {one for one, entry in kept.accounts.items() if self._token(one, entry) == token}
            self._forget_elsewhere(kept, ended)
            left = {
                one: replace(entry, token="", elsewhere=False) if one in ended else entry
                for one, entry in kept.accounts.items()
            }
            self._write(replace(kept, accounts=left))

    def drop(self, account_id: str) -> None:
        """Forget an account that is no longer there."""
        with private_files.alone(self.path):
            kept = self._read(again=True)
            self._forget_elsewhere(kept, {account_id})
            left = {key: one for key, one in kept.accounts.items() if key != account_id}
            self._write(replace(kept, accounts=left, chosen="" if kept.chosen == account_id else kept.chosen))

    def drop_all(self) -> None:
        """Forget everybody: the profile goes, or moves."""
        with private_files.alone(self.path):
            kept = self._read(again=True)
            self._forget_elsewhere(kept, kept.accounts.keys())
            if kept.accounts:
                self._write(_Kept(origin=self._origin))

    def _token(self, account_id: str, entry: SignedInAccount) -> Secret | None:
        text = entry.token
        if entry.elsewhere and self._keeper is not None:
            text = self._keeper.read(account_id) or ""
        return Secret(text) if text else None

    def _forget_elsewhere(self, kept: _Kept, accounts: Iterable[str]) -> None:
        for account_id in accounts:
            if self._keeper is not None and account_id in kept.accounts and kept.accounts[account_id].elsewhere:
                self._keeper.forget(account_id)

    def _read(self, *, again: bool = False) -> _Kept:
        if self._kept is None or again:
            content = private_files.read(self.path, what=WHAT)
            try:
                found = msgspec.json.decode(content, type=_Kept) if content is not None else _Kept(origin=self._origin)
            except (msgspec.DecodeError, UnicodeError) as error:
                raise UnreadableFile(
                    f'the {WHAT} "{self.path}" is broken: {error}',
                    hint="put the file aside and sign in again: passless sign-in --account NAME",
                ) from error
            self._kept = found if found.origin == self._origin else _Kept(origin=self._origin)
        return self._kept

    def _write(self, kept: _Kept) -> None:
        private_files.write(self.path, msgspec.json.encode(kept), what=WHAT)
        self._kept = kept


def _with(kept: _Kept, account_id: str, entry: SignedInAccount) -> _Kept:
    """Put an entry last, in the place of others of its name: their accounts are gone, as in a store that was made again."""
    gone = {key for key, one in kept.accounts.items() if key != account_id and are_same(one.name, entry.name)}
    left = {key: one for key, one in kept.accounts.items() if key not in gone and key != account_id}
    return replace(kept, accounts={**left, account_id: entry}, chosen=account_id if kept.chosen in gone else kept.chosen)
