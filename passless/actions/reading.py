"""Looking, without changing: accounts at a glance, lists, what-if, checks, the audit trail.

On an embedded store whoever owns the file may look; on a server's store people look at themselves, operators at the accounts
below them too. A machine's token looks only where its rights say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec.structs import replace

from passless.actions import naming
from passless.actions.accounts import Found, find_id
from passless.actions.catching_up import catch_up
from passless.actions.parts import Access, Parts
from passless.actions.reaching import overseen, own_account, reach
from passless.actions.who import (
    Acting,
    NotAnOperator,
    SignInNeeded,
    TokenMayNot,
    Who,
    identify,
    operating,
    session_of,
)
from passless.domain import showing
from passless.domain.account import Account, AccountId
from passless.domain.audit import AuditEvent
from passless.domain.errors import ProofNeeded, Unavailable
from passless.domain.names import key
from passless.domain.policy import Finding, Policy
from passless.domain.safety.context import GIVES_NO_PROOF
from passless.domain.safety.next_steps import AtHand, Goal, Step, next_steps
from passless.domain.safety.operator_rules import may_act_on
from passless.domain.safety.ways_in import is_valid
from passless.domain.safety.what_if import Loss, Lost, after_losing, every_loss, lose
from passless.domain.secret import Secret
from passless.domain.sessions import OF_PROGRAMS, Session, SessionKind
from passless.domain.views import (
    AccountSummary,
    AccountView,
    AppPasswordView,
    DeviceView,
    PassView,
    SessionView,
    TokenView,
    WhatIfView,
)
from passless.ports import EventPlace, NoSuchAccount, Write
from passless.ports.directory import Actor


class PersonsAlone(ProofNeeded):
    """An operator asks what is the person's alone."""

    code = "operator-may-not"
    hint = "the person does it, signed in"
    default = "an operator cannot do this"


SEEN_EVERY = timedelta(minutes=1)  # how exactly the last use of a session is known; looking writes no more often


def _token_of(parts: Parts, actor: Actor) -> Session | None:
    """Return the session of a machine's token, where it is one that looks."""
    session = session_of(parts, actor)
    return session if session is not None and session.kind is SessionKind.TOKEN else None


def _may(parts: Parts, actor: Actor, right: str, account: Account | None) -> None:
    """Let a machine's token do what it names, on its own account; everybody else may look."""
    session = _token_of(parts, actor)
    if session is None:
        return
    if right not in session.rights:
        raise TokenMayNot(
            f'this token has no right "{right}"', hint=f"make one that has: passless token create NAME --may {right}"
        )
    if account is not None and account.id != session.account_id:
        raise TokenMayNot(f'this token is not one of "{account.name}"', hint="use a token of the account")


def look(parts: Parts, actor: Actor, target: str, right: str, *, equals: bool = False) -> tuple[Found, Who]:
    """Find an account for somebody who reads, and note that their session is in use."""
    now = parts.now()
    found = reach(parts, actor, target, now, equals=equals)
    _may(parts, actor, right, found.account)
    who = identify(parts, actor, found.account, need_session=False, equals=equals)
    if who.acting is not None:
        note_seen(parts, who.acting.session, now)
    elif who.session is not None:
        note_seen(parts, who.session, now, found)
    return found, who


def note_seen(parts: Parts, session: Session, now: datetime, found: Found | None = None) -> None:
    """Note that a session is in use; who looks is not to fail because somebody writes at the same moment."""
    if now < session.seen_at + SEEN_EVERY:
        return
    expected = None if found is None else found.version
    used = replace(session, seen_at=now)
    with suppress(Unavailable):
        parts.store.commit(Write(at=now, account_id=AccountId(session.account_id), expected=expected, updates=used))


def _look(parts: Parts, actor: Actor, target: str, right: str) -> Who:
    return look(parts, actor, target, right)[1]


