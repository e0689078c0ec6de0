"""Sign-ins by ssh, which the host tells of afterwards: sshd asks for keys, and cannot say then which of them will open it.

A host is believed about the keys that it would be told of for that user now, and about nothing else: it names one, and all
that is written down beside it and an address is the server's own. It proves nothing to anybody: no session comes of it, no
guess is forgiven and no network becomes a familiar one. When a key was last used is kept once a minute. Of the sign-ins of one
account to one host in an hour the first are in the audit trail, and beyond them only the hundredth, the thousandth, and so on.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address

from passless.actions import hardware_keys
from passless.actions.app_password_check import SEEN_EVERY
from passless.actions.attempts import entry_of
from passless.actions.parts import Parts
from passless.actions.throttle import hourly
from passless.domain import names
from passless.domain.account import Account
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.hardware_keys import HardwareKey
from passless.domain.methods import kind_of
from passless.domain.relying_parties import Client
from passless.domain.use_state import Use
from passless.ports import VersionMoved, Write
from passless.ports.directory import Actor

EVENT = "sign-in-by-ssh"
OF_ACCOUNT = 60  # of one account to one host in an hour: one a minute, each with a touch
OF_HOST = 6_000  # to one host in an hour; a host that tells of more is none that anybody can believe
NUMBER = "this_hour"  # the detail that says which one of the hour it is, where not each is written down
LONGEST_CALLER = 64  # characters of an address


def note(parts: Parts, party: Client, *, user: str, key: str, caller: str = "") -> str:
    """Keep that a user of a host signed in there with a key; return whose account it is, empty where it is nobody's.

    Args:
        parts: what actions hold.
        party: the host that says so.
        user: of the host.
        key: its type and itself, as they stand in a line of authorized_keys.
        caller: where they came from, as sshd says it; only an address counts.
    """
    now = parts.now()
    account, keys = hardware_keys.opening(parts, party, user, now)
    method = next((one for one, known in keys if known.encoded == key), None)
    if account is None or method is None:
        return ""
    last = parts.store.uses(account.id).get(method.id)
    is_due = last is None or last.last_used_at is None or now >= last.last_used_at + SEEN_EVERY
    uses = (Use(item=method.id, at=now),) if is_due else ()
    events = _events(parts, party, account, method, caller, now)
    if uses or events:
        with suppress(VersionMoved):  # the account was deleted just now
            parts.store.commit(Write(at=now, account_id=account.id, uses=uses, events=events))
    return account.id


def _events(
    parts: Parts, party: Client, account: Account, method: HardwareKey, caller: str, now: datetime
) -> tuple[AuditEntry, ...]:
    of_host = f"{hourly(EVENT, now)}/{party.id}"
    number = parts.store.count_attempt(f"{of_host}/{account.id}", at=now).count + 1
    if number > OF_ACCOUNT and not _is_round(number):
        return ()
    if parts.store.count_attempt(of_host, at=now).count >= OF_HOST:
        return ()
    about = {"name": party.name, "key": method.name} | ({NUMBER: str(number)} if number > OF_ACCOUNT else {})
    details = {**about, "kind": kind_of(method), "method": method.id, "relying-party": party.id}
    return (entry_of(account, Actor(place=_place(party, caller)), EVENT, Outcome.DONE, now, details),)


def _is_round(number: int) -> bool:
    """Tell whether a number is a hundred, a thousand, and so on."""
    return number >= 100 and str(number).strip("0") == "1"


def _place(party: Client, caller: str) -> str:
    """Return where they came from: an address, or the host itself, for a name is whatever somebody's name server says."""
    try:
        return str(ip_address(caller[:LONGEST_CALLER]))
    except ValueError:
        return names.printable(party.name)
