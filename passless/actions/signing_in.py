"""Signing in: one proof or two, counted before they are checked, and a session at the end."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from functools import lru_cache

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import nobody, proving, throttle
from passless.actions.accounts import Found, find_credential, find_id
from passless.actions.attempts import Attempt, Opened, entry_of, new_session, note_failure
from passless.actions.catching_up import ended_for_good
from passless.actions.ceremonies import NoSuchCeremony, origin_of
from passless.actions.challenging import Challenge, NoMethod, ask, open_ceremony
from passless.actions.changing import TRIES
from passless.actions.parts import Parts
from passless.actions.renewing import renewed
from passless.actions.sign_in_states import SignInState
from passless.actions.who import place_of, session_on
from passless.credentials.cose_keys import BadResponse
from passless.credentials.passkey_sign_in import read_sign_in
from passless.domain.account import Account
from passless.domain.audit import Outcome
from passless.domain.ceremonies import Ceremony
from passless.domain.errors import ProofNeeded, WrongUse
from passless.domain.methods import Kind, Password, SignInMethod, kind_of
from passless.domain.requests import Answer
from passless.domain.safety.context import GIVES_NO_PROOF
from passless.domain.safety.ways_in import opens, signs_in
from passless.domain.sessions import SESSION_LIFE, Proof, Session, SessionKind
from passless.domain.use_state import Use
from passless.ports import NoSuchAccount, VersionMoved, Write
from passless.ports.directory import Actor

_decode_state = msgspec.json.Decoder(SignInState).decode
TYPED = (Kind.PASSWORD, Kind.TOTP, Kind.TEMPORARY_PASS)  # what is proven without a question


class Origin(Struct, frozen=True):
    """The part of a WebAuthn expectation that a second question goes on with."""

    origin: str


class HalfWay(Struct, frozen=True, kw_only=True):
    """The first of two proofs was right."""

    ceremony: Ceremony
    accepts: tuple[Kind, ...]
    proven: tuple[str, ...] = ()
    options: bytes = b""
    origin: str = ""


class ProvesNothing(WrongUse):
    """What signs nobody in here is neither checked nor counted nor written down."""

    code = "proves-nothing"
    hint = "sign in with a password, a code of an app, a temporary pass, or begin with a key or a passkey"


def sign_in(parts: Parts, actor: Actor, target: str, answer: Answer, ceremony: Ceremony | None = None) -> Opened | HalfWay:
    """Sign in, or add a proof to the session in use. With a ceremony it is its account, whatever the target.

    On a server a name without an account goes the same way, and nothing proves it.

    Raises:
        ProvesNothing: this kind of answer signs in nobody, or not without a question.
        WrongProof, and its kin: the proof is not right; it is counted and in the audit trail.
        Throttled, SwitchedOff: too many were wrong before.
    """
    if answer.kind not in TYPED and (ceremony is None or answer.kind not in proving.SIGNED):
        raise ProvesNothing(f'"{answer.kind}" signs nobody in this way')
    now = parts.now()
    found: Found | None = _found(parts, target, ceremony, answer, now)
    assert found is not None
    source = None if session_on(parts, actor, found.account) is not None else _source(ceremony, answer)
    if source is not None:
        throttle.check_source(parts, actor.place, source, now=now, account_id=found.account.id)
    account, counted = found.account, False
    try:
        for _ in range(TRIES):
            found = found or _found(parts, target, ceremony, answer, now)
            account = found.account
            if not counted:
                _count(parts, account, actor, answer.kind, now)
                counted = True
            at = Attempt(actor=actor, found=found, now=now, ceremony=ceremony)
            try:
                return _try(parts, at, answer)
            except VersionMoved:
                found, now = None, parts.now()
        raise VersionMoved
    except (ProofNeeded, WrongUse) as error:  # an answer that cannot be read is an attempt too
        held_up = source is not None and throttle.count_source(parts, actor.place, source, now=now)
        note_failure(parts, account, actor, answer.kind, error, now, held_up=held_up)
        raise


def _try(parts: Parts, at: Attempt, answer: Answer) -> Opened | HalfWay:
    if answer.kind is Kind.TEMPORARY_PASS:
        from passless.actions import temporary_passes

        return temporary_passes.sign_in(parts, at, answer.text)
    return _with_proof(parts, at, answer)


def _count(parts: Parts, account: Account, actor: Actor, kind: Kind, now: datetime) -> None:
    """Count an attempt before it is checked."""
    if kind is Kind.TEMPORARY_PASS:
        throttle.count_pass(parts, account.id, actor.place, now=now)
    else:
        throttle.count(parts, account.id, actor.place, kind, now=now)


def _source(ceremony: Ceremony | None, answer: Answer) -> throttle.Source | None:
    """Return what a source's wrong answers are counted as; keys and passkeys wait for nobody but where no name was given."""
    if ceremony is not None and _state(ceremony).nameless:
        return throttle.Source.NAMELESS
    return throttle.Source.PROOF if answer.kind in throttle.COUNTED else None


