"""Signing in: one proof or two, counted before they are checked, and a session at the end."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import proving, throttle
from passless.actions.accounts import Found, find
from passless.actions.ceremonies import NoSuchCeremony, new_ceremony_id
from passless.actions.changing import TRIES, ended_for_good
from passless.actions.parts import Parts
from passless.actions.who import session_of, token_hash
from passless.domain.account import Account
from passless.domain.applying import apply
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.ceremonies import CEREMONY_LIFE, Ceremony, CeremonyId
from passless.domain.changes import StartRecovery
from passless.domain.errors import ProofNeeded
from passless.domain.methods import Kind, SignInMethod, credential_of, kind_of
from passless.domain.requests import Answer, SignInWith
from passless.domain.safety.context import GIVES_NO_PROOF
from passless.domain.safety.ways_in import is_reachable, opens, signs_in
from passless.domain.secret import Secret
from passless.domain.sessions import SESSION_LIFE, Proof, Session, SessionId, SessionKind
from passless.domain.use_state import Use
from passless.ports import VersionMoved, Write
from passless.ports.directory import Actor

ONE_TIME_PASS_LIFE = timedelta(minutes=10)  # features.md, "temporary pass": a one-time pass enrols within 10 minutes


class SignInState(Struct, frozen=True, kw_only=True):
    """What we keep of a sign-in under way: the WebAuthn expectation as JSON, and the proofs that were right so far."""

    expected: bytes = b""
    proofs: tuple[Proof, ...] = ()
    accepts: tuple[Kind, ...] = ()


class Opened(Struct, frozen=True, kw_only=True):
    """A session began, or had a proof added; then `token` is the one that was given."""

    account: Account
    session: Session
    token: Secret


class HalfWay(Struct, frozen=True, kw_only=True):
    """The first of two proofs was right."""

    ceremony: Ceremony
    accepts: tuple[Kind, ...]
    options: bytes = b""
    origin: str = ""


class NoMethod(ProofNeeded):
    """There is nothing on the account to begin with."""

    code = "wrong-proof"
    hint = "see what the account has: passless method list"


def begin(parts: Parts, target: str, request: SignInWith) -> tuple[Ceremony, bytes, str]:
    """Begin to sign in with a key or passkey; return the ceremony, the WebAuthn options as JSON, and the origin."""
    now = parts.now()
    account = find(parts, target, now).account
    state, options, origin = _challenge(parts, account, (request.kind,), request.origin, now)
    ceremony = _open_ceremony(parts, account, state, now)
    parts.store.commit(Write(at=now, begins=ceremony))
    return ceremony, options, origin


def _challenge(
    parts: Parts, account: Account, kinds: tuple[Kind, ...], origin: str | None, now: datetime
) -> tuple[SignInState, bytes, str]:
    from passless.credentials.passkey_sign_in import begin_sign_in
    from passless.credentials.passkeys import RelyingParty, UserVerification

    held = [one for one in account.methods if kind_of(one) in kinds and is_reachable(one, parts.rules, now)]
    allowed = [credential for one in held if (credential := credential_of(one)) is not None]
    if not allowed:
        raise NoMethod(f"the account has no {' or '.join(kinds)} to sign in with")
    assert parts.rules.rp_id is not None  # an embedded store and a server always have one
    party = RelyingParty(id=parts.rules.rp_id, name=parts.issuer)
    verified = all(getattr(one, "user_verified", True) for one in held)
    begun = begin_sign_in(
        party,
        origin=origin or party.terminal_origin,
        allowed=allowed,
        user_verification=UserVerification.REQUIRED if verified else UserVerification.PREFERRED,
        entropy=parts.entropy,
    )
    state = SignInState(expected=msgspec.json.encode(begun.expected))
    return state, msgspec.json.encode(begun.options), begun.expected.origin


def _open_ceremony(parts: Parts, account: Account, state: SignInState, now: datetime) -> Ceremony:
    return Ceremony(
        id=CeremonyId(new_ceremony_id(parts)),
        purpose="sign-in",
        account_id=account.id,
        created_at=now,
        expires_at=now + CEREMONY_LIFE,
        state=msgspec.json.encode(state),
    )


def sign_in(parts: Parts, actor: Actor, target: str, answer: Answer, ceremony: Ceremony | None = None) -> Opened | HalfWay:
    """Sign in, or add a proof to the session in use.

    Raises:
        WrongProof, and its kin: the proof is not right; it is counted and in the audit trail.
        Throttled, SwitchedOff: too many were wrong before.
    """
    for _ in range(TRIES):
        now = parts.now()
        found = find(parts, target, now)
        throttle.count(parts, found.account.id, actor.place, guessable=answer.kind in proving.GUESSABLE, now=now)
        try:
            if answer.kind is Kind.TEMPORARY_PASS:
                return _with_pass(parts, actor, found, answer, now)
            return _with_proof(parts, actor, found, answer, ceremony, now)
        except VersionMoved:
            continue
        except ProofNeeded as error:
            note_failure(parts, found.account, actor, answer.kind, error, now)
            raise
    raise VersionMoved


def note_failure(parts: Parts, account: Account, actor: Actor, kind: Kind, error: ProofNeeded, now: datetime) -> None:
    """Record a wrong proof; the reason is for the audit trail only."""
    reason = str(getattr(error, "reason", error.code))
    entry = entry_of(account, actor, "sign-in", Outcome.FAILED, now, {"kind": kind, "reason": reason})
    cloned = _possible_clone(account, error)
    uses: tuple[Use, ...] = ()
    notices: tuple[Notice, ...] = ()
    if cloned is not None:
        uses = (Use(item=cloned.id, at=now, cloned=True),)
        message = f'"{cloned.name}" may have been copied: its counter went back, and the sign-in was refused'
        notices = (Notice(id=parts.new_id(), account_id=account.id, at=now, code="possible-clone", message=message),)
    parts.store.commit(Write(at=now, uses=uses, notices=notices, events=(entry,)))


def _possible_clone(account: Account, error: ProofNeeded) -> SignInMethod | None:
    credential_id = getattr(error, "credential_id", None)
    held = ((one, credential_of(one)) for one in account.methods)
    return next((one for one, credential in held if credential is not None and credential.id == credential_id), None)


def entry_of(
    account: Account, actor: Actor, event: str, outcome: Outcome, now: datetime, details: dict[str, str]
) -> AuditEntry:
    """Return an audit entry of the person's own doing."""
    return AuditEntry(
        at=now,
        actor=account.name,
        event=event,
        outcome=outcome,
        account_id=account.id,
        account=account.name,
        place=actor.place,
        details=details,
    )


