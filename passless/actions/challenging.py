"""Beginning to sign in with a key or passkey: which credentials are named to whom, and what is kept of it.

Somebody signed in to the account is told what there is. To anybody else on a server every name has keys and passkeys: the
account's own stand among made-up ones, so that neither their number nor an error tells whether there are any (must hold 3;
WebAuthn L3 §14.6.2). A passkey is also asked for without a name; then no credential is named at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import Struct

from passless.actions import nobody, throttle
from passless.actions.accounts import find
from passless.actions.ceremonies import SIGN_IN, binding, new_ceremony_id, origin_of
from passless.actions.parts import Access, Parts
from passless.actions.who import session_of, session_on
from passless.domain.ceremonies import CEREMONY_LIFE, Ceremony
from passless.domain.errors import ProofNeeded
from passless.domain.methods import Credential, Kind, SignInMethod, credential_of, kind_of
from passless.domain.requests import SignInWith
from passless.domain.safety.ways_in import is_reachable
from passless.domain.sessions import Proof
from passless.ports import Write
from passless.ports.directory import Actor

CHALLENGED = (Kind.SECURITY_KEY, Kind.PASSKEY)


class SignInState(Struct, frozen=True, kw_only=True):
    """What we keep of a sign-in under way: the WebAuthn expectation as JSON, and the proofs that were right so far.

    `nobody` stands for a name without an account; `nameless` asks the passkey whose it is.
    """

    expected: bytes = b""
    proofs: tuple[Proof, ...] = ()
    accepts: tuple[Kind, ...] = ()
    nobody: str = ""
    nameless: bool = False


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
    if not target and request.kind is Kind.PASSKEY:
        throttle.check_source(parts, actor.place, throttle.Source.NAMELESS, now=now)
        challenge = _ask(parts, (), origin, verified=True)
        account_id, state = "", SignInState(expected=challenge.expected, nameless=True)
    elif parts.access is Access.NOBODY and not _knows(parts, actor, target, now):
        account_id, challenge, state = _begin_hidden(parts, target, request.kind, origin, now)
    else:
        account = find(parts, target, now).account
        lost = (method for loss in account.losses for method in loss.methods)
        challenge = ask(parts, (*account.methods, *lost), (request.kind,), origin, now)
        account_id, state = account.id, SignInState(expected=challenge.expected)
    ceremony = open_ceremony(parts, actor, account_id, state, now)
    parts.store.commit(Write(at=now, begins=ceremony))
    return ceremony, challenge.options, challenge.origin


def _knows(parts: Parts, actor: Actor, target: str, now: datetime) -> bool:
    """Tell whether the actor is signed in to the account that is meant."""
    if actor.token is None:
        return False
    account = nobody.someone(parts, target, now).account
    return session_on(parts, actor, account) is not None


def _begin_hidden(parts: Parts, target: str, kind: Kind, origin: str, now: datetime) -> tuple[str, Challenge, SignInState]:
    if kind not in CHALLENGED:
        raise NoMethod(f"nothing begins with {kind}", hint=f"begin with one of: {', '.join(CHALLENGED)}")
    account = nobody.someone(parts, target, now).account
    lost = (method for loss in account.losses for method in loss.methods)
    real = _credentials(parts, (*account.methods, *lost), (kind,), now)
    challenge = _ask(parts, nobody.hidden_among(parts, target, kind, real), origin, verified=kind is Kind.PASSKEY)
    if nobody.is_nobody(account):
        return "", challenge, SignInState(expected=challenge.expected, nobody=account.id)
    return account.id, challenge, SignInState(expected=challenge.expected)


def ask(parts: Parts, methods: Iterable[SignInMethod], kinds: tuple[Kind, ...], origin: str, now: datetime) -> Challenge:
    """Ask for a signature with one of these methods; `NoMethod` where there is none that can give one."""
    held = [one for one in methods if kind_of(one) in kinds and is_reachable(one, parts.rules, now)]
    allowed = _credentials(parts, held, kinds, now)
    if not allowed:
        raise NoMethod(f"the account has no {' or '.join(kinds)} to sign in with")
    return _ask(parts, allowed, origin, verified=all(getattr(one, "user_verified", True) for one in held))


def _credentials(
    parts: Parts, methods: Iterable[SignInMethod], kinds: tuple[Kind, ...], now: datetime
) -> tuple[Credential, ...]:
    held = (one for one in methods if kind_of(one) in kinds and is_reachable(one, parts.rules, now))
    return tuple(credential for one in held if (credential := credential_of(one)) is not None)


def _ask(parts: Parts, allowed: tuple[Credential, ...], origin: str, *, verified: bool) -> Challenge:
    from passless.credentials.passkey_sign_in import begin_sign_in
    from passless.credentials.passkeys import RelyingParty, UserVerification

    assert parts.rules.rp_id is not None  # an embedded store and a server always have one
    begun = begin_sign_in(
        RelyingParty(id=parts.rules.rp_id, name=parts.issuer),
        origin=origin,
        allowed=allowed,
        user_verification=UserVerification.REQUIRED if verified else UserVerification.PREFERRED,
        entropy=parts.entropy,
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
        session_id=binding(actor, session_of(parts, actor) if actor.visit else None),
    )
