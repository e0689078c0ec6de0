"""Device codes between `--begin` and `--finish`: a file for this user only, for as long as they are good."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless import private_files
from passless.domain.errors import NotFound
from passless.domain.names import printable
from passless.domain.secret import Secret

WHAT = "file of codes that wait"


class NoSuchWaitingCode(NotFound):
    """Nothing of that id waits here."""

    code = "no-such-ceremony"
    hint = "begin again: passless sign-in --device --begin"


class WaitingCode(Struct, frozen=True, kw_only=True):
    """A code that somebody may type on another device."""

    origin: str
    device_code: str
    interval: int
    expires_at: datetime

    def __repr__(self) -> str:
        return f"WaitingCode(origin={self.origin!r}, expires_at={self.expires_at!r})"

    @property
    def secret(self) -> Secret:
        """What the server knows this sign-in by."""
        return Secret(self.device_code)


class _Kept(Struct, frozen=True, kw_only=True):
    codes: dict[str, WaitingCode] = {}


class WaitingCodes:
    """The codes of one profile that wait."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, ceremony: str, code: WaitingCode, *, now: datetime) -> None:
        """Keep a code; those whose time is over go."""
        with private_files.alone(self.path):
            left = {name: one for name, one in self._read().codes.items() if one.expires_at > now}
            self._write(_Kept(codes={**left, ceremony: code}))

    def find(self, ceremony: str, *, origin: str) -> WaitingCode | None:
        """Return a code that waits at this server."""
        found = self._read().codes.get(ceremony)
        return found if found is not None and found.origin == origin else None

    def drop(self, ceremony: str) -> None:
        """Forget a code."""
        with private_files.alone(self.path):
            kept = self._read()
            self._write(replace(kept, codes={name: one for name, one in kept.codes.items() if name != ceremony}))

    def _read(self) -> _Kept:
        content = private_files.read(self.path, what=WHAT)
        try:
            return _Kept() if content is None else msgspec.json.decode(content, type=_Kept)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise private_files.UnreadableFile(
                f'the {WHAT} "{printable(str(self.path), at_most=200)}" is broken', hint="put the file aside and begin again"
            ) from error

    def _write(self, kept: _Kept) -> None:
        private_files.write(self.path, msgspec.json.encode(kept), what=WHAT)
