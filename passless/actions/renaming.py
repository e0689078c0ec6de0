"""Giving an account another name: with a proof, seldom, and on a server that is not open by an operator (decision 0016).

Whether a name is taken is said only to who may have it, after it was counted like an attempt to sign up; a plan never says it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import kept_names
from passless.actions.accounts import free_name, is_answerable
from passless.actions.changing import Kept, Look, Wanted, carry_out, preview
from passless.actions.operators import check_may_ask
from passless.actions.parts import Access, Parts, SignUp
from passless.actions.signing_up import count_name
from passless.actions.throttle import Throttled
from passless.actions.who import Who
from passless.domain import names, reserved_names
from passless.domain.account import Version
from passless.domain.changes import AccountName, RenameAccount
from passless.domain.recovery import Reporter
from passless.domain.requests import RenameAccountTo
from passless.domain.safety.context import Problem, Severity
from passless.ports import Record
from passless.ports.directory import Actor

KIND = "renames"  # the record of an account that says when it got its last names
MOST = 3  # names in a day; whoever is renamed more often cannot be followed
A_DAY = timedelta(days=1)


class Renames(Struct, frozen=True):
    """When an account got another name, within the last day."""

    at: tuple[datetime, ...] = ()


def wish(parts: Parts, who: Who, request: RenameAccountTo) -> Wanted:
    """Turn a request into a change; whether the name is free is not looked at."""
    account = who.account
    name = account.name if request.name is None else AccountName(names.clean_account(request.name))
    shown = account.display_name if request.display_name is None else request.display_name
    change = RenameAccount(name=name, display_name=names.clean(shown, what="display name") if shown else "")
    problems = () if name == account.name else tuple(_problems(parts, who))
    if not (problems or _is_given(parts, who) or names.are_same(name, account.name)):
        reserved_names.check_chosen(name)
    return Wanted(changes=(change,), problems=problems)


def _is_given(parts: Parts, who: Who) -> bool:
    """Tell whether somebody who answers for everybody gives a name."""
    return is_answerable(parts) or (who.acting is not None and not who.acting.rights.over)


def _problems(parts: Parts, who: Who) -> Iterator[Problem]:
    if parts.access is not Access.NOBODY or parts.on_host:  # who opens a server's store on its host knows what it is for
        return
    is_open = parts.sign_up is SignUp.OPEN
    if who.reporter is Reporter.SELF and not is_open:
        yield Problem(
            code="operator-only",
            message="on this server only an operator gives an account another name",
            hint="ask an operator; the name to show is yours: passless account rename --display-name TEXT",
            severity=Severity.REFUSAL,
        )
    if who.reporter is not Reporter.SELF and is_open:
        yield Problem(
            code="operator-may-not",
            message="on this server people choose their names themselves",
            hint="the person does it, signed in",
            severity=Severity.REFUSAL,
        )


def rename(parts: Parts, actor: Actor, look: Look, request: RenameAccountTo, *, version: Version | None = None) -> Kept:
    """Give an account another name, or another name to show.

    Raises:
        Refused: whoever asks may not, or proved too little.
        Throttled: it was renamed, or names were tried from there, too often.
        BadName, NameTaken: it cannot have that name; on a server nobody gives themselves one with "@".
    """
    is_counted = False

    def build(who: Who, now: datetime) -> Wanted:
        nonlocal is_counted
        check_may_ask(parts, who, request, now)
        wanted = wish(parts, who, request)
        (change,) = wanted.changes
        assert isinstance(change, RenameAccount)
        if change.name == who.account.name or not preview(parts, who, wanted, now).is_accepted:
            return wanted
        renamed = _counted(parts, who, now)
        if who.reporter is Reporter.SELF and parts.access is Access.NOBODY and not is_counted:
            count_name(parts, actor, now)
            is_counted = True
        free_name(parts, change.name, own=who.account.id, is_given=_is_given(parts, who))
        return replace(wanted, puts=(*renamed, *_kept(parts, who, change.name, now)))

    return carry_out(parts, actor, look, build, version=version)


def _kept(parts: Parts, who: Who, name: str, now: datetime) -> tuple[Record, ...]:
    account = who.account
    if names.are_same(name, account.name):
        return ()
    return (*kept_names.left(parts, account.id, account.name, now), *kept_names.taken(parts, account.id, (name,), now))


def _counted(parts: Parts, who: Who, now: datetime) -> tuple[Record, ...]:
    """Return the record that says that the account is renamed once more."""
    if parts.access is not Access.NOBODY:
        return ()
    known = parts.store.record(KIND, who.account.id)
    before = Renames() if known is None else msgspec.json.decode(known.document, type=Renames)
    today = tuple(at for at in before.at if now < at + A_DAY)
    if len(today) >= MOST:
        seconds = int((today[0] + A_DAY - now).total_seconds()) + 1
        message = f"the account got {MOST} names within a day"
        raise Throttled(message, hint=f"wait {seconds} seconds", seconds=seconds)
    if kept_names.keeps_most(parts, who.account.id, now):
        message = f"{kept_names.MOST} earlier names are still kept for the account"
        raise Throttled(
            message, hint=f"each is free {kept_names.KEPT.days} days after it was left", seconds=int(A_DAY.total_seconds())
        )
    record = Record(
        kind=KIND,
        key=who.account.id,
        document=msgspec.json.encode(Renames(at=(*today, now))),
        account_id=who.account.id,
        ends_at=now + A_DAY,
        version=0 if known is None else known.version,
    )
    return (record,)
