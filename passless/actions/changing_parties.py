"""Changing a relying party: what is changed, what that means for what it was given, and what ends.

What was given under looser rules ends with them: every token where an address or a scope is taken away, for nobody wrote down
which of them came by it, and the tokens of those who proved less where more is asked. What lets more in ends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions.accounts import find_id
from passless.actions.parts import Parts
from passless.actions.relying_parties import (
    changing,
    check_free,
    check_told_at,
    entry_of,
    given_to,
    overseer,
    registered,
    view,
)
from passless.domain import hosts, party_changes
from passless.domain.account import AccountId
from passless.domain.audit import AuditEntry
from passless.domain.names import printable
from passless.domain.party_changes import Difference, RelyingPartyChange
from passless.domain.party_kinds import PartyKind, Requirement
from passless.domain.relying_parties import Client, NewRelyingParty
from passless.domain.safety.assurance import REQUIRED, assurance
from passless.domain.sessions import Session
from passless.domain.views import NOTHING, Applied, ChangedRelyingParty, EffectView, PlanView
from passless.ports import NoSuchAccount, Record, VersionMoved, Write, item_as_it_was
from passless.ports.directory import Actor

FEWER_USERS = "whoever is in none of these groups is let in no more; who is in by ssh is thrown out where it is watched"
LONGEST_DETAIL = 1000  # characters of a field, before and after, in the audit trail


class Changing(Struct, frozen=True, kw_only=True):
    """A relying party as it is and as it is wanted, and its record to hold it to."""

    client: Client
    record: Record
    after: NewRelyingParty

    @property
    def is_tighter(self) -> bool:
        """Whether somebody is let in no more who was."""
        client, after = self.client, self.after
        narrows = (party_changes.takes_away, party_changes.asks_more, party_changes.serves_less, party_changes.has_fewer_users)
        return any(one(client, after) for one in narrows)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What changes."""
        return party_changes.differences(self.client, self.after)


class Ending(Struct, frozen=True, kw_only=True):
    """Sessions of one account that were given under rules that are looser than those to come."""

    account_id: str
    account: str
    sessions: tuple[Session, ...]
    records: tuple[Record, ...]


def plan(parts: Parts, actor: Actor, words: str, change: RelyingPartyChange) -> PlanView:
    """Say what a change would do, and keep nothing."""
    overseer(parts, actor)
    return _planned(parts, _wanted(parts, words, change))


def change(parts: Parts, actor: Actor, words: str, change: RelyingPartyChange) -> Applied:
    """Change what is registered, and end what was given under looser rules.

    It ends before the change and once more after it: what is given in between is found, and whoever comes later is held to
    the registration as it is then.

    Raises:
        VersionMoved: somebody changed it at the same time.
    """
    name, reason = changing(parts, actor, "change-relying-party")
    wanted = _wanted(parts, words, change)
    planned = _planned(parts, wanted)
    client = wanted.client
    if not wanted.differences:
        return Applied(plan=planned, made=_shown(client, ()))
    after = replace(client, **party_changes.fields_of(wanted.after))
    if after.told_of_endings_at != client.told_of_endings_at:
        after = replace(after, made_on_host=parts.looks_in)  # only who is on the host has it reach what the host reaches
    ended = [*_end(parts, actor, wanted, name, reason)]
    _keep(parts, actor, wanted, after, name, reason)
    ended += _end(parts, actor, wanted, name, reason)
    return Applied(plan=planned, made=_shown(after, tuple(dict.fromkeys(ended))))


def _shown(client: Client, ended: tuple[str, ...]) -> ChangedRelyingParty:
    return ChangedRelyingParty(**msgspec.structs.asdict(view(client)), ended=ended)


def _wanted(parts: Parts, words: str, change: RelyingPartyChange) -> Changing:
    client, record = registered(parts, words)
    after = party_changes.changed(client, change)
    check_free(parts, after.name, own=client.id)
    if after.told_of_endings_at not in ("", client.told_of_endings_at) and not parts.looks_in:
        check_told_at(after.told_of_endings_at)
    return Changing(client=client, record=record, after=after)


def _keep(parts: Parts, actor: Actor, wanted: Changing, after: Client, name: str, reason: str) -> None:
    client, record = wanted.client, wanted.record
    changes = {one.field: _in_trail(one) for one in wanted.differences}
    if client.kind is PartyKind.DOVECOT and party_changes.serves_less(client, wanted.after):  # everybody's connections end
        entry = entry_of(parts, actor, name, "tighten-relying-party", client, reason)
    else:
        entry = entry_of(parts, actor, name, "change-relying-party", client, reason)
    details = {**changes, **entry.details} | ({"new_name": after.name} if "name" in changes else {})
    entry = replace(entry, details=details)
    ended = (item_as_it_was(record),) if wanted.is_tighter else ()  # an old copy of the store brings no looser rules back
    put = replace(record, document=msgspec.json.encode(after))
    events = (entry, *_leaving(parts, wanted, entry_of(parts, actor, name, "leave-host", client, reason)))
    parts.store.commit(Write(at=parts.now(), account_id=AccountId(""), puts=(put,), ended=ended, events=events))


def _leaving(parts: Parts, wanted: Changing, entry: AuditEntry) -> Iterator[AuditEntry]:
    """Return an entry for each account that is no user of a host any more, and may have been one.

    That is who was in its groups; where it had none, who has something that lets in to hosts of the kind.
    """
    client = wanted.client
    if not party_changes.has_fewer_users(client, wanted.after):
        return
    later = replace(client, groups=wanted.after.groups)
    for stored in parts.store.accounts(groups=client.groups or None):
        account = stored.account
        if not later.has_user(account.groups) and (client.groups or client.kind not in hosts.never_at(account)):
            yield replace(entry, account_id=account.id, account=account.name)