def summaries(parts: Parts, actor: Actor, matching: str, after: str = "") -> Iterator[AccountSummary]:
    """Stream the accounts whose name contains the words, only those behind a name.

    A machine's token sees its own only; so do people on a server, but for operators, who see those below them as well.
    """
    if parts.access is Access.OWNER and _token_of(parts, actor) is None:
        return _summaries_of_all(parts, matching, after, None)
    acting = operating(parts, actor)
    if acting is not None:
        note_seen(parts, acting.session, parts.now())
        return _summaries_of_all(parts, matching, after, acting)
    own = own_account(parts, actor, parts.now())
    if own is None:
        raise SignInNeeded("sign in first")
    name = key(own.account.name)
    return iter([_summary(own.account, parts.now())] if key(matching) in name and name > key(after) else [])


def _summaries_of_all(parts: Parts, matching: str, after: str, acting: Acting | None) -> Iterator[AccountSummary]:
    now = parts.now()
    for stored in overseen(parts, acting, matching=key(matching), after=key(after)):
        caught_up = catch_up(stored.account, parts.rules, now)
        account = caught_up.account
        if not caught_up.deleted and (acting is None or account.id == acting.account.id or may_act_on(acting.account, account)):
            yield _summary(account, now)


def _summary(account: Account, now: datetime) -> AccountSummary:
    return AccountSummary(
        id=account.id,
        account=account.name,
        display_name=account.display_name,
        state=account.state(now),
        passwordless=account.passwordless,
        two_step=account.two_step,
        methods=len(account.methods),
        created_at=account.created_at,
    )


def account(parts: Parts, actor: Actor, target: str) -> AccountView:
    """Read an account at a glance."""
    found, who = look(parts, actor, target, "status")
    now = parts.now()
    return showing.account_view(
        found.account,
        profile=parts.profile,
        version=found.version,
        uses=parts.store.uses(found.account.id),
        notices=parts.store.notices(found.account.id),
        session=who.session,
        rules=parts.rules,
        now=now,
    )


def steps(parts: Parts, account: Account, goal: Goal | None, at_hand: AtHand) -> tuple[Step, ...]:
    """Return what is left to do towards a goal."""
    return next_steps(account, goal, at_hand, parts.rules, parts.now())


def next_steps_of(parts: Parts, actor: Actor, target: str, goal: Goal | None, at_hand: AtHand) -> tuple[Step, ...]:
    """Return what is left to do towards a goal on an account."""
    return steps(parts, _look(parts, actor, target, "status").account, goal, at_hand)


def is_recovery_code(parts: Parts, actor: Actor, target: str, code: Secret) -> bool:
    """Tell whether this is the account's saved recovery code, without using it; 125 bits need no throttle."""
    from passless.credentials.random_codes import check_recovery_code

    now = parts.now()
    who = identify(parts, actor, reach(parts, actor, target, now).account)
    if who.acting is not None:
        raise PersonsAlone  # operators learn no secret, not even whether they guessed one (must hold 9)
    return any(is_valid(one, now) and check_recovery_code(one.hash, code) for one in who.account.recovery_codes)


def app_passwords(parts: Parts, actor: Actor, target: str) -> tuple[AppPasswordView, ...]:
    """List the app passwords, without themselves."""
    account = _look(parts, actor, target, "list").account
    uses = parts.store.uses(account.id)
    return tuple(
        AppPasswordView(
            id=one.id,
            name=one.name,
            services=one.services,
            created_at=one.created_at,
            last_used_at=uses[one.id].last_used_at if one.id in uses else None,
            expires_at=one.expires_at,
            short=one.short,
            device=one.device,
        )
        for one in account.app_passwords
    )