def _state(ceremony: Ceremony) -> SignInState:
    return _read_state(ceremony.state)


@lru_cache(maxsize=16)  # asked several times for one answer
def _read_state(state: bytes) -> SignInState:
    return _decode_state(state)


def _found(parts: Parts, target: str, ceremony: Ceremony | None, answer: Answer, now: datetime) -> Found:
    if ceremony is None:
        return nobody.someone(parts, target, now)
    state = _state(ceremony)
    if state.nameless:
        return _owner_of(parts, answer, now)
    if state.nobody:
        stand_in = nobody.nobody(parts, state.nobody, now)
        nobody.look_for(parts, stand_in.account.id)
        return stand_in
    try:
        return find_id(parts, ceremony.account_id, now)
    except NoSuchAccount as error:
        raise NoSuchCeremony from error


def _owner_of(parts: Parts, answer: Answer, now: datetime) -> Found:
    """Return the account that a passkey says it is of; nobody's where no account has its credential."""
    if answer.kind is not Kind.PASSKEY:
        raise WrongUse("a sign-in without a name is finished with a passkey", hint="begin with a name for other methods")
    with suppress(BadResponse, NoSuchAccount):
        return find_credential(parts, read_sign_in(answer.text.reveal()).credential_id, now)
    return nobody.nobody(parts, nobody.SIGN, now)


def _with_proof(parts: Parts, at: Attempt, answer: Answer) -> Opened | HalfWay:
    account = at.account
    state = SignInState() if at.ceremony is None else _state(at.ceremony)
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
    if answer.kind is not Kind.PASSWORD:
        return account
    from passless.credentials import passwords

    password = account.password
    if password is None or not passwords.needs_rehash(password.hash):
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
    asked = ask(parts, account, signed, _origin(parts, at), at.now) if signed else Challenge()
    state = SignInState(expected=asked.expected, proofs=proofs, accepts=accepts)
    ceremony = open_ceremony(parts, at.actor, account.id, state, at.now)
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
    proven = tuple(proof.method for proof in proofs if proof.method is not None)
    return HalfWay(ceremony=ceremony, accepts=accepts, proven=proven, options=asked.options, origin=asked.origin)


def _origin(parts: Parts, at: Attempt) -> str:
    """Return the origin that a second proof must carry: that of the first, where it had one."""
    expected = b"" if at.ceremony is None else _state(at.ceremony).expected
    return msgspec.json.decode(expected, type=Origin).origin if expected else origin_of(parts, None)


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
    if current is not None:
        ids = {proof.method for proof in proofs}
        others = tuple(proof for proof in current.proofs if proof.method not in ids)
        session, token = renewed(parts, current, (*others, *proofs), now)
    else:
        place, in_browser = place_of(at.actor), bool(at.actor.visit)
        session, token = new_session(
            parts, account, SessionKind.DIRECT, place, proofs, SESSION_LIFE, now, in_browser=in_browser
        )
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
            forgives=throttle.forgiven(parts, account.id, at.actor.place, kinds),
            puts=throttle.made_familiar(parts, account.id, at.actor.place, now=now),
        )
    )
    return Opened(account=account, session=session, token=token)
