"""Who is signed in on this machine, and which account is chosen: one file per profile in the state folder."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless import private_files
from passless.domain.names import are_same
from passless.domain.secret import Secret
from passless.private_files import UnreadableFile

WHAT = "session file"


class SignedInAccount(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One account; `token` is empty once it signed out."""

    name: str
    token: str = ""

    def __repr__(self) -> str:
        return f"SignedInAccount(name={self.name!r})"


class _Kept(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The file: account ids and what is known of them."""

    chosen: str = ""
    accounts: dict[str, SignedInAccount] = {}


class SessionTokens:
    """The session tokens of one profile. Nothing is read before it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: _Kept | None = None

    @property
    def chosen(self) -> str | None:
        """The id of the account that commands act on when none is named."""
        return self._read().chosen or None

    def name_of(self, account_id: str) -> str | None:
        """Return the name an account had when it last signed in or was chosen."""
        found = self._read().accounts.get(account_id)
        return found.name if found else None

    def token_of(self, account: str) -> Secret | None:
        """Return the token of a signed-in account, by its id or name."""
        kept = self._read().accounts
        found = kept.get(account) or next((one for one in reversed(kept.values()) if are_same(one.name, account)), None)
        return Secret(found.token) if found and found.token else None

    def keep(self, account_id: str, name: str, token: Secret) -> None:
        """Note that an account signed in."""
        with private_files.alone(self.path):
            kept = self._read(again=True)
            entry = SignedInAccount(name=name, token=token.reveal())
            self._write(_with(kept, account_id, entry))

    def choose(self, account_id: str, name: str) -> None:
        """Choose the account that commands act on."""
        with private_files.alone(self.path):
            kept = self._read(again=True)
            before = kept.accounts.get(account_id)
            entry = SignedInAccount(name=name, token=before.token if before else "")
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
            left = {key: replace(one, token="") if one.token == token.reveal() else one for key, one in kept.accounts.items()}
            self._write(replace(kept, accounts=left))

    def drop(self, account_id: str) -> None:
        """Forget an account that is no longer there."""
        with private_files.alone(self.path):
            kept = self._read(again=True)
            left = {key: one for key, one in kept.accounts.items() if key != account_id}
            self._write(replace(kept, accounts=left, chosen="" if kept.chosen == account_id else kept.chosen))

    def _read(self, *, again: bool = False) -> _Kept:
        if self._kept is None or again:
            content = private_files.read(self.path, what=WHAT)
            try:
                self._kept = msgspec.json.decode(content, type=_Kept) if content is not None else _Kept()
            except (msgspec.DecodeError, UnicodeError) as error:
                raise UnreadableFile(
                    f'the {WHAT} "{self.path}" is broken: {error}',
                    hint="put the file aside and sign in again: passless sign-in --account NAME",
                ) from error
        return self._kept

    def _write(self, kept: _Kept) -> None:
        private_files.write(self.path, msgspec.json.encode(kept), what=WHAT)
        self._kept = kept


def _with(kept: _Kept, account_id: str, entry: SignedInAccount) -> _Kept:
    """Put an entry last, in the place of others of its name: their accounts are gone, as in a store that was made again."""
    gone = {key for key, one in kept.accounts.items() if key != account_id and are_same(one.name, entry.name)}
    left = {key: one for key, one in kept.accounts.items() if key not in gone and key != account_id}
    return replace(kept, accounts={**left, account_id: entry}, chosen=account_id if kept.chosen in gone else kept.chosen)