def _with_proof(
    parts: Parts, actor: Actor, found: Found, answer: Answer, ceremony: Ceremony | None, now: datetime
) -> Opened | HalfWay:
    account = found.account
    state = SignInState() if ceremony is None else msgspec.json.decode(ceremony.state, type=SignInState)
    if ceremony is not None and ceremony.account_id != account.id:
        raise NoSuchCeremony
    proven = proving.check(parts, account, answer, state.expected or None, now)
    proofs = (*state.proofs, proven.proof)
    methods = [one for one in account.methods if one.id in {proof.method for proof in proofs}]
    counted = [one for one in methods if signs_in(one, parts.rules, now)]
    current = _current(parts, actor, account)
    consumes = ceremony.id if ceremony is not None else None
    if current is None and not opens(counted, two_step=account.two_step, among=account.methods):
        return _half_way(parts, actor, found, proofs, proven.use, consumes, now)
    return _open(parts, actor, found, proofs, proven.use, consumes, current, now)


def _current(parts: Parts, actor: Actor, account: Account) -> Session | None:
    """Return the session that a further proof strengthens; one that gives no proof for changes is left behind."""
    session = session_of(parts, actor)
    if session is None or session.account_id != account.id or session.kind in GIVES_NO_PROOF:
        return None
    return session


def _half_way(
    parts: Parts,
    actor: Actor,
    found: Found,
    proofs: tuple[Proof, ...],
    use: Use,
    consumes: CeremonyId | None,
    now: datetime,
) -> HalfWay:
    account = found.account
    accepts = accepted_next(parts, account, proofs, now)
    if not accepts:
        raise NoMethod("the account asks for a second proof, and has nothing else to prove it with")
    signed = tuple(kind for kind in accepts if kind in proving.SIGNED)
    state, options, origin = _challenge(parts, account, signed, None, now) if signed else (SignInState(), b"", "")
    ceremony = _open_ceremony(parts, account, replace(state, proofs=proofs, accepts=accepts), now)
    entry = entry_of(account, actor, "sign-in-first-proof", Outcome.DONE, now, {"kind": proofs[-1].kind or ""})
    parts.store.commit(Write(at=now, uses=(use,), consumes=consumes, begins=ceremony, events=(entry,)))
    return HalfWay(ceremony=ceremony, accepts=accepts, options=options, origin=origin)


