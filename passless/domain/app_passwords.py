"""Passwords for programs that cannot do better."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from passless.domain.methods import DeviceName
from passless.domain.sealed import Tag

SERVICES = ("imap", "pop3", "smtp", "submission", "sieve", "caldav", "carddav")  # as mail and calendar servers call them
SENDING = frozenset({"smtp", "submission"})  # one thing to people; Postfix asks for the one, Dovecot's submission for the other
MAXIMUM_APP_PASSWORDS = 40  # features.md, "app passwords": at most 40


class AppPassword(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A machine-made password for one program; `tags` finds it, one for each spelling. Empty `services` means any.

    Without a `device` it may be on any, so every reported loss of a device ends it.
    """

    id: str
    name: str
    tags: tuple[Tag, ...]
    created_at: datetime
    services: tuple[str, ...] = ()
    expires_at: datetime | None = None
    device: DeviceName | None = None
    short: bool = False

    def is_for(self, service: str) -> bool:
        """Tell whether a service may take it."""
        named = {one.casefold() for one in self.services}
        asked = service.casefold()
        return not named or asked in named or (asked in SENDING and not named.isdisjoint(SENDING))
