"""Finding the account somebody wants to act on: on a server's store only for who may (must hold 3 and 9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import merge

from passless.actions.accounts import Found, find, find_id
from passless.actions.parts import Access, Parts
from passless.actions.who import (
    Acting,
    NotAnOperator,
    SignInNeeded,
    TokenMayNot,
    not_below,
    operating,
    session_of,
    session_on,
    sign_in_needed,
)
from passless.domain import names
from passless.domain.safety.operator_rules import may_act_on
from passless.domain.sessions import SessionKind
from passless.ports import NoSuchAccount, Stored
from passless.ports.directory import Actor

AS_OPERATOR = "--as-operator --reason TEXT"  # how somebody acts on an account that is not their own


def reach(parts: Parts, actor: Actor, target: str, now: datetime, *, equals: bool = False) -> Found:
    """Find an account by its name or id for somebody who acts on it or looks at it.

    On a server's store the name is looked up for operators alone: everybody else is answered before, so that neither answer
    nor time tells whether there is such an account.

    Raises:
        NoSuchAccount: there is none, said to who may know: the owner of an embedded store, an operator over all.
        SignInNeeded, TokenMayNot, NotAnOperator, NotBelow: whoever asks may not.
    """
    if parts.access is Access.OWNER:
        return find(parts, target, now)
    own = own_account(parts, actor, now)
    if own is not None and is_named(own, target):
        return own
    acting = operating(parts, actor)
    if acting is None:
        raise _stranger(parts, actor, target)
    try:
        found = find(parts, target, now)
    except NoSuchAccount:
        if not acting.rights.over:
            raise
        raise not_below(target) from None
    if not may_act_on(acting.account, found.account, equals=equals):
        raise not_below(target)
    return found


def overseen(parts: Parts, acting: Acting | None, *, matching: str = "", after: str = "") -> Iterator[Stored]:
    """Stream who may be below an operator, and the operator, in the order of their names; over groups nobody else is read.

    `matching` and `after` are in the form that `names.key` gives.
    """
    if acting is None or not acting.rights.over:
        yield from parts.store.accounts(matching=matching, after=after)
        return
    own = parts.store.read(acting.account.id)
    mine = names.key(own.account.name)
    shown = [own] if matching in mine and mine > after else []
    among = parts.store.accounts(matching=matching, after=after, groups=acting.rights.over)
    last = None
    for stored in merge(among, shown, key=lambda one: names.key(one.account.name)):
        if stored.account.id != last:
            yield stored
        last = stored.account.id


def own_account(parts: Parts, actor: Actor, now: datetime) -> Found | None:
    """Return the account of the session in use; None where nobody is signed in, or what opened it is gone."""
    session = session_of(parts, actor)
    if session is None:
        return None
    try:
        own = find_id(parts, session.account_id, now)
    except NoSuchAccount:
        return None
    return None if session_on(parts, actor, own.account) is None else own


def is_named(found: Found, target: str) -> bool:
    """Tell whether a name or id means this account."""
    return names.are_same(found.account.name, target) or found.account.id == target


def _stranger(parts: Parts, actor: Actor, target: str) -> Exception:
    session = session_of(parts, actor)
    if session is not None and session.kind is SessionKind.TOKEN:
        return TokenMayNot(f'this token is not one of "{names.printable(target)}"', hint="use a token of the account")
    if actor.operator is not None:
        return NotAnOperator()
    asked = sign_in_needed(target)
    return (
        asked if session is None else SignInNeeded(asked.message, hint=f"{asked.hint}; as an operator over it: {AS_OPERATOR}")
    )
