"""From settings to working parts: the only file that picks implementations, each imported when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.domain.errors import CannotDoThat

if TYPE_CHECKING:
    from passless.devices.reader import KeyReader
    from passless.ports import Clock, Entropy
    from passless.ports.directory import Directory
    from passless.settings import Profile, Settings


class NotYetHere(CannotDoThat):
    """A kind of profile that this passless cannot open."""

    code = "profile-not-here"
    hint = "use a profile with a store: passless profile list"


def open_directory(settings: Settings, profile: Profile, *, clock: Clock, entropy: Entropy) -> Directory:
    """Open the place where a profile's accounts are; nothing is made."""
    raise NotYetHere(f'the profile "{profile.name}" is a {profile.place}, which this version cannot open')


def found(settings: Settings, profile: Profile, *, clock: Clock, entropy: Entropy) -> None:
    """Make a store and its vault key where there are none yet."""


def key_reader() -> KeyReader:
    """Return what talks to the security keys of this machine."""
    raise CannotDoThat("security keys cannot be used here")