def sessions(parts: Parts, actor: Actor, target: str) -> tuple[SessionView, ...]:
    """List the sessions of people."""
    who = _look(parts, actor, target, "list")
    names = {method.id: method.name for method in who.account.methods}
    now = parts.now()
    return tuple(
        SessionView(
            id=one.id,
            kind=one.kind,
            created_at=one.created_at,
            last_seen_at=one.seen_at,
            expires_at=one.expires_at,
            place=one.place,
            current=who.session is not None and one.id == who.session.id,
            methods=tuple(names[proof.method] for proof in one.proofs if proof.method in names),
            name=_relying_party(parts, one) if one.kind in OF_PROGRAMS else "",
            through=_through(one),
        )
        for one in parts.store.sessions(who.account.id)
        if one.kind is not SessionKind.TOKEN and not one.is_expired(now)
    )


def _through(session: Session) -> str:
    if session.kind in OF_PROGRAMS:
        return "program"
    return "browser" if session.in_browser else "terminal"


def _relying_party(parts: Parts, session: Session) -> str:
    """Return what a relying party's session is called: by its name, or its id once it was removed."""
    from passless.actions.relying_parties import find as find_party

    found = find_party(parts, session.name)
    return session.name if found is None else found[0].name


def tokens(parts: Parts, actor: Actor, target: str) -> tuple[TokenView, ...]:
    """List the tokens of machines."""
    who = _look(parts, actor, target, "list")
    names = {method.id: method.name for method in who.account.methods}
    now = parts.now()
    return tuple(
        TokenView(
            id=one.id,
            name=one.name,
            may=one.rights,
            created_at=one.created_at,
            last_used_at=one.seen_at if one.seen_at > one.created_at else None,
            expires_at=one.expires_at,
            methods=tuple(names[proof.method] for proof in one.proofs if proof.method in names),
            place=one.place,
        )
        for one in parts.store.sessions(who.account.id)
        if one.kind is SessionKind.TOKEN and not one.is_expired(now)
    )


def passes(parts: Parts, actor: Actor, target: str) -> tuple[PassView, ...]:
    """List the temporary pass, if there is one."""
    issued = _look(parts, actor, target, "list").account.temporary_pass
    if issued is None:
        return ()
    return (
        PassView(
            id=issued.id, issued_at=issued.issued_at, expires_at=issued.expires_at, once=issued.once, used_at=issued.used_at
        ),
    )


def devices(parts: Parts, actor: Actor, target: str) -> tuple[DeviceView, ...]:
    """List the devices, what is on each, and what its loss would do."""
    account = _look(parts, actor, target, "list").account
    return showing.device_views(account, parts.store.uses(account.id), parts.rules, parts.now())


def what_if(parts: Parts, actor: Actor, target: str, lost: Sequence[str]) -> tuple[WhatIfView, ...]:
    """Work out one loss of everything named, or every loss of one and of two things."""
    account, now = _look(parts, actor, target, "what-if").account, parts.now()
    if lost:
        wanted = [_lost(account, words) for words in lost]
        return (_what_if_view(parts, account, lose(account, wanted, parts.rules, now), now),)
    losses = [*every_loss(account, parts.rules, now), *every_loss(account, parts.rules, now, at_once=2)]
    return tuple(_what_if_view(parts, account, loss, now) for loss in losses)


def _lost(account: Account, words: str) -> Lost:
    prefix, _, _ = words.partition(":")
    if prefix == "method":
        return Lost(method=naming.method(account, words).id)
    if prefix == "device":
        return Lost(device=naming.device(account, words))
    try:
        return Lost(device=naming.device(account, words))
    except naming.NoSuchDevice:
        return Lost(method=naming.method(account, words).id)


def _what_if_view(parts: Parts, account: Account, loss: Loss, now: datetime) -> WhatIfView:
    after = after_losing(account, loss.lost, now)
    names = {method.id: method.name for method in account.methods}
    problems = showing.standing_problems(after, {}, parts.rules, now)
    return WhatIfView(
        lost=tuple(f"method:{names[one.method]}" if one.method is not None else str(one) for one in loss.lost),
        survives=loss.survives,
        ways_in=loss.ways_in,
        recovery=(*(("recovery-code",) if loss.recovery_code_helps else ()), "operator"),
        problems=tuple(showing.problem_view(problem) for problem in problems),
    )


