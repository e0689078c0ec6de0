"""The second step of a sign-in on a host: whoever asks has checked a password or a key itself, and leaves the rest to us.

The account is the one whose name is the local user's, letter for letter in its plain form: no id, no address. A name without
an account, and an account without an authenticator app, are asked the same, answered the same and cost the same (must hold 3).
A code is counted before it is checked, used once (must hold 12), and in the audit trail, as at any sign-in. It is counted for
this host alone: what strangers guess on the web turns no host off, and no user of it shuts out others who come from the same
address. Nothing else is taken here: neither an app password nor a recovery code nor a temporary pass signs a person in on a
host, nor a method that does not count there (`count_on_hosts`).
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address

from msgspec import Struct
from msgspec.structs import replace

from passless.actions import nobody, proving, relying_parties, throttle
from passless.actions.accounts import Found
from passless.actions.attempts import entry_of, note_failure
from passless.actions.catching_up import ended_for_good
from passless.actions.changing import TRIES
from passless.actions.parts import Parts
from passless.actions.relying_parties import NoSuchRelyingParty
from passless.domain import names
from passless.domain.account import Account
from passless.domain.audit import Outcome
from passless.domain.errors import ProofNeeded, WrongUse
from passless.domain.methods import Kind
from passless.domain.relying_parties import Client
from passless.domain.requests import Answer
from passless.domain.safety.on_hosts import count_on_hosts
from passless.domain.secret import Secret
from passless.domain.sessions import Session
from passless.domain.use_state import Use
from passless.ports import Record, VersionMoved, Write
from passless.ports.directory import Actor

SECOND_STEP = "second-step"  # the event in the audit trail


class OnHost(Struct, frozen=True, kw_only=True):
    """Who is to be signed in where: a local user of a host, for one of its services, and from where they came.

    `caller` is what the service said of that; only an address counts, for a name is whatever somebody's name server says.
    """

    party: Client
    user: str
    service: str
    caller: str = ""

    @property
    def place(self) -> str:
        """What counts as the source: the address they came from, else this user on this host, whom no other user holds up."""
        try:
            return str(ip_address(self.caller))
        except ValueError:
            return names.printable(f"{self.party.name}:{self.user}")

    @property
    def about(self) -> dict[str, str]:
        """What the audit trail says beside the kind of proof."""
        return {"relying-party": self.party.id, "name": self.party.name, "service": names.printable(self.service)}


def check_party(parts: Parts, party: Client) -> None:
    """Refuse a host that was removed, or has had another secret since; `NoSuchRelyingParty`."""
    found = relying_parties.find(parts, party.id)
    if found is None or found[0].secret_hash != party.secret_hash:
        raise NoSuchRelyingParty(f'"{party.name}" was removed, or has another secret')


def find(parts: Parts, user: str, now: datetime) -> Found:
    """Return the account of a local user: of exactly that name, in the plain form of names; else nobody's.

    Two users of a host whose names differ in capitals or accents alone are never one account, nor is somebody's id a name.
    """
    found = nobody.someone(parts, user, now)
    if not nobody.is_nobody(found.account) and names.key(found.account.name) != user:
        return nobody.nobody(parts, nobody.name_hash(parts, user), now)
    return found


def find_user(parts: Parts, asked: OnHost, now: datetime) -> Found:
    """Read the account of a user of a host as that is registered now: in one of its groups, where it has any; else nobody's."""
    found, party = find(parts, asked.user, now), relying_parties.find(parts, asked.party.id)
    if party is None or not party[0].has_user(found.account.groups):
        return nobody.nobody(parts, nobody.name_hash(parts, asked.user), now)
    return found


def check_code(parts: Parts, asked: OnHost, code: Secret) -> None:
    """Take a code of the user's authenticator app, once.

    Raises:
        WrongProof, and its kin: it is none, or was used; it is counted and in the audit trail.
        Throttled, SwitchedOff: too many were wrong before.
        NoSuchRelyingParty: the host was removed.
    """
    check_party(parts, asked.party)
    now, actor = parts.now(), Actor(place=asked.place)
    found = find_user(parts, asked, now)
    account = found.account
    throttle.check_source(parts, actor.place, throttle.Source.HOST, now=now, account_id=account.id, host=asked.party.id)
    try:
        throttle.count(parts, account.id, actor.place, Kind.TOTP, now=now, host=asked.party.id)
    except (throttle.Throttled, throttle.SwitchedOff) as error:
        note_failure(parts, account, actor, Kind.TOTP, error, now, event=SECOND_STEP, about=asked.about)
        raise
    try:
        for _ in range(TRIES):
            account = found.account
            counting = replace(account, methods=count_on_hosts(account, parts.rules, now))
            proven = proving.check(parts, counting, Answer(kind=Kind.TOTP, text=code), None, now)
            try:
                keep(parts, asked, found, Kind.TOTP, now, uses=(proven.use,))
            except VersionMoved:
                now = parts.now()
                found = find_user(parts, asked, now)
                continue
            return
        raise VersionMoved
    except (ProofNeeded, WrongUse) as error:
        held_up = throttle.count_source(
            parts, actor.place, throttle.Source.HOST, now=now, host=asked.party.id, share_of=account.id
        )
        note_failure(parts, account, actor, Kind.TOTP, error, now, event=SECOND_STEP, held_up=held_up, about=asked.about)
        raise


def keep(
    parts: Parts,
    asked: OnHost,
    found: Found,
    kind: str,
    now: datetime,
    *,
    uses: tuple[Use, ...] = (),
    source: Session | None = None,
    drops: tuple[Record, ...] = (),
) -> None:
    """Keep that somebody was let in; `VersionMoved` where account, session or record is not any more what was read."""
    account, place = found.account, asked.place
    entry = entry_of(account, Actor(place=place), SECOND_STEP, Outcome.DONE, now, {"kind": kind, **asked.about})
    parts.store.commit(
        Write(
            at=now,
            account=account if account != found.stored else None,
            account_id=account.id,
            expected=found.version,
            uses=uses,
            updates=source,
            ended=tuple(ended_for_good(found.stored, account)),
            notices=found.caught_up.notices,
            events=(*found.caught_up.events, entry),
            forgives=throttle.forgiven_on_host(account.id, asked.party.id, place),
            drops=drops,
        )
    )


def note_refused(
    parts: Parts, asked: OnHost, account: Account, reason: str, now: datetime, *, drops: tuple[Record, ...] = ()
) -> None:
    """Write down that what somebody answered elsewhere let nobody in, and use it up; `VersionMoved` where it is already."""
    entry = entry_of(
        account, Actor(place=asked.place), SECOND_STEP, Outcome.FAILED, now, {"kind": "device", "reason": reason, **asked.about}
    )
    parts.store.commit(Write(at=now, events=(entry,), drops=drops))
