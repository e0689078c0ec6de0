"""What a mail server is answered: it asks with the SHA-256 of an app password, or whose mail it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from passless.actions import app_password_check, mailboxes, relying_parties
from passless.actions.app_password_check import WrongAppPassword
from passless.actions.throttle import Throttled
from passless.domain import names
from passless.domain.errors import Unavailable
from passless.domain.relying_parties import Client
from passless.server.site import Site
from passless.server.sockets.dict_protocol import NOT_THERE, LogIn, Question, WhoIs, found, not_now

GONE = "this relying party was removed from passless"
LOOKED_AT_EVERY = timedelta(milliseconds=250)
LATER = "passless cannot look it up now"
WAIT = "too many wrong app passwords of this name from there: nothing is looked at for a while"


class Asking:
    """The relying party that asks; whether it was removed is looked up some times a second, and not for each sign-in.

    One that is added anew under its name is answered in its place.
    """

    def __init__(self, site: Site, party: Client) -> None:
        self._site = site
        self._last = party
        self._looked_at: datetime | None = None
        self._party: Client | None = None

    def party(self, now: datetime) -> Client | None:
        """Return it as it is registered; None where it was removed."""
        if self._looked_at is None or not self._looked_at <= now < self._looked_at + LOOKED_AT_EVERY:
            self._party, self._looked_at = relying_parties.as_now(self._site.parts, self._last), now
            self._last = self._party or self._last
        return self._party


def answer(site: Site, asking: Asking, question: Question) -> bytes:
    """Return the line that answers a question; what cannot be said now is never answered with no.

    Nor is what is not looked at because there were too many wrong ones before it: a mail program would forget a right one.
    """
    try:
        now = site.parts.now()
        party = asking.party(now)
        if party is None:
            return not_now(GONE)
        if isinstance(question, WhoIs):
            return _mailbox(site, question, now)
        return _signed_in(site, party, question, now)
    except WrongAppPassword:
        return NOT_THERE
    except Throttled:
        return not_now(WAIT)
    except Unavailable:
        return not_now(LATER)


def _signed_in(site: Site, party: Client, asked: LogIn, now: datetime) -> bytes:
    """Check an app password. The answer names the account, whatever was typed: the mailbox is the account's."""
    if party.services and not any(names.are_same(asked.service, one) for one in party.services):
        return NOT_THERE
    parts = site.parts
    checked = app_password_check.check_hash(
        parts,
        asked.user,
        asked.digest,
        service=asked.service,
        place=asked.place or party.name,
        now=now,
    )
    return _signed_in_as(checked.name, asked.plain)


@lru_cache(maxsize=4096)
def _signed_in_as(account_name: str, plain: bool) -> bytes:
    """Return the line for who may come in; the same people sign in again and again."""
    name = mailboxes.mailbox_named(account_name)
    if name is None:
        return NOT_THERE
    return _named(name, {"user": name, "nopassword": "y", "userdb_user": name}, plain=plain)


def _mailbox(site: Site, asked: WhoIs, now: datetime) -> bytes:
    account = mailboxes.find(site.parts, asked.user, now)
    name = None if account is None else mailboxes.mailbox_of(account)
    return NOT_THERE if name is None else _named(name, {"user": name}, plain=asked.plain)


def _named(name: str, fields: dict[str, str], *, plain: bool) -> bytes:
    return found(name.encode() if plain else msgspec.json.encode(fields))