def check(parts: Parts, actor: Actor, policy: Policy, targets: Sequence[str], after: str = "") -> Iterator[Finding]:
    """Hold accounts against a policy; all of them where none is named, which no machine's token may ask.

    A token that silently checked its own account in place of all would make a gate that is always open. On a server who is
    over all checks everybody, an operator over groups those below them and themselves, nobody else more than themselves.
    """
    from passless.domain.policy_check import findings

    _may(parts, actor, "check", None)
    now = parts.now()
    if targets:
        for target in targets:
            found, _ = look(parts, actor, target, "check")
            yield from findings(found.account, policy, parts.rules, now)
        return
    if _token_of(parts, actor) is not None:
        raise TokenMayNot("a token checks its own account only", hint="name it: passless check --account NAME --policy FILE")
    acting = operating(parts, actor)
    if parts.access is Access.NOBODY and acting is None:
        raise NotAnOperator(hint="name your own account: passless check --account NAME --policy FILE")
    for stored in overseen(parts, acting, after=key(after)):
        caught_up = catch_up(stored.account, parts.rules, now)
        if not caught_up.deleted and (acting is None or _oversees(acting, caught_up.account)):
            yield from findings(caught_up.account, policy, parts.rules, now)


def _oversees(acting: Acting, account: Account) -> bool:
    """Tell whether what an account did, and how it stands, is for an operator to know: over all, everything."""
    return not acting.rights.over or account.id == acting.account.id or may_act_on(acting.account, account)


def seen(parts: Parts, actor: Actor, target: str, notices: Sequence[str]) -> None:
    """Note that notices were shown to the person: never to a machine, nor to whoever came in through a recovery."""
    account = reach(parts, actor, target, parts.now()).account
    who = identify(parts, actor, account, need_session=False)
    if who.session is None or who.session.kind in GIVES_NO_PROOF:
        return
    own = {notice.id for notice in parts.store.notices(account.id)}
    shown = tuple(notice for notice in notices if notice in own)
    if shown:
        parts.store.commit(Write(at=parts.now(), shown=shown))


def events(
    parts: Parts, actor: Actor, target: str | None, since: datetime | None, after: EventPlace | None = None
) -> Iterator[AuditEvent]:
    """Stream the audit trail of one account, or of all; a machine's token reads that of its own account only.

    On a server who names no account gets their own trail, an operator that of everybody they oversee.
    """
    if target is not None:
        found, _ = look(parts, actor, target, "audit")
        return parts.store.events(found.account.id, since=since, after=after)
    if parts.access is Access.OWNER and _token_of(parts, actor) is None:
        return parts.store.events(None, since=since, after=after)
    acting = operating(parts, actor)
    if acting is not None:
        note_seen(parts, acting.session, parts.now())
        everything = parts.store.events(None, since=since, after=after)
        return everything if not acting.rights.over else _overseen(parts, acting, everything)
    own = own_account(parts, actor, parts.now())
    if own is None:
        raise SignInNeeded("sign in first")
    _may(parts, actor, "audit", own.account)
    return parts.store.events(own.account.id, since=since, after=after)


def _overseen(parts: Parts, acting: Acting, events: Iterator[AuditEvent]) -> Iterator[AuditEvent]:
    """Leave out the events of accounts that an operator is not over; of one that is gone nobody knows the groups."""
    known: dict[str, bool] = {"": False}
    for event in events:
        if event.account_id not in known:
            try:
                account = find_id(parts, event.account_id, parts.now()).account
            except NoSuchAccount:
                known[event.account_id] = False
            else:
                known[event.account_id] = _oversees(acting, account)
        if known[event.account_id]:
            yield event