def accepted_next(parts: Parts, account: Account, proofs: tuple[Proof, ...], now: datetime) -> tuple[Kind, ...]:
    """Return the kinds that, together with these proofs, sign in."""
    ids = {proof.method for proof in proofs}
    given = [one for one in account.methods if one.id in ids]
    others: list[SignInMethod] = [one for one in account.methods if one.id not in ids and signs_in(one, parts.rules, now)]
    completing = [one for one in others if opens([*given, one], two_step=account.two_step, among=account.methods)]
    return tuple(dict.fromkeys(kind_of(one) for one in completing))


def _open(
    parts: Parts,
    actor: Actor,
    found: Found,
    proofs: tuple[Proof, ...],
    use: Use,
    consumes: CeremonyId | None,
    current: Session | None,
    now: datetime,
) -> Opened:
    account = found.account
    if current is not None and actor.token is not None:
        ids = {proof.method for proof in proofs}
        kept = tuple(proof for proof in current.proofs if proof.method not in ids)
        session, token = replace(current, proofs=(*kept, *proofs), seen_at=now), actor.token
    else:
        session, token = new_session(parts, account, SessionKind.DIRECT, actor.place, proofs, SESSION_LIFE, now)
    entry = entry_of(account, actor, "sign-in", Outcome.DONE, now, {"kinds": ",".join(proof.kind or "" for proof in proofs)})
    parts.store.commit(
        Write(
            at=now,
            account=account if found.moved else None,
            expected=found.version if found.moved else None,
            uses=(use,),
            consumes=consumes,
            opens=session if current is None else None,
            updates=session if current is not None else None,
            ended=tuple(ended_for_good(found.stored, account)),
            events=(*found.caught_up.events, entry),
            forgives=throttle.keys(account.id, actor.place),
        )
    )
    return Opened(account=account, session=session, token=token)


def new_session(
    parts: Parts,
    account: Account,
    kind: SessionKind,
    place: str,
    proofs: tuple[Proof, ...],
    life: timedelta,
    now: datetime,
) -> tuple[Session, Secret]:
    """Make a session and the token that stands for it; only its hash is stored."""
    from passless.credentials.random_codes import new_token

    token = new_token(parts.entropy)
    session = Session(
        id=SessionId(parts.new_id()),
        account_id=account.id,
        token_hash=token_hash(token),
        kind=kind,
        created_at=now,
        seen_at=now,
        expires_at=now + life,
        place=place,
        proofs=proofs,
    )
    return session, token


def _with_pass(parts: Parts, actor: Actor, found: Found, answer: Answer, now: datetime) -> Opened:
    """Sign in with a temporary pass, which begins a recovery: rule 10 says what may be done then."""
    from passless.credentials import passwords, random_codes
    from passless.credentials.proofs import WrongProof

    account, issued = found.account, found.account.temporary_pass
    if issued is None or now >= issued.expires_at or (issued.once and issued.used_at is not None):
        passwords.verify_nothing(random_codes.as_typed(answer.text))
        raise WrongProof("no pass, or used")
    if not random_codes.verify_temporary_pass(issued.hash, answer.text):
        raise WrongProof("temporary pass")
    after = replace(account, temporary_pass=replace(issued, used_at=now))
    events = list(found.caught_up.events)
    if after.recovery is None:
        after = apply(after, StartRecovery(by=issued.issued_by), now=now)
        events.append(entry_of(account, actor, "start-recovery", Outcome.DONE, now, {"by": issued.issued_by}))
    life = ONE_TIME_PASS_LIFE if issued.once else min(SESSION_LIFE, issued.expires_at - now)
    session, token = new_session(parts, account, SessionKind.TEMPORARY_PASS, actor.place, (), life, now)
    events.append(entry_of(account, actor, "sign-in", Outcome.DONE, now, {"kinds": Kind.TEMPORARY_PASS}))
    parts.store.commit(
        Write(
            at=now,
            account=after,
            expected=found.version,
            opens=session,
            ended=(issued.id,) if issued.once else (),
            events=tuple(events),
            forgives=throttle.keys(account.id, actor.place),
        )
    )
    return Opened(account=after, session=session, token=token)