def _in_trail(one: Difference) -> str:
    sides = (" ".join(side) if isinstance(side, tuple) else str(side) for side in (one.before, one.after))
    return printable(" → ".join(side or "–" for side in sides), at_most=LONGEST_DETAIL)


def _end(parts: Parts, actor: Actor, wanted: Changing, name: str, reason: str) -> Iterator[str]:
    """End what was given under looser rules, one account after the other; programs are told of each by the trail."""
    for one in _endings(parts, wanted):
        ids = tuple(session.id for session in one.sessions)
        entry = entry_of(parts, actor, name, "tighten-relying-party", wanted.client, reason)
        details = {**entry.details, "sessions": ",".join(ids)}
        about = replace(entry, account_id=one.account_id, account=one.account, details=details)
        try:
            parts.store.commit(Write(at=parts.now(), ends=ids, drops=one.records, events=(about,) if ids else ()))
        except VersionMoved:
            continue  # it ended, or was given anew, meanwhile: the look after the change finds what is left
        yield from ids


def _endings(parts: Parts, wanted: Changing) -> Iterator[Ending]:
    """Return what was given under looser rules than those that are wanted."""
    everything = party_changes.takes_away(wanted.client, wanted.after)
    if not (everything or party_changes.asks_more(wanted.client, wanted.after)):
        return
    held = sorted(given_to(parts, wanted.client.id), key=lambda one: one.account_id)
    for account_id, records in groupby(held, key=lambda one: one.account_id):
        found = _of_account(parts, account_id, tuple(records), None if everything else Requirement(wanted.after.requires))
        if found.records:
            yield found


def _of_account(parts: Parts, account_id: str, records: tuple[Record, ...], asked: Requirement | None) -> Ending:
    """Return what somebody's sessions are that end; `asked` is what has to be proven, None ends all of them."""
    now = parts.now()
    try:
        account = find_id(parts, AccountId(account_id), now).account
    except NoSuchAccount:
        return Ending(account_id=account_id, account="", sessions=(), records=records)
    there: dict[str, Session] = {one.id: one for one in parts.store.sessions(account.id)}

    def is_over(session: Session | None) -> bool:
        if session is None or asked is None:
            return True
        return assurance(account, session.proofs, parts.rules, now) < REQUIRED[asked]

    over = [(one, there.get(one.key.partition("/")[2])) for one in records]
    over = [(record, session) for record, session in over if is_over(session)]
    return Ending(
        account_id=account.id,
        account=account.name,
        sessions=tuple(session for _, session in over if session is not None),
        records=tuple(record for record, _ in over),
    )


def _planned(parts: Parts, wanted: Changing) -> PlanView:
    client, differences = wanted.client, wanted.differences
    effects = [EffectView(code="relying-party-changed", message=one.message) for one in differences]
    effects += _consequences(parts, wanted)
    changes = {one.field: {"before": _written(one.before), "after": _written(one.after)} for one in differences}
    return PlanView(
        change={"type": "change-relying-party", "relying_party": client.id, "name": client.name, "changes": changes},
        accepted=True,
        problems=(),
        effects=tuple(effects) or (EffectView(code="nothing-changes", message="nothing: it is like that already"),),
        before=NOTHING,
        after=NOTHING,
    )


def _written(value: str | tuple[str, ...]) -> str | list[str]:
    """Return a value as it is in JSON, so that a plan is the same wherever it was made."""
    return list(value) if isinstance(value, tuple) else str(value)


def _consequences(parts: Parts, wanted: Changing) -> Iterator[EffectView]:
    """Say what a change means for who is in already, and for who comes from now on."""
    client, after = wanted.client, wanted.after
    says: list[tuple[bool, str, Callable[[], str]]] = [
        (bool(count := sum(len(one.sessions) for one in _endings(parts, wanted))), "sessions-end", lambda: _in_number(count)),
        (party_changes.asks_more(client, after), "asks-more", lambda: _asked_more(client)),
        (party_changes.serves_less(client, after), "serves-less", lambda: _served_less(client)),
        (party_changes.has_fewer_users(client, after), "fewer-users", lambda: FEWER_USERS),
        (_is_told_anew(client, after), "told-from-now-on", lambda: "it is told of the end of what it is given from now on"),
    ]
    return (EffectView(code=code, message=words()) for holds, code, words in says if holds)


def _is_told_anew(client: Client, after: NewRelyingParty) -> bool:
    return bool(after.told_of_endings_at) and not client.told_of_endings_at


def _in_number(count: int) -> str:
    what = "token that was given under looser rules ends" if count == 1 else "tokens that were given under looser rules end"
    return f"{count} {what}, and who has them signs in again"


def _asked_more(client: Client) -> str:
    match client.kind:
        case PartyKind.SSH:
            return "other keys open nothing from the next sign-in on; who is signed in there stays: look who it is (who)"
        case PartyKind.HTTP if client.requires is Requirement.ANY:
            return "app passwords let nobody in there any more, for they are one factor; sessions that are too weak neither"
        case PartyKind.HTTP:
            return "sessions that are too weak let nobody in there any more"
        case _ if client.told_of_endings_at:
            return "it is told of each session that ends; what it does then is its own"
        case _:
            return "what the program itself keeps open goes on until it asks again"


def _served_less(client: Client) -> str:
    words = "app passwords for other services let nobody in from the next request on"
    if client.kind is PartyKind.DOVECOT:
        return f"{words}; `relying-party watch` ends the mail connections of everybody, who come back by themselves"
    return words
