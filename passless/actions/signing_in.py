"""Signing in: one proof or two, counted before they are checked, and a session at the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import proving, throttle
from passless.actions.accounts import Found, find, find_id
from passless.actions.catching_up import ended_for_good
from passless.actions.ceremonies import SIGN_IN, new_ceremony_id
from passless.actions.changing import TRIES
from passless.actions.parts import Parts
from passless.actions.who import place_of, session_on, token_hash
from passless.domain.account import Account
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.ceremonies import CEREMONY_LIFE, Ceremony, CeremonyId
from passless.domain.errors import PasslessError, ProofNeeded, WrongUse
from passless.domain.methods import Kind, Password, SignInMethod, credential_of, kind_of
from passless.domain.requests import Answer, SignInWith
from passless.domain.safety.context import GIVES_NO_PROOF
from passless.domain.safety.ways_in import is_reachable, opens, signs_in
from passless.domain.secret import Secret
from passless.domain.sessions import SESSION_LIFE, Proof, Session, SessionId, SessionKind
from passless.domain.use_state import Use
from passless.ports import VersionMoved, Write
from passless.ports.directory import Actor


class SignInState(Struct, frozen=True, kw_only=True):
    """What we keep of a sign-in under way: the WebAuthn expectation as JSON, and the proofs that were right so far."""

    expected: bytes = b""
    proofs: tuple[Proof, ...] = ()
    accepts: tuple[Kind, ...] = ()


class Attempt(Struct, frozen=True, kw_only=True):
    """Somebody at the door of an account as it is now. `ceremony` is the one they answer, if any."""

    actor: Actor
    found: Found
    now: datetime
    ceremony: Ceremony | None = None

    @property
    def account(self) -> Account:
        """The account as it is now."""
        return self.found.account

    @property
    def consumes(self) -> CeremonyId | None:
        """The ceremony that ends when the answer is right."""
        return None if self.ceremony is None else self.ceremony.id


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
    """Begin to sign in with a key or passkey; return the ceremony, the WebAuthn options as JSON, and the origin.

    What was reported lost may answer too: it signs nobody in, but proves that the report can be taken back.
    """
    now = parts.now()
    account = find(parts, target, now).account
    lost = [method for loss in account.losses for method in loss.methods]
    state, options, origin = _challenge(parts, (*account.methods, *lost), (request.kind,), request.origin, now)
    ceremony = _open_ceremony(parts, account, state, now)
    parts.store.commit(Write(at=now, begins=ceremony))
    return ceremony, options, origin


def _challenge(
    parts: Parts, methods: Sequence[SignInMethod], kinds: tuple[Kind, ...], origin: str | None, now: datetime
) -> tuple[SignInState, bytes, str]:
    from passless.credentials.passkey_sign_in import begin_sign_in
    from passless.credentials.passkeys import RelyingParty, UserVerification

    held = [one for one in methods if kind_of(one) in kinds and is_reachable(one, parts.rules, now)]
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
        id=new_ceremony_id(parts),
        purpose=SIGN_IN,
        account_id=account.id,
        created_at=now,
        expires_at=now + CEREMONY_LIFE,
        state=msgspec.json.encode(state),
    )


def sign_in(parts: Parts, actor: Actor, target: str, answer: Answer, ceremony: Ceremony | None = None) -> Opened | HalfWay:
    """Sign in, or add a proof to the session in use. With a ceremony it is its account, whatever the target.

    Raises:
        WrongProof, and its kin: the proof is not right; it is counted and in the audit trail.
        Throttled, SwitchedOff: too many were wrong before.
    """
    from passless.actions import temporary_passes

    first = parts.now()
    found = _found(parts, target, ceremony, first)
    try:
        throttle.count(parts, found.account.id, actor.place, answer.kind, now=first)
    except ProofNeeded as error:
        note_failure(parts, found.account, actor, answer.kind, error, first)
        raise
    for _ in range(TRIES):
        now = parts.now()
        at = Attempt(actor=actor, found=_found(parts, target, ceremony, now), now=now, ceremony=ceremony)
        try:
            if answer.kind is Kind.TEMPORARY_PASS:
                return temporary_passes.sign_in(parts, at, answer.text)
            return _with_proof(parts, at, answer)
        except VersionMoved:
            continue
        except (ProofNeeded, WrongUse) as error:  # an answer that cannot be read is an attempt too
            note_failure(parts, at.account, actor, answer.kind, error, now)
            raise
    raise VersionMoved


def _found(parts: Parts, target: str, ceremony: Ceremony | None, now: datetime) -> Found:
    return find(parts, target, now) if ceremony is None else find_id(parts, ceremony.account_id, now)


def note_failure(
    parts: Parts, account: Account, actor: Actor, kind: str, error: PasslessError, now: datetime, *, event: str = SIGN_IN
) -> None:
    """Record a wrong proof; the reason is for the audit trail only."""
    reason = str(getattr(error, "reason", error.code))
    entry = entry_of(account, actor, event, Outcome.FAILED, now, {"kind": kind, "reason": reason})
    cloned = _possible_clone(account, error)
    uses: tuple[Use, ...] = ()
    notices: tuple[Notice, ...] = ()
    if cloned is not None:
        uses = (Use(item=cloned.id, at=now, cloned=True),)
        message = f'"{cloned.name}" may have been copied: its counter went back, and the sign-in was refused'
        notices = (Notice(id=parts.new_id(), account_id=account.id, at=now, code="possible-clone", message=message),)
    parts.store.commit(Write(at=now, account_id=account.id, uses=uses, notices=notices, events=(entry,)))


def _possible_clone(account: Account, error: PasslessError) -> SignInMethod | None:
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
        place=place_of(actor),
        details=details,
    )


def _with_proof(parts: Parts, at: Attempt, answer: Answer) -> Opened | HalfWay:
    account = at.account
    state = SignInState() if at.ceremony is None else msgspec.json.decode(at.ceremony.state, type=SignInState)
    proven = proving.check(parts, account, answer, state.expected or None, at.now)
    proofs = (*state.proofs, proven.proof)
    methods = [one for one in account.methods if one.id in {proof.method for proof in proofs}]
    counted = [one for one in methods if signs_in(one, parts.rules, at.now)]
    current = _current(parts, at)
    kept = _rehashed(parts, account, answer)
    if current is None and not opens(counted, two_step=account.two_step, among=account.methods):
        return _half_way(parts, at, kept, proofs, proven.use)
    return _open(parts, at, kept, proofs, proven.use, current)


def _rehashed(parts: Parts, account: Account, answer: Answer) -> Account:
    """Return the account with its password, right just now, hashed as new ones are (security.md, "password hash")."""
    from passless.credentials import passwords

    password = account.password
    if answer.kind is not Kind.PASSWORD or password is None or not passwords.needs_rehash(password.hash):
        return account
    fresh = replace(password, hash=passwords.hash_password(answer.text, parts.entropy))
    return replace(account, methods=tuple(fresh if isinstance(one, Password) else one for one in account.methods))


def _current(parts: Parts, at: Attempt) -> Session | None:
    """Return the session that a further proof strengthens; one that gives no proof for changes is left behind."""
    session = session_on(parts, at.actor, at.account)
    return None if session is None or session.kind in GIVES_NO_PROOF else session


def _half_way(parts: Parts, at: Attempt, kept: Account, proofs: tuple[Proof, ...], use: Use) -> HalfWay:
    account = at.account
    accepts = _accepted_next(parts, account, proofs, at.now)
    if not accepts:
        raise NoMethod("the account asks for a second proof, and has nothing else to prove it with")
    signed = tuple(kind for kind in accepts if kind in proving.SIGNED)
    state, options, origin = _challenge(parts, account.methods, signed, None, at.now) if signed else (SignInState(), b"", "")
    ceremony = _open_ceremony(parts, account, replace(state, proofs=proofs, accepts=accepts), at.now)
    entry = entry_of(account, at.actor, "sign-in-first-proof", Outcome.DONE, at.now, {"kind": proofs[-1].kind or ""})
    parts.store.commit(
        Write(
            at=at.now,
            account=_kept_if_moved(at.found, kept),
            account_id=account.id,
            expected=at.found.version,
            uses=(use,),
            consumes=at.consumes,
            begins=ceremony,
            ended=tuple(ended_for_good(at.found.stored, kept)),
            notices=at.found.caught_up.notices,
            events=(*at.found.caught_up.events, entry),
        )
    )
    return HalfWay(ceremony=ceremony, accepts=accepts, options=options, origin=origin)


def _kept_if_moved(found: Found, after: Account) -> Account | None:
    """Return what is to be stored of an account: nothing where it is what was read."""
    return after if after != found.stored else None


def _accepted_next(parts: Parts, account: Account, proofs: tuple[Proof, ...], now: datetime) -> tuple[Kind, ...]:
    """Return the kinds that, together with these proofs, sign in."""
    ids = {proof.method for proof in proofs}
    given = [one for one in account.methods if one.id in ids]
    others: list[SignInMethod] = [one for one in account.methods if one.id not in ids and signs_in(one, parts.rules, now)]
    completing = [one for one in others if opens([*given, one], two_step=account.two_step, among=account.methods)]
    return tuple(dict.fromkeys(kind_of(one) for one in completing))


def _open(parts: Parts, at: Attempt, kept: Account, proofs: tuple[Proof, ...], use: Use, current: Session | None) -> Opened:
    account, now = kept, at.now
    if current is not None and at.actor.token is not None:
        ids = {proof.method for proof in proofs}
        others = tuple(proof for proof in current.proofs if proof.method not in ids)
        session, token = replace(current, proofs=(*others, *proofs), seen_at=now), at.actor.token
    else:
        session, token = new_session(parts, account, SessionKind.DIRECT, place_of(at.actor), proofs, SESSION_LIFE, now)
    kinds = [proof.kind for proof in proofs if proof.kind is not None]
    entry = entry_of(account, at.actor, "sign-in", Outcome.DONE, now, {"kinds": ",".join(kinds)})
    parts.store.commit(
        Write(
            at=now,
            account=_kept_if_moved(at.found, account),
            account_id=account.id,
            expected=at.found.version,
            uses=(use,),
            consumes=at.consumes,
            opens=session if current is None else None,
            updates=session if current is not None else None,
            ended=tuple(ended_for_good(at.found.stored, account)),
            notices=at.found.caught_up.notices,
            events=(*at.found.caught_up.events, entry),
            forgives=throttle.forgiven(account.id, at.actor.place, kinds),
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
    *,
    name: str = "",
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
        name=name,
    )
    return session, token
