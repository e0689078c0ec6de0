"""App passwords, checked for the programs that people give them to: a mail server asks, and no session ever comes of it.

A secret is found by its tag in one look-up, whoever's it is; only then is it held against the name, the service and its end.
So a wrong one costs the same for every name, there or not (must hold 3), and a right one needs nothing but that look-up.

What only guessing could find is throttled: secrets of the short form, 16 letters, for each name and source, as long as a
sign-in would be. They are never switched off for good: 75 bits need no such help, and strangers could otherwise stop a person's
scanner. Long ones are neither counted nor refused. Of a hash nobody can tell how long its secret was: a right long one is never
refused, everything else counts as a short one, each wrong hash once an hour, so that a program with an old one stands in
nobody's way. A program with an old password asks every few minutes for ever: of the
wrong ones of one source and name in an hour the first and the tenth are in the audit trail, and the rest are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec import Struct

from passless.actions import app_password_tags, nobody, noting, throttle
from passless.actions.accounts import find_app_password, find_id, owner_of_address, stand_for
from passless.actions.app_password_tags import LONGEST
from passless.actions.parts import Parts
from passless.domain import names
from passless.domain.account import Account
from passless.domain.app_passwords import AppPassword
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.errors import ProofNeeded
from passless.domain.sealed import Tag
from passless.domain.secret import Secret
from passless.domain.use_state import Use
from passless.ports import NoSuchAccount, Write

SEEN_EVERY = timedelta(minutes=1)  # how exactly the last use is known
GUESSED = "guessed-hash"  # what wrong hashes of an hour are remembered as
BUCKET = 3  # bytes of a wrong hash's tag by which it is known again: too few to find out what it was made of
TOLD = (1, throttle.FREE_ATTEMPTS)  # which of the wrong ones in an hour are in the audit trail

Sought = Callable[[], Iterable[Tag]]  # what is looked for, under every key that the vault knows now


class WrongAppPassword(ProofNeeded):
    """The name and the app password do not go together, whyever; the reason is for the audit trail only."""

    code = "wrong-proof"
    hint = "make a new app password for this program: passless app-password create NAME"
    default = "that is no app password of this name"

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Checked(Struct, frozen=True, kw_only=True):
    """A right app password, and whose it is.

    Whoever asks goes on with `name` and with nothing that was typed: a mailbox is opened for the account, not for an address.
    """

    account: Account
    app_password: AppPassword
    last_used_at: datetime | None  # before now, as far as it was kept

    @property
    def name(self) -> str:
        """Who it is, the only identity that there is."""
        return self.account.name


def check(
    parts: Parts,
    name: str,
    secret: Secret,
    *,
    service: str,
    place: str,
    now: datetime,
    also: tuple[str, ...] = (),
) -> Checked:
    """Return which app password this is; its last use is kept at most once a minute.

    Args:
        name: of the account, or one of the e-mail addresses that stand for it: what people type into a mail program.
        secret: as the program sent it, with the spaces or without.
        service: such as `imap`; an app password may be for some only.
        also: further services that whoever asks is as well.
        place: where the program is, as the server that asks saw it.
        now: when it was asked.
    Raises:
        WrongAppPassword: it is none, or none of this name, or not for this service, or its time is over.
        Throttled: too many wrong ones of the short form from this place.
    """
    counter = _counter(parts, name, place) if _is_short(secret) else None
    if counter is not None:
        throttle.count_key(parts, counter, now=now)
    try:
        checked = _checked(parts, name, lambda: app_password_tags.of_secret(parts.vault, secret), (service, *also), now)
    except WrongAppPassword as error:
        _note(parts, name, service, place, error, now)
        raise
    _keep_use(parts, checked, counter, now)
    return checked


def check_hash(parts: Parts, name: str, digest: bytes, *, service: str, place: str, now: datetime) -> Checked:
    """Return which app password this is the SHA-256 of; all rules hold, and the same is raised, as for the secret itself."""
    try:
        checked = _checked(parts, name, lambda: app_password_tags.of_hash(parts.vault, digest), (service,), now)
    except WrongAppPassword as error:
        _count_guess(parts, name, digest, place, now)
        _note(parts, name, service, place, error, now)
        raise
    counter = _counter(parts, name, place) if checked.app_password.short else None
    if counter is not None:
        throttle.count_key(parts, counter, now=now)
    _keep_use(parts, checked, counter, now)
    return checked


def _count_guess(parts: Parts, name: str, digest: bytes, place: str, now: datetime) -> None:
    """Count a wrong hash, if it is the first of its kind in this hour for this name from this place."""
    counter = _counter(parts, name, place)
    throttle.check_key(parts, counter, now=now)
    (tag, *_) = app_password_tags.of_hash(parts.vault, digest)
    whose = f"{nobody.name_hash(parts, name)}/{throttle.source_of(place)}"
    known = f"{throttle.hourly(GUESSED, now)}/{whose}/{tag.digest[:BUCKET].hex()}"
    if parts.store.attempts(known) is None:
        parts.store.count_attempt(known, at=now)
        throttle.count_key(parts, counter, now=now)


def _checked(parts: Parts, name: str, sought: Sought, services: tuple[str, ...], now: datetime) -> Checked:
    try:
        owner = find_app_password(parts, sought(), now)
        if owner is None:
            parts.vault.reload()  # another process may have rotated the key since, and made this one under the new one
            owner = find_app_password(parts, sought(), now)
    except NoSuchAccount as error:
        raise WrongAppPassword("the account is gone") from error
    if owner is None:
        raise WrongAppPassword("no such app password")
    account, read = owner
    found = next((one for one in account.app_passwords if one.id == read.item), None)
    if found is None:
        raise WrongAppPassword("it ended just now")
    typed = names.key(name)
    if typed not in map(names.key, stand_for(parts, account)):
        raise WrongAppPassword("another account's")
    if "@" in typed and owner_of_address(parts, name, now) not in (None, account.id):
        raise WrongAppPassword("another account's")  # it got the name before that was refused; whose address it is comes first
    if found.expires_at is not None and now >= found.expires_at:
        raise WrongAppPassword("expired")
    if not any(found.is_for(one) for one in services):
        raise WrongAppPassword("not for this service")
    return Checked(account=account, app_password=found, last_used_at=read.last_used_at)


def _is_short(secret: Secret) -> bool:
    from passless.credentials.random_codes import SHORT_APP_PASSWORD_LENGTH

    return len("".join(secret.reveal()[:LONGEST].split())) == SHORT_APP_PASSWORD_LENGTH


def _counter(parts: Parts, name: str, place: str) -> str:
    """Return what short ones are counted under; the name that was typed stands in no key."""
    return f"{throttle.Purpose.APP_PASSWORD}/{nobody.name_hash(parts, name)}/{throttle.source_of(place)}"


def _keep_use(parts: Parts, checked: Checked, counter: str | None, now: datetime) -> None:
    used = checked.last_used_at is None or now >= checked.last_used_at + SEEN_EVERY
    if used or counter is not None:
        uses = (Use(item=checked.app_password.id, at=now),) if used else ()
        forgives = () if counter is None else (counter,)
        parts.store.commit(Write(at=now, account_id=checked.account.id, uses=uses, forgives=forgives))


def _note(parts: Parts, name: str, service: str, place: str, error: WrongAppPassword, now: datetime) -> None:
    number = throttle.count_wrong(parts, nobody.name_hash(parts, name), place, now=now)
    if number not in TOLD:
        return
    account = _named(parts, name, now)
    if noting.told(parts, nobody.name_hash(parts, name), place, now=now, of_nobody=account is None) is None:
        return
    details = {"reason": error.reason, "service": names.printable(service), noting.NUMBER: str(number)}
    entry = AuditEntry(
        at=now,
        actor="nobody" if account is None else account.name,
        event="check-app-password",
        outcome=Outcome.FAILED,
        account_id="" if account is None else account.id,
        account="" if account is None else account.name,
        place=names.printable(place),
        details=details,
    )
    parts.store.commit(Write(at=now, events=(entry,)))


def _named(parts: Parts, name: str, now: datetime) -> Account | None:
    """Return the account that a name or an address is of; both are looked for, whatever is found."""
    found: list[Account] = []
    with suppress(NoSuchAccount):
        found.append(find_id(parts, parts.store.owner_of_address(name) or nobody.SIGN, now).account)
    with suppress(NoSuchAccount):
        found.append(nobody.someone(parts, name, now).account)
    return next((one for one in found if not nobody.is_nobody(one)), None)
