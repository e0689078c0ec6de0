"""Sessions and the tokens of machines: listing and ending them, making a token with named rights."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from passless.actions import describing, naming, nobody
from passless.actions.accounts import Found, find_id
from passless.actions.attempts import entry_of, note_failure
from passless.actions.changing import TRIES
from passless.actions.operators import check_may_ask
from passless.actions.parts import Parts
from passless.actions.reaching import reach
from passless.actions.request_errors import BadDuration
from passless.actions.sign_in_states import SIGN_IN
from passless.actions.who import Who, check_may_change, identify, place_of, session_of, token_hash
from passless.domain import names
from passless.domain.account import Account, AccountId, Version
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.endings import EVERYTHING
from passless.domain.errors import WrongUse
from passless.domain.methods import Kind
from passless.domain.recovery import Reporter
from passless.domain.refused import Refused
from passless.domain.requests import EndSessions, NewToken, RevokeToken
from passless.domain.safety.context import Problem
from passless.domain.safety.proof_rules import token_problems
from passless.domain.secret import Secret
from passless.domain.sessions import Session, SessionId, SessionKind, coming_of
from passless.domain.views import Ended, MadeToken
from passless.ports import VersionMoved, Write
from passless.ports.directory import Actor

LONGEST_TOKEN = timedelta(days=365)  # security.md, "token for a machine": at most a year
SHORTEST_TOKEN = timedelta(minutes=10)
RIGHTS = ("status", "check", "audit", "what-if", "list")  # none of them changes how anyone signs in (security.md)


class NoSuchRight(WrongUse):
    """A right that does not exist."""

    code = "no-such-right"
    hint = f"name some of: {', '.join(RIGHTS)}"


def make_token(parts: Parts, actor: Actor, target: str, request: NewToken, version: Version | None = None) -> MadeToken:
    """Make a token for a machine; it reads what its rights name and changes nothing.

    It knows the session it was made in and the methods that opened that, and ends with them; no proof in it is fresh.

    Raises:
        Refused: the proofs are weaker than an app password would ask, or rule 10 binds who asks.
    """
    from passless.credentials.random_codes import TOKEN_PREFIX, new_token

    now = parts.now()
    found = reach(parts, actor, target, now)
    who = identify(parts, actor, found.account)
    check_may_ask(parts, who, request, now)
    check_version(found, version)
    if found_problems := problems_of(parts, who, now):
        codes = ",".join(problem.code for problem in found_problems)
        refused = replace(_entry(who, "create-token", now, {"problems": codes}), outcome=Outcome.REFUSED)
        parts.store.commit(Write(at=now, events=(refused,)))
        raise Refused(found_problems)
    name = checked(parts, who.account, request, now)
    secret = new_token(parts.entropy, prefix=TOKEN_PREFIX)
    session = Session(
        id=SessionId(parts.new_id()),
        account_id=who.account.id,
        token_hash=token_hash(secret),
        kind=SessionKind.TOKEN,
        created_at=now,
        seen_at=now,
        expires_at=now + request.lifetime,
        place=who.place,
        name=name,
        rights=tuple(dict.fromkeys(request.rights)),
        proofs=() if who.session is None else tuple(proof.made_stale() for proof in who.session.proofs),
        came_of="" if who.session is None else who.session.line,
    )
    entry = _entry(who, "create-token", now, {"token": session.id, "name": name, "may": ",".join(session.rights)})
    parts.store.commit(
        Write(
            at=now,
            account_id=who.account.id,
            expected=found.version,
            opens=session,
            updates=None if who.session is None else replace(who.session, seen_at=now),
            notices=(_told(parts, who.account, name, now),),
            events=(entry,),
        )
    )
    return MadeToken(id=session.id, name=name, secret=secret, may=session.rights, expires_at=session.expires_at)


def problems_of(parts: Parts, who: Who, now: datetime) -> tuple[Problem, ...]:
    """Return what stands in the way of a token (rules 8 and 10)."""
    return tuple(token_problems(who.account, who.context(now), parts.rules))


def _told(parts: Parts, account: Account, name: str, now: datetime) -> Notice:
    """Tell everybody who is told of an app password; what it says to do ends tokens too."""
    message = f'a token for a machine was made: "{name}"; {describing.IF_NOT_YOU}'
    return Notice(id=parts.new_id(), account_id=account.id, at=now, code="create-token", message=message)


def checked(parts: Parts, account: Account, request: NewToken, now: datetime) -> str:
    """Return a new token's name when its name, rights and lifetime can be; else the error says which cannot."""
    name = names.clean(request.name, what="token's name")
    if any(names.are_same(one.name, name) for one in tokens_of(parts, account.id, now)):
        raise naming.NameInUse(
            f'there is a token "{name}" already', hint=f'choose another name, or: passless token revoke "{name}"'
        )
    for right in request.rights:
        if right not in RIGHTS:
            raise NoSuchRight(f'there is no right "{names.printable(right)}"')
    if not request.rights:
        raise NoSuchRight("a token needs at least one right")
    if not SHORTEST_TOKEN <= request.lifetime <= LONGEST_TOKEN:
        raise BadDuration("a token lives from 10 minutes to 365 days")
    return name


def check_version(found: Found, version: Version | None) -> None:
    """Refuse what was asked for an account as it was looked at, where it moved since (`If-Match`)."""
    if version is not None and found.version != version:
        raise VersionMoved


def tokens_of(parts: Parts, account_id: AccountId, now: datetime) -> list[Session]:
    """Return the tokens that still work."""
    everything = parts.store.sessions(account_id)
    return [one for one in everything if one.kind is SessionKind.TOKEN and not one.is_expired(now)]


