"""Signing in with a temporary pass, which begins a recovery: rule 10 says what may be done then."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from passless.actions import throttle
from passless.actions.catching_up import ended_for_good
from passless.actions.parts import Parts
from passless.actions.recovering import begun_notice
from passless.actions.recovery_sessions import continued, earlier_ones
from passless.actions.signing_in import Attempt, Opened, entry_of, new_session
from passless.actions.who import place_of
from passless.credentials.proofs import WrongProof
from passless.domain.account import Account
from passless.domain.applying import apply
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.changes import RevokeTemporaryPass, StartRecovery
from passless.domain.methods import Kind
from passless.domain.recovery import TemporaryPass
from passless.domain.secret import Secret
from passless.domain.sessions import SESSION_LIFE, SessionKind
from passless.ports import Write

ONE_TIME_PASS_LIFE = timedelta(minutes=10)  # features.md, "temporary pass": a one-time pass enrols within 10 minutes


def sign_in(parts: Parts, at: Attempt, typed: Secret) -> Opened:
    """Sign in with a pass; `WrongProof` where there is none, or it is not right, used or expired.

    With the hundredth wrong one in a row the pass ends, and nothing else does.
    """
    try:
        issued = _checked(at, typed)
    except WrongProof:
        if at.before >= throttle.SWITCHED_OFF - 1:
            _end_guessed(parts, at)
        raise
    after, events, notices = _in_recovery(parts, at, issued)
    life = ONE_TIME_PASS_LIFE if issued.once else min(SESSION_LIFE, issued.expires_at - at.now)
    session, token = new_session(parts, after, SessionKind.TEMPORARY_PASS, place_of(at.actor), (), life, at.now)
    entry = entry_of(at.account, at.actor, "sign-in", Outcome.DONE, at.now, {"kinds": Kind.TEMPORARY_PASS})
    used = (issued.id,) if issued.once else ()
    gone = (one for one in ended_for_good(at.found.stored, after) if one != issued.id)
    parts.store.commit(
        Write(
            at=at.now,
            account=after,
            expected=at.found.version,
            opens=session,
            ends=earlier_ones(parts.store, after),
            ended=(*used, *gone),
            notices=(*at.found.caught_up.notices, *notices),
            events=(*at.found.caught_up.events, *events, entry),
            forgives=(
                *throttle.forgiven(after.id, at.actor.place, [Kind.TEMPORARY_PASS]),
                *throttle.forgiven_pass(issued.id, at.actor.place),
            ),
        )
    )
    return Opened(account=after, session=session, token=token)


def _checked(at: Attempt, typed: Secret) -> TemporaryPass:
    from passless.credentials import passwords, random_codes

    issued = at.account.temporary_pass
    if (
        at.before >= throttle.SWITCHED_OFF
        or issued is None
        or at.now >= issued.expires_at
        or (issued.once and issued.used_at is not None)
    ):
        passwords.verify_nothing(random_codes.as_typed(typed))
        raise WrongProof("no pass, or used")
    if not random_codes.verify_temporary_pass(issued.hash, typed):
        raise WrongProof("temporary pass")
    return issued


def _end_guessed(parts: Parts, at: Attempt) -> None:
    """End a pass that was guessed too often; `VersionMoved` where somebody changed the account meanwhile."""
    issued = at.account.temporary_pass
    if issued is None:
        return
    after = apply(at.account, RevokeTemporaryPass(), now=at.now)
    entry = replace(
        entry_of(at.account, at.actor, "revoke-temporary-pass", Outcome.DONE, at.now, {"reason": "guessed", "pass": issued.id}),
        actor="passless",
    )
    message = "a temporary pass was tried too often and ended; ask for another"
    told = Notice(id=parts.new_id(), account_id=after.id, at=at.now, code="revoke-temporary-pass", message=message)
    parts.store.commit(
        Write(
            at=at.now,
            account=after,
            expected=at.found.version,
            ended=tuple(ended_for_good(at.found.stored, after)),
            notices=(*at.found.caught_up.notices, told),
            events=(*at.found.caught_up.events, entry),
        )
    )


def _in_recovery(
    parts: Parts, at: Attempt, issued: TemporaryPass
) -> tuple[Account, tuple[AuditEntry, ...], tuple[Notice, ...]]:
    """Return the account with the pass used and a recovery under way, and what is to be written of that."""
    account = replace(at.account, temporary_pass=replace(issued, used_at=at.now))
    if account.recovery is not None and account.recovery.finished_at is None:
        return account, (), ()
    after = continued(account, apply(account, StartRecovery(by=issued.issued_by), now=at.now), at.now)
    entry = entry_of(account, at.actor, "start-recovery", Outcome.DONE, at.now, {"by": issued.issued_by})
    return after, (entry,), (begun_notice(parts, account, at.now, "a temporary pass"),)
