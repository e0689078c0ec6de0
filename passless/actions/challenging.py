"""Beginning to sign in with a key or passkey: which credentials are named to whom, and what is known of it then.

Somebody signed in to the account is told what there is. To anybody else on a server every name has keys and passkeys
(`made_up_credentials`). A passkey is also asked for without a name; then no credential is named at all. A server keeps
nothing of what was begun (`sign_in_states`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import Struct

from passless.actions import made_up_credentials, nobody, throttle
from passless.actions.accounts import find
from passless.actions.ceremonies import binding, new_ceremony_id, origin_of
from passless.actions.parts import Access, Parts
from passless.actions.sign_in_states import SIGN_IN, SignInState, are_handed_out, hand_out
from passless.actions.who import session_of, session_on
from passless.credentials.passkey_sign_in import begin_sign_in
from passless.credentials.passkeys import RelyingParty, UserVerification
from passless.domain.account import Account
from passless.domain.ceremonies import CEREMONY_LIFE, Ceremony
from passless.domain.errors import ProofNeeded
from passless.domain.methods import Credential, Kind, SignInMethod, credential_of, kind_of
from passless.domain.requests import SignInWith
from passless.domain.safety.ways_in import is_reachable
from passless.ports import Write
from passless.ports.directory import Actor

CHALLENGED = (Kind.SECURITY_KEY, Kind.PASSKEY)
HINTS = {Kind.SECURITY_KEY: ("security-key",)}  # what a browser offers first, which no transport tells it (WebAuthn L3 §5.8.7)


class Question(Struct, frozen=True, kw_only=True):
    """What is asked of whom: the id of an account or of nobody, or nothing where the passkey says whose it is."""

    who: str = ""
    allowed: tuple[Credential, ...] = ()
    verified: bool = True
    hints: tuple[str, ...] = ()


class Challenge(Struct, frozen=True, kw_only=True):
    """A question to keys and passkeys: what is kept of it, the options as JSON, and the origin of the answer."""

    expected: bytes = b""
    options: bytes = b""
    origin: str = ""


class NoMethod(ProofNeeded):
    """There is nothing on the account to begin with."""

    code = "wrong-proof"
    hint = "see what the account has: passless method list"


def begin(parts: Parts, actor: Actor, target: str, request: SignInWith) -> tuple[Ceremony, bytes, str]:
    """Begin to sign in with a key or passkey; return the ceremony, the WebAuthn options as JSON, and the origin.

    What was reported lost may answer too: it signs nobody in, but proves that the report can be taken back.

    Raises:
        WrongOrigin: a server's keys and passkeys answer to its own address only.
        Throttled: from this source passkeys without a name were wrong too often.
        NoMethod: there is nothing of that kind to ask for.
    """
    now = parts.now()
    origin = origin_of(parts, request.origin)
    question = _question(parts, actor, target, request.kind, now)
    if are_handed_out(parts):
        bound = _bound(parts, actor)
        handed = hand_out(parts, question.who, bound, verified=question.verified, now=now)
        return handed.ceremony, _put(parts, question, origin, challenge=handed.challenge).options, origin
    challenge = _put(parts, question, origin)
    state = SignInState(expected=challenge.expected, nameless=not question.who)
    ceremony = open_ceremony(parts, actor, question.who, state, now)
    parts.store.commit(Write(at=now, begins=ceremony))
    return ceremony, challenge.options, challenge.origin


def _question(parts: Parts, actor: Actor, target: str, kind: Kind, now: datetime) -> Question:
    if not target and kind is Kind.PASSKEY:
        throttle.check_source(parts, actor.place, throttle.Source.NAMELESS, now=now)
        return Question()
    if parts.access is Access.NOBODY and not _knows(parts, actor, target, now):
        return _hidden(parts, target, kind, now)
    account = find(parts, target, now).account
    return _open_question(parts, account.id, (*account.methods, *_lost(account)), (kind,), now)


def _knows(parts: Parts, actor: Actor, target: str, now: datetime) -> bool:
    """Tell whether the actor is signed in to the account that is meant."""
    if actor.token is None:
        return False
    account = nobody.someone(parts, target, now).account
    return session_on(parts, actor, account) is not None


def _hidden(parts: Parts, target: str, kind: Kind, now: datetime) -> Question:
    if kind not in CHALLENGED:
        raise NoMethod(f"nothing begins with {kind}", hint=f"begin with one of: {', '.join(CHALLENGED)}")
    account = nobody.someone(parts, target, now).account
    real = _credentials(_held(parts, (*account.methods, *_lost(account)), (kind,), now))
    return Question(
        who=account.id,
        allowed=made_up_credentials.hidden_among(parts, target, kind, real),
        verified=kind is Kind.PASSKEY,
        hints=HINTS.get(kind, ()),
    )


def ask(parts: Parts, account: Account, kinds: tuple[Kind, ...], origin: str, now: datetime) -> Challenge:
    """Ask for a signature with a method of an account that somebody is half signed in to; `NoMethod` where there is none."""
    return _put(parts, _open_question(parts, account.id, account.methods, kinds, now), origin)


def _open_question(parts: Parts, who: str, methods: Iterable[SignInMethod], kinds: tuple[Kind, ...], now: datetime) -> Question:
    held = _held(parts, methods, kinds, now)
    allowed = _credentials(held)
    if not allowed:
        raise NoMethod(f"the account has no {' or '.join(kinds)} to sign in with")
    return Question(who=who, allowed=allowed, verified=all(getattr(one, "user_verified", True) for one in held))


def _lost(account: Account) -> Iterable[SignInMethod]:
    return (method for loss in account.losses for method in loss.methods)


def _held(parts: Parts, methods: Iterable[SignInMethod], kinds: tuple[Kind, ...], now: datetime) -> tuple[SignInMethod, ...]:
    return tuple(one for one in methods if kind_of(one) in kinds and is_reachable(one, parts.rules, now))


def _credentials(held: Iterable[SignInMethod]) -> tuple[Credential, ...]:
    return tuple(credential for one in held if (credential := credential_of(one)) is not None)


def _put(parts: Parts, question: Question, origin: str, *, challenge: bytes = b"") -> Challenge:
    """Put a question into the words of WebAuthn, with a challenge of its own where none is given."""
    assert parts.rules.rp_id is not None  # an embedded store and a server always have one
    begun = begin_sign_in(
        RelyingParty(id=parts.rules.rp_id, name=parts.issuer),
        origin=origin,
        allowed=question.allowed,
        user_verification=UserVerification.REQUIRED if question.verified else UserVerification.PREFERRED,
        hints=question.hints,
        entropy=(lambda _: challenge) if challenge else parts.entropy,
    )
    return Challenge(expected=msgspec.json.encode(begun.expected), options=msgspec.json.encode(begun.options), origin=origin)


def open_ceremony(parts: Parts, actor: Actor, account_id: str, state: SignInState, now: datetime) -> Ceremony:
    """Make a ceremony that proves a method; in a browser it is bound to the visit, and to the session if there is one."""
    return Ceremony(
        id=new_ceremony_id(parts),
        purpose=SIGN_IN,
        account_id=account_id,
        created_at=now,
        expires_at=now + CEREMONY_LIFE,
        state=msgspec.json.encode(state),
        session_id=_bound(parts, actor),
    )


def _bound(parts: Parts, actor: Actor) -> str:
    return binding(actor, session_of(parts, actor) if actor.visit else None)