def people_of(parts: Parts, account_id: AccountId, now: datetime) -> list[Session]:
    """Return the sessions of people that still hold."""
    return _holding(parts.store.sessions(account_id), now)


def _holding(sessions: Iterable[Session], now: datetime) -> list[Session]:
    return [one for one in sessions if one.kind is not SessionKind.TOKEN and not one.is_expired(now)]


def revoke_token(parts: Parts, actor: Actor, target: str, request: RevokeToken, version: Version | None = None) -> Ended:
    """Stop a token at once."""
    now = parts.now()
    found = reach(parts, actor, target, now)
    who = identify(parts, actor, found.account)
    check_version(found, version)
    token = naming.one_of(tokens_of(parts, who.account.id, now), request.token, naming.NoSuchToken, "token")
    return _end(parts, who, [token], "revoke-token", now)


def end_sessions(parts: Parts, actor: Actor, target: str, request: EndSessions, version: Version | None = None) -> Ended:
    """End one session with what was given in it, or all with the tokens of machines, the one in use among them."""
    for _ in range(TRIES):
        now = parts.now()
        found = reach(parts, actor, target, now)
        who = identify(parts, actor, found.account, leaves=None if request.all else request.session)
        check_version(found, version)
        try:
            if request.all:
                return _end_all(parts, who, "end-session", now)
            everything = parts.store.sessions(who.account.id)
            ended = next((one for one in _holding(everything, now) if one.id == request.session), None)
            if ended is None:
                raise naming.NoSuchSession(f'there is no session "{names.printable(request.session or "")}"')
            given = _holding(coming_of(ended, everything), now)
            return _end(parts, who, [ended, *given], "end-session", now, among=tuple(one.id for one in everything))
        except VersionMoved:
            continue  # somebody signed in at the same moment
    raise VersionMoved


def sign_out(parts: Parts, actor: Actor, *, everywhere: bool) -> int:
    """End the session in use, or all of its account and the tokens of machines; return how many ended.

    With the session end the tokens of relying parties that were given in it, but for what one goes on with while the person is
    away (OpenID Connect Core §11).
    """
    for _ in range(TRIES):
        session = session_of(parts, actor)
        if session is None:
            return 0
        now = parts.now()
        account = find_id(parts, session.account_id, now).account
        check_may_change(parts, actor, account, session, leaves=None if everywhere else session.id)
        who = Who(account=account, session=session, reporter=Reporter.SELF, name=account.name, place=place_of(actor))
        try:
            if everywhere:
                return len(_end_all(parts, who, "sign-out", now).ended)
            everything = parts.store.sessions(account.id)
            given = [one for one in _holding(coming_of(session, everything), now) if one.kind is SessionKind.CLIENT]
            ended = _end(parts, who, [session, *given], "sign-out", now, among=tuple(one.id for one in everything))
            return len(ended.ended)
        except VersionMoved:
            continue  # somebody signed in at the same moment
    raise VersionMoved


def _end_all(parts: Parts, who: Who, event: str, now: datetime) -> Ended:
    """End every session of the account; `VersionMoved` where another one was opened since they were read (must hold 7)."""
    everything = parts.store.sessions(who.account.id)
    among = tuple(one.id for one in everything)
    return _end(
        parts, who, [one for one in everything if not one.is_expired(now)], event, now, among=among, said={EVERYTHING: "yes"}
    )


def _end(
    parts: Parts,
    who: Who,
    sessions: list[Session],
    event: str,
    now: datetime,
    *,
    among: tuple[SessionId, ...] | None = None,
    said: dict[str, str] | None = None,
) -> Ended:
    ids = tuple(one.id for one in sessions)
    if ids or said:  # that nothing was to stay is told to programs also where no session is left here
        used = None if who.acting is None else replace(who.acting.session, seen_at=now)
        entry = _entry(who, event, now, {"sessions": ",".join(ids)} | (said or {}))
        write = Write(at=now, account_id=who.account.id, updates=used, ends=ids, among=among, events=(entry,))
        parts.store.commit(write)
    return Ended(ended=ids)


def _entry(who: Who, event: str, now: datetime, details: dict[str, str]) -> AuditEntry:
    return AuditEntry(
        at=now,
        actor=who.name,
        event=event,
        outcome=Outcome.DONE,
        account_id=who.account.id,
        account=who.account.name,
        place=who.place,
        details=details | who.said,
    )


def take_token(parts: Parts, actor: Actor, target: str, token: Secret) -> tuple[Account, Session]:
    """Return the account and the session behind a machine's token; `WrongProof` where it is not one of the account's."""
    from passless.credentials.proofs import WrongProof

    now = parts.now()
    account = nobody.someone(parts, target, now).account
    try:
        for _ in range(TRIES):
            session = parts.store.session(token_hash(token))
            if session is None or session.kind is not SessionKind.TOKEN or session.is_expired(now):
                raise WrongProof("token")
            if session.account_id != account.id:
                raise WrongProof("another account's token")
            entry = entry_of(account, actor, SIGN_IN, Outcome.DONE, now, {"kinds": Kind.TOKEN, "token": session.id})
            used = replace(session, seen_at=now)
            try:
                parts.store.commit(Write(at=now, updates=used, events=(entry,)))
            except VersionMoved:
                continue  # it ended, or was made anew, at the same moment
            return account, used
    except WrongProof as error:
        note_failure(parts, account, actor, Kind.TOKEN, error, now)
        raise
    raise VersionMoved
